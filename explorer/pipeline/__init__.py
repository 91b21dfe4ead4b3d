"""The road itself: a file becomes a vector, a query becomes a ranking, a result becomes evidence.

media -> frames                        reading.py
frames -> encoder -> library           indexing.py
query -> encoder -> vector or code     querying.py
picture + query -> encoder -> evidence explaining.py
shot + query -> encoder -> evidence    explaining_shots.py
"""

from explorer.pipeline.explaining import explain
from explorer.pipeline.explaining_shots import SHOWN_FRAMES, ShotFrames, explain_shot, samplings_of_shot
from explorer.pipeline.indexing import (
    BATCH_SIZE,
    FRAMES_PER_SHOT,
    IndexingStep,
    index_items,
    kinds_read_by,
    sampling_of,
)
from explorer.pipeline.querying import check_query, encode_query, encode_without_words, query_words
from explorer.pipeline.reading import Prepared, prepare

__all__ = [
    "BATCH_SIZE", "FRAMES_PER_SHOT", "SHOWN_FRAMES", "IndexingStep", "Prepared", "ShotFrames", "check_query",
    "encode_query", "encode_without_words", "explain", "explain_shot", "index_items", "kinds_read_by", "prepare",
    "query_words", "sampling_of", "samplings_of_shot",
]
