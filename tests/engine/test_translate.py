"""What the rooms below say, as messages."""

from pathlib import Path

import numpy as np

from explorer import paths
from explorer.engine.translate import explanation, model_summaries
from explorer.evidence import AttentionMap, Evidence, Segmentation
from explorer.packages.finding import FoundPackage, find_packages


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
    told = explanation(1, 2, "m", evidence, score=0.5, elapsed_ms=1.0)
    grid = told.attention[0]
    assert np.array_equal(np.frombuffer(grid.values, "<f4").reshape(grid.height, grid.width), gates)
    assert told.class_map is not None
    assert np.array_equal(np.frombuffer(told.class_map.class_ids, np.uint8).reshape(2, 2), classes)
    assert np.allclose(np.frombuffer(told.class_map.confidence, np.uint8).reshape(2, 2) / 255, sure, atol=1 / 255)
    assert told.presence == (("dog", 0.9), ("cat", 0.2))
