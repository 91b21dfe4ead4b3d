"""Searching with binary codes from the command line, beside embeddings, which print what they always did."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.errors import UserFacingError


@pytest.fixture
def call(tmp_path: Path, call: Callable[..., int]) -> Callable[..., int]:
    """Calls a command on a library in ``tmp_path`` that holds photos and sentences for both models."""
    photos, said = tmp_path / "photos", tmp_path / "said.json"
    photos.mkdir()
    for name, colour in (("red", (250, 5, 5)), ("green", (5, 250, 5)), ("blue", (5, 5, 250))):
        Image.fromarray(np.full((40, 60, 3), colour, np.uint8)).save(photos / f"{name}.png")
    said.write_text(json.dumps({"captions": {f"{name}.png": [f"a {name} wall"] for name in ("red", "green", "blue")}}))
    assert call("index", photos, "--captions", said, "-m", "colours", "-m", "colour-bits") == 0
    return call


Captured = pytest.CaptureFixture[str]


def printed(capsys: Captured) -> str:
    return capsys.readouterr().out


def test_json_says_how_many_bits_differ(call: Callable[..., int], capsys: Captured) -> None:
    printed(capsys)
    assert call("search", "a red wall", "-m", "colour-bits", "--json") == 0
    document = json.loads(printed(capsys))
    assert (document["model"], document["n_bits"], len(document["hits"])) == ("colour-bits", 16, 3)
    assert document["hits"][0]["path"].endswith("red.png")
    for hit in document["hits"]:
        assert isinstance(hit["distance"], int)
        assert hit["score"] == pytest.approx(1 - 2 * hit["distance"] / 16)
    distances = [hit["distance"] for hit in document["hits"]]
    assert distances == sorted(distances)


def test_embeddings_print_what_they_always_did(call: Callable[..., int], capsys: Captured) -> None:
    printed(capsys)
    assert call("search", "a red wall", "-m", "colours", "--json") == 0
    document = json.loads(printed(capsys))
    assert list(document) == ["model", "query", "hits", "encode_ms", "score_ms", "sort_ms"]
    assert list(document["hits"][0]) == ["rank", "score", "item_id", "path", "kind"]
    assert call("search", "a red wall", "-m", "colours") == 0
    assert re.match(r"   1  \d\.\d{3} +\d+  .*red\.png\n", printed(capsys))
    assert call("search", "a red wall", "-m", "colours", "--sentences", "--json") == 0
    document = json.loads(printed(capsys))
    assert list(document) == ["model", "query", "n_sentences", "sentences", "elapsed_ms"]
    assert list(document["sentences"][0]) == ["rank", "score", "text", "item_id", "path", "kind"]


def test_a_person_reads_the_distance_too(call: Callable[..., int], capsys: Captured) -> None:
    printed(capsys)
    assert call("search", "a green wall", "-m", "colour-bits", "-k", 2) == 0
    lines = printed(capsys).splitlines()
    assert len(lines) == 2
    found = re.fullmatch(r"   1 +(-?\d\.\d{3}) +(\d+)/16 +\d+  .*green\.png", lines[0])
    assert found is not None, lines
    assert float(found[1]) == pytest.approx(1 - 2 * int(found[2]) / 16, abs=6e-4)
    assert call("search", "a green wall", "-m", "colour-bits", "--sentences") == 0
    assert re.match(r"   1   1\.000    0/16 +\d+  a green wall\n", printed(capsys))


def test_sentences_for_a_picture(call: Callable[..., int], capsys: Captured, tmp_path: Path) -> None:
    printed(capsys)
    image = tmp_path / "photos" / "blue.png"
    assert call("search", "--image", image, "-m", "colour-bits", "--sentences", "--json", "-k", 2) == 0
    document = json.loads(printed(capsys))
    assert (document["n_bits"], document["n_sentences"]) == (16, 3)
    assert document["sentences"][0]["text"] == "a blue wall"
    assert {"rank", "score", "distance", "text", "item_id", "path", "kind"} == set(document["sentences"][0])


@pytest.mark.parametrize("kind", ["panels", "grid"])
def test_explain_draws(call: Callable[..., int], tmp_path: Path, kind: str) -> None:
    picture, again = tmp_path / "why.png", tmp_path / "again.png"
    asked = ("--query", "a red wall", "-m", "colour-bits", "--kind", kind, "-k", 2)
    assert call("explain", *asked, "--dpi", 40, "--width", 60, "-o", picture) == 0
    assert "colour-bits" in picture.with_suffix(".toml").read_text()
    assert call("explain", "--recipe", picture.with_suffix(".toml"), "-o", again) == 0
    assert again.read_bytes() == picture.read_bytes()


def test_bad_queries_end_in_a_sentence(call: Callable[..., int]) -> None:
    with pytest.raises(UserFacingError, match="cancel"):
        call("search", "red", "--not", "red", "-m", "colour-bits")
    with pytest.raises(UserFacingError, match="nothing to search for"):
        call("search", " ", "-m", "colour-bits")
