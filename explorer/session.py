"""What is open now, and the one thing ``gui/controller.py`` talks to; plain Python that speaks messages only.

A session makes the requests, knows which of them are still wanted, and keeps the last word on engine, library, models
and ranking. It does not know how an engine is started: whoever owns the process calls :meth:`Session.attach` with a way
to send, :meth:`Session.receive` with each answer and :meth:`Session.lost` when the process has ended. A new engine is
greeted, gets library and model again, and is asked again for everything the old one still owed, so nothing is lost.

Everything here is called from one thread.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from explorer import protocol
from explorer.engine.health import EngineHealth
from explorer.engine.requests import Kind, Line, Pending
from explorer.engine.sample_requests import SampleCollection
from explorer.engine.sentence_requests import Sentences, has_sentences, is_picture
from explorer.engine.training_requests import OF_TRAINING, Training

MAX_ATTEMPTS = 2
"""A request whose engine died this often without any progress is given up: it may be what kills the engine."""

_REOPENED = frozenset({Kind.HELLO, Kind.MODELS, Kind.LIBRARY, Kind.MODEL})


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """Indexing under way.

    Attributes:
        request_id: of the :class:`IndexFolders`.
        model: whose vectors are made.
        takes_over: this model is used from then on, if all are made.
        progress: the last word of the engine; ``None`` before the first.
        stopping: a stop was asked for and not yet confirmed.
    """

    request_id: int
    model: str = ""
    takes_over: bool = False
    progress: protocol.Progress | None = None
    stopping: bool = False


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
        library: its state as the engine last told it; ``None`` until it is open.
        library_problem: why it is not open; ``None`` if it is, or is not known yet.
        models, models_known: the packages; whether they were listed yet.
        model: name of the one in use; empty if there is none. ``model_ready``: loaded. ``model_problem``: why not.
        query: what is shown is the ranking for this; ``None``: everything.
        every_moment: whether all shots of a video are ranked; else the best of each.
        ranking: the last ranking that counted; ``ranking_ms``: its time; ``ranking_problem``: why the last failed.
        outdated: the library holds other photos than when the ranking was made; :meth:`refresh` mends it.
        indexing: what is being indexed; ``waiting`` folders come next, then the ``waiting_models``.
        sentences: those of the library: being brought in, ranked for a picture, explaining in place of the query.
        sample: the sample collection, while it is rendered.
        training: recipes, devices and measured models; it is of no library.
        engine: how the engine is. ``line``: the way to it, and single requests that change nothing here.
    """

    def __init__(
        self, library_path: bytes, *, preferred_model: str = "", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.library_path = library_path
        self.library: protocol.LibraryState | None = None
        self.library_problem: protocol.Failed | None = None
        self.models: tuple[protocol.ModelSummary, ...] = ()
        self.models_known = False
        self.model = preferred_model
        self.model_ready = False
        self.model_problem: protocol.Failed | None = None
        self.query: protocol.Query | None = None
        self.every_moment = False
        self.ranking: protocol.SearchResponse | None = None
        self.ranking_ms = 0.0
        self.ranking_problem: protocol.Failed | None = None
        self.outdated = False
        self.indexing: Indexing | None = None
        self.waiting: list[bytes] = []
        self.waiting_models: list[str] = []
        self._clock = clock
        self.line = Line(clock)
        self.sentences = Sentences(self.line)
        self.sample = SampleCollection(self.line)
        self.training = Training(self.line)
        self.engine = EngineHealth()

    # --- the engine's life --------------------------------------------------------------------------------------------

    def attach(self, send: Callable[[protocol.Request], None]) -> None:
        """A new engine is there: greet it, give it library and model, and ask again for what is still owed."""
        self.line.connect(send)
        self.model_ready = False
        owed = [p for p in self.line.owed() if p.kind not in _REOPENED]
        self.line.forget(_REOPENED)
        self.line.ask(Kind.HELLO, protocol.Hello(id=self.line.next_id()))
        self.line.ask(Kind.MODELS, protocol.ListModels(id=self.line.next_id()))
        self.line.ask(Kind.LIBRARY, protocol.OpenLibrary(id=self.line.next_id(), path=self.library_path))
        if self.models_known and self.model:
            self.line.ask(Kind.MODEL, protocol.LoadModel(id=self.line.next_id(), name=self.model))
        for pending in owed:
            self.line.give(pending)

    def lost(self, details: str = "") -> list[Received]:
        """The engine has ended without being asked to. Afterwards ``engine.status`` says whether to start another.

        Returns the requests that are given up because they may be what ends the engine, each as a failure.
        """
        self.line.hang_up()
        self.engine.died(self._clock(), details)
        if self.indexing is not None and self.indexing.stopping:
            self.line.forget({Kind.INDEX})
            self.indexing, self.outdated = None, True
        self.sentences.engine_lost()
        self.sample.engine_lost()
        self.training.engine_lost()
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
        self.sentences.take(pending, answer)
        self.sample.take(pending, answer)
        self.training.take(pending, answer)
        match answer:
            case protocol.Welcome():
                self.engine.welcomed(answer)
            case protocol.ModelList():
                self._models_listed(answer)
            case protocol.LibraryState():
                self._library_told(answer, pending.kind)
            case protocol.ModelLoaded():
                self._model_loaded(answer)
            case protocol.Progress() if self.indexing is not None and pending.kind is Kind.INDEX:
                self.indexing = replace(self.indexing, progress=answer)
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

    # --- what can be asked for ----------------------------------------------------------------------------------------

    def open_library(self, path: bytes) -> None:
        """Open or create another library; everything shown belongs to the old one until the answer comes."""
        if self.indexing is not None:
            self.line.cancel(self.indexing.request_id)
        self.sample.forget()
        self.sentences.forget()
        self._wait_for_nothing()
        self.line.forget(set(Kind) - _REOPENED - OF_TRAINING)
        self.indexing = None
        self.library_path, self.library, self.library_problem = path, None, None
        self.query, self.ranking, self.ranking_problem = None, None, None
        self.line.ask(Kind.LIBRARY, protocol.OpenLibrary(id=self.line.next_id(), path=path))

    def load_model(self, name: str) -> None:
        """Use another model from now on; what is being indexed does not change that any more."""
        if self.indexing is not None:
            takes_over = self.indexing.takes_over and self.indexing.model == name
            self.indexing = replace(self.indexing, takes_over=takes_over)
        self._use_model(name)

    def look_for_models(self) -> None:
        """A package was written, or went: list them again. The one in use stays as it is."""
        self.line.ask(Kind.MODELS, protocol.ListModels(id=self.line.next_id()))

    def index_with(self, model: str) -> None:
        """Index the library with another model, or one of this name that was trained again, and use it from then on.

        Until all its vectors are made, and if that is stopped, the model in use stays so. Comes after what is being
        indexed now, if anything is.
        """
        indexing = self.indexing
        if indexing is not None and not indexing.stopping and indexing.takes_over and indexing.model == model:
            return
        if model not in self.waiting_models:
            self.waiting_models.append(model)
        self._index_next()

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
        self.waiting.extend(folder for folder in folders if folder not in self.waiting)
        self._index_next()

    def rescan(self) -> None:
        """Look through every source again, unless indexing is under way."""
        if self.indexing is None and self.model:
            self._index((), self.model)

    def stop_indexing(self) -> None:
        """Ask the engine to stop indexing; what is finished stays."""
        self._wait_for_nothing()
        if self.indexing is not None and not self.indexing.stopping:
            self.line.cancel(self.indexing.request_id)
            self.indexing = replace(self.indexing, stopping=True)

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
        if not first and self.model in usable:
            self._index_next()
            return
        if self.model not in usable:
            self.model = usable[0] if usable else ""
        if self.model:
            self._use_model(self.model)
            if self.query is not None:
                self.search(self.query)
        self._index_next()

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
        self.line.ask(Kind.MODEL, protocol.LoadModel(id=self.line.next_id(), name=name))

    def _model_loaded(self, answer: protocol.ModelLoaded) -> None:
        self.model_ready, self.model_problem = True, None
        self.engine.device = answer.device or self.engine.device
        shown = self.ranking
        if self.query is not None and not self.searching and shown is not None and shown.model != answer.name:
            self.search(self.query)

    def _indexed(self, answer: protocol.IndexFinished) -> None:
        done, self.indexing, self.library = self.indexing, None, answer.state
        if answer.n_added or answer.n_changed or answer.n_moved or answer.n_removed or answer.n_encoded:
            self.outdated = True
        if done is not None and done.takes_over:
            self._use_model(done.model)
            self.refresh()  # the engine loads first, then ranks
        self._index_next()

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
                self.indexing = None
                self._index_next()
                self.line.look_at_library()

    def _index_next(self) -> None:
        if self.indexing is not None:
            return
        if self.waiting and self.model:
            folders, self.waiting = tuple(self.waiting), []
            self._index(folders, self.model)
        elif self.waiting_models:
            self._index((), self.waiting_models.pop(0), takes_over=True)

    def _index(self, folders: tuple[bytes, ...], model: str, *, takes_over: bool = False) -> None:
        request = protocol.IndexFolders(id=self.line.next_id(), folders=folders, model=model)
        self.indexing = Indexing(request_id=request.id, model=model, takes_over=takes_over)
        self.line.ask(Kind.INDEX, request)

    def _wait_for_nothing(self) -> None:
        self.waiting.clear()
        self.waiting_models.clear()


def _given_up(request_id: int, details: str) -> protocol.Failed:
    return protocol.Failed(
        id=request_id, message=f"The engine stopped {MAX_ATTEMPTS} times while it worked on this.",
        remedy="It was started again; try something else.", kind="EngineError", details=details,
    )
