"""Searching: vectors and a query in, a ranking out.

Everywhere a larger score is nearer, and equal scores stand in the order of their item ids, so that a ranking is a
function of scores and ids alone. Exact search comes first: a matrix product in blocks beats ``faiss.IndexFlatIP`` for
one query and for many, a scan with a running threshold beats ``faiss.IndexBinaryFlat``, and both read what is on the
disk where it lies (``tests/benchmarks/test_retrieval_benchmarks.py`` and ``test_hamming_benchmarks.py``). What is not
exact is in :mod:`explorer.retrieval.approximate`; :mod:`explorer.retrieval.binarising` makes codes to compare with.
"""

from explorer.retrieval.gallery import GalleryIndex
from explorer.retrieval.grouping import best_segments, n_items_of
from explorer.retrieval.hamming import HammingIndex
from explorer.retrieval.inner_product import InnerProductIndex
from explorer.retrieval.query import combine, combine_codes
from explorer.retrieval.ranking import Hit, Ranking, rank_scores

__all__ = [
    "GalleryIndex",
    "HammingIndex",
    "Hit",
    "InnerProductIndex",
    "Ranking",
    "best_segments",
    "combine",
    "combine_codes",
    "n_items_of",
    "rank_scores",
]
