"""Results to draw: pictures, and evidence with every kind of layer."""

import xml.etree.ElementTree as ET
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from explorer.evidence import (
    AttentionMap,
    Evidence,
    PlaceShares,
    PointedAttention,
    RegionWeights,
    Segmentation,
    WordWeights,
)
from explorer.figures import FigureContent, ShownResult
from explorer.protocol import FigureSpec

NAMES = ("background", "cat", "dog", "person", "tree")
BOXES = np.array([[0.1, 0.2, 0.5, 0.6], [0.0, 0.0, 1.0, 1.0], [0.5, 0.5, 0.9, 0.75]], np.float32)


def evidence(**changes: Any) -> Evidence:
    gates = np.linspace(0.2, 0.8, 49, dtype=np.float32).reshape(7, 7)
    ids = np.zeros((28, 28), np.uint8)
    ids[4:20, 4:20], ids[20:, 14:] = 3, 2
    pointed = np.zeros((49, 14, 14), np.float16)
    pointed[np.arange(49), np.arange(49) % 14, np.arange(49) // 14] = 1
    fields: dict[str, Any] = {
        "attention": (AttentionMap("vsem", "Semantic saliency (VSeM)", gates),),
        "regions": (
            RegionWeights(
                "regions", "Regions", BOXES, np.array([0.1, 0.5, 0.9], np.float32), np.ones(3, np.float32),
                ("cat", "", "dog"),
            ),
        ),
        "pointed": (PointedAttention("vspm-of-place", "Spatial attention", "vsem", pointed),),
        "segmentation": Segmentation(ids, np.ones((28, 28), np.float32), NAMES),
        "score": 0.84,
        "words": WordWeights(
            ("a", "dog", "and", "a", "person"), np.array([0.0, 0.31, -0.02, 0.004, 0.12], np.float32),
            (PlaceShares("vsem", np.linspace(-1, 1, 5 * 49, dtype=np.float32).reshape(5, 49)),),
        ),
    }  # fmt: skip
    return Evidence(**{**fields, **changes})


def picture(width: int = 320, height: int = 240, colour: tuple[int, int, int] = (128, 64, 32)) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def result(width: int = 320, height: int = 240, **changes: Any) -> ShownResult:
    fields: dict[str, Any] = {
        "picture": picture(width, height), "name": "IMG_1.jpg", "evidence": evidence(), "score": 0.84, "rank": 3,
    }  # fmt: skip
    return ShownResult(**{**fields, **changes})


def content(*results: ShownResult, **changes: Any) -> FigureContent:
    fields: dict[str, Any] = {"query": "a dog and a person", "model": "3shnet-flickr8k", "n_gallery": 218}
    return FigureContent(results=results or (result(),), **{**fields, **changes})


def spec(**changes: Any) -> FigureSpec:
    return FigureSpec(**{"item_ids": (1,), "model": "m", "dpi": 100, **changes})


class Svg:
    """A parsed SVG: its texts, and its shapes by name."""

    def __init__(self, svg: bytes) -> None:
        self.root = ET.fromstring(svg)

    @property
    def texts(self) -> list[str]:
        return [element.text or "" for element in self.root.findall(".//{*}text")]

    def named(self, beginning: str) -> list[str]:
        found = [element.get("id", "") for element in self.root.findall(".//{*}g")]
        return [name for name in found if name.startswith(beginning)]

    def box_mm(self, name: str) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of a named rectangle, in millimetres."""
        [group] = [element for element in self.root.findall(".//{*}g") if element.get("id") == name]
        [path] = group.findall(".//{*}path")
        numbers = np.array([float(part) for part in path.get("d", "").split() if part not in "MLz"]).reshape(-1, 2)
        left, top = numbers.min(axis=0) * 25.4 / 72
        right, bottom = numbers.max(axis=0) * 25.4 / 72
        return left, top, right, bottom

    def edge_of(self, name: str) -> str:
        [group] = [element for element in self.root.findall(".//{*}g") if element.get("id") == name]
        [path] = group.findall(".//{*}path")
        return path.get("style", "")


@pytest.fixture
def made() -> SimpleNamespace:
    """The makers of this file, for tests that are imported apart from it."""
    return SimpleNamespace(
        evidence=evidence, picture=picture, result=result, content=content, spec=spec, Svg=Svg, NAMES=NAMES, BOXES=BOXES
    )

