"""Exact search over real embeddings by inner product."""

from collections.abc import Iterator

import numpy as np

from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval.ranking import Ranking, best_of, kept_of, rank_scores

_BLOCK_SCORES = 1 << 20
"""Scores held at once (4 MB): they are compared with the threshold while they are still in the cache."""

_MIN_BLOCK_ROWS = 1024
_MAX_BLOCK_ROWS = 1 << 16
_MERGE_FACTOR = 4


class InnerProductIndex:
    """A gallery of vectors, searched exactly.

    Attributes:
        item_ids: int64 (n,), each once.
        version: whatever its maker compares to see whether the gallery is still current.
    """

    def __init__(
        self, item_ids: np.ndarray, vectors: np.ndarray, *, version: object = None, dim: int | None = None
    ) -> None:
        """Take ids and vectors as they are; nothing is copied, so a memory-mapped array stays on the disk.

        Parameters
        ----------
        item_ids
            int64 (n,).
        vectors
            float32 (n, dim), possibly a ``np.memmap``.
        version
            kept as an attribute.
        dim
            width that queries will have; needed only for an empty gallery, whose array may have any width.

        Raises
        ------
        ValueError
            shapes or types are not these, or an id comes twice.
        """
        ids = np.asarray(item_ids)
        if ids.dtype != np.int64 or ids.ndim != 1 or not _each_once(ids):
            raise ValueError(f"item ids must be int64 of shape (n,), each once, got {ids.dtype} of shape {ids.shape}")
        if vectors.dtype != np.float32 or vectors.ndim != 2 or len(vectors) != len(ids):
            raise ValueError(
                f"expected float32 vectors of shape ({len(ids)}, dim), got {vectors.dtype} of shape {vectors.shape}"
            )
        if dim is not None and len(ids) and vectors.shape[1] != dim:
            raise ValueError(f"expected vectors {dim} wide, got {vectors.shape[1]}")
        self.item_ids = ids
        self.version = version
        self._vectors = vectors if len(ids) or dim is None else np.empty((0, dim), np.float32)

    def __len__(self) -> int:
        return len(self.item_ids)

    @property
    def dim(self) -> int:
        """Width of one vector."""
        return int(self._vectors.shape[1])

    def score_all(self, queries: Embeddings | BinaryCodes) -> np.ndarray:
        """Scores of all items in the gallery's order, float32 (q, n)."""
        scores: np.ndarray = np.asarray(self._values(queries) @ self._vectors.T)
        return scores

    def rank(self, scores: np.ndarray, k: int = 0) -> Ranking:
        """Rank scores that :meth:`score_all` gave, (n,) or (q, n)."""
        return rank_scores(scores, self.item_ids, k)

    def search(self, queries: Embeddings | BinaryCodes, k: int = 0, *, allowed: np.ndarray | None = None) -> Ranking:
        """The k nearest items of each query.

        Parameters
        ----------
        queries
            (q, dim).
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
            codes, queries of another width, a mask of another length, or a vector that is not finite.
        """
        values = self._values(queries)
        n_allowed = len(self)
        if allowed is not None:
            if allowed.dtype != np.bool_ or allowed.shape != (len(self),):
                raise ValueError(f"allowed must be bool of shape ({len(self)},), got {allowed.dtype} {allowed.shape}")
            n_allowed = int(allowed.sum())
        n_kept = kept_of(k, n_allowed)
        if len(queries) == 0 or n_kept == 0:
            return Ranking(np.empty((len(queries), n_kept), np.int64), np.empty((len(queries), n_kept), np.float32))
        best = _Best(self.item_ids, len(queries), n_kept)
        n_rows = max(min(max(_BLOCK_SCORES // len(queries), _MIN_BLOCK_ROWS), _MAX_BLOCK_ROWS), n_kept)
        for positions, vectors in self._blocks(n_rows, allowed):
            # This order of the factors is faster than values @ vectors.T by a seventh for 100 queries.
            best.add(vectors @ values.T, positions)
        return best.ranking()

    def _blocks(self, n_rows: int, allowed: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Positions and vectors of the allowed items, from ``n_rows`` items at a time."""
        for start in range(0, len(self), n_rows):
            rows = slice(start, min(start + n_rows, len(self)))
            positions = np.arange(rows.start, rows.stop)
            if allowed is None or allowed[rows].all():
                yield positions, self._vectors[rows]
            elif allowed[rows].any():
                positions = positions[allowed[rows]]
                yield positions, self._vectors[positions]

    def _values(self, queries: Embeddings | BinaryCodes) -> np.ndarray:
        if not isinstance(queries, Embeddings):
            raise ValueError(
                f"expected queries that are embeddings {self.dim} wide, got codes of {queries.n_bits} bits"
            )
        if queries.dim != self.dim:
            raise ValueError(f"expected queries {self.dim} wide, got {queries.dim}")
        return queries.values


class _Best:
    """The best items seen so far of each query.

    A block is compared with each query's score at the last place so far, and only what reaches it waits to be merged.
    """

    def __init__(self, item_ids: np.ndarray, n_queries: int, n_kept: int) -> None:
        self._item_ids = item_ids
        self._n_queries = n_queries
        self._n_kept = n_kept
        self._thresholds: np.ndarray | None = None  # (q,)
        # Parts of (query, score, position), each (m,); the first is what the last merge kept.
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._n_waiting = 0

    def add(self, scores: np.ndarray, positions: np.ndarray) -> None:
        """Look at a block: scores (b, q) of the items at these positions (b,)."""
        if self._thresholds is None and len(scores) >= self._n_kept:
            last = len(scores) - self._n_kept
            self._thresholds = np.partition(np.ascontiguousarray(scores.T), last, axis=1)[:, last]
        # "Not below" instead of "at or above": what is not a number must come through, to be found out.
        below = np.zeros(scores.shape, np.bool_) if self._thresholds is None else scores < self._thresholds
        passing = np.flatnonzero(~below)
        rows, queries = np.divmod(passing, self._n_queries)
        self._parts.append((queries, scores.ravel()[passing], positions[rows]))
        self._n_waiting += len(passing)
        # A merge costs a step a query, a low threshold a step an item: merge rarely, but not never.
        if self._n_waiting >= _MERGE_FACTOR * self._n_queries * self._n_kept:
            self._merge()

    def ranking(self) -> Ranking:
        """What was best in all blocks."""
        self._merge()
        _, scores, positions = self._parts[0]
        shape = (self._n_queries, self._n_kept)
        return Ranking(self._item_ids[positions].reshape(shape), scores.reshape(shape))

    def _merge(self) -> None:
        queries, scores, positions = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        by_query = np.argsort(queries, kind="stable")
        ends = np.cumsum(np.bincount(queries, minlength=self._n_queries))
        kept = []
        for candidates in np.split(by_query, ends[:-1]):
            n_kept = min(self._n_kept, len(candidates))
            kept.append(candidates[best_of(scores[candidates], self._item_ids[positions[candidates]], n_kept)])
        order = np.concatenate(kept)
        self._parts = [(queries[order], scores[order], positions[order])]
        self._n_waiting = 0
        if len(order) == self._n_queries * self._n_kept:
            self._thresholds = scores[order].reshape(self._n_queries, self._n_kept)[:, -1]


def _each_once(item_ids: np.ndarray) -> bool:
    # Sorted ids, the usual case, are told in one pass.
    return bool((item_ids[1:] > item_ids[:-1]).all()) or len(np.unique(item_ids)) == len(item_ids)
