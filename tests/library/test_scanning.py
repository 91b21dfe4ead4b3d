"""What a scan finds, and what it must not lose."""

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
from photo_library import MODEL, WEIGHTS, index_all, indexed, names, scan

from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import SourceError
from explorer.library import FailedItem, ItemStatus, ScanSummary, open_library
from explorer.library import scanning as scanning_module


def summary(**counts: int) -> ScanSummary:
    empty = dict.fromkeys(ScanSummary.__dataclass_fields__, 0)
    return ScanSummary(**(empty | counts))


def test_finds_images_and_skips_the_rest(library, photos):
    library.add_source(photos)
    assert scan(library) == summary(n_added=5, n_unsupported=1)
    assert names(library) == ["a.jpg", "b.png", "e.jpeg", "c.jpg", "d.JPG"]
    assert [row.path for row in library.describe(library.item_ids())][3] == os.fsencode(photos / "sub" / "c.jpg")


def test_second_scan_changes_nothing(library, photos):
    library.add_source(photos)
    index_all(library)
    before = (library.folder / "library.sqlite").read_bytes(), library.counts()
    assert scan(library) == summary(n_unchanged=5, n_unsupported=1)
    assert library.pending(MODEL) == []
    assert library.counts() == before[1]


def test_progress_counts_up(library, photos, monkeypatch):
    monkeypatch.setattr(scanning_module, "PROGRESS_INTERVAL_S", 0.0)
    library.add_source(photos)
    *progress, _ = library.scan(token=CancellationToken())
    assert [event.n_seen for event in progress] == [3, 5, 5]


def test_new_changed_and_removed_files(library, photos):
    library.add_source(photos)
    index_all(library)
    (photos / "new.webp").write_bytes(b"new")
    (photos / "a.jpg").write_bytes(b"another content")
    (photos / "b.png").unlink()
    changed_id = library.item_ids()[0]
    assert scan(library) == summary(n_added=1, n_changed=1, n_removed=1, n_unchanged=3, n_unsupported=1)
    assert names(library) == ["a.jpg", "e.jpeg", "new.webp", "c.jpg", "d.JPG"]
    assert [os.path.basename(item.path) for item in library.pending(MODEL)] == [b"a.jpg", b"new.webp"]
    assert library.item_ids()[0] == changed_id
    assert library.thumbnails([changed_id]) == {}
    assert len(library.vector_table(MODEL).item_ids) == 3


def test_same_size_but_newer_is_changed(library, photos):
    library.add_source(photos)
    index_all(library)
    os.utime(photos / "a.jpg", ns=(0, time.time_ns() + 10**9))
    assert scan(library).n_changed == 1


@pytest.mark.parametrize("how", ["rename the file", "rename the folder", "copy and delete", "another source"])
def test_moved_files_keep_id_vector_and_thumbnail(library, photos, tmp_path, how):
    library.add_source(photos)
    index_all(library)
    (old,) = [row for row in library.describe(library.item_ids()) if row.name == "c.jpg"]
    thumbnail, table = library.thumbnails([old.item_id]), library.vector_table(MODEL)
    if how == "rename the file":
        (photos / "sub" / "c.jpg").rename(photos / "x.jpg")
        new = photos / "x.jpg"
    elif how == "rename the folder":
        (photos / "sub").rename(photos / "other")
        new = photos / "other" / "c.jpg"
    elif how == "copy and delete":
        shutil.copyfile(photos / "sub" / "c.jpg", photos / "copy.jpg")
        (photos / "sub" / "c.jpg").unlink()
        new = photos / "copy.jpg"
    else:
        (tmp_path / "elsewhere").mkdir()
        library.add_source(tmp_path / "elsewhere")
        (photos / "sub" / "c.jpg").rename(tmp_path / "elsewhere" / "c.jpg")
        new = tmp_path / "elsewhere" / "c.jpg"
    n_moved = 2 if how == "rename the folder" else 1
    assert scan(library) == summary(n_moved=n_moved, n_unchanged=5 - n_moved, n_unsupported=1)
    assert library.path_of(old.item_id) == os.fsencode(new)
    assert library.thumbnails([old.item_id]) == thumbnail
    assert library.pending(MODEL) == []
    np.testing.assert_array_equal(library.vector_table(MODEL).vectors, table.vectors)
    assert library.search_text(new.stem).tolist() == [old.item_id]


def test_a_move_between_two_scans_is_still_seen(library, photos, tmp_path):
    library.add_source(photos)
    index_all(library)
    (photos / "a.jpg").rename(tmp_path / "a.jpg")
    assert scan(library).n_removed == 1
    assert "a.jpg" not in names(library)
    (tmp_path / "a.jpg").rename(photos / "z.jpg")
    assert scan(library) == summary(n_moved=1, n_unchanged=4, n_unsupported=1)
    assert library.pending(MODEL) == []


def test_same_size_and_other_content_is_no_move(library, photos):
    library.add_source(photos)
    index_all(library)
    (photos / "a.jpg").unlink()
    (photos / "z.jpg").write_bytes(b"CONTENT OF a.jpg")
    assert scan(library) == summary(n_added=1, n_removed=1, n_unchanged=4, n_unsupported=1)
    assert len(library.pending(MODEL)) == 1


def test_copies_are_items_of_their_own(library, photos):
    library.add_source(photos)
    index_all(library)
    shutil.copyfile(photos / "a.jpg", photos / "copy.jpg")
    assert scan(library).n_added == 1


def test_a_vanished_file_that_returns_keeps_its_vector(library, photos, tmp_path):
    library.add_source(photos)
    index_all(library)
    (photos / "a.jpg").rename(tmp_path / "aside.jpg")
    scan(library)
    assert len(library.vector_table(MODEL).item_ids) == library.counts().n_indexed[MODEL] == 4
    (tmp_path / "aside.jpg").rename(photos / "a.jpg")
    scan(library)
    assert library.pending(MODEL) == []
    assert len(library.vector_table(MODEL).item_ids) == library.counts().n_indexed[MODEL] == 5


def test_missing_items_are_forgotten_after_a_month(library, photos, monkeypatch):
    library.add_source(photos)
    index_all(library)
    (photos / "a.jpg").unlink()
    scan(library)
    assert library.counts().n_missing == 1
    real = time.time
    monkeypatch.setattr(scanning_module.time, "time", lambda: real() + 31 * 86400)
    scan(library)
    assert library.counts().n_missing == 0
    assert library.counts().n_items == 4


def test_an_unplugged_source_keeps_its_items(library, photos, tmp_path):
    source = library.add_source(photos)
    index_all(library)
    (photos / "new.jpg").write_bytes(b"not encoded yet")
    scan(library)
    photos.rename(tmp_path / "unplugged")
    assert scan(library) == summary()
    (found,) = library.sources()
    assert (found.source_id, found.missing, found.n_items) == (source.source_id, True, 6)
    assert len(library.vector_table(MODEL).item_ids) == 5
    assert library.pending(MODEL) == []  # nothing that could be read now
    (tmp_path / "unplugged").rename(photos)
    assert scan(library).n_unchanged == 6
    assert not library.sources()[0].missing
    assert len(library.pending(MODEL)) == 1


def test_the_empty_mount_point_of_an_unplugged_disk_keeps_its_items(library, photos, monkeypatch):
    library.add_source(photos)
    index_all(library)
    shutil.rmtree(photos)
    photos.mkdir()
    monkeypatch.setattr(scanning_module, "_device", lambda path: "another device")
    scan(library)
    assert library.sources()[0].missing
    assert library.counts().n_items == 5


def test_a_source_that_was_emptied_is_empty(library, photos):
    library.add_source(photos)
    index_all(library)
    shutil.rmtree(photos)
    photos.mkdir()
    assert scan(library).n_removed == 5
    assert not library.sources()[0].missing


def test_nested_and_repeated_sources_hold_one_item_a_file(library, photos, tmp_path):
    first = library.add_source(photos)
    assert library.add_source(photos).source_id == first.source_id
    nested = library.add_source(photos / "sub")
    (tmp_path / "link").symlink_to(photos)
    assert library.add_source(tmp_path / "link").source_id == first.source_id
    assert scan(library).n_added == 5
    assert {source.source_id: source.n_items for source in library.sources()} == {
        first.source_id: 5,
        nested.source_id: 2,
    }
    assert scan(library, [nested.source_id]).n_unchanged == 2
    library.remove_source(first.source_id)
    assert names(library) == ["c.jpg", "d.JPG"]
    library.remove_source(nested.source_id)
    assert library.counts().n_items == 0
    assert library.sources() == []


def test_folders_with_a_common_beginning_are_not_nested(library, tmp_path):
    for name in ("photos", "photos2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(name.encode())
    first, second = library.add_source(tmp_path / "photos"), library.add_source(tmp_path / "photos2")
    scan(library)
    library.remove_source(first.source_id)
    assert library.sources()[0].source_id == second.source_id
    assert library.sources()[0].n_items == library.counts().n_items == 1


def test_symlink_loops_end(library, photos):
    (photos / "sub" / "loop").symlink_to(photos)
    (photos / "sub" / "up").symlink_to("..")
    (photos / "self.jpg").symlink_to("self.jpg")
    (photos / "broken.jpg").symlink_to("/nowhere/at/all.jpg")
    library.add_source(photos)
    found = scan(library)
    assert found.n_added == 5
    assert [problem.path for problem in library.problems().rows] == [os.fsencode(photos / "broken.jpg")]


def test_a_linked_folder_outside_is_followed_once(library, photos, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "o.jpg").write_bytes(b"outside")
    (outside / "back").symlink_to(photos)
    for name in ("first", "second"):
        (photos / name).symlink_to(outside)
    (photos / "file.jpg").symlink_to(outside / "o.jpg")
    library.add_source(photos)
    assert scan(library).n_added == 7  # the folder once, and the linked file under its own name
    assert scan(library).n_unchanged == 7
    library.add_source(outside)
    assert scan(library) == summary(n_added=1, n_removed=2, n_unchanged=5, n_unsupported=1)


@pytest.mark.parametrize(
    "name",
    [b"a space.jpg", b"quote'\".jpg", b"new\nline.jpg", b"\xff\xfe.jpg", "日本.jpg".encode(), b"%s;-.jpg", b"[]*?.jpg"],
)
def test_names_of_all_kinds(library, tmp_path, name):
    folder = os.fsencode(tmp_path) + b"/odd " + name
    os.mkdir(folder)
    with open(os.path.join(folder, name), "wb") as stream:
        stream.write(b"content")
    library.add_source(Path(os.fsdecode(folder)))
    assert index_all(library) == 1
    (row,) = library.describe(library.item_ids())
    assert row.path == os.path.join(folder, name)
    assert os.path.exists(row.path)
    row.display.encode("utf-8")
    assert library.path_of(row.item_id) == row.path
    assert scan(library).n_unchanged == 1


def test_unreadable_files_and_folders_stop_nothing(library, photos, monkeypatch):
    library.add_source(photos)
    index_all(library)
    real = os.scandir

    def failing(path):
        if os.fsencode(path).endswith(b"sub"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("explorer.library.walking.os.scandir", failing)
    assert scan(library) == summary(n_unchanged=3, n_unsupported=1, n_problems=1)
    assert library.counts().n_items == 5  # nothing of it is lost
    (problem,) = library.problems().rows
    assert problem.path == os.fsencode(photos / "sub")
    assert "Permission denied" in problem.error
    monkeypatch.undo()
    assert scan(library).n_problems == library.problems().n_total == 0


def test_failed_items_are_tried_again_only_when_they_change(library, photos):
    library.add_source(photos)
    scan(library)
    bad, *good = library.pending(MODEL)
    library.commit_items(
        MODEL, WEIGHTS, indexed=[indexed(item) for item in good], failed=[FailedItem(bad.item_id, "The file is empty.")]
    )
    (row,) = library.describe([bad.item_id])
    assert (row.status, row.error) == (ItemStatus.FAILED, "The file is empty.")
    assert library.problems().rows[0].error == "The file is empty."
    assert scan(library).n_unchanged == 5
    assert library.pending(MODEL) == []
    os.chmod(bad.path, 0o600)  # permissions changed: what could not be read may be readable now
    assert scan(library).n_changed == 1
    assert [item.item_id for item in library.pending(MODEL)] == [bad.item_id]
    assert library.problems().n_total == 0


def test_cancelled_scan_raises_and_the_next_one_completes(library, photos):
    library.add_source(photos)
    token = CancellationToken()
    token.cancel()
    with pytest.raises(Cancelled):
        list(library.scan(token=token))
    assert scan(library).n_added == 5


def test_small_batches_find_the_same(library, photos, monkeypatch):
    monkeypatch.setattr(scanning_module, "CHANGES_PER_TRANSACTION", 1)
    library.add_source(photos)
    assert index_all(library) == 5
    (photos / "sub").rename(photos / "moved")
    assert scan(library) == summary(n_moved=2, n_unchanged=3, n_unsupported=1)


def test_never_writes_into_a_source(library, photos):
    def state():
        return sorted((str(p), p.lstat().st_mtime_ns, p.lstat().st_ctime_ns) for p in [photos, *photos.rglob("*")])

    before = state()
    library.add_source(photos)
    index_all(library)
    library.vector_table(MODEL)
    library.remove_source(library.sources()[0].source_id)
    assert state() == before


def test_the_library_folder_inside_a_source_is_not_scanned(tmp_path, photos):
    with open_library(photos / "library") as inside:
        (photos / "library" / "x.jpg").write_bytes(b"x")
        inside.add_source(photos)
        assert scan(inside).n_added == 5


def test_missing_source_folder(library, tmp_path):
    with pytest.raises(SourceError, match="does not exist"):
        library.add_source(tmp_path / "nowhere")


def test_source_that_is_a_file(library, photos):
    with pytest.raises(SourceError, match="is a file, not a folder"):
        library.add_source(photos / "a.jpg")


def test_source_in_the_library_folder(library):
    with pytest.raises(SourceError, match="holds the library itself"):
        library.add_source(library.folder)
    (library.folder / "inner").mkdir()
    with pytest.raises(SourceError, match="holds the library itself"):
        library.add_source(library.folder / "inner")
    assert library.sources() == []
