"""Between the session, which knows no Qt, and the widgets, which know no session.

Widgets say what a person wants by calling a method here and are redrawn from the signals; they hold no truth.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from explorer import protocol
from explorer.engine.requests import Kind
from explorer.gui.engine_link import EngineLink
from explorer.gui.pages import Page, Step, page_of
from explorer.gui.phrases import count, milliseconds
from explorer.protocol import ErrorList, Explanation, Message, Picture, SearchResponse
from explorer.session import EngineStatus, Received, Session

CANCEL_GRACE_MS = 2000
"""An engine that has not stopped indexing by then is ended and started again; transactions keep the library whole."""

_RESTART_AFTER_MS = 200
_GLANCE_EVERY_S = 2.0


class Topic(Enum):
    """What a notice is about; a newer one on the same topic takes its place."""

    ENGINE = "engine"
    LIBRARY = "library"
    MODEL = "model"
    INDEXING = "indexing"
    QUERY = "query"
    FILE = "file"
    SETTINGS = "settings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One sentence beside the work, with a next step if there is one; ``details`` are for a report."""

    topic: Topic
    text: str
    step: Step | None = None
    details: str = ""
    serious: bool = False
    passing: bool = False


class Controller(QObject):
    """The window's way to the session.

    Signals carry everything that is needed to draw:
        library_changed(LibraryState | None), models_changed(tuple of ModelSummary, str: the one in use),
        ranking_changed(SearchResponse), ranking_outdated(): there are other photos now,
        indexing_changed(Indexing | None), page_changed(Page | None), busy_changed(bool), status_changed(str),
        noticed(Notice), notice_over(Topic), and the answers for grid, viewer and dialogs.
    """

    library_changed = Signal(object)
    models_changed = Signal(tuple, str)
    ranking_changed = Signal(SearchResponse)
    ranking_outdated = Signal()
    indexing_changed = Signal(object)
    page_changed = Signal(object)
    busy_changed = Signal(bool)
    status_changed = Signal(str)
    noticed = Signal(Notice)
    notice_over = Signal(Topic)
    thumbnails_came = Signal(tuple)
    descriptions_came = Signal(tuple)
    picture_came = Signal(Picture)
    picture_to_copy_came = Signal(Picture)
    explanation_came = Signal(Explanation)
    viewing_failed = Signal(str)
    errors_came = Signal(ErrorList)

    def __init__(self, session: Session, command: Sequence[str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self._link = EngineLink(command, self)
        self._link.answered.connect(self._receive)
        self._link.ended.connect(self._engine_ended)
        self._restart = QTimer(self, singleShot=True, interval=_RESTART_AFTER_MS)
        self._restart.timeout.connect(self.start)
        self._grace = QTimer(self, singleShot=True, interval=CANCEL_GRACE_MS)
        self._grace.timeout.connect(self._stop_took_too_long)
        self._recovering = False
        self._told_left_out: tuple[str, int] | None = None
        self._last_glance_s = 0.0
        self._told: dict[str, object] = {}

    # --- the engine ---------------------------------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start the engine; the window is usable at once."""
        self._link.start()
        self.session.attach(self._link.send)
        self._tell()

    def start_again(self) -> None:
        """Start the engine after it was given up."""
        self.session.start_again()
        self.notice_over.emit(Topic.ENGINE)
        self.start()

    def close(self) -> None:
        """End the engine; called once, with the window hidden."""
        self._restart.stop()
        self._grace.stop()
        self.session.shut_down()
        self._link.close()

    @Slot(str)
    def _engine_ended(self, details: str) -> None:
        was_ready = self.session.status is EngineStatus.READY
        was_stopping = self.session.indexing is not None and self.session.indexing.stopping
        for failure in self.session.lost(details):
            self._dispatch(failure)
        self._recovering = self.session.status is EngineStatus.RESTARTING
        if self._recovering:
            self._restart.start()
            if was_stopping:
                text = "Indexing was stopped; the engine had to be started again for it."
            else:
                text = "The engine stopped and is being started again. Nothing is lost."
            self.noticed.emit(Notice(topic=Topic.ENGINE, text=text, step=Step.COPY_DETAILS, details=details))
        else:
            problem = self.session.engine_problem
            assert problem is not None
            self.notice_over.emit(Topic.ENGINE)
            if was_ready or self.session.ranking is not None:  # results stay on show: the page cannot say it
                self.noticed.emit(Notice(
                    topic=Topic.ENGINE, text=problem.message, step=Step.START_ENGINE, details=details, serious=True
                ))
        self._tell()

    @Slot()
    def _stop_took_too_long(self) -> None:
        if self.session.indexing is not None and self.session.indexing.stopping:
            self._link.kill()

    # --- what a person wants ------------------------------------------------------------------------------------------

    def search(self, query: protocol.Query) -> None:
        """Rank by this query; an empty one shows everything."""
        self.notice_over.emit(Topic.QUERY)
        self.session.search(query)
        self._tell()

    @Slot()
    def refresh(self) -> None:
        """Ask again for what is shown."""
        self.session.refresh()
        self._tell()

    def open_library(self, path: bytes) -> None:
        """Open or create a library in this folder."""
        for topic in (Topic.LIBRARY, Topic.INDEXING, Topic.QUERY, Topic.FILE):
            self.notice_over.emit(topic)
        self.session.open_library(path)
        self._tell()

    def load_model(self, name: str) -> None:
        """Use another model."""
        self.notice_over.emit(Topic.MODEL)
        self.session.load_model(name)
        self._tell()

    def add_folders(self, folders: Sequence[bytes]) -> None:
        """Index folders."""
        self.notice_over.emit(Topic.INDEXING)
        if self.session.library is not None and self.session.library.read_only:
            self._say_read_only()
            return
        if self.session.models_known and not self.session.model:
            text = "Photos cannot be indexed: there is no model to index them with."
            self.noticed.emit(Notice(topic=Topic.INDEXING, text=text, serious=True))
            return
        self.session.add_folders(folders)
        self._tell()

    @Slot()
    def rescan(self) -> None:
        """Look through every folder of the library again."""
        self.notice_over.emit(Topic.INDEXING)
        self.session.rescan()
        self._tell()

    @Slot()
    def stop_indexing(self) -> None:
        """Stop indexing, within two seconds."""
        self.session.stop_indexing()
        self._grace.start()
        self._tell()

    def remove_source(self, source_id: int) -> None:
        """Forget a folder."""
        self.session.remove_source(source_id)
        self._tell()

    def list_errors(self) -> None:
        """Ask for the files that could not be read."""
        self.session.list_errors()

    def notify(self, notice: Notice) -> None:
        """Show a notice."""
        self.noticed.emit(notice)

    # --- what the engine says -----------------------------------------------------------------------------------------

    @Slot(Message)
    def _receive(self, answer: protocol.Answer) -> None:
        received = self.session.receive(answer)
        if received is None:
            return
        self._dispatch(received)
        if self._recovering and received.kind is Kind.LIBRARY and isinstance(answer, protocol.LibraryState):
            self._recovering = False
            self.noticed.emit(Notice(topic=Topic.ENGINE, text="The engine was started again.", passing=True))

    def _dispatch(self, received: Received) -> None:
        match received.answer:
            case protocol.Thumbnails(thumbnails=thumbnails):
                self.thumbnails_came.emit(thumbnails)
                return
            case protocol.ItemDescriptions(items=items):
                self.descriptions_came.emit(items)
                return
            case Picture() as picture:
                to_copy = received.kind is Kind.PICTURE_TO_COPY
                (self.picture_to_copy_came if to_copy else self.picture_came).emit(picture)
            case Explanation() as explanation:
                self.explanation_came.emit(explanation)
            case ErrorList() as errors:
                self.errors_came.emit(errors)
            case SearchResponse() as ranking:
                self.ranking_changed.emit(ranking)
                self._pass_notice(Topic.QUERY, ranking.notice)
                self._say_unindexed(ranking)
            case protocol.ModelLoaded(notice=notice):
                self._pass_notice(Topic.MODEL, notice)
            case protocol.IndexFinished() as finished:
                self._indexed(finished)
            case protocol.LibraryState(read_only=True) if received.kind is Kind.LIBRARY:
                self._say_read_only()
            case protocol.Failed() as failed:
                self._failed(received.kind, failed)
        self._tell()

    def _indexed(self, finished: protocol.IndexFinished) -> None:
        self._grace.stop()
        if finished.n_failed:
            text = f"{count(finished.n_failed, 'file')} could not be read."
            self.noticed.emit(Notice(topic=Topic.INDEXING, text=text, step=Step.SHOW_ERRORS))
        elif not (finished.n_added or finished.n_changed or finished.n_removed or finished.n_moved):
            text = f"Nothing has changed in {count(finished.n_unchanged, 'photo')}."
            if finished.n_encoded:
                text = f"{count(finished.n_encoded, 'photo')} indexed."
            self.noticed.emit(Notice(topic=Topic.INDEXING, text=text, passing=True))
        self._pass_notice(Topic.INDEXING, finished.notice)

    def _failed(self, kind: Kind, failed: protocol.Failed) -> None:
        text = f"{failed.message} {failed.remedy}".strip()
        if failed.kind == "Bug":
            text = f"Something went wrong in the program: {failed.message}"
        match kind:
            case Kind.PICTURE | Kind.EXPLANATION:
                self.viewing_failed.emit(text)
                return
            case Kind.RANKING:
                topic, step = Topic.QUERY, None
            case Kind.MODEL:
                topic, step = Topic.MODEL, Step.RELOAD_MODEL
            case Kind.INDEX:
                self._grace.stop()
                topic, step = Topic.INDEXING, None
            case Kind.LIBRARY if page_of(self.session) is not None:
                return  # the page says it
            case Kind.LIBRARY:
                topic, step = Topic.LIBRARY, Step.TRY_LIBRARY_AGAIN
            case _:
                topic, step = Topic.FILE, None
        if failed.details and step is None:
            step = Step.COPY_DETAILS
        self.noticed.emit(Notice(topic=topic, text=text, step=step, details=failed.details, serious=True))

    def _pass_notice(self, topic: Topic, text: str) -> None:
        if text:
            self.noticed.emit(Notice(topic=topic, text=text))

    def _say_unindexed(self, ranking: SearchResponse) -> None:
        """Photos that a search leaves out: said once for each number of them, because searching goes on meanwhile."""
        left_out = (ranking.model, ranking.n_unindexed)
        if not ranking.n_unindexed or not ranking.item_ids or self.session.indexing or left_out == self._told_left_out:
            return
        self._told_left_out = left_out
        verb = "is" if ranking.n_unindexed == 1 else "are"
        text = f"{count(ranking.n_unindexed, 'photo')} {verb} left out: this model has not seen them yet."
        self.noticed.emit(Notice(topic=Topic.INDEXING, text=text, step=Step.INDEX_NOW))

    def _say_read_only(self) -> None:
        text = "This library cannot be written to: you can search it, but not add or index photos."
        self.noticed.emit(Notice(topic=Topic.LIBRARY, text=text, step=Step.OPEN_LIBRARY))

    # --- telling the widgets ------------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Emit what has changed since it was last told."""
        session = self.session
        if session.indexing is None:
            self._grace.stop()
        for name, value, signal in (
            ("library", session.library, self.library_changed),
            ("indexing", session.indexing, self.indexing_changed),
            ("page", page_of(session), self.page_changed),
            ("busy", self._busy(), self.busy_changed),
            ("status", self._status(), self.status_changed),
        ):
            if name not in self._told or self._told[name] != value:
                self._told[name] = value
                signal.emit(value)
        models = (session.models, session.model)
        if self._told.get("models") != models:
            self._told["models"] = models
            self.models_changed.emit(*models)
        if session.outdated and not session.searching:
            session.outdated = False
            self.ranking_outdated.emit()
        self._glance()

    def _glance(self) -> None:
        """While indexing, let counts and the unsearched grid grow now and then."""
        session, now = self.session, time.monotonic()
        if session.indexing is None or session.indexing.stopping or session.indexing.progress is None:
            self._last_glance_s = now
        elif now - self._last_glance_s > _GLANCE_EVERY_S and not session.under_way(Kind.STATE):
            self._last_glance_s = now
            session.look_at_library()

    def _busy(self) -> bool:
        session = self.session
        if session.status is EngineStatus.STOPPED:
            return False
        return session.searching or session.under_way(Kind.LIBRARY) or session.under_way(Kind.MODEL)

    def _status(self) -> str:
        session = self.session
        if session.status is EngineStatus.STOPPED:
            return "The engine is not running"
        parts = []
        if session.model:
            parts.append(session.model if session.model_ready else f"{session.model} (loading)")
        parts.append(session.device or "starting the engine")
        if session.library is not None:
            parts.append(count(session.library.n_items, "photo"))
        if session.ranking is not None and session.ranking.model:
            parts.append(milliseconds(session.ranking_ms))
        return " · ".join(parts)

    def page(self) -> Page | None:
        """What the middle of the window shows in place of results, now."""
        return page_of(self.session)
