import numpy as np
import pytest

from explorer.evidence import AttentionMap, Evidence, Segmentation
from explorer.overlays import ColourMap, overlays_from_evidence, overlays_from_explanation
from explorer.protocol import ClassMap, Explanation, Grid

NAMES = ("background", "dog", "person")


def _explanation(attention=(), class_map=None):
    return Explanation(
        id=1, item_id=7, model="m", attention=attention, class_map=class_map, presence=(), score=None, elapsed_ms=1.0
    )


def _grid(name, values):
    values = np.asarray(values, "<f4")
    return Grid(name=name, title=name.title(), height=values.shape[0], width=values.shape[1], values=values.tobytes())


def test_messages_and_arrays_give_the_same_layers():
    gates = np.random.default_rng(0).random((2, 7, 7), np.float32)
    ids = np.array([[0, 1], [2, 1], [0, 0]], np.uint8)
    sure = np.array([[255, 51], [102, 0], [1, 2]], np.uint8)
    message = _explanation(
        (_grid("vsem", gates[0]), _grid("vspm", gates[1])),
        ClassMap(height=3, width=2, class_ids=ids.tobytes(), confidence=sure.tobytes(), names=NAMES),
    )
    evidence = Evidence(
        attention=(AttentionMap("vsem", "Vsem", gates[0]), AttentionMap("vspm", "Vspm", gates[1])),
        segmentation=Segmentation(ids, sure.astype(np.float32) / 255, NAMES),
    )
    for ours, theirs in zip(overlays_from_explanation(message), overlays_from_evidence(evidence), strict=True):
        for attribute in ("name", "title", "kind", "visible", "opacity", "threshold"):
            assert getattr(ours, attribute) == getattr(theirs, attribute)
    first, second, classes = overlays_from_explanation(message)
    np.testing.assert_array_equal(first.values, gates[0])
    np.testing.assert_array_equal(second.values, gates[1])
    np.testing.assert_array_equal(classes.class_ids, ids)
    np.testing.assert_allclose(classes.confidence, [[1, 0.2], [0.4, 0], [1 / 255, 2 / 255]])


def test_only_the_first_heat_map_is_seen_at_first_and_the_two_differ_in_colour():
    first, second = overlays_from_explanation(_explanation((_grid("a", np.eye(2)), _grid("b", np.eye(2)))))
    assert (first.visible, second.visible) == (True, False)
    assert (first.colour_map, second.colour_map) == (ColourMap.MAGMA, ColourMap.VIRIDIS)


def test_a_model_without_evidence_has_no_layers():
    assert overlays_from_explanation(_explanation()) == ()
    assert overlays_from_evidence(Evidence()) == ()


def test_bytes_that_do_not_fit_are_refused():
    broken = Grid(name="vsem", title="", height=7, width=7, values=b"\0" * 195)
    with pytest.raises(ValueError, match="the map 'vsem' should have 196 bytes for 7 x 7 cells, got 195"):
        overlays_from_explanation(_explanation((broken,)))
    short = ClassMap(height=2, width=2, class_ids=b"\0" * 4, confidence=b"\0", names=NAMES)
    with pytest.raises(ValueError, match="the class map's confidence should have 4 bytes"):
        overlays_from_explanation(_explanation((), short))
