"""Videos from the command line, with the engine of the tests in place of a network."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.errors import UserFacingError
from explorer.media.writing import write_video

RGB = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def media(tmp_path: Path, call: Callable[..., int], capsys: Captured) -> Path:
    """A clip of three colours and a green photo, indexed."""
    folder = tmp_path / "media"
    folder.mkdir()
    write_video(
        folder / "rgb.mp4", [np.full((48, 64, 3), colour, np.uint8) for colour in RGB.values() for _ in range(10)], 10.0
    )
    Image.fromarray(np.full((40, 60, 3), RGB["green"], np.uint8)).save(folder / "green.png")
    assert call("index", folder, "-m", "colours", "--json") == 0
    printed = capsys.readouterr()
    [done] = json.loads(printed.out)["indexed"]
    assert (done["n_encoded"], done["n_items"], done["n_videos"]) == (2, 2, 1)
    assert "1 of 2 items are videos." in printed.err
    return folder


def hits(call: Callable[..., int], capsys: Captured, *arguments: object) -> list[dict[str, object]]:
    capsys.readouterr()
    assert call("search", *arguments, "-m", "colours", "--json") == 0
    found: list[dict[str, object]] = json.loads(capsys.readouterr().out)["hits"]
    return found


def test_a_sentence_finds_the_moment(call: Callable[..., int], capsys: Captured, media: Path) -> None:
    best = hits(call, capsys, "blue")
    assert [hit["kind"] for hit in best] == ["video", "image"]
    assert best[0]["path"] == str(media / "rgb.mp4")
    assert (best[0]["start_s"], best[0]["end_s"]) == pytest.approx((2, 3), abs=0.15)
    assert "start_s" not in best[1]
    every = hits(call, capsys, "blue", "--every-moment")
    assert len(every) == 4
    assert every[0] == best[0]
    assert len(hits(call, capsys, "blue", "-k", 1)) == 1
    assert call("search", "blue", "-m", "colours") == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"   1  \d\.\d{3} +\d+  .*rgb\.mp4  0:02\.0-0:03\.0", lines[0])
    assert lines[1].endswith("green.png")


def test_a_video_is_searched_with(call: Callable[..., int], capsys: Captured, media: Path) -> None:
    clip = media / "rgb.mp4"
    whole = hits(call, capsys, "--video", clip, "--start", 1.1, "--end", 1.9, "--every-moment")
    assert whole[0]["path"] == str(media / "green.png") or whole[0]["start_s"] == pytest.approx(1, abs=0.15)
    rest = hits(call, capsys, "--video", clip, "--start", 2.1, "--every-moment")
    assert rest[0]["start_s"] == pytest.approx(2, abs=0.15)
    capsys.readouterr()
    assert call("search", "--video", clip, "--start", 2, "-m", "colours", "--json") == 0
    asked = json.loads(capsys.readouterr().out)["query"]
    assert (asked["video"], asked["video_span_s"]) == (str(clip), [2, None])


@pytest.mark.parametrize(
    "arguments", [("red", "--start", 1), ("--video", "x.mp4", "--start", 3, "--end", 2), ("--video", "x", "--end", -1)]
)
def test_a_wrong_span_is_a_wrong_call(call: Callable[..., int], arguments: tuple[object, ...]) -> None:
    assert call("search", *arguments, "-m", "colours") == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--video", "nowhere.mp4"), "no longer there"),
        (("--video", "MEDIA/green.png", "--image", "MEDIA/green.png"), "one picture or one video"),
        (("--video", "MEDIA/rgb.mp4", "--start", 99), "has only 3.0 s"),
    ],
)
def test_what_cannot_be_searched_with_is_a_sentence(
    call: Callable[..., int], media: Path, arguments: tuple[object, ...], says: str
) -> None:
    given = [str(argument).replace("MEDIA", str(media)) for argument in arguments]
    with pytest.raises(UserFacingError, match=says):
        call("search", *given, "-m", "colours")


def test_sentences_for_a_video(call: Callable[..., int], capsys: Captured, media: Path) -> None:
    said = media / "captions.json"
    said.write_text('{"captions": {"rgb.mp4": ["a blue wall", "red"]}}')
    assert call("index", "--captions", said, "-m", "colours") == 0
    capsys.readouterr()
    asked = ("--video", media / "rgb.mp4", "--start", 2.1, "--sentences", "-k", 1, "--json")
    assert call("search", *asked, "-m", "colours") == 0
    document = json.loads(capsys.readouterr().out)
    assert document["sentences"][0]["text"] == "a blue wall"
    assert document["sentences"][0]["kind"] == "video"
