"""Sentences come in from files, are encoded once, and are ranked for a picture; with a model that knows colours."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import msgspec
import numpy as np
import pytest

from explorer import protocol
from explorer.cancellation import CancellationToken
from explorer.engine import sentences as engine_sentences
from explorer.engine.engine import Engine
from explorer.engine.sentences import BYTES_PER_BATCH, SENTENCES_PER_BATCH, SENTENCES_PER_PAGE
from explorer.library import open_library
from explorer.protocol import Answer, Request, read_message, write_message

HELPER = Path(__file__).resolve().parent.parent / "helpers" / "colour_model.py"
COLOURS = ("red", "green", "blue")


def ask(engine: Engine, request: Request, token: CancellationToken | None = None) -> Answer:
    return list(engine.answer(request, token))[-1]


def open_at(engine: Engine, folder: Path) -> protocol.LibraryState:
    state = ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(folder)))
    assert isinstance(state, protocol.LibraryState), state
    return state


def index(engine: Engine, folder: Path) -> protocol.IndexFinished:
    done = ask(engine, protocol.IndexFolders(id=2, folders=(os.fsencode(folder),), model="colours"))
    assert isinstance(done, protocol.IndexFinished), done
    return done


def write_captions(path: Path, captions: dict[str, list[str]]) -> Path:
    path.write_text(json.dumps({"captions": captions}, ensure_ascii=False), "utf-8")
    return path


def add(engine: Engine, path: Path, model: str = "") -> protocol.CaptionsAdded:
    added = ask(engine, protocol.AddCaptions(id=5, path=os.fsencode(path), model=model))
    assert isinstance(added, protocol.CaptionsAdded), added
    return added


def rank(engine: Engine, k: int = 20, **query: object) -> protocol.SentenceRanking:
    request = protocol.SearchSentences(id=6, query=protocol.Query(**query), model="colours", k=k)  # type: ignore[arg-type]
    ranking = ask(engine, request)
    assert isinstance(ranking, protocol.SentenceRanking), ranking
    return ranking


def named(engine: Engine) -> dict[str, protocol.ItemDescription]:
    browsed = ask(engine, protocol.Browse(id=7))
    assert isinstance(browsed, protocol.SearchResponse)
    item_ids = tuple(np.frombuffer(browsed.item_ids, "<i8").tolist())
    described = ask(engine, protocol.DescribeItems(id=8, item_ids=item_ids))
    assert isinstance(described, protocol.ItemDescriptions)
    return {item.name: item for item in described.items}


@pytest.fixture
def captions(photos: Path) -> Path:
    """Beside the photos: three sentences about each photo of the first three; one of them about all of a colour."""
    said = {}
    for number in range(3):
        for colour, kind in zip(COLOURS, ("jpg", "png", "webp"), strict=True):
            folder = "deep/" if colour == "green" else ""
            own = f"the {colour} thing number {number}"
            said[f"{folder}{colour} {number}.{kind}"] = [f"all {colour}", own, f"{colour} and white"]
    return write_captions(photos.parent / "said.json", said)


@pytest.fixture
def ready(engine: Engine, tmp_path: Path, photos: Path) -> Engine:
    open_at(engine, tmp_path / "library")
    index(engine, photos)
    return engine


@pytest.fixture
def encoded(ready: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The sentences that the model was given, in order."""
    encoder = ready.opened.models.get("colours")
    given: list[str] = []
    genuine = encoder.encode_texts

    def recording(texts: list[str]) -> object:
        given.extend(texts)
        return genuine(texts)

    monkeypatch.setattr(encoder, "encode_texts", recording)
    return given


def test_a_picture_finds_its_sentences(ready: Engine, captions: Path, photos: Path) -> None:
    added = add(ready, captions)
    assert (added.n_sentences, added.n_items, added.n_unmatched, added.n_encoded) == (27, 9, 0, 0)
    ranking = rank(ready, image_path=os.fsencode(photos / "deep" / "green 1.png"), k=9)
    assert ranking.n_sentences == 27
    assert len(ranking.sentences) == 9
    assert all("green" in sentence.text for sentence in ranking.sentences)
    scores = [sentence.score for sentence in ranking.sentences]
    assert scores == sorted(scores, reverse=True)
    assert {s.item_id for s in ranking.sentences} == {named(ready)[f"green {n}.png"].item_id for n in range(3)}
    assert ranking.query is not None
    assert ranking.model == "colours"


def test_equal_sentences_stand_in_the_order_of_items_and_places(ready: Engine, captions: Path) -> None:
    add(ready, captions)
    ranking = rank(ready, text="red", k=0)
    assert len(ranking.sentences) == 27
    reds = [named(ready)[f"red {number}.jpg"].item_id for number in range(3)]
    expected = [(item, text) for n, item in enumerate(reds) for text in ("all red", f"the red thing number {n}")]
    assert [(s.item_id, s.text) for s in ranking.sentences[:6]] == expected
    assert rank(ready, text="red", k=3).sentences == ranking.sentences[:3]


def test_each_sentence_is_encoded_once(ready: Engine, captions: Path, encoded: list[str]) -> None:
    assert add(ready, captions, model="colours").n_encoded == 15
    assert sorted(encoded) == sorted(set(encoded))
    assert len(encoded) == 15
    rank(ready, text="white")
    assert encoded[15:] == ["white"]
    assert add(ready, captions, model="colours").n_encoded == 0
    assert len(encoded) == 16


def test_only_new_sentences_are_encoded(ready: Engine, captions: Path, encoded: list[str]) -> None:
    add(ready, captions, model="colours")
    del encoded[:]
    more = write_captions(captions.parent / "more.json", {"red 0.jpg": ["all red", "a red fish"], "x.jpg": ["none"]})
    added = add(ready, more)
    assert (added.n_sentences, added.n_items, added.n_unmatched) == (2, 1, 1)
    assert rank(ready, text="blue").n_sentences == 26
    assert encoded == ["blue", "a red fish"]
    assert named(ready)["red 0.jpg"].captions == ("all red", "a red fish")


def test_sentences_are_counted_described_and_found(ready: Engine, captions: Path) -> None:
    add(ready, captions)
    state = ask(ready, protocol.DescribeLibrary(id=1))
    assert isinstance(state, protocol.LibraryState)
    assert state.n_sentences == 27
    assert named(ready)["blue 2.webp"].captions == ("all blue", "the blue thing number 2", "blue and white")
    assert named(ready)["blue 3.webp"].captions == ()
    assert len(ready.opened.library.search_text("thing number 2")) == 3


def test_indexing_encodes_sentences_that_have_no_vector(
    ready: Engine, captions: Path, photos: Path, encoded: list[str], make_photo: Callable[..., Path]
) -> None:
    add(ready, captions)
    answers = list(
        ready.answer(protocol.IndexFolders(id=2, folders=(os.fsencode(photos),), model="colours"))
    )
    assert isinstance(answers[-1], protocol.IndexFinished)
    assert answers[-1].n_encoded == 0, "photos, not sentences"
    assert [a.n_total for a in answers if isinstance(a, protocol.Progress) and a.stage == "sentences"] == [15]
    assert len(encoded) == 15
    index(ready, photos)
    assert len(encoded) == 15


def test_a_moved_photo_keeps_its_sentences(ready: Engine, captions: Path, photos: Path, encoded: list[str]) -> None:
    add(ready, captions, model="colours")
    (photos / "red 1.jpg").rename(photos / "deep" / "elsewhere.jpg")
    index(ready, photos)
    assert len(encoded) == 15
    assert named(ready)["elsewhere.jpg"].captions[1] == "the red thing number 1"
    assert rank(ready, text="red").n_sentences == 27


def test_copies_of_a_photo_get_the_same_sentences(ready: Engine, photos: Path, tmp_path: Path) -> None:
    (photos / "deep" / "red 0.jpg").write_bytes((photos / "red 0.jpg").read_bytes())
    index(ready, photos)
    (tmp_path / "apart").mkdir()
    added = add(ready, write_captions(tmp_path / "apart" / "said.json", {"red 0.jpg": ["twice red"]}))
    assert (added.n_items, added.n_sentences, added.n_unmatched) == (2, 2, 0)


def test_names_with_and_without_folder_join_their_sentences(ready: Engine, tmp_path: Path) -> None:
    said = {"deep/green 0.png": ["one", "two"], "green 0.png": ["two", "three"]}
    assert add(ready, write_captions(tmp_path / "said.json", said)).n_sentences == 3
    assert named(ready)["green 0.png"].captions == ("one", "two", "three")


def test_karpathy_and_coco_files_are_read_too(ready: Engine, tmp_path: Path) -> None:
    (tmp_path / "k.json").write_text(
        json.dumps({"images": [{"filename": "red 0.jpg", "split": "val", "sentences": [{"raw": "grün 红 🐕"}]}]})
    )
    (tmp_path / "c.json").write_text(
        json.dumps(
            {
                "images": [{"id": 4, "file_name": "blue 1.webp"}],
                "annotations": [{"id": 1, "image_id": 4, "caption": "blue"}, {"id": 2, "image_id": 4, "caption": "b"}],
            }
        )
    )
    assert add(ready, tmp_path / "k.json", model="colours").n_encoded == 1
    assert add(ready, tmp_path / "c.json").n_sentences == 2
    assert named(ready)["red 0.jpg"].captions == ("grün 红 🐕",)
    assert {s.text for s in rank(ready, text="blue").sentences} == {"grün 红 🐕", "blue", "b"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read: No such file"),
        (b"a dog", "not valid JSON"),
        (b"{}", "in a form that is known"),
        (b'{"captions": {"red 0.jpg": 7}}', "does not say what it should"),
        (b'{"captions": {"red 0.jpg": [""]}}', "holds no sentence"),
        (b'{"captions": {"red 99.jpg": ["a"], "x": ["b"]}}', "None of the 2 photos or videos that said.json speaks of"),
    ],
)
def test_bad_files_end_in_a_sentence_and_change_nothing(
    ready: Engine, tmp_path: Path, captions: Path, content: bytes | None, says: str
) -> None:
    add(ready, captions)
    (tmp_path / "bad").mkdir()
    path = tmp_path / "bad" / "said.json"
    if content is not None:
        path.write_bytes(content)
    answer = ask(ready, protocol.AddCaptions(id=1, path=os.fsencode(path), model="colours"))
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "DatasetError", answer.details
    assert says in answer.message
    assert answer.remedy
    assert ready.opened.library.sentences.count() == 27


def test_a_folder_of_sentences_is_left_as_it_was(ready: Engine, photos: Path, captions: Path) -> None:
    inside = write_captions(photos / "said.json", {"red 0.jpg": ["red"]})
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*")} | {photos: photos.stat().st_mtime_ns}
    add(ready, inside, model="colours")
    rank(ready, text="red")
    after = {path: path.stat().st_mtime_ns for path in photos.rglob("*")} | {photos: photos.stat().st_mtime_ns}
    assert after == before


def test_without_sentences_the_answer_is_empty_and_no_model_is_loaded(
    ready: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get(_name: str) -> None:
        raise AssertionError("loaded a model")

    monkeypatch.setattr(ready.opened.models, "get", get)
    ranking = rank(ready, text="red")
    assert (ranking.sentences, ranking.n_sentences) == ((), 0)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"text": " "}, "nothing to search for"),
        ({"image_path": b"/no/such/file.jpg"}, "/no/such/file.jpg"),
        ({"image_bytes": b"text"}, "cannot be searched with"),
        ({"text": "red", "not_text": "red"}, "cancel"),
    ],
)
def test_bad_queries_are_told_before_anything_is_encoded(
    ready: Engine, captions: Path, encoded: list[str], query: dict[str, object], says: str
) -> None:
    add(ready, captions)
    request = protocol.SearchSentences(id=6, query=protocol.Query(**query), model="colours")  # type: ignore[arg-type]
    answer = ask(ready, request)
    assert isinstance(answer, protocol.Failed)
    assert answer.kind != "Bug", answer.details
    assert says in answer.message
    assert set(encoded) <= {"red"}


def test_a_model_that_reads_no_sentences_says_so(
    ready: Engine, captions: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ready.opened.models.get("colours"), "modalities", frozenset())
    assert add(ready, captions, model="colours").n_encoded == 0
    index(ready, photos)
    request = protocol.SearchSentences(id=6, query=protocol.Query(text="red"), model="colours")
    answer = ask(ready, request)
    assert isinstance(answer, protocol.Failed)
    assert "colours reads no sentences" in answer.message


def test_a_library_that_cannot_be_written_to_ranks_what_was_encoded(
    ready: Engine, captions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(ready, captions, model="colours")
    monkeypatch.setattr(ready.opened.library._connections, "read_only", True)
    assert len(rank(ready, text="red").sentences) == 20
    monkeypatch.setattr(ready.opened.library._connections, "read_only", False)
    add(ready, write_captions(captions.parent / "more.json", {"red 3.jpg": ["new", "newer"]}))
    monkeypatch.setattr(ready.opened.library._connections, "read_only", True)
    request = protocol.SearchSentences(id=6, query=protocol.Query(text="red"), model="colours")
    answer = ask(ready, request)
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "LibraryReadOnlyError"
    assert "2 sentences" in answer.message
    changed = write_captions(captions.parent / "changed.json", {"red 3.jpg": ["changed"]})
    answer = ask(ready, protocol.AddCaptions(id=8, path=os.fsencode(changed)))
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "LibraryReadOnlyError"


def many(photos: Path, n_each: int = 60) -> Path:
    said = {f"red {number}.jpg": [f"red {number} {place}" for place in range(n_each)] for number in range(4)}
    return write_captions(photos.parent / "many.json", said)


@pytest.mark.parametrize("kind", [protocol.SearchSentences, protocol.AddCaptions, protocol.IndexFolders])
def test_a_stop_is_seen_between_batches_and_the_rest_is_encoded_later(
    ready: Engine, photos: Path, encoded: list[str], kind: type
) -> None:
    path = os.fsencode(many(photos))
    requests: dict[type, Request] = {
        protocol.SearchSentences: protocol.SearchSentences(id=9, query=protocol.Query(text="red"), model="colours"),
        protocol.AddCaptions: protocol.AddCaptions(id=9, path=path, model="colours"),
        protocol.IndexFolders: protocol.IndexFolders(id=9, folders=(), model="colours"),
    }
    if kind is not protocol.AddCaptions:
        ask(ready, protocol.AddCaptions(id=8, path=path))
    token, last = CancellationToken(), None
    for last in ready.answer(requests[kind], token):
        if isinstance(last, protocol.Progress) and last.stage == "sentences":
            assert last.n_total == 240
            token.cancel()
    assert last == protocol.Cancelled(id=9)
    library = ready.opened.library
    left = library.sentences.n_without_vector("colours@0123456789abcdef")
    assert left == 240 - SENTENCES_PER_BATCH
    assert len(rank(ready, text="red", k=0).sentences) == 240
    told = [text for text in encoded if text != "red"]
    assert len(told) == len(set(told)) == 240
    assert not ready.opened.encoding_sentences.locked()


def test_two_requests_at_once_encode_each_sentence_once(
    ready: Engine, photos: Path, encoded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(ready, protocol.AddCaptions(id=8, path=os.fsencode(many(photos))))
    together = threading.Barrier(2, timeout=60)
    encoder = ready.opened.models.get("colours")
    genuine = ready.opened.models.package

    def package(name: str) -> object:
        together.wait()
        return genuine(name)

    monkeypatch.setattr(ready.opened.models, "package", package)
    monkeypatch.setattr(ready.opened.models, "get", lambda _name: encoder)
    answers: list[Answer] = []
    request = protocol.SearchSentences(id=9, query=protocol.Query(text="red"), model="colours")
    workers = [threading.Thread(target=lambda: answers.append(ask(ready, request))) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [type(answer) for answer in answers] == [protocol.SentenceRanking] * 2, answers
    told = [text for text in encoded if text != "red"]
    assert len(told) == len(set(told)) == 240


def test_who_waits_for_another_can_be_stopped(ready: Engine, captions: Path) -> None:
    add(ready, captions)
    token = CancellationToken()
    answers: list[Answer] = []
    request = protocol.SearchSentences(id=9, query=protocol.Query(text="red"), model="colours")
    with ready.opened.encoding_sentences:
        worker = threading.Thread(target=lambda: answers.append(ask(ready, request, token)))
        worker.start()
        token.cancel()
        worker.join(60)
        assert answers == [protocol.Cancelled(id=9)]
    assert len(rank(ready, text="red").sentences) == 20


def test_batches_are_bounded_in_number_and_length() -> None:
    texts = [f"{number:05d}" * (1 + number % 7) for number in range(SENTENCES_PER_PAGE)]
    texts += ["word " * 500 + str(number) for number in range(10)] + ["x" * 3 * BYTES_PER_BATCH] + ["红" * 100] * 70
    batches = list(engine_sentences._batches(texts))
    assert sorted(text for batch in batches for text in batch) == sorted(texts)
    assert max(map(len, batches)) == SENTENCES_PER_BATCH
    for batch in batches:
        longest = max(len(text.encode()) for text in batch)
        assert len(batch) == 1 or longest * len(batch) <= BYTES_PER_BATCH
    assert len(batches) < len(texts) / 20


def test_thirty_thousand_sentences_come_in_few_batches(
    ready: Engine, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No clock is asked: calls of the model and transactions are counted."""
    library = ready.opened.library
    item_ids = library.item_ids().tolist()
    library.sentences.replace({i: [f"red {i} {place}" for place in range(2500)] for i in item_ids})
    sizes: list[int] = []
    genuine = library.sentences.commit

    def commit(model_id: str, weights_hash: str, texts: list[str], vectors: np.ndarray) -> None:
        sizes.append(len(texts))
        genuine(model_id, weights_hash, texts, vectors)

    monkeypatch.setattr(library.sentences, "commit", commit)
    ranking = rank(ready, text="red", k=5)
    assert sum(sizes) == ranking.n_sentences == 30_000
    assert len(sizes) <= 30_000 / SENTENCES_PER_BATCH + 30_000 / SENTENCES_PER_PAGE + 1
    assert [s.text for s in ranking.sentences] == [f"red {item_ids[0]} {place}" for place in range(5)]


def test_killed_while_encoding_the_next_search_goes_on(
    ready: Engine, photos: Path, tmp_path: Path, colour_model: ModuleType
) -> None:
    ask(ready, protocol.AddCaptions(id=8, path=os.fsencode(many(photos, 500))))
    folder = ready.opened.library.folder
    ready.close()
    request = protocol.SearchSentences(id=2, query=protocol.Query(text="red"), model="colours", k=0)
    child = subprocess.Popen(
        [sys.executable, str(HELPER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(HELPER.parent.parent.parent)},
    )
    assert child.stdin is not None
    assert child.stdout is not None
    decoder = msgspec.msgpack.Decoder(Answer)
    write_message(child.stdin, protocol.OpenLibrary(id=1, path=os.fsencode(folder)))
    write_message(child.stdin, request)
    while not isinstance(read_message(child.stdout, decoder), protocol.Progress):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait(60)
    child.stdin.close()
    child.stdout.close()
    with open_library(folder) as library:
        left = library.sentences.n_without_vector("colours@0123456789abcdef")
        assert left <= 2000 - SENTENCES_PER_BATCH, "what progress told of is kept"
    again = colour_model.colour_engine()
    open_at(again, folder)
    answers = list(again.answer(request))
    again.close()
    assert isinstance(answers[-1], protocol.SentenceRanking)
    assert len(answers[-1].sentences) == 2000
    totals = {a.n_total for a in answers if isinstance(a, protocol.Progress)}
    assert totals == ({left} if left else set())
