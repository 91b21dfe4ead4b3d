import numpy as np
import pytest

from explorer.evidence import AttentionMap, Evidence, PointedAttention, RegionWeights, Segmentation
from explorer.overlays import (
    ColourMap,
    PointedOverlay,
    RegionOverlay,
    names_of_places,
    overlays_from_evidence,
    overlays_from_explanation,
)
from explorer.protocol import Boxes, ClassMap, Explanation, Grid, PointedMaps, WordLinks, Words

NAMES = ("background", "dog", "person")


def _explanation(attention=(), class_map=None, **more):
    return Explanation(
        id=1, item_id=7, model="m", attention=attention, class_map=class_map, presence=(), score=None, elapsed_ms=1.0,
        **more,
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


BOXES = np.array([[0, 0, 0.5, 1], [0.25, 0.25, 0.75, 0.75]], np.float32)
VALUES, SCORES = np.array([0.2, 0.9], np.float32), np.array([0.5, 0.6], np.float32)
MAPS = np.random.default_rng(1).random((2, 3, 4)).astype(np.float16)


def _boxes(name="regions", **changes):
    fields = {
        "boxes": BOXES.tobytes(), "values": VALUES.tobytes(), "scores": SCORES.tobytes(), "labels": ("dog", "")
    }
    return Boxes(name=name, title=name.title(), **{**fields, **changes})


def _maps(name="vspm-of-place", **changes):
    fields = {"n_places": 2, "height": 3, "width": 4, "values": MAPS.tobytes()}
    return PointedMaps(name=name, title="Attends", places="regions", **{**fields, **changes})


def test_regions_and_maps_of_places_are_the_same_from_messages_and_arrays():
    average = MAPS.astype(np.float32)[0]
    message = _explanation((_grid("vspm", average),), regions=(_boxes(), _boxes("vsem")), pointed=(_maps(),))
    evidence = Evidence(
        attention=(AttentionMap("vspm", "Vspm", average),),
        regions=tuple(
            RegionWeights(name, name.title(), BOXES, VALUES, SCORES, ("dog", "")) for name in ("regions", "vsem")
        ),
        pointed=(PointedAttention("vspm-of-place", "Attends", "regions", MAPS),),
    )
    for layers in (overlays_from_explanation(message), overlays_from_evidence(evidence)):
        first, second, pointed = layers
        assert isinstance(first, RegionOverlay)
        assert (first.name, second.name, pointed.name) == ("regions", "vsem", "vspm")
        assert (first.visible, second.visible, pointed.visible) == (True, False, False)
        np.testing.assert_array_equal(first.boxes, BOXES)
        np.testing.assert_array_equal(first.values, VALUES)
        np.testing.assert_array_equal(first.scores, SCORES)
        assert first.labels == ("dog", "")
        assert isinstance(pointed, PointedOverlay)
        assert (pointed.title, pointed.places) == ("Vspm", "regions")
        np.testing.assert_array_equal(pointed.values, average)
        np.testing.assert_array_equal(pointed.maps, MAPS)


def test_maps_of_places_without_an_average_bring_their_own():
    (layer,) = overlays_from_explanation(_explanation(pointed=(_maps("where"),)))
    assert (layer.name, layer.title, layer.visible) == ("where", "Attends", True)
    np.testing.assert_allclose(layer.values, MAPS.astype(np.float32).mean(axis=0))


def test_values_below_zero_get_colours_with_a_sign():
    signed, tiny = overlays_from_explanation(_explanation((_grid("a", [[-0.3, 1.0]]), _grid("b", [[-1e-6, 1.0]]))))
    assert (signed.colour_map, tiny.colour_map) == (ColourMap.MANAGUA, ColourMap.VIRIDIS)


def test_an_image_without_any_region_has_no_layer_of_them():
    nothing = _boxes(boxes=b"", values=b"", scores=b"", labels=())
    maps = _maps(n_places=0, values=b"")
    assert overlays_from_explanation(_explanation(regions=(nothing,), pointed=())) == ()
    average = _grid("vspm", np.eye(3))
    (layer,) = overlays_from_explanation(_explanation((average,), regions=(nothing,), pointed=(maps,)))
    assert layer.name == "vspm"


@pytest.mark.parametrize(("broken", "sentence"), [
    ({"regions": (_boxes(values=b"1234"),)}, "values of 'regions' should have 8 bytes for 2 regions, got 4"),
    ({"regions": (_boxes(boxes=b""),)}, "boxes of 'regions' should have 32 bytes for 2 regions, got 0"),
    ({"pointed": (_maps(width=5),)}, "the maps 'vspm-of-place' should have 60 bytes"),
])
def test_regions_and_maps_that_do_not_fit_are_refused(broken, sentence):
    with pytest.raises(ValueError, match=sentence):
        overlays_from_explanation(_explanation(**broken))


def test_places_go_by_the_names_that_words_know():
    words = Words(words=("a",), weights=(1.0,), links=(WordLinks(places="cells", values=b""),))
    assert names_of_places(_explanation(words=words, pointed=(_maps(),))) == ("cells", "regions")
    assert names_of_places(_explanation()) == ()


def test_boxes_and_weights_that_are_no_numbers_are_drawn_as_nothing_special():
    from explorer.overlays import region_cover_rgba, region_strokes

    broken = _boxes(boxes=np.full((2, 4), np.nan, "<f4").tobytes(), values=np.array([np.nan, 0.5], "<f4").tobytes())
    (layer,) = overlays_from_explanation(_explanation(regions=(broken,)))
    assert all(np.isfinite(stroke.box).all() for stroke in region_strokes(layer))
    assert region_cover_rgba(layer, edge=4).shape == (4, 4, 4)
