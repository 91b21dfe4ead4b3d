"""Requests under way: which have no final answer yet, and which of each kind still count."""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from explorer.protocol import (
    Answer,
    Cancel,
    CarriersOfBit,
    DescribeItems,
    DescribeLibrary,
    Explain,
    FigureSpec,
    GetPicture,
    GetPoster,
    GetShots,
    GetThumbnails,
    Hello,
    ListErrors,
    ListModels,
    LoadModel,
    MakeFigure,
    OpenLibrary,
    Progress,
    Query,
    RemoveSource,
    RenderSample,
    Request,
    Search,
    Shutdown,
)


class Kind(StrEnum):
    """What a request is for. Of each kind only the latest answer counts, except where each stands for itself."""

    HELLO = "hello"
    MODELS = "models"
    LIBRARY = "library"
    STATE = "state"
    MODEL = "model"
    INDEX = "index"
    REMOVE = "remove"
    RANKING = "ranking"
    DESCRIPTIONS = "descriptions"
    THUMBNAILS = "thumbnails"
    PICTURE = "picture"
    PICTURE_TO_COPY = "picture to copy"
    SHOTS = "shots"
    POSTER = "poster"
    EXPLANATION = "explanation"
    COMPARISON = "comparison"
    CARRIERS = "carriers of a bit"
    ERRORS = "errors"
    CAPTIONS = "captions"
    CAPTIONS_STATE = "captions state"
    SENTENCES = "sentences"
    FIGURE = "figure"
    FIGURE_PREVIEW = "figure preview"
    SAMPLE = "sample collection"
    RECIPE_FORMS = "recipe forms"
    RECIPE_CHECK = "recipe check"
    DEVICES = "devices"
    EVALUATION = "evaluation"


_EACH_COUNTS = frozenset({Kind.DESCRIPTIONS, Kind.THUMBNAILS, Kind.REMOVE})


@dataclass(slots=True, kw_only=True)
class Pending:
    """A request without a final answer; ``attempts`` counts the engines it was given to without any progress."""

    kind: Kind
    request: Request
    asked_at: float
    attempts: int = 0


class RequestLedger:
    """The requests that have no final answer yet, and the latest of each kind."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        self._latest: dict[Kind, int] = {}

    def next_id(self) -> int:
        """A request id that was never used."""
        return next(self._ids)

    def add(self, kind: Kind, request: Request, asked_at: float) -> Pending:
        """Write down a request; it becomes the latest of its kind."""
        pending = Pending(kind=kind, request=request, asked_at=asked_at)
        self._pending[request.id] = pending
        self._latest[kind] = request.id
        return pending

    def settle(self, answer: Answer) -> Pending | None:
        """What the answer answers; ``None`` if that is unknown, settled, or no longer the latest of its kind."""
        pending = self._pending.get(answer.id)
        if pending is None:
            return None
        if isinstance(answer, Progress):
            pending.attempts = 0  # whatever ends the engine, it is not simply this request
        else:
            del self._pending[answer.id]
        return pending if self.counts(answer.id, pending.kind) else None

    def counts(self, request_id: int, kind: Kind) -> bool:
        """Whether an answer to this request would still be shown."""
        return kind in _EACH_COUNTS or self._latest.get(kind) == request_id

    def forget(self, kinds: Iterable[Kind]) -> list[int]:
        """Drop all requests of these kinds; answers that still come for them will not count."""
        gone = set(kinds)
        ids = [i for i, pending in self._pending.items() if pending.kind in gone]
        for request_id in ids:
            del self._pending[request_id]
        return ids

    def under_way(self, kind: Kind) -> bool:
        """Whether a request of this kind has no answer yet."""
        return any(pending.kind is kind for pending in self._pending.values())

    def owed(self) -> list[Pending]:
        """Everything without a final answer, oldest first."""
        return list(self._pending.values())


_CANCEL_OLDER = frozenset({
    Kind.RANKING, Kind.PICTURE, Kind.SHOTS, Kind.POSTER, Kind.EXPLANATION, Kind.COMPARISON, Kind.CARRIERS,
    Kind.SENTENCES, Kind.FIGURE_PREVIEW, Kind.SAMPLE, Kind.RECIPE_CHECK, Kind.EVALUATION,
})


class Line:
    """The way to the engine: keeps what was asked, gives it to whichever engine is there, and asks for single things.

    What is asked while no engine is there is given to the next one.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._ledger = RequestLedger()
        self._clock = clock
        self._send: Callable[[Request], None] | None = None
        self.next_id = self._ledger.next_id
        self.settle = self._ledger.settle
        self.forget = self._ledger.forget
        self.owed = self._ledger.owed
        self.under_way = self._ledger.under_way

    def connect(self, send: Callable[[Request], None]) -> None:
        """An engine is there."""
        self._send = send

    def hang_up(self, *, politely: bool = False) -> None:
        """No engine is there any more, or shall be; ``politely``: it is told so."""
        if politely and self._send is not None:
            self._send(Shutdown(id=self.next_id()))
        self._send = None

    def ask(self, kind: Kind, request: Request) -> None:
        """Write down and send a request; older ones whose answer would not count are cancelled where it saves work."""
        if kind in _CANCEL_OLDER:
            for older in self.forget({kind}):
                self.cancel(older)
        self.give(self._ledger.add(kind, request, self._clock()))

    def give(self, pending: Pending) -> None:
        """Give a request to the engine, or leave it to the next one."""
        if self._send is not None:
            pending.attempts += 1
            self._send(pending.request)

    def cancel(self, request_id: int) -> None:
        """Ask the engine to stop working on this."""
        if self._send is not None:
            self._send(Cancel(id=self.next_id(), target=request_id))

    # --- what the session keeps the last of -------------------------------------------------------------------------

    def greet(self, library: bytes, model: str) -> None:
        """Ask a new engine who it is and which models there are; give it the library, and the model if there is one."""
        self.ask(Kind.HELLO, Hello(id=self.next_id()))
        self.list_models()
        self.ask(Kind.LIBRARY, OpenLibrary(id=self.next_id(), path=library))
        if model:
            self.load_model(model)

    def list_models(self) -> None:
        """Ask which packages there are."""
        self.ask(Kind.MODELS, ListModels(id=self.next_id()))

    def load_model(self, name: str) -> None:
        """Ask for a model to be made ready."""
        self.ask(Kind.MODEL, LoadModel(id=self.next_id(), name=name))

    def search(self, query: Query, model: str, *, every_moment: bool) -> None:
        """Ask for a ranking."""
        request = Search(id=self.next_id(), query=query, model=model, every_moment=every_moment)
        self.ask(Kind.RANKING, request)

    def explain(
        self, item_id: int, model: str, query: Query | None, without: tuple[str, ...] = (), *, words: bool = True
    ) -> None:
        """Ask for evidence; ``without`` parts of the network it is there to compare with, and needs no words."""
        request = Explain(
            id=self.next_id(), item_id=item_id, model=model, query=query, without=without, words=words and not without
        )
        self.ask(Kind.COMPARISON if without else Kind.EXPLANATION, request)

    # --- single things, which change nothing that is open ------------------------------------------------------------

    def remove_source(self, source_id: int) -> None:
        """Forget a folder; its files stay."""
        self.ask(Kind.REMOVE, RemoveSource(id=self.next_id(), source_id=source_id))

    def describe_items(self, item_ids: Sequence[int]) -> None:
        """Ask for names, paths, sizes."""
        self.ask(Kind.DESCRIPTIONS, DescribeItems(id=self.next_id(), item_ids=tuple(item_ids)))

    def get_thumbnails(self, item_ids: Sequence[int]) -> None:
        """Ask for thumbnails."""
        self.ask(Kind.THUMBNAILS, GetThumbnails(id=self.next_id(), item_ids=tuple(item_ids)))

    def get_picture(self, item_id: int, time_s: float | None = None) -> None:
        """Ask for the picture the viewer shows; of a video the frame at this time, or the middle of the shot."""
        self.ask(Kind.PICTURE, GetPicture(id=self.next_id(), item_id=item_id, time_s=time_s))

    def get_picture_to_copy(self, item_id: int) -> None:
        """Ask for a picture as large as it is worth carrying in a clipboard."""
        request = GetPicture(id=self.next_id(), item_id=item_id, max_edge_px=4096)
        self.ask(Kind.PICTURE_TO_COPY, request)

    def get_shots(self, item_id: int, query: Query | None = None, model: str = "") -> None:
        """Ask for the shots of a video and how well each fits a query; only the last video asked for counts."""
        self.ask(Kind.SHOTS, GetShots(id=self.next_id(), item_id=item_id, query=query, model=model))

    def get_poster(self, path: bytes) -> None:
        """Ask for a picture of a video file that is searched with; only the last one counts."""
        self.ask(Kind.POSTER, GetPoster(id=self.next_id(), path=path))

    def find_carriers(self, model: str, bit: int, *, positive: bool = True, k: int = 0) -> None:
        """Ask for the items that carry a bit of a model's codes most strongly; only the last bit asked for counts."""
        request = CarriersOfBit(id=self.next_id(), model=model, bit=bit, positive=positive, k=k)
        self.ask(Kind.CARRIERS, request)

    def look_at_library(self) -> None:
        """Ask for the library's state; while indexing it changes all the time."""
        self.ask(Kind.STATE, DescribeLibrary(id=self.next_id()))

    def list_errors(self) -> None:
        """Ask for the files that could not be read."""
        self.ask(Kind.ERRORS, ListErrors(id=self.next_id()))

    def preview_figure(self, spec: FigureSpec) -> None:
        """Ask for a figure to look at; a newer one takes its place."""
        self.ask(Kind.FIGURE_PREVIEW, MakeFigure(id=self.next_id(), spec=spec))

    def make_figure(self, spec: FigureSpec) -> None:
        """Ask for a figure to keep."""
        self.ask(Kind.FIGURE, MakeFigure(id=self.next_id(), spec=spec))

    def drop_figures(self) -> None:
        """Nobody waits for a figure any more."""
        for request_id in self.forget({Kind.FIGURE, Kind.FIGURE_PREVIEW}):
            self.cancel(request_id)

    def render_sample(self, folder: bytes, seed: int = 0) -> None:
        """Ask for the sample collection in a folder; progress comes while it is rendered."""
        self.ask(Kind.SAMPLE, RenderSample(id=self.next_id(), folder=folder, seed=seed))

    def stop_sample(self) -> None:
        """Ask the engine to stop rendering the sample collection; what is rendered stays."""
        for pending in self.owed():
            if pending.kind is Kind.SAMPLE:
                self.cancel(pending.request.id)
