"""The road itself: a file becomes a vector, a query becomes a ranking, a result becomes evidence.

media -> encoder -> library            indexing.py
query -> encoder -> vector or code     querying.py
picture + query -> encoder -> evidence explaining.py
"""

from explorer.pipeline.explaining import explain
from explorer.pipeline.indexing import BATCH_SIZE, IndexingStep, Prepared, index_items, prepare
from explorer.pipeline.querying import check_query, encode_query, encode_without_words, query_words

__all__ = [
    "BATCH_SIZE", "IndexingStep", "Prepared", "check_query", "encode_query", "encode_without_words",
    "explain", "index_items", "prepare", "query_words",
]
