"""Searching: vectors and a query in, a ranking out.

Everywhere a larger score is nearer, and equal scores stand in the order of their item ids, so that a ranking is a
function of scores and ids alone. Exact search needs nothing but numpy: a matrix product in blocks beats
``faiss.IndexFlatIP`` for one query and for many (``tests/benchmarks/test_retrieval_benchmarks.py`` measures both).
"""

from explorer.retrieval.gallery import GalleryIndex
from explorer.retrieval.hamming import HammingIndex
from explorer.retrieval.inner_product import InnerProductIndex
from explorer.retrieval.query import combine
from explorer.retrieval.ranking import Hit, Ranking, rank_scores

__all__ = ["GalleryIndex", "HammingIndex", "Hit", "InnerProductIndex", "Ranking", "combine", "rank_scores"]
