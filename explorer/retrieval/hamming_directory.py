"""Codes of 16 bits, sorted: the nearest are looked up ring by ring instead of being scanned for."""

from itertools import pairwise

import numpy as np

N_BITS = 16
_N_CODES = 1 << N_BITS


def _rings() -> tuple[np.ndarray, ...]:
    """What to xor a code with to get all codes at distance 0, 1, ... 16, uint16 (m,) each."""
    every = np.arange(_N_CODES, dtype=np.uint16)
    distances = np.bitwise_count(every)
    by_distance = every[np.argsort(distances, kind="stable")]
    ends = np.cumsum(np.bincount(distances)).tolist()
    return tuple(by_distance[start:end] for start, end in pairwise([0, *ends]))


_RINGS = _rings()


class CodeDirectory:
    """Where the rows of each of the 65,536 codes are.

    Rows of one code stand in the order of their item ids, so that of many equally near only the first are read.
    """

    def __init__(self, codes: np.ndarray, item_ids: np.ndarray, *, ascending: bool) -> None:
        """Sort the rows; 40 MB and half a second for ten million.

        Parameters
        ----------
        codes
            uint16 (n,).
        item_ids
            int64 (n,).
        ascending
            whether the item ids are.
        """
        rows = np.argsort(codes, kind="stable") if ascending else np.lexsort((item_ids, codes))
        small = np.int32 if len(codes) <= np.iinfo(np.int32).max else np.int64
        self._rows = rows.astype(small)
        self._counts = np.bincount(codes, minlength=_N_CODES)
        self._starts = np.cumsum(self._counts) - self._counts

    def nearest(self, code: int, n_kept: int, allowed: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Distances and rows of at least the ``n_kept`` nearest, or of all there are; nearest first, ties in no order.

        Parameters
        ----------
        code
            the query, as a whole number made of its two bytes as the codes were.
        n_kept
            how many are needed; ties at the last place are all there, as far as they can win by a smaller id.
        allowed
            bool (n,): only these rows are looked at.

        Returns
        -------
        tuple
            uint8 (m,) and whole numbers (m,).
        """
        distances: list[np.ndarray] = []
        rows: list[np.ndarray] = []
        n_found = 0
        for distance, ring in enumerate(_RINGS):
            here = self._rows_of(ring ^ np.uint16(code), None if allowed is not None else n_kept - n_found)
            if allowed is not None:
                here = here[allowed[here]]
            distances.append(np.full(len(here), distance, np.uint8))
            rows.append(here)
            n_found += len(here)
            if n_found >= n_kept:
                break
        return np.concatenate(distances), np.concatenate(rows)

    def _rows_of(self, codes: np.ndarray, n_most: int | None) -> np.ndarray:
        """Rows of these codes, of each at most so many: those with the smallest ids."""
        counts = self._counts[codes] if n_most is None else np.minimum(self._counts[codes], n_most)
        # One run of places for each code: a count that starts again at every run, moved to where the run starts.
        run_starts = np.cumsum(counts) - counts
        places = np.arange(counts.sum()) + np.repeat(self._starts[codes] - run_starts, counts)
        rows: np.ndarray = self._rows[places]
        return rows
