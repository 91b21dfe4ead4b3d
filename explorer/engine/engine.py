"""Answers requests: one method a request, each a generator that ends in exactly one final answer.

The command line and the tests call :meth:`Engine.answer` in their own process; ``server.py`` calls it from its lanes.
State that lanes share is the open library, the loaded encoders and the search indexes, each behind one lock.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

import explorer
from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken, Cancelled
from explorer.engine import translate
from explorer.engine.models import LoadedModels
from explorer.errors import EngineError, LibraryError, UserFacingError
from explorer.library import Library, open_library
from explorer.media.image import decode_image, encode_jpeg, fit_within, read_content
from explorer.networks.encoder import Encoder
from explorer.packages.finding import find_packages
from explorer.protocol import Answer, Request
from explorer.retrieval import InnerProductIndex

_T = TypeVar("_T")

PROGRESS_INTERVAL_S = 0.1
"""Progress is told at most ten times a second: the window redraws for each."""


class Engine:
    """Models, one open library and its indexes.

    Attributes
    ----------
        models: loaded encoders by package name.
    """

    def __init__(self, model_folders: Sequence[Path], *, device: str = "auto") -> None:
        self._model_folders = tuple(model_folders)
        self.models = LoadedModels(self._model_folders, device=device)
        self._library: Library | None = None
        self._indexes: dict[str, InnerProductIndex] = {}
        self._lock = threading.Lock()
        self._answers: dict[type, Callable[..., Iterator[Answer]]] = {
            protocol.Hello: self._hello,
            protocol.ListModels: self._list_models,
            protocol.OpenLibrary: self._open_library,
            protocol.DescribeLibrary: self._describe_library,
            protocol.LoadModel: self._load_model,
            protocol.IndexFolders: self._index_folders,
            protocol.RemoveSource: self._remove_source,
            protocol.Search: self._search,
            protocol.Browse: self._browse,
            protocol.DescribeItems: self._describe_items,
            protocol.GetThumbnails: self._get_thumbnails,
            protocol.GetPicture: self._get_picture,
            protocol.Explain: self._explain,
            protocol.ListErrors: self._list_errors,
        }

    def answer(self, request: Request, token: CancellationToken | None = None) -> Iterator[Answer]:
        """Answer one request; never raises for what a user can cause, nor for a bug: both end in ``Failed``."""
        token = token or CancellationToken()
        try:
            token.check()
            yield from self._answers[type(request)](request, token)
        except Cancelled:
            yield protocol.Cancelled(id=request.id)
        except UserFacingError as error:
            yield protocol.Failed(
                id=request.id, message=error.message, remedy=error.remedy, kind=type(error).__name__
            )
        except Exception as error:  # noqa: BLE001 - the window must hear of every bug, and stay
            yield protocol.Failed(
                id=request.id,
                message=f"Something went wrong in the program: {type(error).__name__}: {error}",
                remedy="Please report it with the details.",
                details=traceback.format_exc(),
            )

    def close(self) -> None:
        """Close the library; what was committed stays."""
        with self._lock:
            if self._library is not None:
                self._library.close()
                self._library = None

    @property
    def library(self) -> Library:
        """The open library.

        Raises
        ------
            LibraryError: none is open.
        """
        library = self._library
        if library is None:
            raise LibraryError("No library is open.", "Open a library first.")
        return library

    # --- models and libraries ---------------------------------------------------------------------------------------

    def _hello(self, request: protocol.Hello, _token: CancellationToken) -> Iterator[Answer]:
        if request.protocol_version != protocol.PROTOCOL_VERSION:
            raise EngineError(
                f"The window speaks protocol {request.protocol_version}, "
                f"the engine speaks {protocol.PROTOCOL_VERSION}.",
                "Install the same version of the program on both sides.",
            )
        yield protocol.Welcome(
            id=request.id,
            protocol_version=protocol.PROTOCOL_VERSION,
            program_version=explorer.__version__,
            device=self.models.device_wish,
            pid=os.getpid(),
        )

    def _list_models(self, request: protocol.ListModels, _token: CancellationToken) -> Iterator[Answer]:
        found = find_packages(self._model_folders)
        yield protocol.ModelList(id=request.id, models=translate.model_summaries(found))

    def _open_library(self, request: protocol.OpenLibrary, _token: CancellationToken) -> Iterator[Answer]:
        library = open_library(Path(os.fsdecode(request.path)))
        with self._lock:
            previous, self._library = self._library, library
            self._indexes.clear()
        if previous is not None:
            previous.close()
        yield translate.library_state(request.id, library)

    def _describe_library(self, request: protocol.DescribeLibrary, _token: CancellationToken) -> Iterator[Answer]:
        yield translate.library_state(request.id, self.library)

    def _load_model(self, request: protocol.LoadModel, _token: CancellationToken) -> Iterator[Answer]:
        started = time.monotonic()
        encoder = self.models.get(request.name)
        yield protocol.ModelLoaded(
            id=request.id,
            name=request.name,
            device=encoder.device,
            elapsed_ms=_ms_since(started),
            notice=self.models.take_notice(),
        )

    # --- indexing ---------------------------------------------------------------------------------------------------

    def _index_folders(self, request: protocol.IndexFolders, token: CancellationToken) -> Iterator[Answer]:
        started = time.monotonic()
        library = self.library
        with library.indexing():
            for folder in request.folders:
                library.add_source(Path(os.fsdecode(folder)))
            summary = None
            for step in _paced(library.scan(token=token)):
                summary = step.summary or summary
                yield protocol.Progress(id=request.id, stage="scanning", n_done=step.n_seen, n_total=0)
            encoder = self.models.get(request.model)
            n_encoded = n_failed = 0
            for progress in _paced(pipeline.index_pending(library, encoder, token=token)):
                n_encoded, n_failed = progress.n_done - progress.n_failed, progress.n_failed
                yield protocol.Progress(
                    id=request.id,
                    stage="indexing",
                    n_done=progress.n_done,
                    n_total=progress.n_total,
                    rate_per_s=progress.rate_per_s,
                    remaining_s=(progress.n_total - progress.n_done) / max(progress.rate_per_s, 1e-6),
                    current=translate.display_path(progress.current),
                )
        assert summary is not None, "a scan ends with its summary"
        self._index_of(encoder)  # ready before the next search asks for it
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
            notice=self.models.take_notice(),
        )

    def _remove_source(self, request: protocol.RemoveSource, _token: CancellationToken) -> Iterator[Answer]:
        with self.library.indexing():
            self.library.remove_source(request.source_id)
        yield translate.library_state(request.id, self.library)

    # --- searching --------------------------------------------------------------------------------------------------

    def _search(self, request: protocol.Search, token: CancellationToken) -> Iterator[Answer]:
        encoder = self.models.get(request.model)
        token.check()
        started = time.monotonic()
        query = pipeline.encode_query(encoder, request.query, self._query_image(request.query))
        encoded = time.monotonic()
        index = self._index_of(encoder)
        scores = index.score_all(query)[0]
        scored = time.monotonic()
        ranking = index.rank(scores, request.k)
        yield protocol.SearchResponse(
            id=request.id,
            item_ids=ranking.item_ids[0].astype("<i8", copy=False).tobytes(),
            scores=ranking.scores[0].astype("<f4", copy=False).tobytes(),
            model=request.model,
            query=request.query,
            encode_ms=1e3 * (encoded - started),
            score_ms=1e3 * (scored - encoded),
            sort_ms=_ms_since(scored),
            n_unindexed=max(0, self.library.counts().n_ready - len(index)),
            notice=self.models.take_notice(),
        )

    def _browse(self, request: protocol.Browse, _token: CancellationToken) -> Iterator[Answer]:
        item_ids = self.library.item_ids().astype("<i8", copy=False)
        yield protocol.SearchResponse(id=request.id, item_ids=item_ids.tobytes(), scores=b"")

    def _index_of(self, encoder: Encoder) -> InnerProductIndex:
        """The search index of a model, rebuilt when the library has changed since."""
        library = self.library
        with self._lock:
            table = library.vector_table(encoder.model_id)
            known = self._indexes.get(encoder.model_id)
            if known is None or known.version != table.version:
                known = InnerProductIndex(table.item_ids, table.vectors, version=table.version, dim=encoder.dim)
                self._indexes[encoder.model_id] = known
            return known

    def _query_image(self, query: protocol.Query) -> np.ndarray | None:
        """Pixels of the query's picture, wherever it comes from."""
        if query.image_bytes is not None:
            content = query.image_bytes
        elif query.image_path is not None:
            content = read_content(query.image_path)
        elif query.image_item_id is not None:
            content = read_content(self.library.path_of(query.image_item_id))
        else:
            return None
        return decode_image(content, min_edge_px=pipeline.THUMBNAIL_EDGE_PX).pixels

    # --- looking ----------------------------------------------------------------------------------------------------

    def _describe_items(self, request: protocol.DescribeItems, _token: CancellationToken) -> Iterator[Answer]:
        rows = self.library.describe(request.item_ids)
        yield protocol.ItemDescriptions(id=request.id, items=tuple(map(translate.item_description, rows)))

    def _get_thumbnails(self, request: protocol.GetThumbnails, _token: CancellationToken) -> Iterator[Answer]:
        found = self.library.thumbnails(request.item_ids)
        yield protocol.Thumbnails(
            id=request.id,
            thumbnails=tuple(
                protocol.Thumbnail(item_id=item_id, jpeg=found[item_id])
                for item_id in request.item_ids
                if item_id in found
            ),
        )

    def _get_picture(self, request: protocol.GetPicture, _token: CancellationToken) -> Iterator[Answer]:
        image = decode_image(read_content(self.library.path_of(request.item_id)), min_edge_px=request.max_edge_px)
        yield protocol.Picture(
            id=request.id,
            item_id=request.item_id,
            jpeg=encode_jpeg(fit_within(image.pixels, request.max_edge_px), 90),
            full_width_px=image.full_width_px,
            full_height_px=image.full_height_px,
        )

    def _explain(self, request: protocol.Explain, token: CancellationToken) -> Iterator[Answer]:
        encoder = self.models.get(request.model)
        token.check()
        started = time.monotonic()
        image = decode_image(read_content(self.library.path_of(request.item_id)), min_edge_px=encoder.side_px)
        square = pipeline.squash(image.pixels, encoder.side_px)
        evidence = encoder.explain(square)
        score = None
        if request.query is not None:
            query = pipeline.encode_query(encoder, request.query, self._query_image(request.query))
            score = float(query.values[0] @ pipeline.embeddings(encoder.encode_images(square[None])).values[0])
        yield translate.explanation(
            request.id, request.item_id, request.model, evidence, score=score, elapsed_ms=_ms_since(started)
        )

    def _list_errors(self, request: protocol.ListErrors, _token: CancellationToken) -> Iterator[Answer]:
        problems, n_total = self.library.problems(request.limit)
        yield protocol.ErrorList(
            id=request.id,
            problems=tuple(
                protocol.FileProblem(
                    path=problem.path, display=translate.display_path(problem.path), error=problem.error
                )
                for problem in problems
            ),
            n_total=n_total,
        )


def _ms_since(started: float) -> float:
    return 1e3 * (time.monotonic() - started)


def _paced(steps: Iterator[_T]) -> Iterator[_T]:
    """Let the last step through, and the others at most every ``PROGRESS_INTERVAL_S``."""
    told = 0.0
    held: list[_T] = []
    for step in steps:
        now = time.monotonic()
        if now - told >= PROGRESS_INTERVAL_S:
            told, held = now, []
            yield step
        else:
            held = [step]
    yield from held
