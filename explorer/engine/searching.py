"""Searching: a query becomes a ranking of the library."""

import time
from collections.abc import Iterator

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened, ms_since, n_bits_of
from explorer.networks.encoder import Encoder
from explorer.protocol import Answer
from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval import best_segments, n_items_of, rank_scores


def load_model(opened: Opened, request: protocol.LoadModel, _token: CancellationToken) -> Iterator[Answer]:
    """Make a model ready, so that the first search does not wait for it.

    Of one that was trained again since it was loaded the new version is, unless the library would have to be indexed
    again for it: then what is in memory stays in use, and the answer says so.
    """
    started = time.monotonic()
    encoder, kept = opened.models.get(request.name), ""
    if opened.is_behind(encoder.model_id, opened.models.newest_package(request.name).model_id):
        kept = f"{request.name} was trained again: its older version is in use until the library is indexed anew."
    else:
        encoder = opened.models.take_over(request.name)
    yield protocol.ModelLoaded(
        id=request.id,
        name=request.name,
        device=encoder.device,
        elapsed_ms=ms_since(started),
        notice=" ".join(filter(None, (opened.models.take_notice(), kept))),
    )


def search(opened: Opened, request: protocol.Search, token: CancellationToken) -> Iterator[Answer]:
    """Rank the segments that have a vector of this model, or the best one of each item."""
    pipeline.check_query(request.query)
    encoder = opened.models.get(request.model)
    token.check()
    started = time.monotonic()
    query = encode_query(opened, encoder, request.query, token)
    encoded = time.monotonic()
    index = opened.index_of(encoder.model_id, query)
    ids = index.item_ids
    n_items = n_items_of(ids)
    if n_items < len(ids) and not request.every_moment:
        scores = index.score_all(query)[0]
        scored = time.monotonic()
        ranking = rank_scores(*best_segments(scores, ids), request.k)
    elif isinstance(query, BinaryCodes):
        # Distances are small numbers, which an index of codes sorts by counting; of the best k it looks at few others.
        ranking = index.search(query, request.k)
        scored = time.monotonic()
    else:
        scores = index.score_all(query)[0]
        scored = time.monotonic()
        ranking = index.rank(scores, request.k)
    yield protocol.SearchResponse(
        id=request.id,
        item_ids=ranking.item_ids[0].astype("<i8", copy=False).tobytes(),
        scores=ranking.scores[0].astype("<f4", copy=False).tobytes(),
        model=request.model,
        query=request.query,
        encode_ms=1e3 * (encoded - started),
        score_ms=1e3 * (scored - encoded),
        sort_ms=ms_since(scored),
        n_unindexed=_n_unindexed(opened, encoder, n_items),
        n_bits=n_bits_of(query),
        notice=opened.models.take_notice(),
    )


def encode_query(
    opened: Opened, encoder: Encoder, query: protocol.Query, token: CancellationToken | None = None
) -> Embeddings | BinaryCodes:
    """The query as one row of what the model makes; kept for whoever asks about its results.

    Raises:
        QueryError: as :func:`explorer.pipeline.encode_query`, or what it shows cannot be read.
    """
    encoded = pipeline.encode_query(encoder, query, opened.query_image(query, encoder, token))
    opened.keep_query(encoder.model_id, query, encoded)
    return encoded


def _n_unindexed(opened: Opened, encoder: Encoder, n_indexed: int) -> int:
    """Readable items that the model could index and has not."""
    counts = opened.library.counts()
    if "image" in pipeline.kinds_read_by(encoder.modalities):
        return max(0, counts.n_items - counts.n_failed - n_indexed)
    return max(0, counts.n_videos - counts.n_failed_videos - n_indexed)


def browse(opened: Opened, request: protocol.Browse, _token: CancellationToken) -> Iterator[Answer]:
    """Everything, in scan order."""
    item_ids = opened.library.item_ids().astype("<i8", copy=False)
    yield protocol.SearchResponse(id=request.id, item_ids=item_ids.tobytes(), scores=b"")
