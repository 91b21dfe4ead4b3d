"""The engine behind standard input and output: reads requests, answers from six lanes.

* search: loading models, searching, shots of a video, what carries a bit;
* look: what the window shows (thumbnails, descriptions, pictures, evidence);
* sentences: ranking sentences, which the first time means to encode them all;
* figures: drawing them, which for a grid of many results takes a while;
* recipes: forms and checks of training recipes, and devices, which the first time means to import torch;
* slow: indexing, bringing sentences in, rendering the sample collection, measuring models.

A search never waits behind indexing, sentences, figures or recipes. Answers of all lanes go out through one writer
lock. The end of standard input means that the window is gone: everything under way is cancelled, and the process ends.
"""

import contextlib
import os
import queue
import sys
import threading
from typing import BinaryIO, Protocol

import msgspec

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.engine import Engine
from explorer.errors import EngineError
from explorer.protocol import Answer, Request, read_message, write_message

_LANES: dict[type, str] = {
    protocol.LoadModel: "search",
    protocol.Search: "search",
    protocol.GetShots: "search",
    protocol.CarriersOfBit: "search",
    protocol.IndexFolders: "slow",
    protocol.RemoveSource: "slow",
    protocol.AddCaptions: "slow",
    protocol.RenderSample: "slow",
    protocol.EvaluateModels: "slow",
    protocol.SearchSentences: "sentences",
    protocol.MakeFigure: "figures",
    protocol.GetRecipeForms: "recipes",
    protocol.CheckRecipe: "recipes",
    protocol.ListDevices: "recipes",
}
_LANE_NAMES = ("search", "look", "sentences", "figures", "recipes", "slow")


class _Work(Protocol):
    """Type of what a lane does with a request."""

    def __call__(self, request: Request, token: CancellationToken) -> None: ...


class Server:
    """Reads requests from one stream and answers on another, until the stream ends."""

    def __init__(self, engine: Engine, source: BinaryIO, sink: BinaryIO) -> None:
        self._engine = engine
        self._source = source
        self._sink = sink
        self._write_lock = threading.Lock()
        self._tokens: dict[int, CancellationToken] = {}
        self._latest_search: CancellationToken | None = None
        self._lanes = {name: _Lane(name, self._work) for name in _LANE_NAMES}

    def serve(self) -> None:
        """Answer until the stream ends or :class:`~explorer.protocol.Shutdown` comes."""
        decoder = msgspec.msgpack.Decoder(Request)
        try:
            while True:
                request = read_message(self._source, decoder)
                if request is None or isinstance(request, protocol.Shutdown):
                    return
                self._dispatch(request)
        finally:
            for token in list(self._tokens.values()):
                token.cancel()
            for lane in self._lanes.values():
                lane.stop()
            self._engine.close()

    def _dispatch(self, request: Request) -> None:
        if isinstance(request, protocol.Cancel):
            if (known := self._tokens.get(request.target)) is not None:
                known.cancel()
            return
        token = self._tokens[request.id] = CancellationToken()
        if isinstance(request, protocol.Search):
            # Who types on has no use for the answer to the shorter sentence.
            if self._latest_search is not None:
                self._latest_search.cancel()
            self._latest_search = token
        if isinstance(request, protocol.OpenLibrary):
            self._work(request, token)  # before anything that follows it, whatever its lane
        else:
            self._lanes[_LANES.get(type(request), "look")].put(request, token)

    def _work(self, request: Request, token: CancellationToken) -> None:
        for answer in self._engine.answer(request, token):
            self._send(answer)
        self._tokens.pop(request.id, None)

    def _send(self, answer: Answer) -> None:
        # A window that is gone cannot be told anything; the reader sees the end of the stream and stops.
        with self._write_lock, contextlib.suppress(BrokenPipeError, ValueError):
            write_message(self._sink, answer)


class _Lane:
    """One thread that works through its requests in order."""

    def __init__(self, name: str, work: _Work) -> None:
        self._queue: queue.SimpleQueue[tuple[Request, CancellationToken] | None] = queue.SimpleQueue()
        self._work = work
        self._thread = threading.Thread(target=self._run, name=f"lane-{name}", daemon=True)
        self._thread.start()

    def put(self, request: Request, token: CancellationToken) -> None:
        self._queue.put((request, token))

    def stop(self, timeout_s: float = 10.0) -> None:
        self._queue.put(None)
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while (entry := self._queue.get()) is not None:
            self._work(*entry)


def serve_stdio(engine: Engine) -> None:
    """Serve on this process's standard streams; whatever prints goes to standard error instead."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        Server(engine, sys.stdin.buffer, sink).serve()
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error
