"""The engine's lanes over a pipe, with an engine that does what the test says."""

import os
import threading
from collections.abc import Iterator

import msgspec
import pytest

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.server import Server
from explorer.protocol import Answer, Request, read_message, write_message

_LONG = (
    protocol.IndexFolders, protocol.AddCaptions, protocol.SearchSentences, protocol.MakeFigure, protocol.RenderSample,
    protocol.EvaluateModels, protocol.CheckRecipe,
)  # fmt: skip


class ScriptedEngine:
    """Indexing, encoding sentences and drawing wait until told; searching answers at once."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.started = threading.Event()
        self.closed = False

    def answer(self, request: Request, token: CancellationToken) -> Iterator[Answer]:
        if isinstance(request, _LONG):
            self.started.set()
            while not self.go_on.wait(0.01):
                if token.cancelled:
                    yield protocol.Cancelled(id=request.id)
                    return
            yield protocol.Progress(id=request.id, stage="indexing", n_done=1, n_total=1)
        elif isinstance(request, protocol.Search) and token.cancelled:
            yield protocol.Cancelled(id=request.id)
        else:
            yield protocol.SearchResponse(id=request.id, item_ids=b"", scores=b"")

    def close(self) -> None:
        self.closed = True


class Wire:
    """Both ends of a served engine."""

    def __init__(self) -> None:
        ask_read, ask_write = os.pipe()
        answer_read, answer_write = os.pipe()
        self.engine = ScriptedEngine()
        self.requests = os.fdopen(ask_write, "wb")
        self.answers = os.fdopen(answer_read, "rb")
        self._source = os.fdopen(ask_read, "rb")
        self._sink = os.fdopen(answer_write, "wb")
        self.server = threading.Thread(
            target=Server(self.engine, self._source, self._sink).serve,  # type: ignore[arg-type]
        )
        self.server.start()

    def send(self, request: Request) -> None:
        write_message(self.requests, request)

    def read(self) -> Answer | None:
        return read_message(self.answers, msgspec.msgpack.Decoder(Answer))

    def close(self) -> None:
        self.requests.close()
        self.server.join(10)
        for stream in (self._source, self._sink, self.answers):
            stream.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    wire = Wire()
    yield wire
    wire.close()


@pytest.mark.parametrize(
    "slow",
    [
        protocol.IndexFolders(id=1, folders=(), model="m"),
        protocol.AddCaptions(id=1, path=b"said.json", model="m"),
        protocol.SearchSentences(id=1, query=protocol.Query(text="a dog"), model="m"),
        protocol.RenderSample(id=1, folder=b"/sample"),
        protocol.EvaluateModels(id=1, models=("m",), content=b"", folder=b"/"),
        protocol.CheckRecipe(id=1, content=b"", folder=b"/", data=True),
    ],
    ids=lambda request: type(request).__name__,
)
@pytest.mark.parametrize(
    "quick",
    [
        protocol.Search(id=2, query=protocol.Query(text="a dog"), model="m"),
        protocol.CarriersOfBit(id=2, model="m", bit=0),
        protocol.GetShots(id=2, item_id=1),
    ],
    ids=lambda request: type(request).__name__,
)
def test_a_search_never_waits_behind_long_work(wire: Wire, slow: Request, quick: Request) -> None:
    wire.send(slow)
    assert wire.engine.started.wait(60)
    wire.send(quick)
    answer = wire.read()
    assert isinstance(answer, protocol.SearchResponse)
    assert answer.id == 2
    wire.engine.go_on.set()
    assert wire.read() == protocol.Progress(id=1, stage="indexing", n_done=1, n_total=1)


def test_a_recipe_is_checked_while_the_library_is_indexed(wire: Wire) -> None:
    wire.send(protocol.IndexFolders(id=1, folders=(), model="m"))
    assert wire.engine.started.wait(60)
    wire.send(protocol.ListDevices(id=2))
    assert _id(wire.read()) == 2
    wire.engine.go_on.set()
    assert _id(wire.read()) == 1


def test_what_is_looked_at_never_waits_behind_a_figure(wire: Wire) -> None:
    wire.send(protocol.MakeFigure(id=1, spec=protocol.FigureSpec(item_ids=(1,), model="m")))
    assert wire.engine.started.wait(60)
    wire.send(protocol.GetThumbnails(id=2, item_ids=(1,)))
    assert _id(wire.read()) == 2
    wire.engine.go_on.set()
    assert _id(wire.read()) == 1


def test_cancel_reaches_work_under_way(wire: Wire) -> None:
    wire.send(protocol.IndexFolders(id=7, folders=(), model="m"))
    assert wire.engine.started.wait(60)
    wire.send(protocol.Cancel(id=8, target=7))
    assert wire.read() == protocol.Cancelled(id=7)


def test_cancelling_what_is_unknown_or_done_is_harmless(wire: Wire) -> None:
    wire.send(protocol.Cancel(id=1, target=99))
    wire.send(protocol.Browse(id=2))
    answer = wire.read()
    assert answer is not None
    assert answer.id == 2


def test_the_end_of_the_stream_cancels_and_closes(wire: Wire) -> None:
    wire.send(protocol.IndexFolders(id=1, folders=(), model="m"))
    assert wire.engine.started.wait(60)
    wire.requests.close()
    assert wire.read() == protocol.Cancelled(id=1)
    wire.server.join(5)
    assert not wire.server.is_alive()
    assert wire.engine.closed


def test_shutdown_ends_the_server(wire: Wire) -> None:
    wire.send(protocol.Shutdown(id=1))
    wire.server.join(5)
    assert wire.engine.closed


def _id(answer: Answer | None) -> int:
    assert answer is not None
    return answer.id
