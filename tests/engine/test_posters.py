"""A picture of a video file that is searched with."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer import protocol as p
from explorer.engine.engine import Engine
from explorer.media.writing import write_video


@pytest.fixture
def engine() -> Engine:
    return Engine(())


def test_it_is_a_small_frame_of_the_middle(engine: Engine, tmp_path: Path) -> None:
    colours = ((220, 20, 20), (20, 200, 20), (20, 20, 220))
    frames = [np.full((120, 160, 3), colour, np.uint8) for colour in colours for _ in range(10)]
    write_video(tmp_path / "rgb.mp4", frames, 10.0)
    answers = list(engine.answer(p.GetPoster(id=4, path=os.fsencode(tmp_path / "rgb.mp4"))))
    assert len(answers) == 1
    picture = answers[0]
    assert isinstance(picture, p.Picture)
    assert (picture.item_id, picture.full_width_px, picture.full_height_px) == (-1, 160, 120)
    with Image.open(io.BytesIO(picture.jpeg)) as shown:
        assert shown.size == (96, 72)
        red, green, blue = shown.convert("RGB").getpixel((48, 36))  # type: ignore[misc]
    assert green > 150 > 80 > max(red, blue)


@pytest.mark.parametrize("content", [None, b"", b"no video at all"])
def test_what_is_no_video_is_one_sentence(engine: Engine, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "clip.mp4").write_bytes(content)
    (answer,) = engine.answer(p.GetPoster(id=4, path=os.fsencode(tmp_path / "clip.mp4")))
    assert isinstance(answer, p.Failed)
    assert answer.kind == "MediaError"
    assert answer.message.endswith(".")
