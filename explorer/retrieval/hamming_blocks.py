"""Distances of blocks of codes to one code: the inner loop of every exact search over codes."""

import numpy as np

from explorer.retrieval.faiss_threads import faiss_with_threads

_BLOCK_BYTES = 1 << 18
"""Codes looked at together: they, and what is computed from them, stay in a core's cache."""

_COMPILED_BYTES = (4, 8, 16, 32, 64)
"""Codes that faiss compares word by word; others it takes byte by byte, which is slower than numpy."""

_COMPILED_ROWS = 1 << 20
"""Rows that faiss is given at once: few enough that all of them being hits (12 MB) is no harm."""


class BlockDistances:
    """Distances of blocks of codes to a query, in memory that is used again for every block and every query.

    Codes are read as whole numbers: of 64 bits where that comes out even, and copied into wider rows, block by block,
    where it does not.

    Attributes:
        n_rows: codes of the largest block that is measured.
        n_scanned: codes of the largest block that is scanned for what is near.
    """

    def __init__(self, n_bytes: int, n_most: int) -> None:
        """For codes of so many bytes, of which there are at most ``n_most``."""
        self._n_bytes = n_bytes
        self._word, self._n_words = _words_of(n_bytes)
        self._width = self._word.itemsize * self._n_words
        self.n_rows = max(min(_BLOCK_BYTES // self._width, n_most), 1)
        self.n_scanned = _COMPILED_ROWS if n_bytes in _COMPILED_BYTES else self.n_rows
        self._code = np.zeros(n_bytes, np.uint8)
        self._query = np.zeros((0, self._n_words), self._word)
        self._reserve(0)

    def ask(self, code: np.ndarray) -> None:
        """Measure from this code, uint8 (n_bytes,), from now on."""
        self._code = np.ascontiguousarray(code)
        self._query = self._query[:0]

    def __call__(self, packed: np.ndarray) -> np.ndarray:
        """Distances of a block, uint8 (m, n_bytes): whole numbers (m,), overwritten by the next call."""
        m = len(packed)
        if m > len(self._query):
            self._repeat_query(m)
        if m > len(self._differing):
            self._reserve(m)
        differing = np.bitwise_xor(self._words(packed), self._query[:m], out=self._differing[:m])
        sums = np.bitwise_count(differing, out=self._counts[:m])
        # Two neighbours as one number of twice the bytes: multiplied so, its upper half is their sum.
        while sums.shape[1] > 1 and sums.itemsize < 8:
            n_bits = 8 * sums.itemsize
            sums = sums.view(f"u{2 * sums.itemsize}")
            sums *= sums.dtype.type((1 << n_bits) | 1)
            sums >>= sums.dtype.type(n_bits)
        distances: np.ndarray = sums[:, 0] if sums.shape[1] == 1 else sums.sum(axis=1)
        return distances

    def nearer_than(self, bound: int, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What lies at a distance below ``bound`` in a block, uint8 (m, n_bytes), C-contiguous.

        Returns
        -------
        tuple
            distances, whole numbers (h,), and rows of the block, int64 (h,), rising.
        """
        if self._n_bytes in _COMPILED_BYTES:
            return _nearer_by_faiss(self._code, bound, packed)
        distances = self(packed)
        if distances.min(initial=bound) >= bound:
            return distances[:0], np.empty(0, np.int64)
        rows = np.flatnonzero(distances < bound)
        return distances[rows], rows

    def _repeat_query(self, n_rows: int) -> None:
        # As long as the block: numpy's xor is only fast along one long run.
        row = np.zeros(self._width, np.uint8)
        row[: self._n_bytes] = self._code
        self._query = np.tile(row.view(self._word), (n_rows, 1))

    def _reserve(self, n_rows: int) -> None:
        self._differing = np.empty((n_rows, self._n_words), self._word)
        self._counts = np.empty((n_rows, self._n_words), np.uint8)
        self._padded = None if self._width == self._n_bytes else np.zeros((n_rows, self._width), np.uint8)

    def _words(self, packed: np.ndarray) -> np.ndarray:
        if self._padded is None:
            return packed.view(self._word)
        # Whole codes are copied as one value each, which is several times faster than byte by byte.
        code = np.dtype(f"V{self._n_bytes}")
        padded = self._padded[: len(packed)]
        wide = np.dtype({"names": ["code"], "formats": [code], "itemsize": padded.shape[1]})
        padded.view(wide)["code"][:, 0] = packed.view(code)[:, 0]
        return padded.view(self._word)


def _words_of(n_bytes: int) -> tuple[np.dtype[np.unsignedinteger], int]:
    """Type and number of the words of a code; the number is a power of two, so that counts can be added in pairs."""
    if n_bytes <= 2:  # numpy counts the bits of single bytes faster than of pairs
        return np.dtype(np.uint8), n_bytes
    if n_bytes <= 4:
        return np.dtype(np.uint32), 1
    n_words = -(-n_bytes // 8)
    return np.dtype(np.uint64), 1 << (n_words - 1).bit_length()


def _nearer_by_faiss(code: np.ndarray, bound: int, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distances and rows below the bound; reads the codes where they are."""
    with faiss_with_threads() as faiss:
        result = faiss.RangeSearchResult(1)
        faiss.hamming_range_search(
            faiss.swig_ptr(code), faiss.swig_ptr(packed), 1, len(packed), bound, packed.shape[1], result
        )
        n_hits = int(faiss.rev_swig_ptr(result.lims, 2)[1])
        distances = faiss.rev_swig_ptr(result.distances, n_hits).astype(np.uint8 if len(code) < 32 else np.uint16)
        return distances, faiss.rev_swig_ptr(result.labels, n_hits).copy()
