"""What the engine answers about videos, with models that know colours."""

import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from explorer import protocol as p
from explorer import segment_ids
from explorer.engine.engine import Engine
from explorer.media.writing import write_video

RGB = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220), "white": (230, 230, 230)}
SHOT_S = 1.0


def clip(path: Path, *colours: str, rate_fps: float = 10.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shots = [np.full((48, 64, 3), RGB[colour], np.uint8) for colour in colours]
    write_video(path, [frame for frame in shots for _ in range(int(SHOT_S * rate_fps))], rate_fps)
    return path


def ask(engine: Engine, request: p.Request) -> p.Answer:
    return list(engine.answer(request))[-1]


def index(engine: Engine, *folders: Path, model: str = "colours") -> p.IndexFinished:
    answer = ask(engine, p.IndexFolders(id=2, folders=tuple(map(os.fsencode, folders)), model=model))
    assert isinstance(answer, p.IndexFinished), answer
    return answer


def search(engine: Engine, *, model: str = "colours", k: int = 0, every: bool = False, **query: object) -> p.Answer:
    return ask(engine, p.Search(id=3, query=p.Query(**query), model=model, k=k, every_moment=every))  # type: ignore[arg-type]


def ranked(engine: Engine, answer: p.Answer) -> list[tuple[str, int]]:
    """Names and positions, best first."""
    assert isinstance(answer, p.SearchResponse), answer
    ids = np.frombuffer(answer.item_ids, "<i8").tolist()
    described = ask(engine, p.DescribeItems(id=4, item_ids=tuple(ids)))
    assert isinstance(described, p.ItemDescriptions)
    assert [item.item_id for item in described.items] == ids
    return [(item.name, segment_ids.position_of(item.item_id)) for item in described.items]


@pytest.fixture
def media(tmp_path: Path, make_photo: Callable[..., Path]) -> Path:
    folder = tmp_path / "media"
    clip(folder / "rgb.mp4", "red", "green", "blue")
    clip(folder / "deep" / "gwr.avi", "green", "white", "red")
    clip(folder / "blue.mkv", "blue")
    make_photo(folder / "red.png", (210, 10, 10))
    make_photo(folder / "green.jpg", (10, 210, 10))
    return folder


@pytest.fixture
def ready(engine: Engine, tmp_path: Path, media: Path) -> Engine:
    assert isinstance(ask(engine, p.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library"))), p.LibraryState)
    done = index(engine, media)
    assert (done.n_encoded, done.n_failed, done.state.n_items, done.state.n_videos) == (5, 0, 5, 3)
    assert done.state.n_indexed == {"colours": 5}
    return engine


@pytest.mark.parametrize("model", ["colours", "colour-bits"])
def test_a_sentence_finds_the_best_moment_of_each_video(ready: Engine, media: Path, model: str) -> None:
    if model != "colours":
        index(ready, model=model)
    found = ranked(ready, search(ready, model=model, text="a red thing"))
    assert len(found) == 5
    assert {name for name, _ in found} == {"rgb.mp4", "gwr.avi", "blue.mkv", "red.png", "green.jpg"}
    assert {("rgb.mp4", 0), ("gwr.avi", 2), ("red.png", 0)} == set(found[:3])


@pytest.mark.parametrize("model", ["colours", "colour-bits"])
def test_every_moment_is_the_whole_ranking_and_the_other_its_first_ones(ready: Engine, model: str) -> None:
    if model != "colours":
        index(ready, model=model)
    every = search(ready, model=model, text="green", every=True)
    best = search(ready, model=model, text="green")
    assert isinstance(every, p.SearchResponse)
    assert isinstance(best, p.SearchResponse)
    whole = np.frombuffer(every.item_ids, "<i8")
    assert len(whole) == 3 + 3 + 1 + 2
    _, first = np.unique(segment_ids.item_of(whole), return_index=True)
    first = np.sort(first)
    np.testing.assert_array_equal(np.frombuffer(best.item_ids, "<i8"), whole[first])
    np.testing.assert_array_equal(np.frombuffer(best.scores, "<f4"), np.frombuffer(every.scores, "<f4")[first])
    for some in (2, 4):  # as many as were asked for, each of another item
        few = search(ready, model=model, text="green", k=some)
        assert isinstance(few, p.SearchResponse)
        np.testing.assert_array_equal(np.frombuffer(few.item_ids, "<i8"), whole[first][:some])
        few = search(ready, model=model, text="green", k=some, every=True)
        assert isinstance(few, p.SearchResponse)
        np.testing.assert_array_equal(np.frombuffer(few.item_ids, "<i8"), whole[:some])


def test_browsing_lists_items_and_descriptions_say_when(ready: Engine) -> None:
    answer = ask(ready, p.Browse(id=1))
    assert len(ranked(ready, answer)) == 5
    assert isinstance(answer, p.SearchResponse)
    ids = np.frombuffer(answer.item_ids, "<i8")
    assert (segment_ids.position_of(ids) == 0).all()
    video = next(i for i in ids.tolist() if _description(ready, i).name == "rgb.mp4")
    shot = _description(ready, segment_ids.segment_id(video, 2))
    assert (shot.kind, shot.n_shots, shot.width_px, shot.height_px) == ("video", 3, 64, 48)
    assert (shot.start_s, shot.end_s, shot.duration_s) == pytest.approx((2, 3, 3), abs=0.15)
    thumbnails = ask(ready, p.GetThumbnails(id=1, item_ids=(video, segment_ids.segment_id(video, 1))))
    assert isinstance(thumbnails, p.Thumbnails)
    assert [segment_ids.position_of(thumbnail.item_id) for thumbnail in thumbnails.thumbnails] == [0, 1]
    assert thumbnails.thumbnails[0].jpeg != thumbnails.thumbnails[1].jpeg


def _description(engine: Engine, item_id: int) -> p.ItemDescription:
    described = ask(engine, p.DescribeItems(id=4, item_ids=(item_id,)))
    assert isinstance(described, p.ItemDescriptions)
    return described.items[0]


def _shot(engine: Engine, name: str, position: int) -> int:
    items = ask(engine, p.Browse(id=1))
    assert isinstance(items, p.SearchResponse)
    item = next(i for i in np.frombuffer(items.item_ids, "<i8").tolist() if _description(engine, i).name == name)
    return segment_ids.segment_id(item, position)


@pytest.mark.parametrize("model", ["colours", "colour-bits", "colour-motion", "colour-clips"])
def test_a_shot_finds_itself_first(ready: Engine, model: str) -> None:
    if model != "colours":
        index(ready, model=model)
    shot = _shot(ready, "rgb.mp4", 1)
    answer = search(ready, model=model, image_item_id=shot, every=True)
    assert isinstance(answer, p.SearchResponse), answer
    scores = dict(zip(np.frombuffer(answer.item_ids, "<i8").tolist(), np.frombuffer(answer.scores, "<f4"), strict=True))
    assert scores[shot] == pytest.approx(1, abs=1e-5)
    assert scores[shot] == pytest.approx(max(scores.values()), abs=1e-6)
    assert scores[_shot(ready, "rgb.mp4", 2)] < 0.9


def test_a_video_file_finds_its_like(ready: Engine, tmp_path: Path) -> None:
    path = os.fsencode(clip(tmp_path / "elsewhere.webm", "blue", "green"))
    found = ranked(ready, search(ready, video_path=path, video_span_s=(0.0, 0.9)))
    assert found[0] in [("rgb.mp4", 2), ("blue.mkv", 0)]
    found = ranked(ready, search(ready, video_path=path, video_span_s=(1.1, float("inf"))))
    assert found[0] in [("rgb.mp4", 1), ("gwr.avi", 0), ("green.jpg", 0)]
    assert len(ranked(ready, search(ready, video_path=path))) == 5
    both = ranked(ready, search(ready, video_path=path, video_span_s=(0.0, 0.9), text="red", not_text="green"))
    assert len(both) == 5


def test_a_picture_finds_shots(ready: Engine, media: Path) -> None:
    found = ranked(ready, search(ready, image_path=os.fsencode(media / "green.jpg")))
    assert set(found[:3]) == {("green.jpg", 0), ("rgb.mp4", 1), ("gwr.avi", 0)}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"video_path": b"/nowhere/clip.mp4"}, "/clip.mp4 cannot be searched with. The file is no longer there"),
        ({"video_path": b"TEXT"}, "cannot be searched with"),
        ({"video_path": b"CLIP", "video_span_s": (2.0, 1.0)}, "no part of a video"),
        ({"video_path": b"CLIP", "video_span_s": (7.0, 8.0)}, "has only 3.0 s"),
        ({"video_path": b"CLIP", "image_item_id": 1}, "one picture or one video"),
    ],
)
def test_videos_that_cannot_be_searched_with_are_told(
    ready: Engine, media: Path, tmp_path: Path, query: dict[str, object], says: str
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    places = {b"TEXT": os.fsencode(tmp_path / "text.mp4"), b"CLIP": os.fsencode(media / "rgb.mp4")}
    path = query["video_path"]
    answer = search(ready, **{**query, "video_path": places.get(path, path)})  # type: ignore[call-overload]
    assert isinstance(answer, p.Failed), answer
    assert answer.kind == "QueryError"
    assert says in answer.message
    assert ("engine runs on another computer" in answer.remedy) is (path == b"/nowhere/clip.mp4")


def test_shots_of_a_video_with_their_scores(ready: Engine) -> None:
    query = p.Query(text="green")
    every = search(ready, text="green", every=True)
    assert isinstance(every, p.SearchResponse)
    scores = dict(zip(np.frombuffer(every.item_ids, "<i8").tolist(), np.frombuffer(every.scores, "<f4"), strict=True))
    shot = _shot(ready, "rgb.mp4", 2)
    answer = ask(ready, p.GetShots(id=5, item_id=shot, query=query, model="colours"))
    assert isinstance(answer, p.Shots), answer
    assert (answer.item_id, answer.model) == (shot, "colours")
    np.testing.assert_allclose(np.frombuffer(answer.starts_s, "<f4"), [0, 1, 2], atol=0.15)
    np.testing.assert_allclose(np.frombuffer(answer.ends_s, "<f4"), [1, 2, 3], atol=0.15)
    expected = [scores[_shot(ready, "rgb.mp4", position)] for position in range(3)]
    np.testing.assert_allclose(np.frombuffer(answer.scores, "<f4"), expected, atol=1e-6)


def test_shots_need_no_file_and_encode_a_query_once(
    ready: Engine, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot = _shot(ready, "rgb.mp4", 0)
    query = p.Query(video_path=os.fsencode(media / "blue.mkv"))
    search(ready, video_path=query.video_path)
    (media / "rgb.mp4").unlink()
    (media / "blue.mkv").unlink()
    encoder = ready.opened.models.get("colours")
    before = encoder.n_images  # type: ignore[attr-defined]
    answer = ask(ready, p.GetShots(id=5, item_id=shot, query=query, model="colours"))
    assert isinstance(answer, p.Shots), answer
    assert np.argmax(np.frombuffer(answer.scores, "<f4")) == 2
    assert encoder.n_images == before  # type: ignore[attr-defined]
    answer = ask(ready, p.GetShots(id=5, item_id=shot, query=p.Query(text="red"), model="colours"))
    assert isinstance(answer, p.Shots)
    assert np.argmax(np.frombuffer(answer.scores, "<f4")) == 0


def test_shots_without_scores(ready: Engine) -> None:
    shot, photo = _shot(ready, "rgb.mp4", 0), _shot(ready, "red.png", 0)
    for request, n_shots in (
        (p.GetShots(id=5, item_id=shot), 3),
        (p.GetShots(id=5, item_id=shot, query=p.Query(text="red"), model="colour-bits"), 3),  # not indexed with it
        (p.GetShots(id=5, item_id=photo, query=p.Query(text="red"), model="colours"), 0),
    ):
        answer = ask(ready, request)
        assert isinstance(answer, p.Shots), answer
        assert (len(answer.starts_s), len(answer.ends_s), answer.scores) == (4 * n_shots, 4 * n_shots, b"")
    unknown = ask(ready, p.GetShots(id=5, item_id=segment_ids.segment_id(99, 1)))
    assert isinstance(unknown, p.Failed)
    assert unknown.kind == "LibraryError"


def test_a_model_without_pictures_indexes_videos_and_says_what_it_left_out(ready: Engine) -> None:
    done = index(ready, model="colour-clips")
    assert done.n_encoded == 3
    assert done.notice == "colour-clips reads videos only: 2 photos were left out."
    answer = search(ready, model="colour-clips", text="red")
    assert isinstance(answer, p.SearchResponse)
    assert (len(ranked(ready, answer)), answer.n_unindexed) == (3, 0)
    assert index(ready, model="colour-motion").notice == ""


def test_what_is_not_indexed_yet_is_counted_in_items(ready: Engine, media: Path) -> None:
    clip(media / "new.mp4", "red", "green", "white")
    (media / "broken.mkv").write_bytes(b"no video")
    index(ready, model="colour-clips")  # scans, and encodes with another model
    for model, n_unindexed in (("colours", 1), ("colour-clips", 0), ("colour-bits", 6)):
        answer = search(ready, model=model, text="red")
        assert isinstance(answer, p.SearchResponse), answer
        assert answer.n_unindexed == n_unindexed, model


def test_a_clip_that_is_gone_has_an_error_and_the_rest_is_indexed(
    ready: Engine, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = clip(media / "gone.mp4", "red")
    clip(media / "here.mp4", "red")
    pending = ready.opened.library.pending

    def deleting(*arguments: object) -> object:
        found = pending(*arguments)  # type: ignore[arg-type]
        gone.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(ready.opened.library, "pending", deleting)
    done = index(ready)
    assert (done.n_encoded, done.n_failed) == (1, 1)
    errors = ask(ready, p.ListErrors(id=6))
    assert isinstance(errors, p.ErrorList)
    assert errors.problems[0].display.endswith("gone.mp4")


def test_sentences_are_ranked_for_a_video(ready: Engine, media: Path, tmp_path: Path) -> None:
    said = tmp_path / "captions.json"
    said.write_text('{"captions": {"rgb.mp4": ["red then green"], "blue.mkv": ["a blue wall"], "red.png": ["red"]}}')
    added = ask(ready, p.AddCaptions(id=7, path=os.fsencode(said), model="colours"))
    assert isinstance(added, p.CaptionsAdded), added
    assert (added.n_items, added.n_unmatched) == (3, 0)
    of_file = p.Query(video_path=os.fsencode(media / "blue.mkv"))
    of_shot = p.Query(image_item_id=_shot(ready, "rgb.mp4", 2))
    for query in (of_file, of_shot):
        answer = ask(ready, p.SearchSentences(id=8, query=query, model="colours", k=1))
        assert isinstance(answer, p.SentenceRanking), answer
        assert [sentence.text for sentence in answer.sentences] == ["a blue wall"]


def test_carriers_of_a_bit_are_one_shot_a_video(ready: Engine) -> None:
    index(ready, model="colour-bits")
    for bit in range(4):
        for positive in (True, False):
            answer = ask(ready, p.CarriersOfBit(id=9, model="colour-bits", bit=bit, positive=positive))
            assert isinstance(answer, p.BitCarriers), answer
            ids, strengths = np.frombuffer(answer.item_ids, "<i8"), np.frombuffer(answer.strengths, "<f4")
            assert len(set(segment_ids.item_of(ids).tolist())) == len(ids)
            assert (np.diff(strengths) <= 0).all()


def test_progress_says_how_far_it_is_in_a_film(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.engine.pacing.PROGRESS_INTERVAL_S", 0.0)
    clip(tmp_path / "media" / "film.mp4", *["red", "green", "blue"] * 8)
    ask(engine, p.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    request = p.IndexFolders(id=2, folders=(os.fsencode(tmp_path / "media"),), model="colours")
    told = [a for a in engine.answer(request) if isinstance(a, p.Progress) and a.stage == "indexing"]
    assert any(progress.current.endswith("film.mp4 (0:06 of 0:24)") for progress in told)
    assert told[-1].n_done == told[-1].n_total == 1


def test_figures_and_explanations_of_photos_take_a_videos_query(
    ready: Engine, media: Path, colour_model: ModuleType
) -> None:
    query = p.Query(video_path=os.fsencode(media / "blue.mkv"))
    answer = ask(ready, p.Explain(id=1, item_id=_shot(ready, "red.png", 0), model="colours", query=query))
    assert isinstance(answer, p.Explanation), answer
    assert answer.score is not None
