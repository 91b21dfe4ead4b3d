"""Figures of shots of videos: a frame with what the model says of it, ranks as the window has them, recipes."""

import io
import os
import shutil
from array import array
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest
from PIL import Image

from explorer import protocol as p
from explorer import segment_ids
from explorer.engine.engine import Engine
from explorer.engine.figure_pictures import frame_of, still_of
from explorer.engine.figure_recipes import spec_of
from explorer.errors import LibraryError
from explorer.evidence import AttentionMap, ClipEvidence, Evidence, MovingAttention, Segmentation, TemporalWeights
from explorer.figures.recipe import FigureRecipe
from explorer.media.writing import write_video

RGB = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220), "white": (230, 230, 230)}


def clip(path: Path, *colours: str) -> Path:
    shots = [np.full((48, 64, 3), RGB[colour], np.uint8) for colour in colours]
    write_video(path, [frame for frame in shots for _ in range(10)], 10.0)
    return path


def ask(engine: Engine, request: p.Request) -> p.Answer:
    return list(engine.answer(request))[-1]


def open_at(engine: Engine, library: Path, folder: Path) -> None:
    ask(engine, p.OpenLibrary(id=1, path=os.fsencode(library)))
    done = ask(engine, p.IndexFolders(id=2, folders=(os.fsencode(folder),), model="colours"))
    assert isinstance(done, p.IndexFinished), done


@pytest.fixture
def media(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    folder = tmp_path / "media"
    folder.mkdir()
    clip(folder / "bwr.mp4", "blue", "white", "red")
    clip(folder / "green.mkv", "green")
    make_photo(folder / "red.png", (215, 15, 15))
    return folder


@pytest.fixture
def ready(engine: Engine, tmp_path: Path, media: Path) -> Engine:
    open_at(engine, tmp_path / "library", media)
    return engine


def found(engine: Engine, *, every_moment: bool = False) -> tuple[int, ...]:
    answer = ask(engine, p.Search(id=3, query=p.Query(text="red"), model="colours", every_moment=every_moment))
    assert isinstance(answer, p.SearchResponse), answer
    return tuple(array("q", answer.item_ids))


def shot_of(engine: Engine, name: str, position: int) -> int:
    answer = ask(engine, p.DescribeItems(id=4, item_ids=found(engine)))
    assert isinstance(answer, p.ItemDescriptions)
    item = next(item for item in answer.items if item.name == name)
    return segment_ids.segment_id(segment_ids.item_of(item.item_id), position)


def draw(engine: Engine, *item_ids: int, **changes: object) -> p.Figure:
    fields = {"model": "colours", "query": p.Query(text="red"), "dpi": 50, "format": "svg", "width_mm": 85.0}
    spec = p.FigureSpec(item_ids=item_ids, **{**fields, **changes})  # type: ignore[arg-type]
    answer = ask(engine, p.MakeFigure(id=4, spec=spec))
    assert isinstance(answer, p.Figure), answer
    return answer


def text_of(figure: p.Figure) -> str:
    return figure.content.decode("utf-8")


@pytest.mark.parametrize("kind", ["panels", "shown"])
def test_a_shot_is_drawn_with_its_time(ready: Engine, kind: str) -> None:
    figure = draw(ready, shot_of(ready, "bwr.mp4", 2), kind=kind)
    assert "bwr.mp4 0:02" in text_of(figure)
    assert "rank 2 of 3" in text_of(figure) or "rank 1 of 3" in text_of(figure)


def test_the_frame_that_is_drawn_is_of_the_shot(ready: Engine) -> None:
    """A figure of one picture, whose pixels are the colour of the shot."""
    seen = {}
    for position, colour in enumerate(("blue", "white", "red")):
        drawn = draw(ready, shot_of(ready, "bwr.mp4", position), kind="grid", format="png", scores=False, words=False)
        with Image.open(io.BytesIO(drawn.content)) as image:
            pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
        seen[colour] = int((np.abs(pixels - RGB[colour]).max(axis=1) < 30).sum())
    assert min(seen.values()) > 500, seen


def test_a_moment_may_be_named(ready: Engine) -> None:
    shot = shot_of(ready, "bwr.mp4", 1)
    assert "bwr.mp4 0:01" in text_of(draw(ready, shot))
    assert "bwr.mp4 0:00" in text_of(draw(ready, shot, time_s=0.4))


def test_a_grid_holds_photos_and_several_shots_of_one_video(ready: Engine) -> None:
    every = found(ready, every_moment=True)
    assert len(every) == 5
    figure = draw(ready, *every, kind="grid", columns=5, every_moment=True)
    assert "5 pictures and shots ranked" in text_of(figure)
    best = draw(ready, *found(ready), kind="grid", columns=5)
    assert "3 pictures and videos ranked" in text_of(best)


def test_every_layer_of_a_shot_can_be_drawn(ready: Engine) -> None:
    explained = ask(ready, p.Explain(id=5, item_id=found(ready)[0], model="colours", query=p.Query(text="red")))
    assert isinstance(explained, p.Explanation), explained
    layers = tuple(p.FigureLayer(name=grid.name) for grid in explained.attention)
    draw(ready, shot_of(ready, "bwr.mp4", 2), kind="shown", layers=layers)
    draw(ready, *found(ready), kind="grid", layers=layers[:1])


def test_a_recipe_makes_the_same_figure_of_shots_again(ready: Engine) -> None:
    ids = (shot_of(ready, "bwr.mp4", 2), shot_of(ready, "bwr.mp4", 0), shot_of(ready, "green.mkv", 0))
    first = draw(ready, *ids, kind="grid", columns=3, every_moment=True)
    recipe = msgspec.toml.decode(first.recipe, type=FigureRecipe)
    spec, notices = spec_of(ready.opened, recipe)
    assert spec.item_ids == ids
    assert spec.every_moment
    assert notices == ()
    again = ask(ready, p.MakeFigure(id=5, spec=spec))
    assert isinstance(again, p.Figure)
    assert again.content == first.content


def test_a_recipe_finds_the_shots_in_a_new_library(ready: Engine, media: Path, tmp_path: Path) -> None:
    ids = (shot_of(ready, "bwr.mp4", 2), shot_of(ready, "bwr.mp4", 1))
    recipe = msgspec.toml.decode(draw(ready, *ids, kind="grid", columns=2).recipe, type=FigureRecipe)
    moved = tmp_path / "moved"
    shutil.move(media, moved)
    open_at(ready, tmp_path / "other", moved)
    spec, notices = spec_of(ready.opened, recipe)
    assert [segment_ids.position_of(item_id) for item_id in spec.item_ids] == [2, 1]
    assert notices == ()


def test_a_shot_that_is_no_longer_there_is_one_sentence(ready: Engine, media: Path) -> None:
    recipe = msgspec.toml.decode(draw(ready, shot_of(ready, "bwr.mp4", 2)).recipe, type=FigureRecipe)
    clip(media / "bwr.mp4", "blue")
    ask(ready, p.IndexFolders(id=2, folders=(), model="colours"))
    with pytest.raises(LibraryError, match="has no shot 3"):
        spec_of(ready.opened, recipe)


def test_a_query_that_is_a_video_is_in_the_recipe(ready: Engine, media: Path) -> None:
    query = p.Query(text="red", video_path=os.fsencode(media / "green.mkv"), video_span_s=(0.0, 0.5))
    figure = draw(ready, found(ready)[0], query=query)
    spec, _ = spec_of(ready.opened, msgspec.toml.decode(figure.recipe, type=FigureRecipe))
    assert spec.query == query


def test_a_video_that_is_gone_is_one_sentence(ready: Engine, media: Path) -> None:
    shot = shot_of(ready, "bwr.mp4", 2)
    (media / "bwr.mp4").unlink()
    answer = ask(ready, p.MakeFigure(id=4, spec=p.FigureSpec(item_ids=(shot,), model="colours")))
    assert isinstance(answer, p.Failed)
    assert answer.kind == "MediaError"
    assert "bwr.mp4 cannot be drawn" in answer.message


# --- one frame of moving evidence ------------------------------------------------------------------------------------


def moving(temporal: TemporalWeights | None = None) -> Evidence:
    values = np.arange(3 * 2 * 2, dtype=np.float32).reshape(3, 2, 2)
    segmentation = tuple(
        Segmentation(np.full((2, 2), frame, np.uint8), np.ones((2, 2), np.float32), ("a", "b", "c"))
        for frame in range(3)
    )
    return Evidence(
        attention=(
            AttentionMap("cam", "Whole", np.zeros((2, 2), np.float32)),
            AttentionMap("gates", "Gates", np.ones((2, 2), np.float32)),
        ),
        clip=ClipEvidence(
            np.array([1.0, 2.0, 3.0], np.float32), (MovingAttention("cam", "Similarity", values),), segmentation,
            temporal,
        ),
    )


def test_a_still_has_the_maps_of_its_frame_in_place_of_those_of_the_shot() -> None:
    still = still_of(moving(), 1)
    assert [layer.name for layer in still.attention] == ["cam", "gates"]
    assert still.attention[0].values.tolist() == [[4.0, 5.0], [6.0, 7.0]]
    assert still.segmentation is not None
    assert still.segmentation.class_map.tolist() == [[1, 1], [1, 1]]
    assert still.clip is None


def test_the_frame_is_the_named_one_or_the_peak_or_the_middle() -> None:
    clip = moving().clip
    peak = moving(TemporalWeights("When", np.array([0.1, 0.2, 0.9], np.float32))).clip
    assert clip is not None
    assert peak is not None
    assert frame_of(clip, None) == 1
    assert frame_of(peak, None) == 2
    assert frame_of(peak, 1.2) == 0
