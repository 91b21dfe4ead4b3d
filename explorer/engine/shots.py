"""The shots of a video, and how well each fits what is searched for."""

from collections.abc import Iterator

import numpy as np

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened, build_index
from explorer.engine.searching import encode_query
from explorer.errors import StaleIndexError
from explorer.library import VectorTable
from explorer.protocol import Answer
from explorer.segment_ids import item_of, segment_id


def get_shots(opened: Opened, request: protocol.GetShots, token: CancellationToken) -> Iterator[Answer]:
    """Spans from the catalogue, scores from the vectors that indexing made: nothing is decoded but a query's video.

    The query is encoded once for all videos that are looked at with it.
    """
    item_id = item_of(request.item_id)
    spans = opened.library.shots(item_id) if opened.row_of(item_id).kind == "video" else ()
    times = np.array(spans, "<f4").reshape(len(spans), 2)
    scores = b""
    if request.query is not None and request.model and spans:
        scores = _scores(opened, request.model, request.query, _ids(item_id, len(spans)), token)
    yield protocol.Shots(
        id=request.id,
        item_id=request.item_id,
        starts_s=times[:, 0].tobytes(),
        ends_s=times[:, 1].tobytes(),
        scores=scores,
        model=request.model,
    )


def _ids(item_id: int, n_shots: int) -> np.ndarray:
    return np.array([segment_id(item_id, position) for position in range(n_shots)], np.int64)


def _scores(
    opened: Opened, model: str, query: protocol.Query, segment_ids: np.ndarray, token: CancellationToken
) -> bytes:
    """Scores of these segments, packed; nothing where the model has not seen all of them."""
    model_id = opened.models.package(model).model_id
    try:
        table = opened.table_of(model_id)
    except StaleIndexError:
        return b""
    places = np.minimum(np.searchsorted(table.item_ids, segment_ids), max(len(table.item_ids) - 1, 0))
    if not len(table.item_ids) or (table.item_ids[places] != segment_ids).any():
        return b""
    encoded = opened.last_query(model_id, query)
    if encoded is None:
        encoded = encode_query(opened, opened.models.get(model), query, token)
    own = VectorTable(
        segment_ids, table.vectors[places], None if table.strengths is None else table.strengths[places]
    )
    scores: np.ndarray = build_index(own, encoded, model_id).score_all(encoded)[0]
    return scores.astype("<f4", copy=False).tobytes()
