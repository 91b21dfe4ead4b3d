from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from explorer.overlays import ClassOverlay, HeatOverlay, class_rgba, composed, index_map, legend_rows

NAMES = ("background", *(f"class {k}" for k in range(1, 30)))


def _overlay(ids, confidence=None, **look):
    ids = np.asarray(ids, np.uint8)
    confidence = np.ones(ids.shape, np.float32) if confidence is None else np.asarray(confidence, np.float32)
    return ClassOverlay(name="seg", title="Segmentation", class_ids=ids, confidence=confidence, names=NAMES, **look)


@settings(deadline=None, max_examples=60)
@given(arrays(np.uint8, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.integers(0, 4)), st.integers(1, 3))
def test_every_cell_keeps_its_class_at_its_centre(ids, half):
    grow = 2 * half + 1
    enlarged = index_map(_overlay(ids), edge=max(ids.shape) * grow)
    assert enlarged.shape == (ids.shape[0] * grow, ids.shape[1] * grow)
    np.testing.assert_array_equal(enlarged[half::grow, half::grow], ids)


def test_straight_borders_run_between_the_cells():
    ids = np.zeros((6, 6), np.uint8)
    ids[:, 3:] = 2
    enlarged = index_map(_overlay(ids), edge=60)
    assert np.all(enlarged[:, :30] == 0)
    assert np.all(enlarged[:, 30:] == 2)


def test_uncertain_cells_go_below_the_threshold():
    ids = np.ones((2, 2), np.uint8)
    confidence = [[0.2, 0.5], [0.8, 1.0]]
    np.testing.assert_array_equal(index_map(_overlay(ids, confidence, threshold=0.5), edge=2), [[0, 1], [1, 1]])


def test_hidden_classes_are_not_painted_and_leave_the_others_as_they_were():
    ids = [[1, 1, 2], [0, 2, 2], [3, 3, 0]]
    free, hidden = class_rgba(_overlay(ids), edge=3), class_rgba(_overlay(ids, hidden=frozenset({2})), edge=3)
    gone = np.asarray(ids) == 2
    assert hidden[gone].max() == 0
    np.testing.assert_array_equal(hidden[~gone], free[~gone])
    assert free[gone].min(axis=-1).max() >= 0
    assert free[gone][:, 3].min() > 0


def test_legend_names_what_is_there_largest_first_with_its_share():
    ids = np.zeros((10, 10), np.uint8)
    ids[:2] = 7
    ids[5] = 3
    rows = legend_rows(_overlay(ids, hidden=frozenset({3})))
    assert [(row.class_id, row.name, row.share, row.visible) for row in rows] == [
        (7, "class 7", 0.2, True), (3, "class 3", 0.1, False)
    ]


def test_painted_colours_are_those_of_the_legend():
    ids = np.zeros((8, 8), np.uint8)
    ids[2:6, 1:4] = 5
    ids[1:3, 5:8] = 9
    rgba = class_rgba(_overlay(ids), edge=80)
    for row in legend_rows(_overlay(ids)):
        inside = index_map(_overlay(ids), edge=80) == row.class_id
        colours = rgba[inside].astype(float)
        plain = colours[:, :3] / colours[:, 3:] * 255
        np.testing.assert_allclose(plain, np.broadcast_to(row.colour, plain.shape), atol=2)
        assert set(np.unique(rgba[inside][:, 3]).tolist()) == {102, 255}  # fill 0.4, outline 1


def test_an_outline_has_no_fill_and_a_dark_hair_line_outside():
    ids = np.zeros((8, 8), np.uint8)
    ids[2:6, 2:6] = 1
    rgba = class_rgba(_overlay(ids, filled=False), edge=80)
    assert rgba[40, 40].max() == 0
    assert rgba[40, 20].tolist() == [*legend_rows(_overlay(ids))[0].colour, 255]
    assert rgba[40, 19].tolist() == [0, 0, 0, 110]
    assert rgba[40, 17].max() == 0


def test_classes_over_a_visible_heat_map_are_outlines():
    heat = HeatOverlay(name="vsem", title="Saliency", values=np.eye(2, dtype=np.float32))
    classes = _overlay([[0, 1]])
    assert composed((heat, classes))[1].filled is False
    assert composed((replace(heat, visible=False), classes))[1].filled is True
    assert composed((classes,))[0].filled is True


def test_a_class_without_a_name_is_refused():
    with pytest.raises(ValueError, match="class id 30 has no name: there are 30 names"):
        _overlay([[30]])


def test_maps_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match=r"must both be \(h, w\), got \(1, 2\) and \(2, 1\)"):
        _overlay([[0, 1]], [[1.0], [1.0]])
