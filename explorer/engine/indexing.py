"""Indexing: scan the sources, encode what changed, tell how it goes."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.engine import sentences, translate
from explorer.engine.clock import clock
from explorer.engine.opened import Opened
from explorer.engine.pacing import paced
from explorer.library.catalogue import Library
from explorer.library.rows import ScanSummary
from explorer.media.item import display_path
from explorer.protocol import Answer


def index_folders(opened: Opened, request: protocol.IndexFolders, token: CancellationToken) -> Iterator[Answer]:
    """Scan, encode what is new or changed, the library's sentences included; ends with what was done.

    A model is loaded only if there is something to encode: a second run over an unchanged folder needs no torch. Of a
    model that was trained again since it was loaded the new version encodes; the old one is in use until all is done.
    """
    started = time.monotonic()
    library = opened.library
    package = opened.models.newest_package(request.model)
    model_id, kinds = package.model_id, pipeline.kinds_read_by(frozenset(package.manifest.modalities))
    with library.indexing(), opened.indexing_under_way():
        if not request.folders:
            library.retry_failed()  # who asks to look again may have installed what was missing
        for folder in request.folders:
            library.add_source(Path(os.fsdecode(folder)))
        summary = None
        for step in library.scan(token=token):
            if isinstance(step, ScanSummary):
                summary = step
            else:
                yield protocol.Progress(
                    id=request.id, stage="scanning", n_done=step.n_seen, n_total=0, current=step.folder
                )
        n_encoded = n_failed = 0
        pending = library.pending(model_id, kinds)
        steps: Iterator[pipeline.IndexingStep] = iter(())
        if pending:
            steps = pipeline.index_items(library, pending, opened.models.get_newest(request.model), token=token)
        for progress in paced(steps):
            n_encoded, n_failed = progress.n_done - progress.n_failed, progress.n_failed
            yield protocol.Progress(
                id=request.id,
                stage="indexing",
                n_done=progress.n_done,
                n_total=progress.n_total,
                rate_per_s=progress.rate_per_s,
                remaining_s=progress.remaining_s,
                current=_current(progress),
            )
        yield from sentences.encode_missing(opened, request.model, request.id, token, newest=True)
    assert summary is not None, "a scan ends with its summary"
    _give_way(opened, request.model, model_id)
    yield protocol.IndexFinished(
        id=request.id,
        n_added=summary.n_added,
        n_changed=summary.n_changed,
        n_moved=summary.n_moved,
        n_removed=summary.n_removed,
        n_unchanged=summary.n_unchanged,
        n_failed=n_failed,
        n_encoded=n_encoded,
        elapsed_s=time.monotonic() - started,
        state=translate.library_state(request.id, library),
        notice=" ".join(filter(None, (opened.models.take_notice(), _left_out(library, request.model, kinds)))),
    )


def _current(step: pipeline.IndexingStep) -> str:
    """What is being encoded; of a long video how far it is."""
    path = display_path(step.current)
    return f"{path} ({clock(step.seen_s)} of {clock(step.duration_s)})" if step.duration_s else path


def _left_out(library: Library, model: str, kinds: frozenset[str]) -> str:
    """What the model cannot read, in a sentence; nothing where it reads all."""
    counts = library.counts()
    n_photos = counts.n_items - counts.n_videos
    if "image" in kinds or not n_photos:
        return ""
    what = "one photo was" if n_photos == 1 else f"{n_photos} photos were"
    return f"{model} reads videos only: {what} left out."


def _give_way(opened: Opened, model: str, model_id: str) -> None:
    """An older version of the model, and its vectors, are of no use once the new one has been through the library."""
    library, name = opened.library, model_id.partition("@")[0]
    others = [other for other in library.counts().n_indexed if other != model_id and other.partition("@")[0] == name]
    if opened.models.package(model).model_id != model_id:
        opened.models.take_over(model)
    for other in others:
        library.drop_model(other)
    library.sentences.drop_other_versions(model_id)


def remove_source(opened: Opened, request: protocol.RemoveSource, _token: CancellationToken) -> Iterator[Answer]:
    """Forget a folder and its items; the files stay."""
    with opened.library.indexing():
        opened.library.remove_source(request.source_id)
    yield translate.library_state(request.id, opened.library)
