"""What goes into a library comes out of it, whole; and who else is using it is respected."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from photo_library import DIM, MODEL, WEIGHTS, index_all, indexed, names, scan, vector_of

from explorer.cancellation import CancellationToken
from explorer.errors import LibraryBusyError, StaleIndexError
from explorer.library import FailedItem, ItemStatus, hash_content, open_library

OTHER_VERSION = "toy@fedcba9876543210"
SECOND_MODEL = "other@1111111111111111"


def test_indexed_items_come_out_as_they_went_in(library, photos):
    library.add_source(photos)
    assert index_all(library) == 5
    contents = {row.item_id: Path(os.fsdecode(row.path)).read_bytes() for row in library.describe(library.item_ids())}
    for row in library.describe(library.item_ids()):
        content = contents[row.item_id]
        assert (row.width_px, row.height_px, row.size_bytes) == (len(content), 1, len(content))
        assert row.status == ItemStatus.READY
        assert row.captured_at == "2020-01-02T03:04:05"
        assert row.mtime_ns == os.stat(row.path).st_mtime_ns
    assert library.thumbnails(library.item_ids()) == {i: b"jpeg of " + content for i, content in contents.items()}
    table = library.vector_table(MODEL, WEIGHTS)
    assert table.item_ids.tolist() == sorted(contents)
    assert table.vectors.dtype == np.float32
    assert isinstance(table.vectors, np.memmap)
    for item_id, vector in zip(table.item_ids, table.vectors, strict=True):
        np.testing.assert_array_equal(vector, vector_of(contents[item_id]))
    assert library.counts().n_indexed == {MODEL: 5}


def test_describe_keeps_the_order_and_leaves_out_the_unknown(library, photos):
    library.add_source(photos)
    scan(library)
    ids = library.item_ids().tolist()
    asked = [ids[3], 10**9, ids[0], ids[3], -1]
    assert [row.item_id for row in library.describe(asked)] == [ids[3], ids[0], ids[3]]
    assert library.path_of(10**9) is None
    assert library.item_ids(limit=2).tolist() == ids[:2]
    assert library.describe([]) == []


def test_more_ids_than_one_statement_takes(library, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(1203):
        (folder / f"{number:04}.jpg").write_bytes(b"%d" % number)
    library.add_source(folder)
    index_all(library)
    ids = library.item_ids()
    assert names(library) == [f"{number:04}.jpg" for number in range(1203)]
    assert library.thumbnails(ids[::-1])[int(ids[1202])] == b"jpeg of 1202"


def test_a_second_model_keeps_the_thumbnails(library, photos):
    library.add_source(photos)
    index_all(library)
    before = library.thumbnails(library.item_ids())
    items = library.pending(SECOND_MODEL)
    assert len(items) == 5
    without = [indexed(item, vector=np.ones(3, np.float32)) for item in items]
    library.commit_items(SECOND_MODEL, "1" * 64, indexed=[_replace(item, thumbnail=None) for item in without])
    assert library.thumbnails(library.item_ids()) == before
    assert library.counts().n_indexed == {MODEL: 5, SECOND_MODEL: 5}
    assert library.vector_table(SECOND_MODEL).vectors.shape == (5, 3)
    library.drop_model(SECOND_MODEL)
    assert library.counts().n_indexed == {MODEL: 5}
    assert len(library.vector_table(MODEL).item_ids) == 5
    assert not list(library.folder.glob("search-other*"))


def _replace(item, **changes):
    fields = {name: getattr(item, name) for name in item.__dataclass_fields__}
    return type(item)(**(fields | changes))


def test_a_file_that_changed_between_two_models_loses_the_first_ones_vector(library, photos):
    library.add_source(photos)
    index_all(library)
    item = library.pending(SECOND_MODEL)[0]
    library.commit_items(
        SECOND_MODEL, "1" * 64, indexed=[_replace(indexed(item), content_hash=hash_content(b"changed meanwhile"))]
    )
    assert library.counts().n_indexed == {MODEL: 4, SECOND_MODEL: 1}
    assert [pending.item_id for pending in library.pending(MODEL)] == [item.item_id]
    assert item.item_id not in library.vector_table(MODEL).item_ids


def test_a_batch_lands_whole_or_not_at_all(library, photos):
    library.add_source(photos)
    scan(library)
    items = library.pending(MODEL)
    broken = _replace(indexed(items[1]), vector=np.ones((2, 2), np.float32))
    with pytest.raises(ValueError, match=r"shape \(dim,\)"):
        library.commit_items(
            MODEL, WEIGHTS, indexed=[indexed(items[0]), broken], failed=[FailedItem(items[2].item_id, "x")]
        )
    assert library.counts().n_indexed == {}
    assert library.thumbnails(library.item_ids()) == {}
    assert len(library.pending(MODEL)) == 5


def test_items_removed_meanwhile_are_passed_over(library, photos):
    source = library.add_source(photos)
    scan(library)
    items = library.pending(MODEL)
    library.remove_source(source.source_id)
    library.commit_items(MODEL, WEIGHTS, indexed=[indexed(items[0])], failed=[FailedItem(items[1].item_id, "gone")])
    assert library.counts().n_items == 0
    assert len(library.vector_table(MODEL).item_ids) == 0


def test_unreadable_items_can_be_tried_again_on_request(library, photos):
    library.add_source(photos)
    scan(library)
    items = library.pending(MODEL)
    library.commit_items(MODEL, WEIGHTS, failed=[FailedItem(item.item_id, "A HEIC image.") for item in items[:2]])
    assert len(library.pending(MODEL)) == 3
    assert library.retry_failed() == 2
    assert library.pending(MODEL) == items
    assert library.problems().n_total == 0


def test_removing_a_source_removes_all_that_hangs_on_it(library, photos):
    source = library.add_source(photos)
    index_all(library)
    library.sentences.replace({int(library.item_ids()[0]): ["a dog"]})
    library.remove_source(source.source_id)
    with library._connections.reading() as connection:
        for table in ("items", "folders", "segments", "vectors", "thumbnails", "captions", "item_texts", "sources"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,), table


def test_captions_and_names_are_found(library, photos):
    library.add_source(photos)
    scan(library)
    first, second = library.item_ids()[:2].tolist()
    library.sentences.replace({first: ["A dog jumps over a log", "Brown dog"]})
    library.sentences.replace({second: ["A cat"]})
    assert library.search_text("dog LOG").tolist() == [first]
    assert library.search_text("jump").tolist() == [first]  # the beginning of a word
    assert library.search_text("dog cat").tolist() == []
    assert library.search_text("b png").tolist() == [second]
    library.sentences.replace({first: ["A bird"]})
    assert library.search_text("dog").tolist() == []


@pytest.mark.parametrize(
    "words", ["", "  ", '"', "AND", "NEAR(", "a*b:c", "-", "'; DROP TABLE items", "🐕", "x" * 10_000, "\0"]
)
def test_any_text_may_be_searched(library, photos, words):
    library.add_source(photos)
    scan(library)
    assert library.search_text(words).dtype == np.int64


# --- search arrays --------------------------------------------------------------------------------------------------


def test_no_vectors_at_all(library):
    table = library.vector_table(MODEL)
    assert (len(table.item_ids), len(table.vectors)) == (0, 0)


def test_arrays_are_used_again_until_something_changes(library, photos):
    library.add_source(photos)
    index_all(library)

    def files():
        return {path.name for path in library.folder.glob("*.npy")}

    library.vector_table(MODEL)
    first = files()
    library.vector_table(MODEL)
    scan(library)
    library.vector_table(MODEL)
    assert files() == first
    (photos / "a.jpg").unlink()
    scan(library)
    assert len(library.vector_table(MODEL).item_ids) == 4
    assert files() != first
    assert len(files()) == 2  # the older generation is gone


def test_mapped_arrays_outlive_their_files(library, photos):
    library.add_source(photos)
    index_all(library)
    table = library.vector_table(MODEL)
    expected = np.array(table.vectors)
    (photos / "a.jpg").unlink()
    scan(library)
    library.vector_table(MODEL)
    np.testing.assert_array_equal(table.vectors, expected)


@pytest.mark.parametrize("damage", ["no manifest", "manifest is junk", "vectors cut off", "no vectors", "other shape"])
def test_damaged_arrays_are_rebuilt(library, photos, damage):
    library.add_source(photos)
    index_all(library)
    expected = np.array(library.vector_table(MODEL).vectors)
    (manifest,) = library.folder.glob("search-*.json")
    (vectors,) = library.folder.glob("*.vectors.npy")
    if damage == "no manifest":
        manifest.unlink()
    elif damage == "manifest is junk":
        manifest.write_text("{")
    elif damage == "vectors cut off":
        vectors.write_bytes(vectors.read_bytes()[:140])
    elif damage == "no vectors":
        vectors.unlink()
    else:
        np.save(vectors, np.zeros((5, 3), np.float32))
    np.testing.assert_array_equal(library.vector_table(MODEL).vectors, expected)


def test_arrays_of_another_library_are_not_believed(library, photos, tmp_path):
    library.add_source(photos)
    index_all(library)
    library.vector_table(MODEL)
    with open_library(tmp_path / "second") as second:
        second.add_source(photos / "sub")
        index_all(second)
        for path in library.folder.glob("search-*"):
            (second.folder / path.name).write_bytes(path.read_bytes())
        assert len(second.vector_table(MODEL).item_ids) == 2


def test_other_weights_under_the_same_id(library, photos):
    library.add_source(photos)
    index_all(library)
    with pytest.raises(StaleIndexError, match=f"made with the weights {WEIGHTS[:16]}, but ffff"):
        library.vector_table(MODEL, "f" * 64)
    item = library.pending(SECOND_MODEL)[0]
    with pytest.raises(StaleIndexError, match="made with the weights"):
        library.commit_items(MODEL, "f" * 64, indexed=[indexed(item)])
    with pytest.raises(StaleIndexError, match=f"embeddings of {DIM} numbers .* makes embeddings of 3"):
        library.commit_items(MODEL, WEIGHTS, indexed=[indexed(item, vector=np.ones(3, np.float32))])


def test_only_another_version_of_the_model_was_indexed(library, photos):
    library.add_source(photos)
    index_all(library)
    with pytest.raises(StaleIndexError, match=f"was indexed with {MODEL}, but {OTHER_VERSION} is loaded"):
        library.vector_table(OTHER_VERSION)
    assert len(library.vector_table(SECOND_MODEL).item_ids) == 0  # another model altogether: simply nothing yet


# --- several users --------------------------------------------------------------------------------------------------


def test_two_libraries_on_one_folder_see_each_other(library, photos):
    with open_library(library.folder) as other:
        library.add_source(photos)
        index_all(library)
        assert other.counts().n_indexed == {MODEL: 5}
        assert len(other.vector_table(MODEL).item_ids) == 5
        assert scan(other).n_unchanged == 5


def test_a_second_indexer_is_told_and_readers_are_not_held_up(library, photos):
    library.add_source(photos)
    index_all(library)
    with open_library(library.folder) as other, library.indexing():
        with pytest.raises(LibraryBusyError, match=f"process {os.getpid()}.* is indexing"):
            scan(other)
        with pytest.raises(LibraryBusyError):
            other.commit_items(MODEL, WEIGHTS)
        assert other.counts().n_items == 5
        assert scan(library).n_unchanged == 5  # who holds the lock may go on
    with open_library(library.folder) as other:
        assert scan(other).n_unchanged == 5


def test_another_thread_of_the_same_library_is_told_too(library, photos):
    library.add_source(photos)
    caught = []

    def index() -> None:
        try:
            scan(library)
        except LibraryBusyError as error:
            caught.append(error)

    with library.indexing():
        thread = threading.Thread(target=index)
        thread.start()
        thread.join()
    assert len(caught) == 1


def test_another_program_holds_the_lock_until_it_is_killed(library, photos):
    library.add_source(photos)
    script = (
        "import sys, time; from pathlib import Path; from explorer.library import open_library\n"
        "with open_library(Path(sys.argv[1])) as library, library.indexing():\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, library.folder], stdout=subprocess.PIPE, text=True)
    with child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(LibraryBusyError, match=f"process {child.pid}"):
            scan(library)
        child.kill()
    assert scan(library).n_added == 5


def test_an_abandoned_scan_releases_the_lock(library, photos):
    library.add_source(photos)
    events = library.scan(token=CancellationToken())
    next(events)
    events.close()
    with open_library(library.folder) as other:
        assert scan(other).n_problems == 0


def test_readers_in_threads_while_a_writer_works(library, photos, tmp_path):
    """Every reader sees whole batches only, and nobody raises."""
    for number in range(60):
        (photos / f"{number}.jpg").write_bytes(b"%d" % number)
    library.add_source(photos)
    scan(library)
    items = library.pending(MODEL)
    seen, failures, done = set(), [], threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                table = library.vector_table(MODEL)
                seen.add(len(table.item_ids))
                ready = [row for row in library.describe(library.item_ids()) if row.status == ItemStatus.READY]
                assert len(library.thumbnails([row.item_id for row in ready])) == len(ready)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must show it
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    for start in range(0, len(items), 5):
        library.commit_items(MODEL, WEIGHTS, indexed=[indexed(item) for item in items[start : start + 5]])
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    assert {number % 5 for number in seen} == {0}
    assert len(library.vector_table(MODEL).item_ids) == 65


def test_a_closed_library_says_so(tmp_path):
    library = open_library(tmp_path / "library")
    library.close()
    library.close()
    with pytest.raises(RuntimeError, match="is closed"):
        library.counts()
