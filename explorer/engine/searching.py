"""Searching: a query becomes a ranking of the library."""

import time
from collections.abc import Iterator

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened, ms_since, n_bits_of
from explorer.protocol import Answer
from explorer.representations import BinaryCodes


def load_model(opened: Opened, request: protocol.LoadModel, _token: CancellationToken) -> Iterator[Answer]:
    """Make a model ready, so that the first search does not wait for it."""
    started = time.monotonic()
    encoder = opened.models.get(request.name)
    yield protocol.ModelLoaded(
        id=request.id,
        name=request.name,
        device=encoder.device,
        elapsed_ms=ms_since(started),
        notice=opened.models.take_notice(),
    )


def search(opened: Opened, request: protocol.Search, token: CancellationToken) -> Iterator[Answer]:
    """Rank the items that have a vector of this model."""
    pipeline.check_query(request.query)
    encoder = opened.models.get(request.model)
    token.check()
    started = time.monotonic()
    query = pipeline.encode_query(encoder, request.query, opened.query_image(request.query))
    encoded = time.monotonic()
    index = opened.index_of(encoder.model_id, query)
    if isinstance(query, BinaryCodes):
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
        n_unindexed=_n_unindexed(opened, len(index)),
        n_bits=n_bits_of(query),
        notice=opened.models.take_notice(),
    )


def _n_unindexed(opened: Opened, n_indexed: int) -> int:
    counts = opened.library.counts()
    return max(0, counts.n_items - counts.n_failed - n_indexed)


def browse(opened: Opened, request: protocol.Browse, _token: CancellationToken) -> Iterator[Answer]:
    """Everything, in scan order."""
    item_ids = opened.library.item_ids().astype("<i8", copy=False)
    yield protocol.SearchResponse(id=request.id, item_ids=item_ids.tobytes(), scores=b"")
