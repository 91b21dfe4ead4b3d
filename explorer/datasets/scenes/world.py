"""What there is to be seen and said in the rendered world, split by split.

Kinds, colours, motions and the words for them are shared. Silhouettes, textures and backdrops of ``test`` are in none
of the other splits: a network that knows balls by one drawing of a ball does not find the others. ``val`` uses the
lists of ``train`` with scenes of its own.
"""

from collections.abc import Mapping
from typing import Literal

Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = ("train", "val", "test")

COLOURS: Mapping[str, tuple[float, float, float]] = {
    "red": (0.83, 0.17, 0.17),
    "orange": (0.96, 0.53, 0.11),
    "yellow": (0.98, 0.82, 0.17),
    "green": (0.25, 0.64, 0.30),
    "blue": (0.16, 0.40, 0.84),
    "purple": (0.50, 0.26, 0.72),
    "pink": (0.97, 0.53, 0.70),
    "brown": (0.49, 0.30, 0.17),
    "white": (0.94, 0.93, 0.90),
    "black": (0.13, 0.13, 0.16),
}
"""Name to the middle of what is called so, sRGB in 0..1."""

MOTIONS = ("left", "right", "up", "down", "growing", "shrinking", "turning", "crossing", "stopping")

_SILHOUETTES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "ball": (("beach ball", "football", "basketball"), ("tennis ball", "striped ball")),
    "box": (("cube", "gift", "crate"), ("parcel", "chest")),
    "star": (("five-pointed", "six-pointed", "rounded"), ("eight-pointed", "sparkle")),
    "heart": (("full", "slender", "framed"), ("broad", "winged")),
    "car": (("saloon", "van", "beetle"), ("pickup", "roadster")),
    "fish": (("round fish", "long fish", "fan-tail"), ("angelfish", "puffer")),
    "tree": (("leafy", "fir", "poplar"), ("cloud tree", "palm")),
    "cup": (("mug", "teacup", "beaker"), ("goblet", "bowl cup")),
    "kite": (("diamond", "delta", "hexagon kite"), ("box kite", "bird kite")),
    "boat": (("sailing boat", "steamer", "paper boat"), ("junk", "tug")),
    "house": (("cottage", "tower", "barn"), ("round hut", "villa")),
    "mushroom": (("toadstool", "bonnet", "flat cap"), ("twin", "morel")),
}
"""Kind to its silhouettes in train and val, and in test."""

_TEXTURES = (("plain", "stripes", "dots", "speckles", "fading"), ("chequers", "zigzag", "waves", "brushed"))
_BACKDROPS = (
    (
        "sky", "meadow", "beach", "brick", "tiles", "wallpaper", "studio", "boards", "night", "sunset",
    ),
    ("mountains", "snow", "dunes", "ripples", "chequered floor", "polka", "lights"),
)  # fmt: skip

KINDS = tuple(_SILHOUETTES)

AVOIDED_COLOURS: Mapping[str, frozenset[str]] = {
    "sky": frozenset({"blue", "white"}),
    "meadow": frozenset({"green"}),
    "beach": frozenset({"yellow", "brown"}),
    "brick": frozenset({"red", "brown", "orange"}),
    "tiles": frozenset({"white"}),
    "wallpaper": frozenset(),
    "studio": frozenset({"white"}),
    "boards": frozenset({"brown", "orange"}),
    "night": frozenset({"black", "blue", "purple"}),
    "sunset": frozenset({"orange", "pink"}),
    "mountains": frozenset({"purple"}),
    "snow": frozenset({"white"}),
    "dunes": frozenset({"orange", "yellow", "brown"}),
    "ripples": frozenset({"blue", "green"}),
    "chequered floor": frozenset({"white", "black"}),
    "polka": frozenset(),
    "lights": frozenset({"black", "brown"}),
}
"""Backdrop to the colours that would be lost before it; no scene puts them together."""


def silhouettes_of(kind: str, split: Split) -> tuple[str, ...]:
    """Drawings of a kind that scenes of this split show."""
    return _SILHOUETTES[kind][split == "test"]


def textures_of(split: Split) -> tuple[str, ...]:
    """Patterns that things of this split bear."""
    return _TEXTURES[split == "test"]


def backdrops_of(split: Split) -> tuple[str, ...]:
    """What scenes of this split take place before."""
    return _BACKDROPS[split == "test"]
