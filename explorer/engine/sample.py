"""Rendering the sample collection, which is something to search before there are photos of one's own."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.datasets.scenes.collection import CAPTIONS, CollectionPlan
from explorer.datasets.scenes.writing import write_collection
from explorer.engine.opened import Opened
from explorer.engine.pacing import paced
from explorer.media.item import display_path
from explorer.protocol import Answer


def render_sample(_opened: Opened, request: protocol.RenderSample, token: CancellationToken) -> Iterator[Answer]:
    """Render the collection of this seed; what is there already stays, so that a stopped rendering goes on."""
    folder = Path(os.fsdecode(request.folder))
    plan = CollectionPlan(seed=request.seed)
    started, n_at_start = time.monotonic(), -1
    for step in paced(write_collection(folder, plan, token=token)):
        elapsed_s = time.monotonic() - started
        if n_at_start < 0:
            n_at_start = step.n_done
        rate = (step.n_done - n_at_start) / max(elapsed_s, 1e-6)
        yield protocol.Progress(
            id=request.id,
            stage="rendering",
            n_done=step.n_done,
            n_total=step.n_total,
            rate_per_s=rate,
            remaining_s=(step.n_total - step.n_done) / rate if rate else None,
            current=step.current,
        )
    yield protocol.SampleRendered(
        id=request.id,
        folder=request.folder,
        display=display_path(request.folder),
        captions=os.fsencode(folder / CAPTIONS),
        n_images=plan.n_images,
        n_clips=plan.n_clips,
    )
