"""``explain``: figures and recipes from the command line, with a model that knows colours in place of a network."""

import importlib.util
import os
import struct
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer import protocol
from explorer.cli import explaining, run_command
from explorer.cli.shared import last_answer
from explorer.errors import ConfigError, LibraryError, QueryError, UserFacingError

_HELPER = Path(__file__).resolve().parent.parent / "helpers" / "colour_model.py"
_COLOURS = {"red": (200, 10, 10), "green": (10, 200, 10), "blue": (10, 10, 200)}

Explain = Callable[..., int]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    for name, colour in _COLOURS.items():
        for n in range(3):
            pixels = np.clip(np.array(colour) + np.arange(40 * 60 * 3).reshape(40, 60, 3) % (20 * (n + 1)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(photos / f"{name} {n}.png")
    return tmp_path / "library"


@pytest.fixture
def explain(library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Explain:
    specification = importlib.util.spec_from_file_location("colour_model", _HELPER)
    assert specification is not None
    assert specification.loader is not None
    colour_model = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(colour_model)

    def engine_with_library(_places: object, folder: Path | None, _device: str) -> object:
        engine = colour_model.colour_engine()
        path = os.fsencode(folder or library)
        last_answer(engine.answer(protocol.OpenLibrary(id=0, path=path)), protocol.LibraryState)
        return engine

    engine = engine_with_library(None, None, "cpu")
    named = (os.fsencode(library.parent / "photos"),)
    request = protocol.IndexFolders(id=1, folders=named, model="colours")
    last_answer(engine.answer(request), protocol.IndexFinished)  # type: ignore[attr-defined]
    engine.close()  # type: ignore[attr-defined]
    monkeypatch.setattr(explaining, "engine_with_library", engine_with_library)

    def run(*arguments: str) -> int:
        chosen = () if "--recipe" in arguments else ("-m", "colours")
        return run_command(["--data-dir", str(tmp_path / "data"), "explain", *arguments, *chosen])

    return run


def test_a_figure_and_its_recipe_are_written(explain: Explain, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    out = tmp_path / "new" / "why.png"
    assert explain("--item", "1", "-o", str(out), "--query", "red", "--width", "50.8", "--dpi", "100") == 0
    assert struct.unpack(">I", out.read_bytes()[16:20]) == (200,)
    assert sorted(path.name for path in out.parent.iterdir()) == ["why.png", "why.toml"]
    said = capsys.readouterr()
    assert said.out == ""
    assert f"Wrote {out}, and {out.with_suffix('.toml')} to make it again." in said.err


def test_the_recipe_can_be_left_out(explain: Explain, tmp_path: Path) -> None:
    assert explain("--item", "1", "-o", str(tmp_path / "out" / "why.svg"), "--no-recipe") == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["why.svg"]


def test_every_option_reaches_the_figure(explain: Explain, tmp_path: Path) -> None:
    out = tmp_path / "grid.svg"
    options = [
        "--query", "red", "--not", "blue", "--kind", "grid", "-k", "5", "--columns", "2", "--layer", "brightness",
        "--style", "cover", "--without", "brightness", "--words", "--no-scores", "--no-frames", "--dpi", "72",
    ]  # fmt: skip
    assert explain(*options, "-o", str(out)) == 0
    recipe = tomllib.loads(out.with_suffix(".toml").read_text())
    assert recipe["query"] == {"text": "red", "not_text": "blue"}
    assert len(recipe["items"]) == 5
    assert Path(recipe["items"][0]["path"]).name.startswith("red")
    assert recipe["figure"] == {
        "kind": "grid", "format": "svg", "width_mm": 170.0, "dpi": 72, "columns": 2, "scores": False, "words": True,
        "frames": False, "without": ["brightness"], "every_moment": False,
    }  # fmt: skip
    assert [(layer["name"], layer["style"]) for layer in recipe["layers"]] == [("brightness", "cover")]
    assert "result5-brightness" in out.read_text()


def test_without_an_item_the_best_result_is_drawn(explain: Explain, tmp_path: Path) -> None:
    assert explain("--query", "green", "-o", str(tmp_path / "f.svg")) == 0
    assert "rank 1 of 9" in (tmp_path / "f.svg").read_text()
    image = tmp_path / "photos" / "blue 2.png"
    assert explain("--image", str(image), "-o", str(tmp_path / "g.svg")) == 0
    assert "blue 2.png" in (tmp_path / "g.svg").read_text()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_recipe_makes_the_figure_again(explain: Explain, tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"figure.{ending}"
    options = ["--query", "red ünï 日本", "--kind", "grid", "-k", "3", "--dpi", "50", "--width", "60"]
    assert explain(*options, "-o", str(out)) == 0
    recipe = out.with_suffix(".toml")
    first, text = out.read_bytes(), recipe.read_text()
    out.unlink()
    assert explain("--recipe", str(recipe)) == 0
    assert out.read_bytes() == first
    assert recipe.read_text() == text
    assert explain("--recipe", str(recipe), "-o", str(tmp_path / "other" / f"f.{ending}")) == 0
    assert (tmp_path / "other" / f"f.{ending}").read_bytes() == first
    assert (tmp_path / "other" / "f.toml").read_text() == text


def test_a_recipe_can_be_drawn_in_another_format(explain: Explain, tmp_path: Path) -> None:
    explain("--item", "1", "-o", str(tmp_path / "f.png"), "--dpi", "50")
    assert explain("--recipe", str(tmp_path / "f.toml"), "-o", str(tmp_path / "g.svg"), "--no-recipe") == 0
    assert (tmp_path / "g.svg").read_bytes().startswith(b"<?xml")
    assert not (tmp_path / "g.toml").exists()


def test_another_library_can_be_named(explain: Explain, tmp_path: Path, library: Path) -> None:
    explain("--item", "1", "-o", str(tmp_path / "f.svg"))
    library.rename(tmp_path / "moved")
    with pytest.raises(LibraryError, match="There is no library in"):
        explain("--recipe", str(tmp_path / "f.toml"))
    assert not library.exists()
    assert explain("--recipe", str(tmp_path / "f.toml"), "--library", str(tmp_path / "moved")) == 0


def test_what_has_changed_is_said_and_the_figure_made(
    explain: Explain, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    explain("--item", "1", "-o", str(tmp_path / "f.svg"))
    recipe = (tmp_path / "f.toml").read_text()
    (tmp_path / "f.toml").write_text(recipe.replace("colours@0123", "colours@aaaa"))
    capsys.readouterr()
    assert explain("--recipe", str(tmp_path / "f.toml")) == 0
    assert "The figure was made with colours@aaaa" in capsys.readouterr().err


def test_what_is_no_recipe_is_not_replaced(explain: Explain, tmp_path: Path) -> None:
    (tmp_path / "train.toml").write_text("epochs = 3\n")
    with pytest.raises(ConfigError, match=r"would replace .*train\.toml, which is something else"):
        explain("--item", "1", "-o", str(tmp_path / "train.png"))
    assert (tmp_path / "train.toml").read_text() == "epochs = 3\n"
    assert not (tmp_path / "train.png").exists()
    assert explain("--item", "1", "-o", str(tmp_path / "train.png"), "--no-recipe", "--dpi", "50") == 0


@pytest.mark.parametrize(
    ("arguments", "kind", "says"),
    [
        (("--item", "1", "-o", "f.txt"), ConfigError, r"cannot be written as \.txt"),
        (("--item", "1", "-o", "f"), ConfigError, "a file without an ending"),
        (("-o", "f.png"), QueryError, "There is nothing to draw"),
        (("--item", "77", "-o", "f.png"), UserFacingError, "The library has no item 77"),
        (("--item", "1", "-o", "f.png", "--layer", "nothing"), UserFacingError, "There is no layer called nothing"),
        (("--item", "1", "-o", "f.png", "--without", "vsem"), UserFacingError, "has no part called vsem"),
        (("--item", "1", "-o", "photos/red 0.png/f.png"), UserFacingError, "cannot be written"),
        (("--recipe", "none.toml"), ConfigError, r"none\.toml cannot be read"),
    ],
)
def test_what_a_user_can_cause_is_a_sentence(
    explain: Explain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], kind: type, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(kind, match=says):
        explain(*arguments)
    assert not [path.name for path in tmp_path.iterdir() if path.name.startswith("f")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--item", "1"),
        ("--item", "1", "-o", "f.png", "--dpi", "5"),
        ("--item", "1", "-o", "f.png", "--width", "1e9"),
        ("--item", "1", "-o", "f.png", "--kind", "pie"),
        ("--item", "1", "-o", "f.png", "--style", "rainbow"),
        ("--recipe", "f.toml", "--query", "red"),
        ("--recipe", "f.toml", "-k", "3"),
        ("--recipe", "f.toml", "--no-scores"),
    ],
)
def test_a_wrong_call_has_status_2(explain: Explain, arguments: tuple[str, ...]) -> None:
    assert explain(*arguments) == 2
