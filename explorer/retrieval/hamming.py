"""Exact search over binary codes by Hamming distance."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval.hamming_blocks import BlockDistances
from explorer.retrieval.hamming_nearest import Nearest, is_ascending
from explorer.retrieval.hamming_part import CodePart
from explorer.retrieval.ranking import Ranking, kept_of, rank_scores

_COMPACTED_FROM = 0.1
"""Share of removed rows from which on a part in memory is copied without them."""


class HammingIndex:
    """A gallery of codes, searched exactly.

    The score of two codes is ``1 - 2 * distance / n_bits``, the cosine of the codes as -1 and +1. Codes of 16 bits are
    sorted when first searched, and from then on looked up; others are scanned.

    Items may come and go. A search that runs meanwhile in another thread sees the gallery before or after; two threads
    must not change it at once.

    Attributes:
        version: whatever its maker compares to see whether the gallery is still current.
    """

    def __init__(
        self, item_ids: np.ndarray, packed: np.ndarray, *, version: object = None, n_bits: int | None = None
    ) -> None:
        """Take ids and codes as they are; nothing is copied, so a memory-mapped array stays on the disk.

        Only codes whose rows do not lie one after the other in memory are copied.

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
        _check_items(item_ids, packed, n_bits)
        if not len(item_ids) and n_bits is not None:
            packed = np.empty((0, n_bits // 8), np.uint8)
        self.version = version
        self._n_bits = int(packed.shape[1]) * 8
        self._rows = _Rows((CodePart(item_ids, np.ascontiguousarray(packed)),))

    def __len__(self) -> int:
        return self._rows.n_live

    @property
    def item_ids(self) -> np.ndarray:
        """Int64 (n,), each once: the first ones, then what was added, without what was removed."""
        return self._rows.item_ids

    @property
    def dim(self) -> int:
        """Bits of one code."""
        return self._n_bits

    @property
    def packed(self) -> np.ndarray:
        """The codes, uint8 (n, n_bits / 8), in the gallery's order; a copy once items came or went."""
        parts = self._rows.parts
        return parts[0].live_codes if len(parts) == 1 else np.concatenate([part.live_codes for part in parts])

    def add(self, item_ids: np.ndarray, packed: np.ndarray) -> None:
        """Append items; the arrays must not be changed afterwards.

        Parameters
        ----------
        item_ids
            int64 (m,), each once and not in the gallery.
        packed
            uint8 (m, n_bits / 8).

        Raises
        ------
        ValueError
            it is not so.
        """
        _check_items(item_ids, packed, self.dim)
        known = self._rows.holding(item_ids)
        if known:
            raise ValueError(f"{len(known)} of these items are in the gallery already, the first is {known[0]}")
        if len(item_ids):
            added = CodePart(item_ids, np.ascontiguousarray(packed))
            self._rows = _Rows(_merged([*self._rows.parts, added]))

    def remove(self, item_ids: np.ndarray) -> None:
        """Take items out.

        Their rows are skipped from now on, and dropped once they are a tenth of an array in memory. A memory-mapped
        array is never copied: its rows stay until its maker writes it anew.

        Parameters
        ----------
        item_ids
            int64 (m,), all in the gallery.

        Raises
        ------
        ValueError
            one is not.
        """
        ids = np.asarray(item_ids, np.int64)
        unknown = np.setdiff1d(ids, self._rows.holding(ids))
        if len(unknown):
            raise ValueError(f"{len(unknown)} of these items are not in the gallery, the first is {unknown[0]}")
        parts = []
        for part in self._rows.parts:
            gone = np.isin(part.item_ids, ids)
            parts.append(_compacted(part.without(gone)) if gone.any() else part)
        self._rows = _Rows(tuple(parts))

    def score_all(self, queries: Embeddings | BinaryCodes) -> np.ndarray:
        """Scores of all items in the gallery's order, float32 (q, n)."""
        codes, rows = check_codes(queries, self.dim), self._rows
        scores = np.empty((len(codes), rows.n_live), np.float32)
        measure = rows.measure()
        for row, code in zip(scores, codes, strict=True):
            measure.ask(code)
            row[:] = self._score_of_distance[np.concatenate([part.distances(measure) for part in rows.parts])]
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
        codes, rows = check_codes(queries, self.dim), self._rows
        n_kept = kept_of(k, n_allowed(allowed, rows.n_live))
        shape = (len(codes), n_kept)
        item_ids, scores = np.empty(shape, np.int64), np.empty(shape, np.float32)
        if n_kept:
            masks, measure = rows.split(allowed), rows.measure()
            for row, code in enumerate(codes):
                measure.ask(code)
                nearest = Nearest(n_kept)
                for part, mask in zip(rows.parts, masks, strict=True):
                    part.search(code, n_kept, mask, measure, nearest)
                distances, item_ids[row] = nearest.ranked()
                scores[row] = self._score_of_distance[distances]
        return Ranking(item_ids, scores)

    @cached_property
    def _score_of_distance(self) -> np.ndarray:
        return (1 - 2 * np.arange(self.dim + 1) / max(self.dim, 1)).astype(np.float32)


class _Rows:
    """All parts of a gallery at one time."""

    def __init__(self, parts: Sequence[CodePart]) -> None:
        self.parts = tuple(parts)
        self.n_live = sum(part.n_live for part in parts)

    @cached_property
    def item_ids(self) -> np.ndarray:
        """Int64 (n_live,)."""
        return self.parts[0].live_ids if len(self.parts) == 1 else np.concatenate([p.live_ids for p in self.parts])

    def measure(self) -> BlockDistances:
        """What measures their distances."""
        return BlockDistances(self.parts[0].n_bytes, max(len(part.item_ids) for part in self.parts))

    def holding(self, item_ids: np.ndarray) -> list[int]:
        """Those of the ids that are here."""
        held: list[int] = item_ids[np.isin(item_ids, self.item_ids)].tolist()
        return held

    def split(self, allowed: np.ndarray | None) -> list[np.ndarray | None]:
        """A mask over all, bool (n_live,), as one of each part."""
        if allowed is None:
            return [None] * len(self.parts)
        return list(np.split(allowed, np.cumsum([part.n_live for part in self.parts])[:-1]))


def check_codes(queries: Embeddings | BinaryCodes, n_bits: int) -> np.ndarray:
    """The queries' codes, uint8 (q, n_bits / 8).

    Raises
    ------
    ValueError
        they are embeddings, or of another width.
    """
    if not isinstance(queries, BinaryCodes):
        raise ValueError(f"expected queries that are codes of {n_bits} bits, got embeddings")
    if queries.n_bits != n_bits:
        raise ValueError(f"expected queries of {n_bits} bits, got {queries.n_bits}")
    return np.ascontiguousarray(queries.packed)


def n_allowed(allowed: np.ndarray | None, n_items: int) -> int:
    """How many items a mask allows; all for None.

    Raises
    ------
    ValueError
        it is not bool (n_items,).
    """
    if allowed is None:
        return n_items
    if allowed.dtype != np.bool_ or allowed.shape != (n_items,):
        raise ValueError(f"allowed must be bool of shape ({n_items},), got {allowed.dtype} {allowed.shape}")
    return int(np.count_nonzero(allowed))


def _check_items(item_ids: np.ndarray, packed: np.ndarray, n_bits: int | None) -> None:
    ids = np.asarray(item_ids)
    if ids.dtype != np.int64 or ids.ndim != 1 or not (is_ascending(ids) or len(np.unique(ids)) == len(ids)):
        raise ValueError(f"item ids must be int64 of shape (n,), each once, got {ids.dtype} of shape {ids.shape}")
    if packed.dtype != np.uint8 or packed.ndim != 2 or len(packed) != len(ids):
        raise ValueError(
            f"expected uint8 codes of shape ({len(ids)}, bytes), got {packed.dtype} of shape {packed.shape}"
        )
    if n_bits is not None and (n_bits <= 0 or n_bits % 8):
        raise ValueError(f"a code has a multiple of 8 bits, got {n_bits}")
    if n_bits is not None and len(ids) and packed.shape[1] * 8 != n_bits:
        raise ValueError(f"expected codes of {n_bits} bits, got {packed.shape[1] * 8}")


def _merged(parts: list[CodePart]) -> tuple[CodePart, ...]:
    """Parts in memory, each at least twice as long as the next: few, though items come one by one."""
    while len(parts) > 1 and not parts[-2].is_mapped and len(parts[-2].item_ids) < 2 * len(parts[-1].item_ids):
        last = parts.pop()
        first = parts.pop()
        parts.append(
            CodePart(
                np.concatenate([first.live_ids, last.live_ids]),
                np.concatenate([first.live_codes, last.live_codes]),
            )
        )
    return tuple(parts)


def _compacted(part: CodePart) -> CodePart:
    n_removed = len(part.item_ids) - part.n_live
    if part.is_mapped or n_removed < _COMPACTED_FROM * len(part.item_ids):
        return part
    return CodePart(part.live_ids, np.ascontiguousarray(part.live_codes))
