"""Sentences of a library and their vectors."""

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from photo_library import MODEL, WEIGHTS, index_all, names, scan

from explorer.errors import StaleIndexError
from explorer.library import Library, open_library
from explorer.library.sentences import item_of

OTHER = "other@fedcba9876543210"
DIM = 4


def vector_of(text: str) -> np.ndarray:
    return np.random.default_rng(list(text.encode())).standard_normal(DIM).astype(np.float32)


def encode(library: Library, model_id: str = MODEL, batch: int = 3) -> list[str]:
    """Encode what is missing, as the engine does; which sentences that were."""
    done: list[str] = []
    while texts := library.sentences.without_vector(model_id, limit=batch):
        library.sentences.commit(model_id, WEIGHTS, texts, np.stack(list(map(vector_of, texts))))
        done += texts
    return done


def table(library: Library, model_id: str = MODEL) -> list[tuple[str, str, bool]]:
    """(name of the item, sentence, whether the vector is the sentence's own) in the order of the table."""
    found = library.sentences.table(model_id)
    texts = library.sentences.texts(found.item_ids.tolist())
    rows = {row.item_id: row.name for row in library.describe({item_of(i) for i in found.item_ids.tolist()})}
    return [
        (rows[item_of(number)], texts[number], np.array_equal(vector, vector_of(texts[number])))
        for number, vector in zip(found.item_ids.tolist(), found.vectors, strict=True)
    ]


def vectors_kept(library: Library) -> set[str]:
    """Sentences that have a vector of any model, on the disk."""
    return {text for (text,) in library._connections.get().execute("SELECT text FROM sentence_vectors")}


@pytest.fixture
def said(library, photos):
    """A library of five photos; two of them have sentences, which have vectors of two models."""
    library.add_source(photos)
    index_all(library)
    first, second, *_ = library.item_ids().tolist()
    library.sentences.replace({first: ["a dog", "a brown dog", "red"], second: ["a cat", "red"]})
    encode(library)
    encode(library, OTHER)
    return library


def test_every_sentence_of_every_item_has_a_row_in_order(said):
    assert table(said) == [
        ("a.jpg", "a dog", True),
        ("a.jpg", "a brown dog", True),
        ("a.jpg", "red", True),
        ("b.png", "a cat", True),
        ("b.png", "red", True),
    ]
    ids = said.sentences.table(MODEL).item_ids
    assert ids.dtype == np.int64
    assert (np.diff(ids) > 0).all()


def test_identical_sentences_are_encoded_once(library, photos):
    library.add_source(photos)
    scan(library)
    ids = library.item_ids().tolist()
    library.sentences.replace({item_id: ["red", f"photo {item_id}"] for item_id in ids})
    assert library.sentences.n_without_vector(MODEL) == 6
    assert sorted(encode(library)) == sorted({"red", *(f"photo {item_id}" for item_id in ids)})
    assert len(table(library)) == 10
    assert all(own for *_, own in table(library))


def test_only_what_is_new_lacks_a_vector(said):
    third = int(said.item_ids()[2])
    said.sentences.replace({third: ["red", "a bird"]})
    assert said.sentences.n_without_vector(MODEL) == 1
    assert encode(said) == ["a bird"]
    assert [row[1] for row in table(said)][-2:] == ["red", "a bird"]


def test_sentences_come_in_pages(library, photos):
    library.add_source(photos)
    scan(library)
    library.sentences.replace({1: ["c", "a", "é", "b"]})
    assert library.sentences.without_vector(MODEL, limit=2) == ["a", "b"]
    assert library.sentences.without_vector(MODEL, after="b", limit=2) == ["c", "é"]
    assert library.sentences.without_vector(MODEL, after="é", limit=2) == []


def test_changed_and_removed_sentences_lose_their_vectors(said):
    first, second, *_ = said.item_ids().tolist()
    said.sentences.replace({first: ["a brown dog", "a hare"]})
    assert vectors_kept(said) == {"a brown dog", "a cat", "red"}, "red is still said of the second"
    assert [row[:2] for row in table(said)] == [("a.jpg", "a brown dog"), ("b.png", "a cat"), ("b.png", "red")]
    assert encode(said) == ["a hare"]
    assert [row[1] for row in table(said)] == ["a brown dog", "a hare", "a cat", "red"]
    assert all(own for *_, own in table(said))
    said.sentences.replace({first: [], second: []})
    assert vectors_kept(said) == set()
    assert said.sentences.count() == 0


def test_the_same_sentences_again_change_nothing(said):
    first, second, *_ = said.item_ids().tolist()
    before = (said.folder / "library.sqlite-wal").stat().st_size
    assert said.sentences.replace({first: ["a dog", "a brown dog", "red"], second: ["a cat", "red"]}) == 0
    assert (said.folder / "library.sqlite-wal").stat().st_size == before
    assert said.sentences.replace({first: ["a dog"], second: ["a cat", "red"]}) == 1


def test_a_sentence_that_moves_to_another_place_keeps_its_vector(said):
    first = int(said.item_ids()[0])
    said.sentences.replace({first: ["new", "red", "a brown dog", "a dog"]})
    assert encode(said) == ["new"]
    assert [row[1] for row in table(said)][:4] == ["new", "red", "a brown dog", "a dog"]


def test_full_text_follows(said):
    first, second, *_ = said.item_ids().tolist()
    assert said.search_text("brown dog").tolist() == [first]
    said.sentences.replace({first: ["a hare"]})
    assert said.search_text("dog").tolist() == []
    assert said.search_text("hare").tolist() == [first]
    assert said.search_text("red").tolist() == [second]


def test_moved_items_keep_their_sentences_and_vectors(said, photos):
    index_all(said)
    (photos / "a.jpg").rename(photos / "sub" / "moved.jpg")
    scan(said)
    assert ("moved.jpg", "a brown dog", True) in table(said)
    assert encode(said) == []
    assert said.sentences.count() == 5


def test_sentences_of_missing_items_are_not_searched_and_return_with_them(said, photos):
    (photos / "a.jpg").rename(photos.parent / "a.jpg")
    scan(said)
    assert [row[1] for row in table(said)] == ["a cat", "red"]
    assert said.sentences.count() == said.counts().n_sentences == 2
    (photos.parent / "a.jpg").rename(photos / "a.jpg")
    scan(said)
    assert len(table(said)) == said.sentences.count() == 5
    assert encode(said) == []


def test_sentences_go_with_their_source(said):
    said.remove_source(said.sources()[0].source_id)
    assert vectors_kept(said) == set()
    assert said.sentences.count() == 0
    assert table(said) == []


def test_a_photo_that_changes_without_sentences_leaves_the_arrays_alone(said, photos):
    table(said)
    before = sorted(path.name for path in said.folder.glob("sentences-*"))
    (photos / "e.jpeg").unlink()
    scan(said)
    assert len(table(said)) == 5
    assert sorted(path.name for path in said.folder.glob("sentences-*")) == before


def test_models_do_not_touch_each_other(said):
    table(said, OTHER)
    others = sorted(path.name for path in said.folder.glob(f"sentences-{OTHER.replace('.', '_')}*"))
    assert len(others) == 3
    said.drop_model(MODEL)
    assert said.sentences.n_without_vector(MODEL) == 4
    assert said.sentences.n_without_vector(OTHER) == 0
    assert sorted(path.name for path in said.folder.glob("sentences-*")) == others
    assert all(own for *_, own in table(said, OTHER))
    said.sentences.drop_other_versions(OTHER.replace("fed", "abc"))
    assert said.sentences.n_without_vector(OTHER) == 4


def test_other_versions_of_another_name_stay(said):
    said.sentences.drop_other_versions("toy@ffffffffffffffff")
    assert said.sentences.n_without_vector(MODEL) == 4
    assert said.sentences.n_without_vector(OTHER) == 0


def test_encoding_sentences_says_nothing_about_photos(library, photos):
    library.add_source(photos)
    scan(library)
    library.sentences.replace({1: ["a dog"]})
    encode(library)
    assert library.counts().n_indexed == {}
    assert library.vector_table(MODEL).vectors.shape == (0, 0)


def test_other_weights_and_widths_are_refused(said):
    said.sentences.replace({1: ["new"]})
    for weights, width in (("f" * 64, DIM), (WEIGHTS, DIM + 1)):
        with pytest.raises(StaleIndexError, match=MODEL):
            said.sentences.commit(MODEL, weights, ["new"], np.zeros((1, width), np.float32))
    assert said.sentences.n_without_vector(MODEL) == 1
    with pytest.raises(ValueError, match=r"expected vectors \(n, dim\) for 1 sentences"):
        said.sentences.commit(MODEL, WEIGHTS, ["new"], np.zeros((2, DIM), np.float32))


def test_what_nothing_says_any_more_is_passed_over(said):
    said.sentences.commit(MODEL, WEIGHTS, ["never said", "red"], np.zeros((2, DIM), np.float32))
    assert "never said" not in vectors_kept(said)
    assert all(own for *_, own in table(said)), "a vector that is there stays"
    assert said.sentences.replace({999: ["a ghost"]}) == 0
    assert said.sentences.texts([0, 999 << 16, -1]) == {}


def test_empty_sentences_are_refused(said):
    with pytest.raises(ValueError, match="none empty"):
        said.sentences.replace({1: ["a dog", ""]})
    assert said.sentences.count() == 5


def test_a_batch_of_sentences_lands_whole_or_not_at_all(said):
    first, second, *_ = said.item_ids().tolist()
    before = table(said)
    with pytest.raises(UnicodeEncodeError):
        said.sentences.replace({first: ["good"], second: ["\ud800"]})
    assert table(said) == before
    assert said.search_text("good").tolist() == []


def test_described_items_have_five_sentences_at_most(library, photos):
    library.add_source(photos)
    scan(library)
    first, second, third, *_ = library.item_ids().tolist()
    library.sentences.replace({first: [f"sentence {number}" for number in range(9)], third: ["红"]})
    rows = library.describe([third, second, first])
    assert [row.captions for row in rows] == [("红",), (), tuple(f"sentence {number}" for number in range(5))]


def test_thirty_thousand_sentences_take_few_statements(library, tmp_path):
    """What grows with the library is rows, not statements: no clock is asked."""
    n_items, per_item, batch = 600, 50, 1000
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(n_items):
        (folder / f"{number}.jpg").write_bytes(b"%d" % number)
    library.add_source(folder)
    scan(library)
    library.sentences.replace(
        {item_id: [f"sentence {n} of {item_id}" for n in range(per_item)] for item_id in library.item_ids().tolist()}
    )
    statements: list[str] = []
    connection = library._connections.get()
    connection.set_trace_callback(lambda text: statements.append(text.split()[0]))
    after, n_encoded = "", 0
    while texts := library.sentences.without_vector(MODEL, after=after, limit=batch):
        library.sentences.commit(MODEL, WEIGHTS, texts, np.zeros((len(texts), 1), np.float32))
        after, n_encoded = texts[-1], n_encoded + len(texts)
    n_batches = math.ceil(n_items * per_item / batch)
    assert n_encoded == n_items * per_item
    assert sum(word != "INSERT" for word in statements) <= 6 * n_batches + 2
    del statements[:]
    assert len(library.sentences.table(MODEL).item_ids) == n_items * per_item
    assert len(statements) <= 10
    del statements[:]
    library.sentences.count()
    library.sentences.n_without_vector(MODEL)
    assert len(statements) == 2
    connection.set_trace_callback(None)
    plan = " ".join(
        row[3] for row in connection.execute(
            "EXPLAIN QUERY PLAN DELETE FROM sentence_vectors WHERE text = 'a'"
            " AND NOT EXISTS (SELECT 1 FROM captions WHERE text = 'a')"
        )
    )  # fmt: skip
    assert "SCAN sentence_vectors" not in plan
    assert "captions_by_text" in plan


_ENCODE = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from explorer.library import open_library
from test_sentences import *
with open_library(Path(sys.argv[1])) as library:
    while sys.stdin.readline() and (texts := library.sentences.without_vector(MODEL, limit=4)):
        library.sentences.commit(MODEL, WEIGHTS, texts, np.stack(list(map(vector_of, texts))))
        print("batch", flush=True)
        library.sentences.table(MODEL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_while_encoding_goes_on_where_it_was(tmp_path, photos):
    folder = tmp_path / "library"
    with open_library(folder) as library:
        library.add_source(photos)
        index_all(library)
        library.sentences.replace(
            {item_id: [f"{n} of {item_id}" for n in range(100)] for item_id in library.item_ids().tolist()}
        )
    left = [500]
    for n_batches in (1, 5, 20):
        command = [sys.executable, "-c", _ENCODE, folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            for _ in range(n_batches):
                print(file=child.stdin, flush=True)
                assert child.stdout.readline() == "batch\n"
            print(file=child.stdin, flush=True)  # one more, somewhere in which it is killed
            child.kill()
        with open_library(folder) as library:
            assert library._connections.get().execute("PRAGMA integrity_check").fetchone() == ("ok",)
            left.append(library.sentences.n_without_vector(MODEL))
            assert 4 * n_batches <= left[-2] - left[-1] <= 4 * (n_batches + 1), "what was committed is kept"
            assert len(library.sentences.table(MODEL).item_ids) == 500 - left[-1]
    with open_library(folder) as library:
        assert len(encode(library)) == left[-1]
        assert len(table(library)) == 500
        assert all(own for *_, own in table(library))
        assert len([name for name in os.listdir(folder) if name.startswith("sentences-")]) == 3
        assert names(library)[0] == "a.jpg"
