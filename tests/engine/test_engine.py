"""What the engine answers, with a model that knows colours."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine.engine import Engine
from explorer.protocol import Answer, Request


def ask(engine: Engine, request: Request, token: CancellationToken | None = None) -> Answer:
    return list(engine.answer(request, token))[-1]


def open_at(engine: Engine, folder: Path) -> protocol.LibraryState:
    answer = ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(folder)))
    assert isinstance(answer, protocol.LibraryState), answer
    return answer


def index(engine: Engine, *folders: Path) -> protocol.IndexFinished:
    request = protocol.IndexFolders(id=2, folders=tuple(map(os.fsencode, folders)), model="colours")
    answer = ask(engine, request)
    assert isinstance(answer, protocol.IndexFinished), answer
    return answer


def search(engine: Engine, k: int = 0, **query: object) -> tuple[list[str], list[float]]:
    answer = ask(engine, protocol.Search(id=3, query=protocol.Query(**query), model="colours", k=k))  # type: ignore[arg-type]
    assert isinstance(answer, protocol.SearchResponse), answer
    ids = tuple(np.frombuffer(answer.item_ids, "<i8").tolist())
    described = ask(engine, protocol.DescribeItems(id=4, item_ids=ids))
    assert isinstance(described, protocol.ItemDescriptions)
    return [item.name for item in described.items], np.frombuffer(answer.scores, "<f4").tolist()


@pytest.fixture
def ready(engine: Engine, tmp_path: Path, photos: Path) -> Engine:
    open_at(engine, tmp_path / "library")
    index(engine, photos)
    return engine


def test_a_sentence_finds_its_photos(ready: Engine) -> None:
    names, scores = search(ready, text="a red car")
    assert all(name.startswith("red") for name in names[:4])
    assert len(names) == 12
    assert scores == sorted(scores, reverse=True)


def test_k_cuts_the_ranking(ready: Engine) -> None:
    assert search(ready, k=5, text="blue")[0] == search(ready, text="blue")[0][:5]


@pytest.mark.parametrize("kind", ["image_path", "image_bytes", "image_item_id"])
def test_a_photo_finds_itself_however_it_is_given(ready: Engine, photos: Path, kind: str) -> None:
    path = photos / "deep" / "green 2.png"
    if kind == "image_item_id":
        answer = ask(ready, protocol.Browse(id=1))
        assert isinstance(answer, protocol.SearchResponse)
        ids = np.frombuffer(answer.item_ids, "<i8").tolist()
        described = ask(ready, protocol.DescribeItems(id=1, item_ids=tuple(ids)))
        assert isinstance(described, protocol.ItemDescriptions)
        value: object = next(item.item_id for item in described.items if item.name == path.name)
    else:
        value = os.fsencode(path) if kind == "image_path" else path.read_bytes()
    names, scores = search(ready, **{kind: value})
    assert names[0] == path.name
    assert scores[0] == pytest.approx(1.0, abs=1e-5)


def test_what_to_stay_away_from_goes_to_the_end(ready: Engine) -> None:
    names, _ = search(ready, text="white", not_text="green")
    assert all(name.startswith("green") for name in names[-4:])


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"text": ""}, "nothing to search for"),
        ({"text": " \n "}, "nothing to search for"),
        ({"image_bytes": b"just some text"}, ""),
        ({"image_path": b"/no/such/file.jpg"}, "/no/such/file.jpg"),
        ({"image_item_id": 999_999}, "no item 999999"),
        ({"text": "red", "not_text": "red"}, "cancel"),
    ],
)
def test_bad_queries_end_in_a_sentence(ready: Engine, query: dict[str, object], says: str) -> None:
    answer = ask(ready, protocol.Search(id=3, query=protocol.Query(**query), model="colours"))  # type: ignore[arg-type]
    assert isinstance(answer, protocol.Failed)
    assert answer.kind != "Bug", answer.details
    assert says in answer.message


@pytest.mark.parametrize("text", ["red " * 2500, "🟥🐕‍🦺 red", "красный red 红", "red\x00\n\t'\"--"])
def test_odd_sentences_are_searched(ready: Engine, text: str) -> None:
    assert len(search(ready, text=text)[0]) == 12


def test_a_second_run_encodes_nothing(ready: Engine, photos: Path) -> None:
    before = ready.opened.models.get("colours").n_images  # type: ignore[attr-defined]
    done = index(ready, photos)
    assert (done.n_encoded, done.n_unchanged) == (0, 12)
    assert ready.opened.models.get("colours").n_images == before  # type: ignore[attr-defined]


def test_only_what_changed_is_encoded(ready: Engine, photos: Path, make_photo: Callable[..., Path]) -> None:
    make_photo(photos / "new.png", (250, 250, 250))
    (photos / "red 0.jpg").rename(photos / "moved.jpg")
    (photos / "red 1.jpg").unlink()
    done = index(ready)
    assert (done.n_added, done.n_moved, done.n_removed, done.n_encoded) == (1, 1, 1, 1)
    names, _ = search(ready, text="red")
    assert "moved.jpg" in names[:3]
    assert "red 1.jpg" not in names


def test_unreadable_files_are_listed_and_stop_nothing(ready: Engine, photos: Path) -> None:
    (photos / "empty.jpg").touch()
    (photos / "text.png").write_text("not a picture")
    done = index(ready)
    assert done.n_failed == 2
    answer = ask(ready, protocol.ListErrors(id=1))
    assert isinstance(answer, protocol.ErrorList)
    assert {problem.display.rpartition("/")[2] for problem in answer.problems} == {"empty.jpg", "text.png"}
    assert all(problem.error for problem in answer.problems)
    assert len(search(ready, text="red")[0]) == 12


def test_indexing_stops_between_batches_and_goes_on(
    engine: Engine, tmp_path: Path, make_photo: Callable[..., Path]
) -> None:
    folder = tmp_path / "many"
    for number in range(40):
        make_photo(folder / f"{number}.png", (number, 0, 0), size=(8, 8))
    open_at(engine, tmp_path / "library")
    token = CancellationToken()
    last: Answer | None = None
    for last in engine.answer(protocol.IndexFolders(id=1, folders=(os.fsencode(folder),), model="colours"), token):
        if isinstance(last, protocol.Progress) and last.stage == "indexing":
            token.cancel()
    assert isinstance(last, protocol.Cancelled)
    kept = ask(engine, protocol.DescribeLibrary(id=2))
    assert isinstance(kept, protocol.LibraryState)
    assert 0 < kept.n_indexed["colours"] < 40
    assert index(engine).n_encoded == 40 - kept.n_indexed["colours"]


def test_evidence_and_pictures(ready: Engine) -> None:
    answer = ask(ready, protocol.Browse(id=1))
    assert isinstance(answer, protocol.SearchResponse)
    item = int(np.frombuffer(answer.item_ids, "<i8")[0])
    explained = ask(ready, protocol.Explain(id=2, item_id=item, model="colours", query=protocol.Query(text="red")))
    assert isinstance(explained, protocol.Explanation), explained
    assert (explained.attention[0].height, explained.attention[0].width) == (8, 8)
    assert len(explained.attention[0].values) == 8 * 8 * 4
    assert explained.score is not None
    picture = ask(ready, protocol.GetPicture(id=3, item_id=item, max_edge_px=50))
    assert isinstance(picture, protocol.Picture)
    assert (picture.full_width_px, picture.full_height_px) == (120, 80)
    assert picture.jpeg.startswith(b"\xff\xd8")


def test_the_score_of_the_evidence_is_the_score_of_the_ranking(ready: Engine) -> None:
    answer = ask(ready, protocol.Search(id=1, query=protocol.Query(text="red"), model="colours", k=1))
    assert isinstance(answer, protocol.SearchResponse)
    item = int(np.frombuffer(answer.item_ids, "<i8")[0])
    explained = ask(ready, protocol.Explain(id=2, item_id=item, model="colours", query=protocol.Query(text="red")))
    assert isinstance(explained, protocol.Explanation)
    assert explained.score == pytest.approx(float(np.frombuffer(answer.scores, "<f4")[0]), abs=2e-2)


def test_a_library_survives_being_reopened(ready: Engine, tmp_path: Path, colour_model: ModuleType) -> None:
    before = search(ready, text="blue")
    ready.close()
    again = colour_model.colour_engine()
    assert open_at(again, tmp_path / "library").n_indexed == {"colours": 12}
    assert search(again, text="blue") == before
    again.close()


def test_forgetting_a_folder_leaves_its_files(ready: Engine, photos: Path) -> None:
    state = ask(ready, protocol.DescribeLibrary(id=1))
    assert isinstance(state, protocol.LibraryState)
    after = ask(ready, protocol.RemoveSource(id=2, source_id=state.sources[0].source_id))
    assert isinstance(after, protocol.LibraryState)
    assert after.n_items == 0
    assert len(list(photos.rglob("*.*"))) == 12


def test_a_source_that_is_gone_keeps_its_items(ready: Engine, photos: Path) -> None:
    shutil.move(photos, photos.with_name("unplugged"))
    done = index(ready)
    assert done.state.sources[0].missing
    assert done.state.n_items == 12


def test_without_a_library_requests_say_so(engine: Engine) -> None:
    for request in (protocol.Browse(id=1), protocol.Search(id=2, query=protocol.Query(text="red"), model="colours")):
        answer = ask(engine, request)
        assert isinstance(answer, protocol.Failed)
        assert "No library is open" in answer.message


def test_a_library_without_photos_has_no_results(engine: Engine, tmp_path: Path) -> None:
    open_at(engine, tmp_path / "library")
    assert search(engine, text="red") == ([], [])
    (tmp_path / "empty").mkdir()
    index(engine, tmp_path / "empty")
    assert search(engine, k=5, text="red") == ([], [])


def test_a_bug_is_told_with_its_details_and_ends_nothing(ready: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(ready.opened.models.get("colours"), "encode_texts", broken)
    answer = ask(ready, protocol.Search(id=3, query=protocol.Query(text="red"), model="colours"))
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "Bug"
    assert "boom" in answer.details
    assert isinstance(ask(ready, protocol.Browse(id=4)), protocol.SearchResponse)


def test_another_protocol_is_refused(engine: Engine) -> None:
    answer = ask(engine, protocol.Hello(id=1, protocol_version=99))
    assert isinstance(answer, protocol.Failed)
    assert "99" in answer.message
