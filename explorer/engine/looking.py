"""Looking: descriptions, thumbnails, pictures and evidence of single items."""

import time
from collections.abc import Iterator

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.engine import translate
from explorer.engine.opened import Opened, ms_since
from explorer.media.image import decode_image, encode_jpeg, fit_within
from explorer.media.item import read_content
from explorer.protocol import Answer


def describe_items(opened: Opened, request: protocol.DescribeItems, _token: CancellationToken) -> Iterator[Answer]:
    """Rows of the catalogue."""
    rows = opened.library.describe(request.item_ids)
    yield protocol.ItemDescriptions(id=request.id, items=tuple(map(translate.item_description, rows)))


def get_thumbnails(opened: Opened, request: protocol.GetThumbnails, _token: CancellationToken) -> Iterator[Answer]:
    """Thumbnails that indexing made."""
    found = opened.library.thumbnails(request.item_ids)
    yield protocol.Thumbnails(
        id=request.id,
        thumbnails=tuple(
            protocol.Thumbnail(item_id=item_id, jpeg=found[item_id])
            for item_id in request.item_ids
            if item_id in found
        ),
    )


def get_picture(opened: Opened, request: protocol.GetPicture, _token: CancellationToken) -> Iterator[Answer]:
    """The picture itself, decoded no larger than it will be shown."""
    image = decode_image(read_content(opened.path_of(request.item_id)), min_edge_px=request.max_edge_px)
    yield protocol.Picture(
        id=request.id,
        item_id=request.item_id,
        jpeg=encode_jpeg(fit_within(image.pixels, request.max_edge_px), 90),
        full_width_px=image.full_width_px,
        full_height_px=image.full_height_px,
    )


def explain(opened: Opened, request: protocol.Explain, token: CancellationToken) -> Iterator[Answer]:
    """Evidence for one item, from one pass of the network that also gives the score."""
    encoder = opened.models.get(request.model)
    token.check()
    started = time.monotonic()
    image = decode_image(read_content(opened.path_of(request.item_id)), min_edge_px=encoder.side_px)
    query_image = None if request.query is None else opened.query_image(request.query, encoder, token)
    token.check()
    evidence = pipeline.explain(
        encoder, image.pixels, request.query, query_image, words=request.words, without=frozenset(request.without)
    )
    yield translate.explanation(request, evidence, elapsed_ms=ms_since(started))


def list_errors(opened: Opened, request: protocol.ListErrors, _token: CancellationToken) -> Iterator[Answer]:
    """Files that could not be read, and why."""
    problems = opened.library.problems(request.limit)
    yield protocol.ErrorList(
        id=request.id,
        problems=tuple(
            protocol.FileProblem(
                path=problem.path, display=problem.display, error=problem.error
            )
            for problem in problems.rows
        ),
        n_total=problems.n_total,
    )
