"""Which items of the library carry one bit of a model's codes most strongly."""

from collections.abc import Iterator

import numpy as np

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.opened import Opened
from explorer.errors import QueryError
from explorer.library import to_activations
from explorer.protocol import Answer
from explorer.retrieval import n_items_of
from explorer.segment_ids import item_of


def find_carriers(opened: Opened, request: protocol.CarriersOfBit, _token: CancellationToken) -> Iterator[Answer]:
    """Rank the items in which a bit is as asked by how far it is from flipping; equal ones by id.

    Of a video it is the shot that carries the bit most strongly. Only the library is looked at: the model is not
    loaded for it.
    """
    package = opened.models.package(request.model)
    output = package.manifest.output
    if output.bits is None:
        raise QueryError(
            f"{package.name} makes embeddings, which have no bits.", "Choose a model that makes binary codes."
        )
    if not 0 <= request.bit < output.bits:
        raise QueryError(
            f"The codes of {package.name} have no bit {request.bit}.", f"Ask for one from 0 to {output.bits - 1}."
        )
    if request.k < 0:
        raise QueryError(f"{request.k} items cannot be listed.", "Ask for a positive number, or for all with 0.")
    table = opened.table_of(package.model_id)
    if table.strengths is None or not len(table.item_ids):
        raise QueryError(
            f"The library has no items indexed with {package.name}.", "Index a folder of photos with it first."
        )
    strengths = table.strengths[:, request.bit]
    places = np.flatnonzero(strengths >= 0 if request.positive else strengths < 0)
    # A stable sort keeps equal strengths in the order of their ids, and is a sort by counting for single bytes.
    weakness = (127 - np.abs(strengths[places])).astype(np.uint8)
    best = places[np.argsort(weakness, kind="stable")]
    if n_items_of(table.item_ids) < len(table.item_ids):
        _, first = np.unique(item_of(table.item_ids[best]), return_index=True)
        best = best[np.sort(first)]
    best = best[: request.k or None]
    yield protocol.BitCarriers(
        id=request.id,
        model=request.model,
        bit=request.bit,
        positive=request.positive,
        item_ids=table.item_ids[best].astype("<i8", copy=False).tobytes(),
        strengths=np.abs(to_activations(strengths[best])).astype("<f4", copy=False).tobytes(),
    )
