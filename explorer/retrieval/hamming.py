"""Exact search over binary codes by Hamming distance."""

import numpy as np

from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval.ranking import Ranking, kept_of, rank_scores


class HammingIndex:
    """A gallery of codes, searched exactly.

    The score of two codes is ``1 - 2 * distance / n_bits``, the cosine of the codes as -1 and +1.

    Attributes:
        item_ids: int64 (n,), each once.
        version: whatever its maker compares to see whether the gallery is still current.
    """

    def __init__(
        self, item_ids: np.ndarray, packed: np.ndarray, *, version: object = None, n_bits: int | None = None
    ) -> None:
        """Take ids and codes as they are; nothing is copied, so a memory-mapped array stays on the disk.

        Parameters
        ----------
        item_ids
            int64 (n,).
        packed
            uint8 (n, n_bits / 8), possibly a ``np.memmap``.
        version
            kept as an attribute.
        n_bits
            width that queries will have; needed only for an empty gallery, whose array may have any width.

        Raises
        ------
        ValueError
            shapes or types are not these, or an id comes twice.
        """
        ids = np.asarray(item_ids)
        if ids.dtype != np.int64 or ids.ndim != 1 or len(np.unique(ids)) != len(ids):
            raise ValueError(f"item ids must be int64 of shape (n,), each once, got {ids.dtype} of shape {ids.shape}")
        if packed.dtype != np.uint8 or packed.ndim != 2 or len(packed) != len(ids):
            raise ValueError(
                f"expected uint8 codes of shape ({len(ids)}, bytes), got {packed.dtype} of shape {packed.shape}"
            )
        if n_bits is not None and len(ids) and packed.shape[1] * 8 != n_bits:
            raise ValueError(f"expected codes of {n_bits} bits, got {packed.shape[1] * 8}")
        self.item_ids = ids
        self.version = version
        self._packed = packed if len(ids) or n_bits is None else np.empty((0, n_bits // 8), np.uint8)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def dim(self) -> int:
        """Bits of one code."""
        return int(self._packed.shape[1]) * 8

    def score_all(self, queries: Embeddings | BinaryCodes) -> np.ndarray:
        """Scores of all items in the gallery's order, float32 (q, n)."""
        codes = self._codes(queries)
        scores = np.empty((len(codes), len(self)), np.float32)
        for row, code in zip(scores, codes, strict=True):
            row[:] = 1 - 2 * np.bitwise_count(self._packed ^ code).sum(axis=1, dtype=np.int64) / self.dim
        return scores

    def rank(self, scores: np.ndarray, k: int = 0) -> Ranking:
        """Rank scores that :meth:`score_all` gave, (n,) or (q, n)."""
        return rank_scores(scores, self.item_ids, k)

    def search(self, queries: Embeddings | BinaryCodes, k: int = 0, *, allowed: np.ndarray | None = None) -> Ranking:
        """The k nearest items of each query.

        Parameters
        ----------
        queries
            (q, n_bits).
        k
            0, or more than there are, ranks everything.
        allowed
            bool (n,) in the gallery's order: only these items are looked at. None allows all.

        Returns
        -------
        Ranking
            (q, min(k, number of allowed items)).

        Raises
        ------
        ValueError
            embeddings, queries of another width, or a mask of another length.
        """
        self._codes(queries)
        rows = np.ones(len(self), np.bool_) if allowed is None else allowed
        if rows.dtype != np.bool_ or rows.shape != (len(self),):
            raise ValueError(f"allowed must be bool of shape ({len(self)},), got {rows.dtype} {rows.shape}")
        n_kept = kept_of(k, int(rows.sum()))
        if n_kept == 0:
            return Ranking(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32))
        return rank_scores(self.score_all(queries)[:, rows], self.item_ids[rows], n_kept)

    def _codes(self, queries: Embeddings | BinaryCodes) -> np.ndarray:
        if not isinstance(queries, BinaryCodes):
            raise ValueError(f"expected queries that are codes of {self.dim} bits, got embeddings")
        if queries.n_bits != self.dim:
            raise ValueError(f"expected queries of {self.dim} bits, got {queries.n_bits}")
        return queries.packed
