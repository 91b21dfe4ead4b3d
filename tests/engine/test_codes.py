"""A model of binary codes on the whole road: index, search, sentences, explain, beside a model of embeddings."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from explorer import pipeline, protocol
from explorer.cancellation import CancellationToken
from explorer.engine.engine import Engine
from explorer.engine.opened import Opened, build_index
from explorer.errors import ConfigError, StaleIndexError
from explorer.library import VectorTable
from explorer.media.image import decode_image
from explorer.media.item import read_content
from explorer.protocol import Answer, Request
from explorer.representations import BinaryCodes, Embeddings

BITS, N_BITS = "colour-bits", 16


def ask(engine: Engine, request: Request, token: CancellationToken | None = None) -> Answer:
    return list(engine.answer(request, token))[-1]


def index(engine: Engine, *folders: Path, model: str = BITS) -> protocol.IndexFinished:
    request = protocol.IndexFolders(id=2, folders=tuple(map(os.fsencode, folders)), model=model)
    answer = ask(engine, request)
    assert isinstance(answer, protocol.IndexFinished), answer
    return answer


def search(engine: Engine, k: int = 0, model: str = BITS, **query: object) -> tuple[list[int], list[float]]:
    answer = ask(engine, protocol.Search(id=3, query=protocol.Query(**query), model=model, k=k))  # type: ignore[arg-type]
    assert isinstance(answer, protocol.SearchResponse), answer
    assert answer.n_bits == (N_BITS if model == BITS else 0)
    return np.frombuffer(answer.item_ids, "<i8").tolist(), np.frombuffer(answer.scores, "<f4").tolist()


def names(engine: Engine, ids: list[int]) -> list[str]:
    described = ask(engine, protocol.DescribeItems(id=4, item_ids=tuple(ids)))
    assert isinstance(described, protocol.ItemDescriptions)
    return [item.name for item in described.items]


@pytest.fixture
def ready(engine: Engine, tmp_path: Path, photos: Path) -> Engine:
    ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    index(engine, photos)
    return engine


def expected(engine: Engine, query: BinaryCodes) -> tuple[list[int], list[float]]:
    """Every item by the number of its bits that differ, from its file; ties by id."""
    encoder = engine.opened.models.get(BITS)
    library = engine.opened.library
    pairs = []
    for item_id in library.item_ids().tolist():
        path = library.path_of(item_id)
        assert path is not None
        own = pipeline.encode_query(encoder, protocol.Query(image_path=path), _pixels(encoder.side_px, path))
        assert isinstance(own, BinaryCodes)
        pairs.append((int((own.signs != query.signs).sum()), item_id))
    return [item for _, item in sorted(pairs)], [1 - 2 * distance / N_BITS for distance, _ in sorted(pairs)]


def _pixels(side_px: int, path: bytes) -> np.ndarray:
    pixels: np.ndarray = decode_image(read_content(path), min_edge_px=side_px).pixels
    return pixels


@pytest.mark.parametrize("text", ["red", "a green thing", "blue white", "nothing known"])
def test_the_ranking_is_by_bits_that_differ(ready: Engine, text: str) -> None:
    query = ready.opened.models.get(BITS).encode_texts([text])
    assert isinstance(query, BinaryCodes)
    ids, scores = expected(ready, query)
    assert search(ready, text=text) == (ids, scores)
    for k in (1, 5, 12, 99):
        assert search(ready, k=k, text=text) == (ids[:k], scores[:k])
    assert len(set(scores)) < len(scores), "there are ties"


def test_a_sentence_finds_its_photos(ready: Engine) -> None:
    ids, scores = search(ready, text="a green thing")
    assert all(name.startswith("green") for name in names(ready, ids[:4]))
    assert set(scores) <= {1 - 2 * distance / N_BITS for distance in range(N_BITS + 1)}


@pytest.mark.parametrize("kind", ["image_path", "image_bytes", "image_item_id"])
def test_a_photo_finds_itself(ready: Engine, photos: Path, kind: str) -> None:
    path = photos / "deep" / "green 2.png"
    rows = ready.opened.library.describe(ready.opened.library.item_ids().tolist())
    item_id = next(row.item_id for row in rows if row.name == path.name)
    given = {"image_path": os.fsencode(path), "image_bytes": path.read_bytes(), "image_item_id": item_id}
    ids, scores = search(ready, **{kind: given[kind]})
    assert item_id in ids[: scores.count(1.0)]


def test_parts_of_a_query_are_added_before_they_are_rounded(ready: Engine, photos: Path) -> None:
    path = photos / "red 0.jpg"
    query = protocol.Query(text="blue", not_text="green", image_path=os.fsencode(path))
    encoder = ready.opened.models.get(BITS)
    image = _pixels(encoder.side_px, os.fsencode(path))
    whole = pipeline.encode_query(encoder, query, image)
    assert isinstance(whole, BinaryCodes)
    parts = [
        pipeline.encode_query(encoder, protocol.Query(text=text), None).activations  # type: ignore[union-attr]
        for text in ("blue", "green")
    ]
    picture = pipeline.encode_query(encoder, protocol.Query(image_path=b"x"), image).activations  # type: ignore[union-attr]
    np.testing.assert_array_equal(whole.packed, np.packbits(parts[0] + picture - parts[1] >= 0, axis=1))
    assert search(ready, text="blue", not_text="green", image_path=os.fsencode(path)) == expected(ready, whole)


def test_a_sentence_alone_is_what_the_model_makes_of_it(ready: Engine) -> None:
    encoder = ready.opened.models.get(BITS)
    rows = pipeline.encode_without_words(encoder, protocol.Query(text="a red thing"), None)
    own = encoder.encode_texts(["a red thing", "red thing", "a thing", "a red"])
    assert isinstance(rows, BinaryCodes)
    assert isinstance(own, BinaryCodes)
    np.testing.assert_array_equal(rows.packed, own.packed)
    np.testing.assert_allclose(rows.activations, own.activations, atol=1e-6)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"text": " "}, "nothing to search for"),
        ({"image_bytes": b"just some text"}, ""),
        ({"text": "red", "not_text": "red"}, "cancel"),
    ],
)
def test_bad_queries_end_in_a_sentence(ready: Engine, query: dict[str, object], says: str) -> None:
    answer = ask(ready, protocol.Search(id=3, query=protocol.Query(**query), model=BITS))  # type: ignore[arg-type]
    assert isinstance(answer, protocol.Failed)
    assert answer.kind != "Bug", answer.details
    assert says in answer.message


# --- the library -----------------------------------------------------------------------------------------------------


def test_two_models_share_a_library(ready: Engine, photos: Path) -> None:
    before = search(ready, text="red")
    assert search(ready, model="colours", text="red") == ([], [])
    assert index(ready, photos, model="colours").state.n_indexed == {"colours": 12, BITS: 12}
    embedded, scores = search(ready, model="colours", text="red")
    assert len(set(scores)) == 12
    assert sorted(embedded) == sorted(before[0])
    assert search(ready, text="red") == before
    assert index(ready, photos).n_encoded == 0


def test_only_what_changed_is_encoded(ready: Engine, photos: Path, make_photo: Callable[..., Path]) -> None:
    before = ready.opened.models.get("colours").n_images  # type: ignore[attr-defined]
    make_photo(photos / "new.png", (250, 250, 250))
    (photos / "red 0.jpg").rename(photos / "moved.jpg")
    (photos / "red 1.jpg").unlink()
    done = index(ready)
    assert (done.n_added, done.n_moved, done.n_removed, done.n_encoded) == (1, 1, 1, 1)
    assert ready.opened.models.get("colours").n_images == before + 1  # type: ignore[attr-defined]
    query = ready.opened.models.get(BITS).encode_texts(["red"])
    assert isinstance(query, BinaryCodes)
    assert search(ready, text="red") == expected(ready, query)
    assert "moved.jpg" in names(ready, search(ready, text="red", k=3)[0])


def test_stopped_and_taken_up_again(engine: Engine, tmp_path: Path, make_photo: Callable[..., Path]) -> None:
    folder = tmp_path / "many"
    for number in range(40):
        make_photo(folder / f"{number}.png", (6 * number, 250 - 6 * number, 40), size=(8, 8))
    ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    token = CancellationToken()
    last: Answer | None = None
    for last in engine.answer(protocol.IndexFolders(id=1, folders=(os.fsencode(folder),), model=BITS), token):
        if isinstance(last, protocol.Progress) and last.stage == "indexing":
            token.cancel()
    assert isinstance(last, protocol.Cancelled)
    kept = len(search(engine, text="red")[0])
    assert 0 < kept < 40
    assert index(engine).n_encoded == 40 - kept
    query = engine.opened.models.get(BITS).encode_texts(["red"])
    assert isinstance(query, BinaryCodes)
    assert search(engine, text="red") == expected(engine, query)


def test_a_library_survives_being_reopened(ready: Engine, tmp_path: Path, colour_model: ModuleType) -> None:
    before = search(ready, text="blue")
    ready.close()
    again = colour_model.colour_engine()
    ask(again, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    assert search(again, text="blue") == before
    again.close()


def test_a_library_without_photos_has_no_results(engine: Engine, tmp_path: Path) -> None:
    ask(engine, protocol.OpenLibrary(id=1, path=os.fsencode(tmp_path / "library")))
    for k in (0, 5):
        assert search(engine, k=k, text="red") == ([], [])
    (tmp_path / "empty").mkdir()
    index(engine, tmp_path / "empty")
    assert search(engine, k=5, text="red") == ([], [])


def test_an_index_made_by_another_model_is_refused(ready: Engine) -> None:
    ready.opened.models.encoders[BITS].model_id = f"{BITS}@0000000000000000"  # type: ignore[attr-defined]
    answer = ask(ready, protocol.Search(id=1, query=protocol.Query(text="red"), model=BITS))
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "StaleIndexError"
    assert f"was indexed with {BITS}@fedcba9876543210, but {BITS}@0000000000000000 is loaded" in answer.message
    assert "Index again" in answer.remedy


@pytest.mark.parametrize(
    "query",
    [BinaryCodes(np.zeros((1, 4), np.uint8)), Embeddings(np.ones((1, 16), np.float32))],
    ids=["another width", "another kind"],
)
def test_what_cannot_be_compared_is_refused(ready: Engine, query: BinaryCodes | Embeddings) -> None:
    opened: Opened = ready.opened
    with pytest.raises(StaleIndexError, match="holds codes of 16 bits of colour-bits@"):
        opened.index_of("colour-bits@fedcba9876543210", query)


def test_an_index_is_kept_while_nothing_changes(ready: Engine, make_photo: Callable[..., Path], photos: Path) -> None:
    query = ready.opened.models.get(BITS).encode_texts(["red"])
    first = ready.opened.index_of("colour-bits@fedcba9876543210", query)
    assert ready.opened.index_of("colour-bits@fedcba9876543210", query) is first
    make_photo(photos / "new.png", (250, 250, 250))
    index(ready)
    second = ready.opened.index_of("colour-bits@fedcba9876543210", query)
    assert (len(first), len(second)) == (12, 13)


# --- sentences and evidence ------------------------------------------------------------------------------------------


def test_sentences_are_ranked_by_bits_that_differ(ready: Engine, photos: Path, tmp_path: Path) -> None:
    said = {"red 0.jpg": ["a red car", "white snow"], "blue 1.webp": ["a blue sea", "a red car"]}
    (tmp_path / "said.json").write_text(json.dumps({"captions": said}))
    added = ask(ready, protocol.AddCaptions(id=5, path=os.fsencode(tmp_path / "said.json"), model=BITS))
    assert isinstance(added, protocol.CaptionsAdded), added
    assert added.n_encoded == 3, "a sentence that is said twice is encoded once"
    path = photos / "red 2.jpg"
    request = protocol.SearchSentences(id=6, query=protocol.Query(image_path=os.fsencode(path)), model=BITS)
    ranking = ask(ready, request)
    assert isinstance(ranking, protocol.SentenceRanking), ranking
    assert ranking.n_bits == N_BITS
    encoder = ready.opened.models.get(BITS)
    image = pipeline.encode_query(encoder, request.query, _pixels(encoder.side_px, os.fsencode(path)))
    texts = [sentence.text for sentence in ranking.sentences]
    codes = encoder.encode_texts(texts)
    assert isinstance(image, BinaryCodes)
    assert isinstance(codes, BinaryCodes)
    assert [sentence.score for sentence in ranking.sentences] == (1 - 2 * (codes.signs != image.signs).mean(1)).tolist()
    assert texts[:2] == ["a red car", "a red car"]
    assert ranking.sentences[0].item_id < ranking.sentences[1].item_id


def test_the_score_of_the_evidence_is_the_score_of_the_ranking(ready: Engine) -> None:
    ids, scores = search(ready, text="a red thing")
    for item_id, score in list(zip(ids, scores, strict=True))[::4]:
        request = protocol.Explain(id=2, item_id=item_id, model=BITS, query=protocol.Query(text="a red thing"))
        explained = ask(ready, request)
        assert isinstance(explained, protocol.Explanation), explained
        assert explained.score == score
        assert explained.bits is not None
        own, query = (np.frombuffer(part, "<f4") for part in (explained.bits.item, explained.bits.query))
        assert 1 - 2 * np.mean((own >= 0) != (query >= 0)) == score
        assert explained.words is not None
        assert explained.words.words == ("a", "red", "thing")


def test_what_the_inspector_shows_is_what_the_library_has(ready: Engine) -> None:
    """The item whose bit is firmest is the same for an explanation and for the carriers of the bit."""
    answer = ask(ready, protocol.CarriersOfBit(id=2, model=BITS, bit=5))
    assert isinstance(answer, protocol.BitCarriers)
    ids, strengths = np.frombuffer(answer.item_ids, "<i8").tolist(), np.frombuffer(answer.strengths, "<f4")
    for item_id, strength in zip(ids, strengths, strict=True):
        explained = ask(ready, protocol.Explain(id=3, item_id=item_id, model=BITS, query=protocol.Query(text="red")))
        assert isinstance(explained, protocol.Explanation)
        assert explained.bits is not None
        assert np.frombuffer(explained.bits.item, "<f4")[5] == pytest.approx(strength, abs=0.6 / 127 + 0.03)


@pytest.mark.parametrize("codes", ["ivf", "hnsw"])
def test_codes_are_searched_as_the_engine_was_told(codes: str) -> None:
    rng = np.random.default_rng(0)
    packed = rng.integers(0, 256, (3000, 8), np.uint8)
    table = VectorTable(np.arange(3000), packed, np.zeros((3000, 64), np.int8))
    query = BinaryCodes(packed[:5])
    near, exact = (build_index(table, query, "any@0", codes=way).search(query, 3) for way in (codes, "exact"))
    assert near.item_ids[:, 0].tolist() == list(range(5))
    assert np.isin(near.item_ids, exact.item_ids).mean() > 0.5


def test_an_unknown_way_to_search_codes_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no way to search codes") as error:
        Engine([tmp_path], codes="quickly")
    assert "hnsw" in error.value.remedy
