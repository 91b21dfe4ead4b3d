"""Figures of results of a library, and their recipes: the same figure again, and sentences for what is gone."""

import json
import os
import re
import shutil
import tomllib
from array import array
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.engine import Engine
from explorer.engine.figure_recipes import library_of, spec_of
from explorer.errors import ConfigError, LibraryError
from explorer.figures.recipe import FigureRecipe, read_recipe
from explorer.protocol import Answer, FigureLayer, FigureSpec, Query, Request


def ask(engine: Engine, request: Request, token: CancellationToken | None = None) -> Answer:
    return list(engine.answer(request, token))[-1]


def open_at(engine: Engine, folder: Path, *sources: Path) -> None:
    assert isinstance(ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(folder))), protocol.LibraryState)
    if sources:
        named = tuple(os.fsencode(source) for source in sources)
        done = ask(engine, protocol.IndexFolders(id=2, folders=named, model="colours"))
        assert isinstance(done, protocol.IndexFinished), done


@pytest.fixture
def ready(engine: Engine, tmp_path: Path, photos: Path) -> Engine:
    open_at(engine, tmp_path / "library", photos)
    return engine


def found(engine: Engine, text: str, k: int = 0) -> tuple[int, ...]:
    answer = ask(engine, protocol.Search(id=3, query=Query(text=text), model="colours", k=k))
    assert isinstance(answer, protocol.SearchResponse), answer
    return tuple(array("q", answer.item_ids))


def spec(item_ids: tuple[int, ...], **changes: object) -> FigureSpec:
    fields = {"model": "colours", "query": Query(text="red"), "dpi": 50, "format": "svg", "width_mm": 85.0}
    return FigureSpec(item_ids=item_ids, **{**fields, **changes})  # type: ignore[arg-type]


def draw(engine: Engine, of: FigureSpec) -> protocol.Figure:
    answer = ask(engine, protocol.MakeFigure(id=4, spec=of))
    assert isinstance(answer, protocol.Figure), answer
    return answer


def says(engine: Engine, of: FigureSpec) -> protocol.Failed:
    answer = ask(engine, protocol.MakeFigure(id=4, spec=of))
    assert isinstance(answer, protocol.Failed), answer
    assert answer.details == ""
    return answer


def names(engine: Engine, item_ids: tuple[int, ...]) -> list[str]:
    return [row.name for row in engine.opened.library.describe(item_ids)]


def again(engine: Engine, recipe: str, tmp_path: Path) -> tuple[protocol.Figure, tuple[str, ...]]:
    (tmp_path / "again.toml").write_text(recipe, encoding="utf-8")
    of, notices = spec_of(engine.opened, read_recipe(tmp_path / "again.toml"))
    return draw(engine, of), notices


def written(figure: protocol.Figure) -> str:
    """The drawing without its pictures, whose base64 may spell any word."""
    return re.sub(r"data:image/png;base64,[^\"]*", "", figure.content.decode())


def test_one_result_has_its_score_its_rank_and_its_words(ready: Engine) -> None:
    ids = found(ready, "red photo")
    svg = draw(ready, spec((ids[2],), query=Query(text="red photo"))).content.decode()
    assert "rank 3 of 12" in svg
    scores = ask(ready, protocol.Search(id=3, query=Query(text="red photo"), model="colours"))
    assert isinstance(scores, protocol.SearchResponse)
    assert f"score {array('f', scores.scores)[2]:.2f}" in svg
    for words in ("Picture", "Brightness", ">red<", ">photo<", names(ready, ids)[2]):
        assert words in svg


def test_a_grid_keeps_the_order_and_reports_progress(ready: Engine) -> None:
    ids = found(ready, "red", 6)
    answers = list(ready.answer(protocol.MakeFigure(id=4, spec=spec(ids, kind="grid", words=False))))
    assert [(answer.n_done, answer.n_total) for answer in answers[:-1]] == [(n, 6) for n in range(1, 7)]
    svg = answers[-1].content.decode()
    ranks = [svg.index(f'id="result{n}-rank"') for n in range(1, 7)]
    assert ranks == sorted(ranks)
    assert "result7" not in svg
    # Ranks are those among all items, whatever is drawn.
    svg = draw(ready, spec(ids[3:5], kind="grid", words=False)).content.decode()
    assert ">4<" in svg
    assert ">5<" in svg
    assert ">1<" not in svg


def test_a_grid_without_layers_asks_the_network_nothing(ready: Engine) -> None:
    ids = found(ready, "red", 4)
    before = ready.opened.models.encoder.n_images  # type: ignore[attr-defined]
    draw(ready, spec(ids, kind="grid", words=False))
    assert ready.opened.models.encoder.n_images == before  # type: ignore[attr-defined]
    draw(ready, spec(ids, kind="grid", words=False, layers=(FigureLayer(name="brightness"),)))
    assert ready.opened.models.encoder.n_images == before + 4  # type: ignore[attr-defined]


def test_items_whose_sentence_is_the_query_are_framed(ready: Engine, tmp_path: Path) -> None:
    captions = {"red 2.jpg": ["A red thing ."], "deep/green 1.png": ["a red  thing", "more"], "blue 0.webp": ["blue"]}
    path = tmp_path / "captions.json"
    path.write_text(json.dumps({"captions": captions}))
    assert isinstance(ask(ready, protocol.AddCaptions(id=5, path=os.fsencode(path))), protocol.CaptionsAdded)
    query = Query(text="a red thing")
    ids = found(ready, query.text, 4)
    svg = draw(ready, spec(ids, kind="grid", words=False, query=query)).content.decode()
    correct = names(ready, ids).index("red 2.jpg") + 1
    assert [n for n in range(1, 5) if f'id="result{n}-correct"' in svg] == [correct]
    all_ids = found(ready, query.text)
    green = names(ready, all_ids).index("green 1.png") + 1
    assert f"(also at rank {green}, not shown)" in svg
    assert "correct" not in draw(ready, spec(ids, kind="grid", words=False, query=query, frames=False)).content.decode()
    unknown = draw(ready, spec(ids, kind="grid", words=False, query=Query(text="a red")))
    assert "correct" not in unknown.content.decode()


def test_without_a_query_there_are_neither_scores_nor_words(ready: Engine) -> None:
    svg = written(draw(ready, spec(found(ready, "red", 1), query=None)))
    assert "Brightness" in svg
    assert "score" not in svg
    assert "rank" not in svg


def test_a_picture_can_be_the_query(ready: Engine, photos: Path) -> None:
    ids = found(ready, "red", 3)
    for query in (
        Query(image_item_id=ids[0]),
        Query(image_path=os.fsencode(photos / "red 1.jpg")),
        Query(image_bytes=(photos / "red 1.jpg").read_bytes()),
    ):
        made = draw(ready, spec(ids, kind="grid", query=query))
        assert b'id="query-picture"' in made.content or b"query-picture" in made.content
        assert b">Query<" in made.content


@pytest.mark.parametrize(
    ("changes", "says_what"),
    [
        ({"item_ids": ()}, "There is no result to draw"),
        ({"item_ids": (999,)}, "The library has no item 999"),
        ({"item_ids": (1, 999), "kind": "grid"}, "The library has no item 999"),
        ({"model": "no-such"}, "There is no model called no-such"),
        ({"layers": (FigureLayer(name="nothing"),)}, "There is no layer called nothing"),
        ({"without": ("vsem",)}, "colours has no part called vsem"),
        ({"query": Query(image_path=b"/no/such.jpg")}, "/no/such.jpg cannot be searched with"),
        ({"width_mm": 2000.0, "dpi": 1200}, "megapixels"),
        ({"item_ids": (1,) * 400, "kind": "grid", "columns": 1, "dpi": 300}, "megapixels"),
    ],
)
def test_what_cannot_be_drawn_is_a_sentence(ready: Engine, changes: dict[str, object], says_what: str) -> None:
    of = spec(**{"item_ids": (1,), **changes})  # type: ignore[arg-type]
    assert says_what in says(ready, of).message


def test_photos_that_are_gone_or_damaged_are_named(ready: Engine, photos: Path) -> None:
    ids = found(ready, "red", 4)
    name = names(ready, ids)[2]
    (photos / name).write_bytes(b"not a picture")
    assert name in says(ready, spec(ids, kind="grid", words=False)).message
    (photos / name).unlink()
    failed = says(ready, spec(ids, kind="grid", words=False))
    assert f"{photos / name} cannot be drawn. The file is no longer there." in failed.message


def test_without_a_library_it_says_so(engine: Engine) -> None:
    assert "library" in says(engine, spec((1,))).message


def test_a_library_of_another_version_has_no_ranks(ready: Engine, colour_model: ModuleType) -> None:
    ids = found(ready, "red", 2)
    ready.opened.models.encoder.model_id = "colours@ffffffffffffffff"  # type: ignore[attr-defined]
    svg = written(draw(ready, spec(ids)))
    assert "score" in svg
    assert "rank" not in svg


def test_it_can_be_stopped_between_pictures(ready: Engine) -> None:
    ids = found(ready, "red", 6)
    token = CancellationToken()
    answers = ready.answer(protocol.MakeFigure(id=4, spec=spec(ids, kind="grid")), token)
    assert isinstance(next(answers), protocol.Progress)
    token.cancel()
    rest = list(answers)
    assert [type(answer) for answer in rest] == [protocol.Cancelled]


# --- recipes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "file_format"), [("panels", "png"), ("panels", "svg"), ("shown", "svg"), ("grid", "svg"), ("grid", "pdf")]
)
def test_a_recipe_makes_the_same_bytes(ready: Engine, tmp_path: Path, kind: str, file_format: str) -> None:
    of = spec(
        found(ready, "red", 3), kind=kind, format=file_format, columns=3, width_mm=60.5, scores=False,
        layers=(FigureLayer(name="brightness", style="cover", opacity=0.5, threshold=0.25, colour_map="viridis"),),
        query=Query(text='red "quoted" \\ ünï 日本 😀', not_text="blue"),
    )  # fmt: skip
    first = draw(ready, of)
    second, notices = again(ready, first.recipe, tmp_path)
    assert second.content == first.content
    assert second.recipe == first.recipe
    assert notices == ()


def test_a_recipe_says_what_it_was_made_of(ready: Engine, tmp_path: Path, photos: Path) -> None:
    ids = found(ready, "red", 2)
    recipe = tomllib.loads(draw(ready, spec(ids, kind="grid")).recipe)
    assert recipe["program"] == "0.1.0"
    assert recipe["model"] == "colours@0123456789abcdef"
    assert recipe["library"]["path"] == str(tmp_path / "library")
    assert [item["id"] for item in recipe["items"]] == list(ids)
    assert recipe["items"][0]["path"] == str(photos / names(ready, ids)[0])
    assert recipe["query"] == {"text": "red"}
    assert recipe["figure"]["dpi"] == 50


@pytest.mark.parametrize("kind", ["item", "path", "bytes"])
def test_recipes_of_pictures_as_queries(ready: Engine, tmp_path: Path, photos: Path, kind: str) -> None:
    ids = found(ready, "green", 3)
    path = photos / "red 1.jpg"
    query = {
        "item": Query(image_item_id=found(ready, "red", 1)[0]),
        "path": Query(image_path=os.fsencode(path), text="green"),
        "bytes": Query(image_bytes=path.read_bytes()),
    }[kind]
    first = draw(ready, spec(ids, kind="grid", query=query))
    second, _ = again(ready, first.recipe, tmp_path)
    assert second.content == first.content


def test_in_a_library_made_anew_items_are_found_by_path(
    ready: Engine, tmp_path: Path, photos: Path, make_photo: Callable[..., Path]
) -> None:
    first = draw(ready, spec(found(ready, "red", 4), kind="grid"))
    more = make_photo(tmp_path / "before" / "white.jpg", (255, 255, 255)).parent
    open_at(ready, tmp_path / "another", more, photos)  # ids are others
    of, notices = spec_of(ready.opened, _read(first.recipe, tmp_path))
    assert notices == ()
    assert names(ready, of.item_ids) == [Path(item["path"]).name for item in tomllib.loads(first.recipe)["items"]]


def test_moved_photos_are_found_by_content(ready: Engine, tmp_path: Path, photos: Path) -> None:
    first = draw(ready, spec(found(ready, "red", 4), kind="grid"))
    expected = names(ready, found(ready, "red", 4))
    shutil.move(photos, tmp_path / "elsewhere")
    for path in list((tmp_path / "elsewhere").glob("red*")):
        path.rename(path.with_name("renamed " + path.name))
    open_at(ready, tmp_path / "another", tmp_path / "elsewhere")
    second, notices = again(ready, first.recipe, tmp_path)
    assert notices == ()
    assert [Path(item["path"]).name for item in tomllib.loads(second.recipe)["items"]] == [
        f"renamed {name}" for name in expected
    ]


def test_a_missing_item_is_a_sentence(ready: Engine, tmp_path: Path, photos: Path) -> None:
    first = draw(ready, spec(found(ready, "red", 1)))
    [item] = tomllib.loads(first.recipe)["items"]
    Path(item["path"]).unlink()
    open_at(ready, tmp_path / "another", photos)
    with pytest.raises(LibraryError, match=r"red \d\.jpg is not in the library .*another\. Index the folder"):
        spec_of(ready.opened, _read(first.recipe, tmp_path))


def test_what_has_changed_is_said_and_drawn(ready: Engine, tmp_path: Path, make_photo: Callable[..., Path]) -> None:
    first = draw(ready, spec(found(ready, "red", 1)))
    [item] = tomllib.loads(first.recipe)["items"]
    make_photo(Path(item["path"]), (0, 0, 0))
    ready.opened.models.encoder.model_id = "colours@ffffffffffffffff"  # type: ignore[attr-defined]
    second, notices = again(ready, first.recipe, tmp_path)
    assert second.content != first.content
    changed, model = notices
    assert changed == f"{item['path']} has changed since the figure was made."
    assert "was made with colours@0123456789abcdef; colours@ffffffffffffffff is used now" in model


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text_are_kept(engine: Engine, tmp_path: Path, make_photo: Callable[..., Path]) -> None:
    make_photo(tmp_path / "photos" / "x.png", (200, 0, 0))
    try:
        os.rename(tmp_path / "photos" / "x.png", os.fsencode(tmp_path / "photos") + b"/\xff\xfe.png")
    except OSError:
        pytest.skip("this disk wants names that are text")
    open_at(engine, tmp_path / "library", tmp_path / "photos")
    first = draw(engine, spec(found(engine, "red")))
    second, _ = again(engine, first.recipe, tmp_path)
    assert second.content == first.content
    assert b"\xff\xfe.png" in bytes(_read(first.recipe, tmp_path).items[0])


def test_a_missing_library_is_a_sentence(ready: Engine, tmp_path: Path) -> None:
    recipe = _read(draw(ready, spec(found(ready, "red", 1))).recipe, tmp_path)
    assert library_of(recipe, None) == tmp_path / "library"
    with pytest.raises(LibraryError, match=r"There is no library in .*nowhere\. Name the folder"):
        library_of(recipe, tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
    moved = msgspec.structs.replace(recipe, library=type(recipe.library).of(os.fsencode(tmp_path / "gone")))
    with pytest.raises(LibraryError, match=r"There is no library in .*gone"):
        library_of(moved, None)


@pytest.mark.parametrize(
    ("text", "says_what"),
    [
        ("not = [toml", "is not TOML"),
        ("\0", "is not TOML"),
        ('schema_version = "1.0"\nepochs = 3\n', "is no recipe of a figure"),
        ('schema_version = "2.0"\n', "was written by a newer version"),
        ("", "is no recipe of a figure"),
    ],
)
def test_files_that_are_no_recipes_are_refused(tmp_path: Path, text: str, says_what: str) -> None:
    (tmp_path / "f.toml").write_text(text)
    with pytest.raises(ConfigError, match=says_what):
        read_recipe(tmp_path / "f.toml")


def test_a_recipe_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [("dpi = 50", "dpi = 5"), ("width_mm = 85.0", "width_mm = 9e9"), ("opacity = 0.5", "opacity = 1.5")],
)
def test_recipes_that_were_changed_to_what_cannot_be_are_refused(
    ready: Engine, tmp_path: Path, old: str, new: str
) -> None:
    layers = (FigureLayer(name="brightness", opacity=0.5),)
    recipe = draw(ready, spec(found(ready, "red", 1), layers=layers)).recipe
    assert old in recipe
    with pytest.raises(ConfigError, match="recipe"):
        again(ready, recipe.replace(old, new), tmp_path)


def _read(recipe: str, tmp_path: Path) -> FigureRecipe:
    (tmp_path / "recipe.toml").write_text(recipe, encoding="utf-8")
    return read_recipe(tmp_path / "recipe.toml")
