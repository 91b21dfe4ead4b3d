"""Answers requests: one function a request, each a generator that ends in exactly one final answer.

The command line and the tests call :meth:`Engine.answer` in their own process; ``server.py`` calls it from its lanes.
"""

import os
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import explorer
from explorer import protocol
from explorer.cancellation import CancellationToken, Cancelled
from explorer.engine import (
    carriers,
    devices,
    indexing,
    looking,
    posters,
    recipes,
    sample,
    searching,
    sentences,
    shots,
    translate,
)
from explorer.engine.opened import EXACT, Opened
from explorer.errors import EngineError, UserFacingError
from explorer.packages.finding import find_packages
from explorer.protocol import Answer, Request


def _hello(opened: Opened, request: protocol.Hello, _token: CancellationToken) -> Iterator[Answer]:
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
        device=opened.models.device_wish,
        pid=os.getpid(),
    )


def _list_models(opened: Opened, request: protocol.ListModels, _token: CancellationToken) -> Iterator[Answer]:
    found = find_packages(opened.model_folders)
    yield protocol.ModelList(id=request.id, models=translate.model_summaries(found))


def _open_library(opened: Opened, request: protocol.OpenLibrary, _token: CancellationToken) -> Iterator[Answer]:
    yield translate.library_state(request.id, opened.open_library(request.path))


def _describe_library(opened: Opened, request: protocol.DescribeLibrary, _token: CancellationToken) -> Iterator[Answer]:
    yield translate.library_state(request.id, opened.library)


def _make_figure(opened: Opened, request: protocol.MakeFigure, token: CancellationToken) -> Iterator[Answer]:
    # Imported here, not at the top: matplotlib takes a second, and the engine greets the window before.
    from explorer.engine.figure import make_figure

    yield from make_figure(opened, request, token)


def _evaluate_models(opened: Opened, request: protocol.EvaluateModels, token: CancellationToken) -> Iterator[Answer]:
    # Imported here for the same reason: what reads and measures data sets.
    from explorer.engine.measuring import evaluate_models

    yield from evaluate_models(opened, request, token)


_ANSWERS: dict[type, Callable[..., Iterator[Answer]]] = {
    protocol.Hello: _hello,
    protocol.ListModels: _list_models,
    protocol.OpenLibrary: _open_library,
    protocol.DescribeLibrary: _describe_library,
    protocol.LoadModel: searching.load_model,
    protocol.Search: searching.search,
    protocol.Browse: searching.browse,
    protocol.IndexFolders: indexing.index_folders,
    protocol.RemoveSource: indexing.remove_source,
    protocol.AddCaptions: sentences.add_captions,
    protocol.SearchSentences: sentences.search_sentences,
    protocol.DescribeItems: looking.describe_items,
    protocol.GetThumbnails: looking.get_thumbnails,
    protocol.GetPicture: looking.get_picture,
    protocol.Explain: looking.explain,
    protocol.GetShots: shots.get_shots,
    protocol.GetPoster: posters.get_poster,
    protocol.RenderSample: sample.render_sample,
    protocol.CarriersOfBit: carriers.find_carriers,
    protocol.MakeFigure: _make_figure,
    protocol.ListErrors: looking.list_errors,
    protocol.GetRecipeForms: recipes.get_recipe_forms,
    protocol.CheckRecipe: recipes.check_recipe,
    protocol.ListDevices: devices.list_devices,
    protocol.EvaluateModels: _evaluate_models,
}


class Engine:
    """Models, one open library and its indexes.

    Attributes:
        opened: what is open now.
    """

    def __init__(self, model_folders: Sequence[Path], *, device: str = "auto", codes: str = EXACT) -> None:
        self.opened = Opened(model_folders, device=device, codes=codes)

    def answer(self, request: Request, token: CancellationToken | None = None) -> Iterator[Answer]:
        """Answer one request; never raises for what a user can cause, nor for a bug: both end in ``Failed``."""
        token = token or CancellationToken()
        try:
            token.check()
            yield from _ANSWERS[type(request)](self.opened, request, token)
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
        self.opened.close()
