"""Nearly exact search over codes, for galleries that are too large to scan: faiss's binary IVF and HNSW."""

from enum import StrEnum
from typing import Any

import numpy as np

from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval.faiss_threads import faiss_with_threads
from explorer.retrieval.hamming import HammingIndex, check_codes, n_allowed
from explorer.retrieval.hamming_nearest import Nearest
from explorer.retrieval.ranking import Ranking, kept_of

_CODES_PER_LIST = 39
"""Fewer than these to learn a list's centre from are too few (faiss warns of it)."""

_SPARSE = 16
"""Where not one item in so many is allowed, or so large a part is asked for, an exact scan is as fast."""

_REBUILT_FROM = 0.1
"""Share of removed codes from which on faiss's index is made anew."""


class ApproximateKind(StrEnum):
    """How near codes are found.

    ``ivf`` keeps codes in lists by the nearest of many centres and looks at the lists next to the query: quick to make.
    ``hnsw`` walks a graph of neighbours from code to code: slow to make.
    """

    IVF = "ivf"
    HNSW = "hnsw"


class ApproximateHammingIndex:
    """A gallery of codes, searched by :class:`ApproximateKind`; scores as of :class:`HammingIndex`.

    Few allowed items, and rankings of a large part of the gallery, are searched exactly. Of equally near codes that
    faiss finds the smaller ids come first.

    Not for two threads at once.
    """

    def __init__(
        self,
        item_ids: np.ndarray,
        packed: np.ndarray,
        *,
        kind: ApproximateKind | str,
        version: object = None,
        n_bits: int | None = None,
        effort: int | None = None,
        n_neighbours: int = 16,
    ) -> None:
        """Build the index: for a million codes of 64 bits ten seconds (IVF) or a minute (HNSW).

        Parameters
        ----------
        item_ids, packed, version, n_bits
            as of :class:`HammingIndex`; faiss keeps a copy of the codes in memory.
        kind
            of index.
        effort
            lists that are looked at (IVF: 64) or codes that are kept in sight while walking (HNSW: 128): more find
            more and take longer.
        n_neighbours
            of each code in HNSW's graph.

        Raises
        ------
        ValueError
            as of :class:`HammingIndex`; a kind that is none, or an effort or number of neighbours below 1 (2 for HNSW).
        """
        self._kind = ApproximateKind(kind)
        self._effort = {ApproximateKind.IVF: 64, ApproximateKind.HNSW: 128}[self._kind] if effort is None else effort
        if self._effort < 1 or n_neighbours < 2:
            raise ValueError(f"effort must be at least 1 and neighbours 2, got {self._effort} and {n_neighbours}")
        self._n_neighbours = n_neighbours
        self._exact = HammingIndex(item_ids, packed, version=version, n_bits=n_bits)
        self._faiss: Any = None
        self._centres: Any = None
        self._places = np.empty(0, np.int64)
        self._n_built = 0
        self._build(self._exact.packed)

    def __len__(self) -> int:
        return len(self._exact)

    @property
    def version(self) -> object:
        """Whatever its maker compares to see whether the gallery is still current."""
        return self._exact.version

    @property
    def item_ids(self) -> np.ndarray:
        """Int64 (n,), each once."""
        return self._exact.item_ids

    @property
    def dim(self) -> int:
        """Bits of one code."""
        return self._exact.dim

    def add(self, item_ids: np.ndarray, packed: np.ndarray) -> None:
        """Append items as :meth:`HammingIndex.add` does; where the gallery has doubled, the lists are made anew."""
        n_before = len(self)
        self._exact.add(item_ids, packed)
        if len(self) >= 2 * self._n_built:
            self._build(self._exact.packed)
        elif len(packed):
            with faiss_with_threads():
                self._faiss.add(np.ascontiguousarray(packed))
            self._places = np.concatenate([self._places, np.arange(n_before, len(self))])

    def remove(self, item_ids: np.ndarray) -> None:
        """Take items out as :meth:`HammingIndex.remove` does; faiss's index is made anew at a tenth."""
        gone = np.isin(self.item_ids, np.asarray(item_ids, np.int64))
        self._exact.remove(item_ids)
        # Faiss keeps the codes: what it finds of them is passed over.
        here = self._places >= 0
        new_places = np.where(gone, -1, np.cumsum(~gone) - 1)
        self._places[here] = new_places[self._places[here]]
        if np.count_nonzero(self._places < 0) >= _REBUILT_FROM * len(self._places):
            self._build(self._exact.packed)

    def score_all(self, queries: Embeddings | BinaryCodes) -> np.ndarray:
        """Scores of all items in the gallery's order, float32 (q, n); exact."""
        return self._exact.score_all(queries)

    def rank(self, scores: np.ndarray, k: int = 0) -> Ranking:
        """Rank scores that :meth:`score_all` gave, (n,) or (q, n)."""
        return self._exact.rank(scores, k)

    def search(self, queries: Embeddings | BinaryCodes, k: int = 0, *, allowed: np.ndarray | None = None) -> Ranking:
        """Nearly the k nearest items of each query; parameters, shapes and errors as of :meth:`HammingIndex.search`."""
        codes = check_codes(queries, self.dim)
        n_asked = n_allowed(allowed, len(self))
        n_kept = kept_of(k, n_asked)
        if not len(codes) or _SPARSE * max(n_kept, 1) > n_asked or _SPARSE * n_asked < len(self):
            return self._exact.search(queries, k, allowed=allowed)
        item_ids, scores = np.empty((len(codes), n_kept), np.int64), np.empty((len(codes), n_kept), np.float32)
        for row, code in enumerate(codes):
            distances, item_ids[row] = self._nearest(code, n_kept, allowed)
            scores[row] = 1 - 2 * distances / self.dim
        return Ranking(item_ids, scores)

    def _nearest(self, code: np.ndarray, n_kept: int, allowed: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Distances and ids of one query, (n_kept,): more is fetched until enough is allowed and no tie is cut off."""
        n_fetched, effort = 2 * n_kept, self._effort
        n_all = len(self._places)
        with faiss_with_threads():
            while n_fetched < n_all:
                self._set_effort(effort)
                found_distances, rows = (found[0] for found in self._faiss.search(code[None], n_fetched))
                n_found = int(np.count_nonzero(rows >= 0))
                places = self._places[rows[:n_found]]
                passing = places >= 0 if allowed is None else (places >= 0) & allowed[places]
                distances = found_distances[:n_found][passing]
                if len(distances) >= n_kept and (
                    n_found < n_fetched or np.partition(distances, n_kept - 1)[n_kept - 1] < found_distances[-1]
                ):
                    nearest = Nearest(n_kept)
                    nearest.add(distances, self.item_ids[places[passing]])
                    return nearest.ranked()
                # All that lies in reach was found, and it is not enough: reach further.
                effort, n_fetched = (2 * effort, n_fetched) if n_found < n_fetched else (effort, 2 * n_fetched)
                if effort > n_all:
                    break
        exact = self._exact.search(BinaryCodes(code[None]), n_kept, allowed=allowed)
        return np.rint((1 - exact.scores[0]) * self.dim / 2), exact.item_ids[0]

    def _set_effort(self, effort: int) -> None:
        if self._kind is ApproximateKind.IVF:
            self._faiss.nprobe = min(effort, self._faiss.nlist)
        else:
            self._faiss.hnsw.efSearch = effort

    def _build(self, packed: np.ndarray) -> None:
        """Make faiss's index of all codes, uint8 (n, bytes), in the gallery's order."""
        self._n_built = len(packed)
        # Where each of faiss's rows stands in the gallery; -1 where it was removed.
        self._places = np.arange(len(packed))
        codes = np.ascontiguousarray(packed)
        with faiss_with_threads() as faiss:
            self._faiss = self._new_index(faiss, len(packed))
            if len(codes):
                self._faiss.train(codes)
                self._faiss.add(codes)

    def _new_index(self, faiss: Any, n_items: int) -> Any:
        if self._kind is ApproximateKind.HNSW:
            return faiss.IndexBinaryHNSW(self.dim, self._n_neighbours)
        n_lists = max(min(int(n_items**0.5), n_items // _CODES_PER_LIST), 1)
        self._centres = faiss.IndexBinaryFlat(self.dim)  # faiss does not keep it alive
        return faiss.IndexBinaryIVF(self._centres, self.dim, n_lists)
