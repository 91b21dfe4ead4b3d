"""What the rooms below say, as messages."""

from pathlib import Path

import numpy as np

from explorer import paths
from explorer.engine.translate import explanation, model_summaries
from explorer.evidence import (
    AttentionMap,
    ClipEvidence,
    Evidence,
    MovingAttention,
    PlaceShares,
    PointedAttention,
    RegionWeights,
    Segmentation,
    TemporalWeights,
    WordWeights,
)
from explorer.packages.finding import FoundPackage, find_packages
from explorer.protocol import Explain


def test_only_packages_that_can_search_are_offered() -> None:
    found = find_packages([paths.shipped("models")])
    names = [model.name for model in model_summaries(found)]
    assert "vision-lite0" in {entry.name for entry in found}
    assert "vision-lite0" not in names
    assert "pooled-flickr8k" in names


def test_a_broken_package_is_listed_last_with_its_problem(tmp_path: Path) -> None:
    found = [FoundPackage("a-broken-one", None, "It has no weights."), *find_packages([paths.shipped("models")])]
    last = model_summaries(found)[-1]
    assert (last.name, last.problem) == ("a-broken-one", "It has no weights.")


def test_evidence_survives_as_bytes() -> None:
    gates = np.arange(6, dtype=np.float32).reshape(2, 3)
    classes = np.array([[0, 2], [1, 1]], np.uint8)
    sure = np.array([[1.0, 0.5], [0.25, 0.0]], np.float32)
    evidence = Evidence(
        attention=(AttentionMap("vsem", "Gates", gates),),
        segmentation=Segmentation(classes, sure, ("background", "dog", "cat"), {"cat": 0.2, "dog": 0.9}),
    )
    told = explanation(Explain(id=1, item_id=2, model="m"), evidence, elapsed_ms=1.0)
    grid = told.attention[0]
    assert np.array_equal(np.frombuffer(grid.values, "<f4").reshape(grid.height, grid.width), gates)
    assert told.class_map is not None
    assert np.array_equal(np.frombuffer(told.class_map.class_ids, np.uint8).reshape(2, 2), classes)
    assert np.allclose(np.frombuffer(told.class_map.confidence, np.uint8).reshape(2, 2) / 255, sure, atol=1 / 255)
    assert told.presence == (("dog", 0.9), ("cat", 0.2))


def test_regions_words_and_pointed_maps_survive_as_bytes() -> None:
    boxes = np.array([[0, 0, 0.5, 1], [0.25, 0.25, 1, 0.75]], np.float32)
    values, scores = np.array([-0.25, 0.5], np.float32), np.array([0.75, 0.5], np.float32)
    maps = np.linspace(0, 1, 2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    links = np.arange(6, dtype=np.float32).reshape(3, 2)
    evidence = Evidence(
        regions=(RegionWeights("regions", "Regions", boxes, values, scores, ("dog", "")),),
        pointed=(PointedAttention("vspm-of-place", "Attention", "regions", maps),),
        words=WordWeights(("a", "dog", "runs"), np.float32([0.0, 0.5, 0.25]), (PlaceShares("regions", links),)),
    )
    told = explanation(Explain(id=1, item_id=2, model="m", without=("vsem",)), evidence, elapsed_ms=1.0)
    (region,), (pointed,) = told.regions, told.pointed
    assert np.array_equal(np.frombuffer(region.boxes, "<f4").reshape(2, 4), boxes)
    assert np.array_equal(np.frombuffer(region.values, "<f4"), values)
    assert region.labels == ("dog", "")
    assert (pointed.places, pointed.n_places, pointed.height, pointed.width) == ("regions", 2, 3, 4)
    assert np.allclose(np.frombuffer(pointed.values, "<f2").reshape(2, 3, 4), maps, atol=1e-3)
    assert told.words is not None
    assert told.words.weights == (0.0, 0.5, 0.25)
    assert np.array_equal(np.frombuffer(told.words.links[0].values, "<f4").reshape(3, 2), links)
    assert told.without == ("vsem",)


def test_what_moves_survives_as_bytes() -> None:
    maps = np.linspace(-2, 2, 3 * 2 * 4, dtype=np.float32).reshape(3, 2, 4)
    maps[0, 0, 0] = 1e6  # beyond half precision
    names = ("background", "dog")
    frames = tuple(
        Segmentation(np.full((2, 2), i % 2, np.uint8), np.full((2, 2), i / 2, np.float32), names) for i in range(3)
    )
    clip = ClipEvidence(
        times_s=np.array([1, 2, 4], np.float32), attention=(MovingAttention("cam", "Similarity", maps),),
        segmentation=frames, temporal=TemporalWeights("When", np.array([0.5, 0.25, -1], np.float32)),
    )
    told = explanation(Explain(id=1, item_id=2, model="m"), Evidence(clip=clip), elapsed_ms=1.0).clip
    assert told is not None
    assert np.frombuffer(told.times_s, "<f4").tolist() == [1, 2, 4]
    (grid,) = told.attention
    values = np.frombuffer(grid.values, "<f2").reshape(3, grid.height, grid.width)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[1:], maps[1:], atol=1e-3)
    assert told.class_maps is not None
    assert told.class_maps.names == names
    ids = np.frombuffer(told.class_maps.class_ids, np.uint8).reshape(3, 2, 2)
    assert ids[:, 0, 0].tolist() == [0, 1, 0]
    assert np.frombuffer(told.class_maps.confidence, np.uint8)[::4].tolist() == [0, 128, 255]
    assert (told.curve_title, np.frombuffer(told.curve, "<f4").tolist()) == ("When", [0.5, 0.25, -1])
