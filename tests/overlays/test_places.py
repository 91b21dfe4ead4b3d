"""Places against loops over all of them."""

from dataclasses import replace

import numpy as np
import pytest

from explorer.overlays import (
    NOWHERE,
    ClassOverlay,
    ColourMap,
    HeatOverlay,
    PointedOverlay,
    RegionOverlay,
    Style,
    at_place,
    has_places,
    heat_rgba,
    heat_values,
    next_place,
    place_at,
    place_box,
    place_name,
    place_value,
    same_places,
    with_values,
)


@pytest.fixture
def cells():
    return HeatOverlay(name="cells", title="C", values=np.arange(20, dtype=np.float32).reshape(4, 5))


@pytest.fixture
def regions():
    rng = np.random.default_rng(2)
    boxes = np.sort(rng.random((12, 2, 2)), axis=1).reshape(12, 4).astype(np.float32)
    return RegionOverlay(
        name="regions", title="R", boxes=boxes, values=rng.random(12, np.float32), scores=np.ones(12, np.float32),
        labels=("dog", *[""] * 11),
    )


def test_the_middle_of_each_cell_is_that_cell(cells):
    for place in range(20):
        left, top, right, bottom = place_box(cells, place)
        assert place_at(cells, (left + right) / 2, (top + bottom) / 2) == place
        assert place_value(cells, place) == place
    assert place_at(cells, 1.0, 1.0) == 19
    assert place_name(cells, 7) == "row 2, column 3"


def test_of_the_boxes_around_a_point_the_smallest_counts(regions):
    for x, y in np.random.default_rng(3).random((200, 2)):
        areas = {
            k: (b[2] - b[0]) * (b[3] - b[1]) for k, b in enumerate(regions.boxes)
            if b[0] <= x <= b[2] and b[1] <= y <= b[3]
        }
        expected = min(areas, key=areas.get) if areas else NOWHERE
        assert place_at(regions, x, y) == expected


def test_boxes_that_are_hidden_are_not_pointed_at(regions):
    shown = replace(regions, threshold=1.0)
    strongest = int(np.argmax(regions.values))
    found = {place_at(shown, x, y) for x, y in np.random.default_rng(4).random((300, 2))}
    assert found <= {NOWHERE, strongest}


def test_names_of_regions(regions):
    assert (place_name(regions, 0), place_name(regions, 4)) == ("dog", "region 5")


@pytest.mark.parametrize("kind", ["cells", "regions"])
def test_keys_reach_every_place_and_never_leave(kind, cells, regions):
    overlay = cells if kind == "cells" else regions
    reached, at = set(), next_place(overlay, NOWHERE, 0, 0)
    frontier = [at]
    while frontier:
        at = frontier.pop()
        if at in reached:
            continue
        reached.add(at)
        frontier += [next_place(overlay, at, dx, dy) for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    assert reached == set(range(overlay.values.size))


def test_without_regions_there_is_no_next_one():
    empty = RegionOverlay(
        name="r", title="R", boxes=np.zeros((0, 4), np.float32), values=np.zeros(0, np.float32),
        scores=np.zeros(0, np.float32), labels=(),
    )
    assert next_place(empty, NOWHERE, 1, 0) == NOWHERE
    assert place_at(empty, 0.5, 0.5) == NOWHERE


def test_layers_have_the_same_places_if_their_cells_or_boxes_are_the_same(cells, regions):
    assert same_places(cells, replace(cells, name="other", values=cells.values * 2))
    assert not same_places(cells, replace(cells, values=np.zeros((5, 4), np.float32)))
    assert same_places(regions, replace(regions, values=regions.values * 2))
    assert not same_places(regions, replace(regions, boxes=regions.boxes / 2))
    assert not same_places(cells, regions)


def test_other_values_are_shown_with_their_sign_and_all_of_them(cells):
    values = np.linspace(-0.1, 0.3, 20)
    other = with_values(replace(cells, span=(0.0, 19.0)), values)
    assert (other.colour_map, other.style, other.threshold, other.visible) == (ColourMap.MANAGUA, Style.HEAT, 0.0, True)
    stretched = heat_values(other).ravel()
    np.testing.assert_allclose(stretched, (values + 0.3) / 0.6, atol=1e-6)
    alpha = heat_rgba(other, edge=5)[..., 3].ravel()
    near_zero = np.argmin(np.abs(values))
    assert alpha[near_zero] == alpha.min() < 40
    with pytest.raises(ValueError, match="'cells' has 20 places, got 3 values"):
        with_values(cells, np.zeros(3))


def test_values_of_nothing_but_zero_show_nothing(cells):
    assert heat_rgba(with_values(cells, np.zeros(20)))[..., 3].max() <= 8


def test_a_pointed_layer_shows_the_map_of_the_place_and_has_no_places_itself(cells):
    maps = np.random.default_rng(5).random((20, 3, 3)).astype(np.float16)
    pointed = PointedOverlay(
        name="vspm", title="V", values=maps.astype(np.float32).mean(axis=0), places="cells", maps=maps)
    np.testing.assert_array_equal(at_place(pointed, 4).values, maps[4].astype(np.float32))
    classes = ClassOverlay(
        name="c", title="C", class_ids=np.zeros((2, 2), np.uint8), confidence=np.ones((2, 2), np.float32), names=("b",))
    assert [has_places(layer) for layer in (cells, pointed, classes)] == [True, False, False]
    with pytest.raises(ValueError, match=r"of shape \(n, h, w\), got \(3, 3\)"):
        PointedOverlay(name="v", title="V", values=np.zeros((3, 3), np.float32), places="c", maps=np.zeros((3, 3)))
