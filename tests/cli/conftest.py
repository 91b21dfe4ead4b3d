"""Commands on the engine of the tests in place of a network."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from explorer.cli import explaining, road, run_command
from explorer.engine.engine import Engine
from explorer.paths import Places

_HELPER = Path(__file__).resolve().parent.parent / "helpers" / "colour_model.py"


@pytest.fixture(scope="session")
def colour_model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("colour_model_of_cli", _HELPER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def call(tmp_path: Path, colour_model: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Calls a command on a library in ``tmp_path``."""

    def engine(_places: Places, library: Path | None, _device: str) -> Engine:
        running: Engine = colour_model.colour_engine()
        running.opened.open_library(os.fsencode(library or tmp_path / "library"))
        return running

    monkeypatch.setattr(road, "engine_with_library", engine)
    monkeypatch.setattr(explaining, "engine_with_library", engine)
    return lambda *arguments: run_command(["--data-dir", str(tmp_path), *map(str, arguments)])
