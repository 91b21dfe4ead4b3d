"""Looking: descriptions, thumbnails, pictures and evidence of single items."""

import time
from collections.abc import Iterator

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.engine import translate
from explorer.engine.opened import Opened, ms_since
from explorer.library import ItemRow
from explorer.media.image import decode_image, encode_jpeg, fit_within
from explorer.media.item import read_content
from explorer.media.sampling import read_frame
from explorer.media.shots import read_shots
from explorer.media.video import read_facts
from explorer.networks.encoder import Encoder
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
    """The picture itself, decoded no larger than it will be shown; of a video one frame."""
    row = opened.row_of(request.item_id)
    if row.kind == "video":
        yield _frame(row, request)
        return
    image = decode_image(read_content(row.path), min_edge_px=request.max_edge_px)
    yield protocol.Picture(
        id=request.id,
        item_id=request.item_id,
        jpeg=encode_jpeg(fit_within(image.pixels, request.max_edge_px), 90),
        full_width_px=image.full_width_px,
        full_height_px=image.full_height_px,
    )


def explain(opened: Opened, request: protocol.Explain, token: CancellationToken) -> Iterator[Answer]:
    """Evidence for one photo, from one pass of the network that also gives the score; for one shot, frame by frame."""
    row = opened.row_of(request.item_id)
    encoder = opened.models.get(request.model)
    token.check()
    started = time.monotonic()
    shot = read_shot(row, encoder, token) if row.kind == "video" else None
    pixels = None if shot is not None else decode_image(read_content(row.path), min_edge_px=encoder.side_px).pixels
    query_image = None if request.query is None else opened.query_image(request.query, encoder, token)
    token.check()
    without = frozenset(request.without)
    if shot is not None:
        evidence = pipeline.explain_shot(
            encoder, shot, request.query, query_image, words=request.words, without=without, token=token
        )
    else:
        assert pixels is not None
        evidence = pipeline.explain(
            encoder, pixels, request.query, query_image, words=request.words, without=without
        )
    yield translate.explanation(request, evidence, elapsed_ms=ms_since(started))


def _frame(row: ItemRow, request: protocol.GetPicture) -> protocol.Picture:
    """The frame that is asked for, or that in the middle of the shot."""
    time_s = sum(span_of(row)) / 2 if request.time_s is None else request.time_s
    pixels = read_frame(row.path, time_s, request.max_edge_px)
    return protocol.Picture(
        id=request.id,
        item_id=request.item_id,
        jpeg=encode_jpeg(pixels, 90),
        full_width_px=row.width_px or pixels.shape[1],  # as long as it was not indexed, what is shown is all there is
        full_height_px=row.height_px or pixels.shape[0],
    )


def read_shot(row: ItemRow, encoder: Encoder, token: CancellationToken) -> pipeline.ShotFrames:
    """The frames of a shot that an explanation looks at."""
    samplings = pipeline.samplings_of_shot(encoder)
    shot = next(read_shots(row.path, samplings, spans=[span_of(row)], token=token))
    return pipeline.ShotFrames(indexed=shot.frames[0], shown=shot.frames[1], times_s=shot.times_s[1])


def span_of(row: ItemRow) -> tuple[float, float]:
    """Start and end of a shot in seconds; of a video that was not indexed yet, of all of it."""
    return (row.start_s, row.end_s) if row.n_shots else (0.0, read_facts(row.path).duration_s)


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
