"""Sentences from the command line, with the engine of the tests in place of a network."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.errors import UserFacingError


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in (("red", (250, 5, 5)), ("green", (5, 250, 5)), ("blue", (5, 5, 250))):
        Image.fromarray(np.full((40, 60, 3), colour, np.uint8)).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def said(tmp_path: Path) -> Path:
    path = tmp_path / "said.json"
    captions = {f"{name}.png": [f"a {name} wall", "white paint"] for name in ("red", "green", "blue", "none")}
    path.write_text(json.dumps({"captions": captions}))
    return path


def test_index_with_captions_then_the_best_sentences(
    call: Callable[..., int], photos: Path, said: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("index", photos, "--captions", said, "-m", "colours", "--json") == 0
    printed = capsys.readouterr()
    done = json.loads(printed.out)
    assert done["indexed"][0]["n_encoded"] == 3
    assert done["captions"] == [{"model": "colours", "n_sentences": 6, "n_items": 3, "n_unmatched": 1, "n_encoded": 4}]
    assert "1 photos of said.json are not in the library" in printed.err
    assert call("search", "--image", photos / "green.png", "--sentences", "-m", "colours", "-k", "2", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["n_sentences"] == 6
    assert [row["rank"] for row in found["sentences"]] == [1, 2]
    best = found["sentences"][0]
    assert best["text"] == "a green wall"
    assert best["path"] == str(photos / "green.png")
    assert best["score"] == pytest.approx(1, abs=0.01)
    assert best["item_id"]


def test_captions_alone_do_not_look_for_photos(
    call: Callable[..., int], photos: Path, said: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("index", photos, "-m", "colours")
    (photos / "new.png").write_bytes((photos / "red.png").read_bytes())
    capsys.readouterr()
    assert call("index", "--captions", said, "-m", "colours", "--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert done["indexed"] == []
    assert done["captions"][0]["n_items"] == 3
    assert call("search", "blue", "--sentences", "-m", "colours", "-k", "1") == 0
    assert capsys.readouterr().out.split(maxsplit=3)[3] == "a blue wall\n"


def test_a_bad_file_is_told_before_anything_is_indexed(
    call: Callable[..., int], photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text("{")
    for path, says in ((tmp_path / "bad.json", "bad.json is not valid JSON"), (tmp_path / "no.json", "cannot be read")):
        with pytest.raises(UserFacingError, match=says):
            call("index", photos, "--captions", path, "-m", "colours")
    call("search", "red", "-m", "colours", "--json")
    assert json.loads(capsys.readouterr().out)["hits"] == []


def test_photos_that_are_not_in_the_library(call: Callable[..., int], said: Path) -> None:
    with pytest.raises(UserFacingError, match=r"None of the 4 photos or videos that said\.json speaks of is in"):
        call("index", "--captions", said, "-m", "colours")


def test_a_library_without_sentences(
    call: Callable[..., int], photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("index", photos, "-m", "colours")
    capsys.readouterr()
    assert call("search", "red", "--sentences", "-m", "colours", "--json") == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["sentences"] == []
    assert "index --captions FILE" in printed.err
