"""What the window says of its state: in the middle when there is no picture to show, and at the bottom; no Qt.

Every state is one sentence and a next step. The order of the questions is the order of importance: nothing else can be
said while there is no engine, nothing about results while there is no library.
"""

import os
from dataclasses import dataclass
from enum import Enum

from explorer.engine.health import EngineStatus
from explorer.engine.requests import Kind
from explorer.engine.sample_requests import SampleCollection
from explorer.gui.phrases import count, holdings, milliseconds, quoted
from explorer.protocol import LibraryState
from explorer.session import Session


class Step(Enum):
    """A next step a person can take; the value is what its button says."""

    ADD_FOLDER = "Add a folder…"
    OPEN_LIBRARY = "Open another library…"
    TRY_LIBRARY_AGAIN = "Try again"
    START_ENGINE = "Start it again"
    COPY_DETAILS = "Copy details"
    INDEX_NOW = "Index them now"
    RESCAN = "Look again"
    STOP_INDEXING = "Stop"
    SHOW_EVERYTHING = "Show everything"
    SEARCH_AGAIN = "Search again"
    TRY_SAMPLE = "Try the sample collection"
    SHOW_ERRORS = "Show them"
    SHOW_FIGURE = "Show in folder"
    RELOAD_MODEL = "Load it again"
    NEW_RUN = "New run"
    SHOW_RUN = "Show the run"
    INDEX_WITH = "Index this library with it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One state.

    Attributes:
        glyph: name of a glyph of ``icons``.
        title: the sentence.
        text: what to do next, or nothing.
        steps: the buttons, the likely one first.
        busy: whether it will pass by itself.
        details: for a report.
    """

    glyph: str
    title: str
    text: str = ""
    steps: tuple[Step, ...] = ()
    busy: bool = False
    details: str = ""


STARTING = Page(
    glyph="photos", title="Starting…", text="The window is ready; the engine is on its way.", busy=True
)


def page_of(session: Session) -> Page | None:
    """The page to show in place of results; ``None`` if there are results to show."""
    if session.engine.status is EngineStatus.STOPPED and session.engine.problem is not None:
        problem = session.engine.problem
        return Page(
            glyph="warning", title=problem.message, text=_with_last_words(problem.remedy, problem.details),
            details=problem.details,
            steps=(Step.START_ENGINE, Step.COPY_DETAILS) if problem.details else (Step.START_ENGINE,),
        )
    if session.library_problem is not None:
        problem = session.library_problem
        return Page(
            glyph="warning", title=problem.message, text=problem.remedy, details=problem.details,
            steps=(Step.TRY_LIBRARY_AGAIN, Step.OPEN_LIBRARY),
        )
    n_shown = 0 if session.ranking is None else len(session.ranking.item_ids) // 8
    if n_shown:
        return None
    if session.library is None:
        return STARTING
    if session.library.n_items == 0 or session.indexing is not None:
        return _page_without_photos(session)
    return _page_without_results(session)


def _page_without_photos(session: Session) -> Page:
    if session.sample.rendering is not None:
        return _page_of_sample(session.sample)
    if session.indexing is not None or session.waiting:
        progress = session.indexing.progress if session.indexing else None
        done = count(progress.n_done, "file") + " so far. " if progress and progress.n_done else ""
        return Page(
            glyph="photos", title="Looking at your photos and videos…", busy=True,
            text=f"{done}They appear here as they are ready; you can search meanwhile.",
            steps=(Step.STOP_INDEXING,),
        )
    assert session.library is not None
    if session.library.read_only:
        return Page(
            glyph="warning", title="This library is empty and cannot be written to.",
            text="Open a library in a folder you may write to.", steps=(Step.OPEN_LIBRARY,),
        )
    if session.library.sources:
        return Page(
            glyph="photos", title="There are no photos or videos in your folders.",
            text="They are found in sub-folders too. Nothing in a folder is ever changed.",
            steps=(Step.ADD_FOLDER, Step.RESCAN),
        )
    offered = ""
    steps: tuple[Step, ...] = (Step.ADD_FOLDER,)
    if session.sample.folder:
        place = os.fsdecode(session.sample.folder)
        offered = f"\n\nNothing at hand? A small collection of pictures and clips can be drawn into {place}."
        steps = (Step.ADD_FOLDER, Step.TRY_SAMPLE)
    return Page(
        glyph="photos", title="Add a folder of photos and videos to begin.", steps=steps,
        text=f"Or drop one anywhere in this window. Your files are only read, and stay on this computer.{offered}",
    )


def _page_of_sample(sample: SampleCollection) -> Page:
    assert sample.rendering is not None
    progress = sample.rendering.progress
    done = f"{progress.n_done:,} of {progress.n_total:,} so far. " if progress and progress.n_total else ""
    return Page(
        glyph="film", title="Drawing the sample collection…", busy=True, steps=(Step.STOP_INDEXING,),
        text=f"{done}Then it is indexed, and can be searched.",
    )


def _page_without_results(session: Session) -> Page:
    assert session.library is not None
    library = session.library
    if session.models_known and not session.model:
        broken = next((model.problem for model in session.models if model.problem), "")
        return Page(
            glyph="warning", title="There is no model to search with.",
            text=broken or "Install a model package; “retrieval-explorer doctor” says where they are looked for.",
        )
    if session.ranking_problem is not None:
        problem = session.ranking_problem
        return Page(
            glyph="warning", title=problem.message, text=problem.remedy, details=problem.details,
            steps=(Step.SEARCH_AGAIN, Step.SHOW_EVERYTHING),
        )
    if session.searching or session.ranking is None:
        return Page(glyph="search", title="Searching…", busy=True)
    if session.query is not None and session.ranking.n_unindexed:
        return Page(
            glyph="search", title=f"{_all_are(library)} not indexed for {quoted(session.model)} yet.",
            text="Every model looks at each of them once; then it can be searched with.",
            steps=(Step.INDEX_NOW, Step.SHOW_EVERYTHING),
        )
    return Page(
        glyph="search", title="Nothing was found.", text="Try other words, or another picture.",
        steps=(Step.SHOW_EVERYTHING,),
    )


def _with_last_words(remedy: str, details: str) -> str:
    """The remedy, and the line the engine printed last: it is often the reason, in plain words."""
    printed = [line.strip() for line in details.splitlines() if line.strip()][:-1]  # the last line is about the status
    return f"{remedy}\n\nIts last words: {printed[-1][:200]}" if printed else remedy


def _all_are(library: LibraryState) -> str:
    return f"{holdings(library.n_items, library.n_videos)} {'is' if library.n_items == 1 else 'are'}"


def is_busy(session: Session) -> bool:
    """Whether a person waits for something."""
    if session.engine.status is EngineStatus.STOPPED:
        return False
    return session.searching or session.line.under_way(Kind.LIBRARY) or session.line.under_way(Kind.MODEL)


def status_of(session: Session) -> str:
    """The line at the bottom: model, device, photos and videos, and how long the last search took."""
    if session.engine.status is EngineStatus.STOPPED:
        return "The engine is not running"
    parts = []
    if session.model:
        parts.append(session.model if session.model_ready else f"{session.model} (loading)")
    parts.append(session.engine.device or "starting the engine")
    if session.library is not None:
        parts.append(holdings(session.library.n_items, session.library.n_videos))
    if session.ranking is not None and session.ranking.model:
        parts.append(milliseconds(session.ranking_ms))
    return " · ".join(parts)
