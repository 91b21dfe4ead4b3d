"""The words of an explanation as arrays: what each adds to the score, and to each place of the picture. No Qt."""

import unicodedata
from dataclasses import dataclass, field

import numpy as np

from explorer.protocol import Words

_FAINT_PLACE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class WordTable:
    """Words and their numbers.

    Attributes:
        words: in the sentence's order; of very long sentences each is a run of several words.
        weights: how far the score falls without each, float32 (n_words,); negative: it rises.
        links: for every layer that can be pointed at, by its name: each word's share of each place,
            float32 (n_words, n_places).
    """

    words: tuple[str, ...]
    weights: np.ndarray
    links: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def strongest(self) -> int:
        """The word without which the score falls most; -1 if it falls without none."""
        if not len(self.weights) or self.weights.max() <= 0:
            return -1
        return int(np.argmax(self.weights))

    def shares(self, layer: str, place: int) -> np.ndarray | None:
        """What each word adds to a place, (n_words,); ``None`` if nothing is known of it."""
        links = self.links.get(layer)
        return None if links is None or not 0 <= place < links.shape[1] else links[:, place]

    def scale_of(self, layer: str, place: int) -> float:
        """What counts as much at a place: its own largest share, but no less than a part of the largest anywhere.

        So a place that hardly matters lights no word brightly.
        """
        links = self.links[layer]
        return float(max(np.abs(links[:, place]).max(), _FAINT_PLACE * np.abs(links).max()))

    def without(self, place: int) -> str:
        """The sentence with this word left out."""
        return " ".join(word for i, word in enumerate(self.words) if i != place)


def word_table(words: Words) -> WordTable:
    """The table of a message; what is not a number counts as nothing.

    Raises:
        ValueError: there is not one weight a word, or the links do not fit the words.
    """
    n_words = len(words.words)
    if len(words.weights) != n_words:
        raise ValueError(f"there must be one weight a word, got {len(words.weights)} for {n_words} words")
    links = {}
    for link in words.links:
        values = np.frombuffer(link.values, "<f4")
        if not n_words or values.size == 0 or values.size % n_words:
            shape = f"got {values.size} values for {n_words} words"
            raise ValueError(f"links to {link.places!r} must be (n_words, n_places), {shape}")
        links[link.places] = _finite(values.astype(np.float32).reshape(n_words, -1))
    weights = _finite(np.asarray(words.weights, np.float32))
    return WordTable(words=words.words, weights=weights, links=links)


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.float32(0))


def runs_right_to_left(text: str) -> bool:
    """Whether a text begins in a script that is written from right to left."""
    strong = next((b for b in map(unicodedata.bidirectional, text) if b in ("L", "R", "AL")), "L")
    return strong != "L"
