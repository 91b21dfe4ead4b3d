"""What every search index can be asked, whatever it holds."""

from typing import Protocol

import numpy as np

from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval.ranking import Ranking


class GalleryIndex(Protocol):
    """Items that can be searched with what their encoder makes: embeddings, or codes.

    Wherever an order matters it is that of :attr:`item_ids`. An index refuses what its own encoder cannot have made
    (the other kind, or another width) with a ``ValueError``.
    """

    @property
    def item_ids(self) -> np.ndarray:
        """Int64 (n,), each once."""
        ...

    @property
    def version(self) -> object:
        """Whatever its maker compares to see whether the gallery is still current."""
        ...

    @property
    def dim(self) -> int:
        """Width of an embedding, or number of bits of a code."""
        ...

    def __len__(self) -> int: ...

    def score_all(self, queries: Embeddings | BinaryCodes) -> np.ndarray:
        """Scores of all items, float32 (q, n); larger is nearer."""
        ...

    def rank(self, scores: np.ndarray, k: int = 0) -> Ranking:
        """Rank scores that :meth:`score_all` gave, (n,) or (q, n); 0 ranks all."""
        ...

    def search(self, queries: Embeddings | BinaryCodes, k: int = 0, *, allowed: np.ndarray | None = None) -> Ranking:
        """The k nearest items of each query among those ``allowed``, bool (n,); 0 ranks all."""
        ...
