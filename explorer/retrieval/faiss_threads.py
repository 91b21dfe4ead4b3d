"""Faiss as this package uses it: imported when first needed, and never with more threads than it is worth."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def faiss_with_threads(n_threads: int = 1) -> Iterator[Any]:
    """The module ``faiss``, limited to so many threads meanwhile.

    A single query is one thread's work, and waking others costs more than the search; where more threads run than
    cores are free, faiss becomes a hundred times slower.
    """
    # Start-up time: only who searches codes waits for it.
    import faiss

    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(n_threads)
    try:
        yield faiss
    finally:
        faiss.omp_set_num_threads(before)
