"""Regions as strokes and as a cover, against loops over pixels."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.overlays import (
    COVER_CAP,
    ColourMap,
    HeatOverlay,
    RegionOverlay,
    Style,
    bar_colours,
    bar_range,
    composed,
    heat_rgba,
    region_cover_rgba,
    region_saliency,
    region_strokes,
    seen_regions,
)


def _regions(values, boxes=None, **look):
    values = np.asarray(values, np.float32)
    n = len(values)
    if boxes is None:
        corners = np.sort(np.random.default_rng(n).random((n, 2, 2)), axis=1)
        boxes = corners.reshape(n, 4)
    return RegionOverlay(
        name="regions", title="Regions", boxes=np.asarray(boxes, np.float32).reshape(n, 4), values=values,
        scores=np.ones(n, np.float32), labels=("",) * n, **look,
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_saliency_of_a_pixel_is_the_largest_weight_of_the_boxes_that_cover_it(seed):
    rng = np.random.default_rng(seed)
    overlay = _regions(rng.normal(0.1 * seed, 1, 9))
    edge = 40
    expected = np.zeros((edge, edge))
    pixels = np.rint(overlay.boxes * edge)
    for y in range(edge):
        for x in range(edge):
            covering = [
                overlay.values[k] for k, (x0, y0, x1, y1) in enumerate(pixels) if x0 <= x < x1 and y0 <= y < y1
            ]
            expected[y, x] = max(covering) if covering else 0.0
    np.testing.assert_allclose(region_saliency(overlay, edge=edge), expected)


def test_the_cover_is_clear_where_most_salient_and_dark_outside_of_all_regions():
    overlay = _regions([0.25, 1.0], [[0, 0, 0.5, 1], [0.5, 0, 0.75, 1]], style=Style.COVER)
    alpha = region_cover_rgba(overlay, edge=8)[..., 3][0] / 255
    np.testing.assert_allclose(alpha[[0, 5, 7]], [0.75, 0.0, COVER_CAP], atol=0.005)
    assert region_cover_rgba(overlay, edge=8)[..., :3].max() == 0


def test_regions_below_the_threshold_are_covered():
    overlay = _regions([0.4, 0.7, 1.0], [[0, 0, 0.25, 1], [0.25, 0, 0.5, 1], [0.5, 0, 0.75, 1]], style=Style.COVER)
    free = region_cover_rgba(overlay, edge=8)[0, :, 3] / 255
    cut = region_cover_rgba(replace(overlay, threshold=0.8), edge=8)[0, :, 3] / 255
    np.testing.assert_allclose(free[[0, 2, 4]], [0.6, 0.3, 0.0], atol=0.005)
    np.testing.assert_allclose(cut[[0, 2, 4]], [0.75, 0.75, 0.0], atol=0.005)


def test_the_bar_of_a_cover_counts_what_is_outside_of_all_regions():
    overlay = _regions([0.4, 1.0], [[0, 0, 0.25, 1], [0.5, 0, 0.75, 1]])
    assert bar_range(overlay) == (pytest.approx(0.4), 1.0)
    cover = replace(overlay, style=Style.COVER, threshold=0.5)
    assert bar_range(cover) == (0.0, 1.0)
    assert seen_regions(cover).tolist() == [1]
    assert seen_regions(replace(cover, threshold=0.3)).tolist() == [0, 1]


def test_a_cover_that_says_nothing_covers_nothing():
    assert region_cover_rgba(_regions([0.5], [[0, 0, 1, 1]]), edge=4).max() == 0


def test_the_strongest_is_drawn_last():
    strokes = region_strokes(_regions([0.3, 0.9, 0.1, 0.5]))
    assert [stroke.place for stroke in strokes] == [2, 0, 3, 1]
    np.testing.assert_allclose([stroke.strength for stroke in strokes], [0, 0.25, 0.5, 1], atol=1e-6)
    lightness = [sum(stroke.colour) for stroke in strokes]
    assert lightness == sorted(lightness)
    assert lightness[0] > 200  # never black on a dark picture


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_the_threshold_hides_the_weak(threshold):
    values = np.linspace(0, 1, 11)
    overlay = _regions(values, threshold=threshold)
    assert sorted(seen_regions(overlay).tolist()) == [k for k in range(11) if values[k] >= threshold - 1e-6]


def test_below_zero_looks_as_strong_as_above_and_has_another_colour():
    below, nothing, above = sorted(
        region_strokes(_regions([-0.5, 0.0, 0.5], colour_map=ColourMap.MANAGUA)), key=lambda stroke: stroke.place)
    assert below.strength == above.strength == 1
    assert nothing.strength < 0.01
    assert below.colour[2] > below.colour[0]  # blue
    assert above.colour[0] > above.colour[2]  # orange


def test_equal_weights_are_drawn_alike_and_no_region_is_no_stroke():
    assert len({stroke.colour for stroke in region_strokes(_regions([0.5, 0.5, 0.5]))}) == 1
    assert region_strokes(_regions(np.zeros(0))) == ()
    assert not region_saliency(_regions(np.zeros(0)), edge=3).any()


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"2 labels need boxes \(2, 4\), .* got \(2, 4\), \(2,\) and \(3,\)"):
        replace(_regions([0.1, 0.2]), scores=np.zeros(3, np.float32))


def test_a_heat_map_as_a_cover_is_one_minus_its_stretched_value():
    values = np.linspace(-1, 3, 9, dtype=np.float32).reshape(3, 3)
    overlay = HeatOverlay(name="a", title="A", values=values, style=Style.COVER, colour_map=ColourMap.MANAGUA)
    rgba = heat_rgba(overlay, edge=3)
    expected = np.minimum(1 - (values + 1) / 4, COVER_CAP)
    np.testing.assert_allclose(rgba[..., 3] / 255, expected, atol=0.003)
    assert rgba[..., :3].max() == 0
    assert heat_rgba(replace(overlay, values=np.ones((3, 3), np.float32))).max() == 0
    cut = heat_rgba(replace(overlay, threshold=0.5), edge=3)[..., 3] / 255
    np.testing.assert_allclose(cut[values < 1], COVER_CAP, atol=0.003)


def test_the_bar_of_a_cover_is_its_darkness():
    overlay = _regions([0.0, 1.0], style=Style.COVER)
    bar = bar_colours(overlay)
    assert bar.shape == (256, 4)
    assert (bar[0, 3], bar[-1, 3]) == (round(255 * COVER_CAP), 0)
    assert bar_colours(replace(overlay, style=Style.HEAT))[:, 3].min() == 255


def test_outlines_lie_over_classes_and_a_cover_makes_outlines_of_them():
    from explorer.overlays import ClassOverlay

    classes = ClassOverlay(
        name="c", title="C", class_ids=np.ones((2, 2), np.uint8), confidence=np.ones((2, 2), np.float32),
        names=("background", "dog"),
    )
    below, above = composed((_regions([1.0]), classes))
    assert (below.name, above.name, below.filled) == ("c", "regions", True)
    cover, outlined = composed((_regions([1.0], style=Style.COVER), classes))
    assert (cover.name, outlined.filled) == ("regions", False)
