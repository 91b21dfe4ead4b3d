"""A run of codes that are searched together: an array on the disk, or codes that were added later."""

import mmap
from functools import cached_property

import numpy as np

from explorer.retrieval.hamming_blocks import BlockDistances
from explorer.retrieval.hamming_directory import N_BITS as DIRECTORY_BITS
from explorer.retrieval.hamming_directory import CodeDirectory
from explorer.retrieval.hamming_nearest import Nearest, is_ascending

_GROWTH = 24
"""Each block is at most so many times what came before it: so there is something to beat before the first large one."""

_SPARSE = 16
"""Where not one item in so many is allowed, the allowed ones are picked out before they are compared."""

_DIRECTORY_ROWS = 1 << 16
"""From so many codes of 16 bits on a directory is faster than a scan."""


class CodePart:
    """Codes with their ids, some of which may have been removed; never changed once made.

    Attributes:
        item_ids: int64 (n,) of all rows, the removed ones too.
        live: bool (n,), which rows were not removed; None for all.
        n_live: how many those are.
    """

    def __init__(self, item_ids: np.ndarray, packed: np.ndarray, live: np.ndarray | None = None) -> None:
        self.item_ids = item_ids
        self.live = live
        self.n_live = len(item_ids) if live is None else int(np.count_nonzero(live))
        self._packed = np.asarray(packed)  # a slice of a np.memmap costs more

    @property
    def n_bytes(self) -> int:
        """Bytes of one code."""
        return int(self._packed.shape[1])

    @property
    def is_mapped(self) -> bool:
        """Whether the codes are on the disk."""
        array: object = self._packed
        while isinstance(array, np.ndarray) and not isinstance(array, np.memmap):
            array = array.base
        return isinstance(array, np.memmap | mmap.mmap)

    @property
    def live_ids(self) -> np.ndarray:
        """Int64 (n_live,)."""
        return self.item_ids if self.live is None else self.item_ids[self.live]

    @property
    def live_codes(self) -> np.ndarray:
        """Uint8 (n_live, bytes); a copy where rows were removed."""
        return self._packed if self.live is None else self._packed[self.live]

    def without(self, rows: np.ndarray) -> "CodePart":
        """The part with these rows, bool (n,), removed; what was sorted stays sorted."""
        part = CodePart(self.item_ids, self._packed, ~rows if self.live is None else self.live & ~rows)
        for name in ("_ascending", "_directory"):
            if name in self.__dict__:
                part.__dict__[name] = self.__dict__[name]
        return part

    def distances(self, measure: BlockDistances) -> np.ndarray:
        """Distances of all live rows to the code that was asked for, whole numbers (n_live,)."""
        blocks = [
            measure(self._packed[start : start + measure.n_rows]).copy()
            for start in range(0, len(self._packed), measure.n_rows)
        ]
        distances = np.concatenate([np.empty(0, np.uint8), *blocks])
        return distances if self.live is None else distances[self.live]

    def search(
        self, code: np.ndarray, n_kept: int, allowed: np.ndarray | None, measure: BlockDistances, nearest: Nearest
    ) -> None:
        """Show ``nearest`` what may be among the ``n_kept`` nearest of a code, uint8 (bytes,).

        ``allowed`` is bool (n_live,), or None for all. ``measure`` was asked for the code.
        """
        rows = self.live if allowed is None else allowed
        if allowed is not None and self.live is not None:
            rows = np.zeros(len(self.item_ids), np.bool_)
            rows[self.live] = allowed
        if rows is not None and int(np.count_nonzero(rows)) * _SPARSE < len(rows):
            self._search_picked(np.flatnonzero(rows), measure, nearest)
        elif self._has_directory and _SPARSE * n_kept <= len(self.item_ids):
            query = int(code.view(np.uint16)[0])
            distances, found = self._directory.nearest(query, n_kept, rows)
            nearest.add_any(distances, self.item_ids[found])
        else:
            self._scan(rows, n_kept, measure, nearest)

    def _scan(self, allowed: np.ndarray | None, n_kept: int, measure: BlockDistances, nearest: Nearest) -> None:
        # Where every later item loses every tie, equals of the last place need no second look.
        loses_ties = self._ascending and len(self.item_ids) > 0 and nearest.comes_after(int(self.item_ids[0]))
        end = 0
        while end < len(self._packed):
            start = end
            n_most = measure.n_rows if nearest.limit is None else measure.n_scanned
            end = min(start + min(_GROWTH * max(start, n_kept), n_most), len(self._packed))
            if nearest.limit is None:
                distances, rows = measure(self._packed[start:end]).copy(), np.arange(start, end)
            else:
                bound = nearest.limit if loses_ties else nearest.limit + 1
                distances, rows = measure.nearer_than(bound, self._packed[start:end])
                rows += start
            if allowed is not None:
                passing = allowed[rows]
                distances, rows = distances[passing], rows[passing]
            if loses_ties:
                nearest.add(distances, self.item_ids[rows])
            else:
                nearest.add_any(distances, self.item_ids[rows])

    def _search_picked(self, rows: np.ndarray, measure: BlockDistances, nearest: Nearest) -> None:
        for start in range(0, len(rows), measure.n_rows):
            picked = rows[start : start + measure.n_rows]
            nearest.add_any(measure(self._packed[picked]).copy(), self.item_ids[picked])

    @property
    def _has_directory(self) -> bool:
        return self._packed.shape[1] * 8 == DIRECTORY_BITS and len(self.item_ids) >= _DIRECTORY_ROWS

    @cached_property
    def _ascending(self) -> bool:
        return is_ascending(self.item_ids)

    @cached_property
    def _directory(self) -> CodeDirectory:
        return CodeDirectory(self._packed.view(np.uint16)[:, 0], self.item_ids, ascending=self._ascending)
