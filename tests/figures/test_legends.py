"""What colours mean: numbers that tell values apart, and the same meaning in every picture of a grid."""

import numpy as np
import pytest

from explorer.evidence import AttentionMap, Evidence, RegionWeights, Segmentation
from explorer.figures import draw_figure
from explorer.figures.alike import legend_layers, made_alike
from explorer.figures.layers import all_layers
from explorer.figures.legends import number, value_labels
from explorer.figures.page import TextMark
from explorer.overlays import ClassOverlay, class_rgba, heat_range, heat_rgba, legend_rows
from explorer.protocol import FigureLayer


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.2, 0.8, ("0.20", "0.50", "0.80")),
        (-1.0, 1.0, ("\N{MINUS SIGN}1.0", "0.0", "1.0")),
        (0.0, 0.077, ("0.000", "0.038", "0.077")),
        (10.0, 250.0, ("10", "130", "250")),
        (0.5, 0.5, ("0.5 everywhere",)),
        (3.4e-32, 6.2e-9, ("0", "3.1×10⁻⁹", "6.2×10⁻⁹")),
        (-2e7, 2e7, ("\N{MINUS SIGN}2.0×10⁷", "0", "2.0×10⁷")),
        (0.0, 0.0, ("0 everywhere",)),
    ],
)
def test_labels_tell_the_values_apart(low, high, labels):
    assert value_labels(low, high) == labels


@pytest.mark.parametrize("value", [-0.001, 0.0, 0.004])
def test_a_rounded_zero_has_no_sign(value):
    assert number(value, 2, plus="+") == "0.00"


def _heat(low, high):
    return Evidence(attention=(AttentionMap("cells", "Cells", np.array([[low, high]], np.float32)),))


def _classes(*ids):
    names = tuple(f"class {n}" for n in range(20))
    class_map = np.array([ids], np.uint8)
    return Evidence(segmentation=Segmentation(class_map, np.ones(class_map.shape, np.float32), names))


def test_pictures_of_a_grid_share_one_range():
    layers = made_alike([all_layers(_heat(0.0, 0.5)), all_layers(_heat(0.25, 1.0))])
    assert [heat_range(layer) for (layer,) in layers] == [(0.0, 1.0), (0.0, 1.0)]
    # 0.5 of the first picture looks like 0.5 of the second would: not like its highest.
    first, second = (heat_rgba(layer, edge=2) for (layer,) in layers)
    assert first[0, 1, 3] == round(255 * 0.5**0.6)
    assert second[0, 1, 3] == 255
    assert first[0, 0, 3] == 0


def test_one_picture_below_zero_gives_all_colours_with_a_sign():
    layers = made_alike([all_layers(_heat(0.1, 0.5)), all_layers(_heat(-1.0, 0.25))])
    assert {layer.colour_map.has_sign for (layer,) in layers} == {True}
    assert [heat_range(layer) for (layer,) in layers] == [(-1.0, 1.0), (-1.0, 1.0)]


def test_regions_share_one_range_too():
    def regions(*values):
        n = len(values)
        boxes = np.tile(np.array([0, 0, 1, 1], np.float32), (n, 1))
        return Evidence(regions=(
            RegionWeights("regions", "R", boxes, np.array(values, np.float32), np.ones(n, np.float32), ("",) * n),
        ))  # fmt: skip

    layers = made_alike([all_layers(regions(0.2, 0.4)), all_layers(regions(0.9))])
    assert [heat_range(layer) for (layer,) in layers] == [(pytest.approx(0.2), pytest.approx(0.9))] * 2


def test_a_class_has_one_colour_in_all_pictures_of_a_grid():
    alone = [all_layers(_classes(1, 8, 8))[0], all_layers(_classes(1, 1, 15))[0]]
    assert all(isinstance(layer, ClassOverlay) for layer in alone)
    layers = [layer for (layer,) in made_alike([(layer,) for layer in alone])]
    colours = [{row.class_id: row.colour for row in legend_rows(layer)} for layer in layers]
    # Alone, the larger class 8 takes the colour that class 1 has in the other picture.
    assert {row.class_id: row.colour for row in legend_rows(alone[0])}[1] != (
        {row.class_id: row.colour for row in legend_rows(alone[1])}[1]
    )
    assert colours[0][1] == colours[1][1]
    assert len({colours[0][1], colours[0][8], colours[1][15]}) == 3
    painted = class_rgba(layers[1], edge=3)
    assert tuple(painted[0, 0, :3]) == tuple(round(0.4 * part) for part in colours[1][1])
    [legend] = legend_layers([(layer,) for layer in layers])
    assert [(row.class_id, row.share) for row in legend_rows(legend)] == [(1, 0.5), (8, 2 / 6), (15, 1 / 6)]


def test_a_grid_has_one_legend_with_the_values_of_all(made):
    results = [made.result(evidence=_heat(0.0, 0.5)), made.result(evidence=_heat(0.25, 1.0))]
    page = draw_figure(made.spec(kind="grid", layers=(FigureLayer(name="cells"),)), made.content(*results))
    texts = [mark.text for mark in page.marks if isinstance(mark, TextMark)]
    assert [text for text in texts if text in ("0.0", "0.00", "0.5", "0.50", "1.0", "1.00")] == ["0.0", "0.5", "1.0"]
    assert len([mark for mark in page.marks if mark.name == "bar-cells"]) == 1


def test_the_bar_of_a_region_cover_begins_at_zero_where_there_is_no_region(made):
    layers = (FigureLayer(name="regions", style="cover"),)
    boxes = np.array([[0.1, 0.1, 0.4, 0.4], [0.5, 0.5, 0.9, 0.9]], np.float32)
    regions = RegionWeights("regions", "R", boxes, np.array([0.3, 0.9], np.float32), np.ones(2, np.float32), ("", ""))
    page = draw_figure(made.spec(layers=layers), made.content(made.result(evidence=Evidence(regions=(regions,)))))
    texts = [mark.text for mark in page.marks if isinstance(mark, TextMark)]
    assert texts[-3:] == ["0.00", "0.45", "0.90"]
