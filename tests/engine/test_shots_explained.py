"""Evidence and pictures of shots through the engine, with models that know colours."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer import protocol as p
from explorer import segment_ids
from explorer.engine.engine import Engine
from explorer.media.writing import write_video

RGB = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}


def ask(engine: Engine, request: p.Request) -> p.Answer:
    return list(engine.answer(request))[-1]


@pytest.fixture
def ready(engine: Engine, tmp_path: Path) -> Engine:
    (tmp_path / "media").mkdir()
    frames = [np.full((48, 64, 3), RGB[colour], np.uint8) for colour in RGB for _ in range(10)]
    write_video(tmp_path / "media" / "rgb.mp4", frames, 10.0)
    ask(engine, p.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    for model in ("colours", "colour-bits", "colour-motion"):
        done = ask(engine, p.IndexFolders(id=2, folders=(os.fsencode(tmp_path / "media"),), model=model))
        assert isinstance(done, p.IndexFinished), done
    return engine


def ranking(engine: Engine, model: str, query: p.Query) -> dict[int, float]:
    found = ask(engine, p.Search(id=3, query=query, model=model, k=0, every_moment=True))
    assert isinstance(found, p.SearchResponse), found
    ids, scores = np.frombuffer(found.item_ids, "<i8"), np.frombuffer(found.scores, "<f4")
    return dict(zip(ids.tolist(), scores.tolist(), strict=True))


@pytest.mark.parametrize("model", ["colours", "colour-bits", "colour-motion"])
def test_the_viewer_and_the_grid_agree(ready: Engine, model: str) -> None:
    query = p.Query(text="red")
    scores = ranking(ready, model, query)
    assert len(scores) == 3
    for shot, score in scores.items():
        told = ask(ready, p.Explain(id=4, item_id=shot, model=model, query=query))
        assert isinstance(told, p.Explanation), told
        assert told.score == pytest.approx(score, abs=1e-5)
        assert told.clip is not None
        times_s = np.frombuffer(told.clip.times_s, "<f4")
        position = segment_ids.position_of(shot)
        assert (times_s >= position - 0.01).all()
        assert (times_s <= position + 1.11).all()
        assert told.words is not None or model == "colour-motion"


def test_maps_and_curve_arrive_for_every_frame(ready: Engine) -> None:
    query = p.Query(text="green")
    first = min(ranking(ready, "colours", query))
    told = ask(ready, p.Explain(id=4, item_id=segment_ids.segment_id(first, 1), model="colours", query=query))
    assert isinstance(told, p.Explanation), told
    assert told.clip is not None
    n = len(np.frombuffer(told.clip.times_s, "<f4"))
    curve = np.frombuffer(told.clip.curve, "<f4")
    assert curve.shape == (n,)
    np.testing.assert_allclose(curve, told.score, atol=0.02)  # nothing moves in it
    grid = next(grid for grid in told.clip.attention if grid.name == "brightness")
    values = np.frombuffer(grid.values, "<f2").reshape(n, grid.height, grid.width)
    np.testing.assert_allclose(values, sum(RGB["green"]) / 3 / 255, atol=0.02)


def colour_of(picture: p.Answer) -> np.ndarray:
    assert isinstance(picture, p.Picture), picture
    return np.asarray(Image.open(BytesIO(picture.jpeg)).convert("RGB"))[24, 32]


def test_a_picture_of_a_shot_is_its_middle_or_any_time(ready: Engine) -> None:
    video = min(ranking(ready, "colours", p.Query(text="red")))
    for position, colour in enumerate(RGB):
        shot = segment_ids.segment_id(video, position)
        middle = ask(ready, p.GetPicture(id=5, item_id=shot, max_edge_px=64))
        np.testing.assert_allclose(colour_of(middle), RGB[colour], atol=12)
        asked = ask(ready, p.GetPicture(id=5, item_id=video, max_edge_px=64, time_s=position + 0.5))
        np.testing.assert_allclose(colour_of(asked), RGB[colour], atol=12)
    assert isinstance(middle, p.Picture)
    assert (middle.full_width_px, middle.full_height_px) == (64, 48)


def test_a_shot_whose_file_is_gone_is_a_sentence(ready: Engine, tmp_path: Path) -> None:
    video = min(ranking(ready, "colours", p.Query(text="red")))
    (tmp_path / "media" / "rgb.mp4").unlink()
    for request in (
        p.Explain(id=4, item_id=video, model="colours", query=p.Query(text="red")), p.GetPicture(id=5, item_id=video)
    ):
        failed = ask(ready, request)
        assert isinstance(failed, p.Failed)
        assert "no longer there" in failed.message
