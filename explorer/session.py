"""What is open now, and the one thing ``gui/controller.py`` talks to; plain Python that speaks messages only.

A session makes the requests, knows which of them are still wanted, and keeps the last word on engine, library, models
and ranking. It does not know how an engine is started: whoever owns the process calls :meth:`Session.attach` with a way
to send, :meth:`Session.receive` with each answer and :meth:`Session.lost` when the process has ended. A new engine is
greeted, gets library and model again, and is asked again for everything the old one still owed, so nothing is lost.

Everything here is called from one thread.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from explorer import protocol
from explorer.engine.health import EngineHealth
from explorer.engine.index_requests import Indexing, IndexQueue, has_changed
from explorer.engine.requests import Kind, Line, Pending
from explorer.engine.sample_requests import SampleCollection
from explorer.engine.sentence_requests import Sentences, has_sentences, is_picture
from explorer.engine.training_requests import OF_TRAINING, Training

__all__ = ["MAX_ATTEMPTS", "Indexing", "Received", "Session"]

MAX_ATTEMPTS = 2
"""A request whose engine died this often without any progress is given up: it may be what kills the engine."""

_REOPENED = frozenset({Kind.HELLO, Kind.MODELS, Kind.LIBRARY, Kind.MODEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """An answer that still counts, what it was for, and how long it took since it was asked for."""

    kind: Kind
    answer: protocol.Answer
    elapsed_ms: float


class Session:
    """What is open now. The attributes are for reading; the methods change them.

    Attributes:
        library_path: the folder of the library that is or shall be open.
        library: as the engine last told it; ``None`` until it is open. ``library_problem``: why not, where known.
        models, models_known: the packages; whether they were listed yet.
        model: name of the one in use; empty if there is none. ``model_ready``: loaded. ``model_problem``: why not.
        query: what is shown is the ranking for this; ``None``: everything.
        every_moment: whether all shots of a video are ranked; else the best of each.
        ranking: the last ranking that counted; ``ranking_ms``: its time; ``ranking_problem``: why the last failed.
        outdated: the library holds other photos than when the ranking was made; :meth:`refresh` mends it.
        index_queue: what is being indexed (``indexing``), ``waiting`` folders, then ``waiting_models``.
        sentences: those of the library: being brought in, ranked for a picture, explaining in place of the query.
        sample: the sample collection, while it is rendered. ``training``: recipes, devices and measured models.
        engine: how the engine is. ``line``: the way to it, and single requests that change nothing here.
    """

    def __init__(
        self, library_path: bytes, *, preferred_model: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.library_path = library_path
        self.library: protocol.LibraryState | None = None
        self.library_problem: protocol.Failed | None = None
        self.models: tuple[protocol.ModelSummary, ...] = ()
        self.model, self.models_known, self.model_ready = preferred_model, False, False
        self.model_problem: protocol.Failed | None = None
        self.query: protocol.Query | None = None
        self.every_moment = self.outdated = False
        self.ranking: protocol.SearchResponse | None = None
        self.ranking_ms = 0.0
        self.ranking_problem: protocol.Failed | None = None
        self._clock = clock
        self.line = Line(clock)
        self.index_queue = IndexQueue(self.line)
        self.sentences = Sentences(self.line)
        self.sample = SampleCollection(self.line)
        self.training = Training(self.line)
        self._parts = (self.sentences, self.sample, self.training)
        self.engine = EngineHealth()

    # --- the engine's life --------------------------------------------------------------------------------------------

    def attach(self, send: Callable[[protocol.Request], None]) -> None:
        """A new engine is there: greet it, give it library and model, and ask again for what is still owed."""
        self.line.connect(send)
        self.model_ready = False
        owed = [p for p in self.line.owed() if p.kind not in _REOPENED]
        self.line.forget(_REOPENED)
        self.line.greet(self.library_path, self.model if self.models_known else "")
        for pending in owed:
            self.line.give(pending)

    def lost(self, details: str = "") -> list[Received]:
        """The engine has ended without being asked to. Afterwards ``engine.status`` says whether to start another.

        Returns the requests that are given up because they may be what ends the engine, each as a failure.
        """
        self.line.hang_up()
        self.engine.died(self._clock(), details)
        if self.index_queue.engine_lost():
            self.outdated = True
        for part in self._parts:
            part.engine_lost()
        given_up = [p for p in self.line.owed() if p.kind not in _REOPENED and p.attempts >= MAX_ATTEMPTS]
        failures = [self.receive(_given_up(p.request.id, details)) for p in given_up]
        return [failure for failure in failures if failure is not None]

    def shut_down(self) -> None:
        """Ask the engine to end; nothing that comes afterwards counts."""
        self.line.hang_up(politely=True)

    def receive(self, answer: protocol.Answer) -> Received | None:
        """Take an answer in; ``None`` if it no longer counts and must not be shown."""
        pending = self.line.settle(answer)
        if pending is None:
            return None
        received = Received(kind=pending.kind, answer=answer, elapsed_ms=1000.0 * (self._clock() - pending.asked_at))
        for part in self._parts:
            part.take(pending, answer)
        match answer:
            case protocol.Welcome():
                self.engine.welcomed(answer)
            case protocol.ModelList():
                self._models_listed(answer)
            case protocol.LibraryState():
                self._library_told(answer, pending.kind)
            case protocol.ModelLoaded():
                self._model_loaded(answer)
            case protocol.Progress() if pending.kind is Kind.INDEX:
                self.index_queue.told(answer)
            case protocol.IndexFinished():
                self._indexed(answer)
            case protocol.SearchResponse():
                self.ranking, self.ranking_ms, self.ranking_problem = answer, received.elapsed_ms, None
                self.rank_sentences()
            case protocol.Failed() | protocol.Cancelled():
                self._not_done(pending, answer)
        return received

    @property
    def searching(self) -> bool:
        """Whether a ranking was asked for that has not come."""
        return self.line.under_way(Kind.RANKING)

    @property
    def indexing(self) -> Indexing | None:
        """What is being indexed."""
        return self.index_queue.now

    @property
    def waiting(self) -> Sequence[bytes]:
        """Folders that are indexed next."""
        return self.index_queue.folders

    @property
    def waiting_models(self) -> Sequence[str]:
        """Models that the library is indexed with after that, each then used."""
        return self.index_queue.models

    # --- what can be asked for ----------------------------------------------------------------------------------------

    def open_library(self, path: bytes) -> None:
        """Open or create another library; everything shown belongs to the old one until the answer comes."""
        for part in (self.index_queue, self.sample, self.sentences):
            part.forget()
        self.line.forget(set(Kind) - _REOPENED - OF_TRAINING)
        self.library_path, self.library, self.library_problem = path, None, None
        self.query, self.ranking, self.ranking_problem = None, None, None
        self.line.ask(Kind.LIBRARY, protocol.OpenLibrary(id=self.line.next_id(), path=path))

    def load_model(self, name: str) -> None:
        """Use another model from now on; what is being indexed does not change that any more."""
        self.index_queue.chosen(name)
        self._use_model(name)

    def look_for_models(self) -> None:
        """A package was written, or went: list them again. The one in use stays as it is."""
        self.line.list_models()

    def index_with(self, model: str) -> None:
        """Index the library with a new model, or one trained again, in its turn, and use it once that is done."""
        self.index_queue.add_model(model, self.model)

    def search(self, query: protocol.Query) -> None:
        """Rank the library by this query; a query of nothing shows everything."""
        if not query.text.strip() and not is_picture(query):
            self.browse()
            return
        if query != self.query:
            self.sentences.forget_ranking()
        self.query = query
        if self.models_known and self.model:  # otherwise as soon as the models are known
            self.line.search(query, self.model, every_moment=self.every_moment)

    def set_every_moment(self, every_moment: bool) -> None:
        """Rank all shots of a video from now on, or the best of each; what is shown is ranked again."""
        changed, self.every_moment = every_moment != self.every_moment, every_moment
        if changed and self.query is not None:
            self.search(self.query)

    def browse(self) -> None:
        """Show everything."""
        self.query = None
        self.sentences.forget_ranking()
        self.line.ask(Kind.RANKING, protocol.Browse(id=self.line.next_id()))

    def refresh(self) -> None:
        """Ask again for what is shown."""
        self.outdated = False
        self.browse() if self.query is None else self.search(self.query)

    def add_folders(self, folders: Sequence[bytes]) -> None:
        """Index folders; after what is being indexed now, if anything is."""
        self.index_queue.add_folders(folders, self.model)

    def rescan(self) -> None:
        """Look through every source again, unless indexing is under way."""
        self.index_queue.rescan(self.model)

    def stop_indexing(self) -> None:
        """Ask the engine to stop indexing; what is finished stays."""
        self.index_queue.stop()

    def explain(self, item_id: int, without: tuple[str, ...] = (), *, words: bool = True) -> None:
        """Ask why it stands where it stands; with no query, what the model sees. ``without`` parts: to compare."""
        if self.model:
            self.line.explain(item_id, self.model, self.sentences.explaining(self.query), without, words=words)

    def rank_sentences(self) -> None:
        """Rank the library's sentences if a picture is searched with and there are any."""
        if self.query is not None and is_picture(self.query) and self.model and has_sentences(self.library):
            self.sentences.rank(self.query, self.model)

    # --- what answers change ------------------------------------------------------------------------------------------

    def _models_listed(self, answer: protocol.ModelList) -> None:
        first, self.models_known, self.models = not self.models_known, True, answer.models
        usable = [model.name for model in answer.models if not model.problem]
        lost = self.model not in usable
        if lost:
            self.model = usable[0] if usable else ""
        if self.model and (first or lost):
            self._use_model(self.model)
            if self.query is not None:
                self.search(self.query)
        self.index_queue.go_on(self.model)

    def _library_told(self, answer: protocol.LibraryState, kind: Kind) -> None:
        before, self.library, self.library_problem = self.library, answer, None
        if before is None or before.n_sentences != answer.n_sentences:
            self.rank_sentences()
        if kind is Kind.LIBRARY and self.ranking is None and not self.searching:
            self.refresh()
        if kind in (Kind.REMOVE, Kind.STATE):
            self.outdated = True

    def _use_model(self, name: str) -> None:
        self.model, self.model_ready, self.model_problem = name, False, None
        self.line.load_model(name)

    def _model_loaded(self, answer: protocol.ModelLoaded) -> None:
        self.model_ready, self.model_problem = True, None
        self.engine.device = answer.device or self.engine.device
        if self.query is not None and not self.searching and self.ranking and self.ranking.model != answer.name:
            self.search(self.query)

    def _indexed(self, answer: protocol.IndexFinished) -> None:
        done, self.library = self.index_queue.over(), answer.state
        self.outdated = self.outdated or has_changed(answer)
        if done is not None and done.takes_over:
            self._use_model(done.model)
            self.refresh()  # the engine loads first, then ranks
        self.index_queue.go_on(self.model)

    def _not_done(self, pending: Pending, answer: protocol.Failed | protocol.Cancelled) -> None:
        failure = answer if isinstance(answer, protocol.Failed) else None
        match pending.kind:
            case Kind.LIBRARY:
                self.library, self.library_problem = None, failure
            case Kind.MODEL:
                self.model_problem = failure
            case Kind.RANKING:
                self.ranking_problem = failure
            case Kind.HELLO | Kind.MODELS:
                self.engine.problem = failure
            case Kind.INDEX:
                self.index_queue.over()
                self.index_queue.go_on(self.model)
                self.line.look_at_library()


def _given_up(request_id: int, details: str) -> protocol.Failed:
    return protocol.Failed(
        id=request_id, message=f"The engine stopped {MAX_ATTEMPTS} times while it worked on this.",
        remedy="It was started again; try something else.", kind="EngineError", details=details,
    )
