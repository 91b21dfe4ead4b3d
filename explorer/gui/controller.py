"""Between the session, which knows no Qt, and the widgets, which know no session.

Widgets say what a person wants by calling a method here and are redrawn from the signals; they hold no truth.
"""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from explorer import protocol
from explorer.engine.health import EngineStatus
from explorer.engine.requests import Kind
from explorer.engine.sample_requests import Rendering
from explorer.engine.sentence_requests import Bringing
from explorer.engine.training_requests import OF_TRAINING
from explorer.gui.engine_link import EngineLink
from explorer.gui.glances import Glances
from explorer.gui.notices import (
    NO_MODEL_TO_INDEX,
    READ_ONLY,
    Notice,
    Topic,
    notice_of_end,
    notice_of_failure,
    notice_of_giving_up,
    notice_of_indexing,
    notice_of_left_out,
    sentence_of,
)
from explorer.gui.pages import is_busy, page_of, status_of
from explorer.protocol import ErrorList, Explanation, Message, Picture, SearchResponse
from explorer.session import Indexing, Received, Session

CANCEL_GRACE_MS = 1800
"""An engine that has not stopped indexing by then is ended and started again; transactions keep the library whole."""

_SAID_WHERE_ASKED = OF_TRAINING | {
    Kind.COMPARISON, Kind.SHOTS, Kind.CARRIERS, Kind.SENTENCES, Kind.FIGURE, Kind.FIGURE_PREVIEW,
    Kind.POSTER,  # the search with the same file says it
}
_RESTART_AFTER_MS = 200


class Controller(QObject):
    """The window's way to the session.

    Signals carry everything that is needed to draw:
        library_changed(LibraryState | None), models_changed(tuple of ModelSummary, str: the one in use),
        ranking_changed(SearchResponse), ranking_outdated(): there are other photos now,
        indexing_changed(Indexing | None), page_changed(Page | None), busy_changed(bool), status_changed(str),
        noticed(Notice), notice_over(Topic), and the answers for grid, viewer and dialogs.
        received(Received): every answer that counts, before anything else is said of it. told(): all was told.
    """

    received = Signal(object)
    told = Signal()

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
        self._glances = Glances()
        self._told: dict[str, object] = {}

    # --- the engine ---------------------------------------------------------------------------------------------------

    @Slot()
    def start(self) -> None:
        """Start the engine; the window is usable at once."""
        self._link.start()
        self.session.attach(self._link.send)
        self.tell()

    def start_again(self) -> None:
        """Start the engine after it was given up."""
        self.session.engine.forgive()
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
        was_ready = self.session.engine.status is EngineStatus.READY
        was_stopping = self.session.indexing is not None and self.session.indexing.stopping
        for failure in self.session.lost(details):
            self._dispatch(failure)
        self._recovering = self.session.engine.status is EngineStatus.RESTARTING
        if self._recovering:
            self._restart.start()
            self.notify(notice_of_end(details, was_stopping=was_stopping))
        else:
            problem = self.session.engine.problem
            assert problem is not None
            self.notice_over.emit(Topic.ENGINE)
            if was_ready or self.session.ranking is not None:  # results stay on show: the page cannot say it
                self.notify(notice_of_giving_up(problem))
        self.tell()

    @Slot()
    def _stop_took_too_long(self) -> None:
        if any(work.stopping for work in _long_work(self.session)):
            self._link.kill()

    def await_stop(self) -> None:
        """A stop was asked for: an engine that does not obey is ended."""
        self._grace.start()
        self.tell()

    # --- what a person wants ------------------------------------------------------------------------------------------

    def search(self, query: protocol.Query) -> None:
        """Rank by this query; an empty one shows everything."""
        self.notice_over.emit(Topic.QUERY)
        self.session.search(query)
        self.tell()

    @Slot()
    def refresh(self) -> None:
        """Ask again for what is shown."""
        self.session.refresh()
        self.tell()

    def open_library(self, path: bytes) -> None:
        """Open or create a library in this folder."""
        for topic in (Topic.LIBRARY, Topic.INDEXING, Topic.QUERY, Topic.FILE):
            self.notice_over.emit(topic)
        self.session.open_library(path)
        self.tell()

    def load_model(self, name: str) -> None:
        """Use another model."""
        self.notice_over.emit(Topic.MODEL)
        self.session.load_model(name)
        self.tell()

    def add_folders(self, folders: Sequence[bytes]) -> None:
        """Index folders."""
        self.notice_over.emit(Topic.INDEXING)
        if self.session.library is not None and self.session.library.read_only:
            self.notify(READ_ONLY)
            return
        if self.session.models_known and not self.session.model:
            self.notify(NO_MODEL_TO_INDEX)
            return
        self.session.add_folders(folders)
        self.tell()

    @Slot()
    def rescan(self) -> None:
        """Look through every folder of the library again."""
        self.notice_over.emit(Topic.INDEXING)
        self.session.rescan()
        self.tell()

    @Slot()
    def stop_indexing(self) -> None:
        """Stop indexing, within two seconds."""
        self.session.stop_indexing()
        self.await_stop()

    def remove_source(self, source_id: int) -> None:
        """Forget a folder."""
        self.session.line.remove_source(source_id)
        self.tell()

    def list_errors(self) -> None:
        """Ask for the files that could not be read."""
        self.session.line.list_errors()

    def notify(self, notice: Notice | None) -> None:
        """Show a notice, if there is one."""
        if notice is not None:
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
        self.received.emit(received)
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
            case Explanation() as explanation if received.kind is Kind.EXPLANATION:
                self.explanation_came.emit(explanation)
            case ErrorList() as errors:
                self.errors_came.emit(errors)
            case SearchResponse() as ranking:
                self.ranking_changed.emit(ranking)
                self._pass_notice(Topic.QUERY, ranking.notice)
                self._say_left_out(ranking)
            case protocol.ModelLoaded(notice=notice):
                self._pass_notice(Topic.MODEL, notice)
            case protocol.IndexFinished() as finished:
                self.notify(notice_of_indexing(finished))
                self._pass_notice(Topic.INDEXING, finished.notice)
            case protocol.LibraryState(read_only=True) if received.kind is Kind.LIBRARY:
                self.notify(READ_ONLY)
            case protocol.Failed() as failed:
                self._say_failure(received.kind, failed)
        self.tell()

    def _say_failure(self, kind: Kind, failed: protocol.Failed) -> None:
        if kind in (Kind.PICTURE, Kind.EXPLANATION):
            self.viewing_failed.emit(sentence_of(failed))
        elif kind in _SAID_WHERE_ASKED or (kind is Kind.LIBRARY and page_of(self.session) is not None):
            return  # the page, the panel or the dialog says it
        else:
            self.notify(notice_of_failure(kind, failed))

    def _say_left_out(self, ranking: SearchResponse) -> None:
        """Said once for each number of photos, because searching goes on meanwhile."""
        left_out = (ranking.model, ranking.n_unindexed)
        if ranking.n_unindexed and ranking.item_ids and not self.session.indexing and left_out != self._told_left_out:
            self._told_left_out = left_out
            self.notify(notice_of_left_out(ranking, self.session.library))

    def _pass_notice(self, topic: Topic, text: str) -> None:
        if text:
            self.noticed.emit(Notice(topic=topic, text=text))

    def tell(self) -> None:
        """Emit what has changed since it was last told."""
        session = self.session
        if not _long_work(session):
            self._grace.stop()
        for name, value, signal in (
            ("library", session.library, self.library_changed),
            ("indexing", session.indexing, self.indexing_changed),
            ("page", page_of(session), self.page_changed),
            ("busy", is_busy(session), self.busy_changed),
            ("status", status_of(session), self.status_changed),
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
        self.told.emit()
        self._glances.look(session)


def _long_work(session: Session) -> list[Indexing | Bringing | Rendering]:
    """What is shown with its progress and can be stopped."""
    works = (session.indexing, session.sentences.bringing, session.sample.rendering)
    return [work for work in works if work is not None]
