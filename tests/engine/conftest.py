"""Photos and an engine with a model that knows colours."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from explorer.engine.engine import Engine

HELPERS = Path(__file__).resolve().parent.parent / "helpers"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HELPERS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def colour_model() -> ModuleType:
    return _load("colour_model")


@pytest.fixture
def engine(colour_model: ModuleType) -> Iterator[Engine]:
    engine = colour_model.colour_engine()
    yield engine
    engine.close()


@pytest.fixture
def make_photo() -> Callable[..., Path]:
    def make(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (120, 80)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(hash(str(path)) % 2**32).integers(0, 20, (size[1], size[0], 3))
        Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8)).save(path)
        return path

    return make


@pytest.fixture
def photos(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    folder = tmp_path / "photos"
    for number in range(4):
        make_photo(folder / f"red {number}.jpg", (200, 10, 10 + 20 * number))
        make_photo(folder / "deep" / f"green {number}.png", (10 + 20 * number, 200, 10))
        make_photo(folder / f"blue {number}.webp", (10, 10 + 20 * number, 200))
    return folder
