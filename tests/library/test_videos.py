"""Videos in the catalogue: rows of shots, each with a span, a thumbnail and a vector a model."""

import os
import shutil
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from photo_library import MODEL, WEIGHTS, index_all, indexed_video, names, scan, vector_of

from explorer.library import FailedItem, ItemStatus, open_library
from explorer.segment_ids import item_of, position_of, segment_id

OTHER = "other@1111111111111111"


@pytest.fixture
def videos(photos):
    """The photos, and two videos."""
    (photos / "clip.mp4").write_bytes(b"a clip")
    (photos / "sub" / "film.MOV").write_bytes(b"a film")
    return photos


@pytest.fixture
def filled(library, videos):
    library.add_source(videos)
    index_all(library)
    return library


def ids_of(library, name):
    return next(i for i in library.item_ids().tolist() if library.describe([i])[0].name == name)


def test_a_scan_tells_what_is_a_video(library, videos):
    library.add_source(videos)
    assert scan(library).n_added == 7
    kinds = {item.path.rpartition(b"/")[2]: item.kind for item in library.pending(MODEL)}
    assert {name for name, kind in kinds.items() if kind == "video"} == {b"clip.mp4", b"film.MOV"}
    assert [item.kind for item in library.pending(MODEL, {"video"})] == ["video"] * 2
    assert {item.kind for item in library.pending(MODEL, {"image"})} == {"image"}
    assert (library.counts().n_items, library.counts().n_videos) == (7, 2)


def test_shots_come_out_as_they_went_in(filled):
    clip = ids_of(filled, "clip.mp4")
    segments = [segment_id(clip, position) for position in (2, 0, 1)]
    rows = filled.describe([*segments, segment_id(clip, 3)])
    assert [(row.item_id, row.start_s, row.end_s) for row in rows] == [
        (segments[0], 4, 6), (segments[1], 0, 2), (segments[2], 2, 4)
    ]  # fmt: skip
    assert {(row.kind, row.duration_s, row.n_shots, row.name) for row in rows} == {("video", 6.0, 3, "clip.mp4")}
    assert filled.thumbnails(segments) == {s: b"jpeg of a clip %d" % position_of(s) for s in segments}
    assert filled.path_of(segments[0]) == filled.path_of(clip)
    assert filled.shots(clip) == ((0, 2), (2, 4), (4, 6))
    photo = filled.describe([ids_of(filled, "a.jpg")])[0]
    assert (photo.kind, photo.n_shots, photo.start_s, photo.end_s) == ("image", 0, 0, 0)
    assert filled.describe([segment_id(photo.item_id, 1), 999, segment_id(999, 1)]) == []


def test_vectors_are_in_the_order_of_segments(filled):
    table = filled.vector_table(MODEL)
    ids = table.item_ids
    assert (np.diff(ids) > 0).all()
    assert ids[:7].tolist() == sorted(filled.item_ids().tolist())
    clip, film = ids_of(filled, "clip.mp4"), ids_of(filled, "film.MOV")
    assert [(position_of(i), item_of(i)) for i in ids[7:].tolist()] == [
        (1, clip), (1, film), (2, clip), (2, film)
    ]  # fmt: skip
    by_id = dict(zip(ids.tolist(), table.vectors, strict=True))
    np.testing.assert_array_equal(by_id[segment_id(film, 2)], vector_of(b"a film 2"))
    assert filled.counts().n_indexed == {MODEL: 7}  # items, not shots


def test_browsing_lists_items(filled):
    assert sorted(names(filled)) == ["a.jpg", "b.png", "c.jpg", "clip.mp4", "d.JPG", "e.jpeg", "film.MOV"]


def test_a_second_model_is_given_the_shots(filled):
    pending = {item.path.rpartition(b"/")[2]: item for item in filled.pending(OTHER)}
    assert pending[b"clip.mp4"].spans == ((0, 2), (2, 4), (4, 6))
    assert pending[b"clip.mp4"].content_hash is not None
    assert pending[b"a.jpg"].spans == ()
    filled.commit_items(OTHER, WEIGHTS, indexed=[indexed_video(pending[b"clip.mp4"], 3, seed="x")])
    assert filled.counts().n_indexed == {MODEL: 7, OTHER: 1}
    assert len(filled.vector_table(OTHER).item_ids) == 3
    assert len(filled.vector_table(MODEL).item_ids) == 11


def test_other_shots_of_the_same_file_take_the_place_of_those_known(filled):
    [clip] = [item for item in filled.pending(OTHER) if item.path.endswith(b"clip.mp4")]
    filled.commit_items(OTHER, WEIGHTS, indexed=[indexed_video(clip, 2)])
    assert filled.shots(clip.item_id) == ((0, 2), (2, 4))
    assert [item.item_id for item in filled.pending(MODEL)] == [clip.item_id]
    assert clip.item_id not in item_of(filled.vector_table(MODEL).item_ids)
    assert filled.thumbnails([segment_id(clip.item_id, 2)]) == {}


def test_a_moved_video_keeps_its_shots_and_a_copy_is_another(filled, videos):
    clip = ids_of(filled, "clip.mp4")
    shutil.copy(videos / "clip.mp4", videos / "copy.mp4")
    (videos / "clip.mp4").rename(videos / "sub" / "moved.mp4")
    summary = scan(filled)
    assert (summary.n_moved, summary.n_added) == (1, 1)
    kept = filled.describe([segment_id(clip, 2)])[0]
    assert (kept.name in {"moved.mp4", "copy.mp4"}, kept.start_s) == (True, 4)
    assert segment_id(clip, 2) in filled.vector_table(MODEL).item_ids
    assert len(filled.pending(MODEL)) == 1
    assert index_all(filled) == 1
    assert len(filled.vector_table(MODEL).item_ids) == 14


def test_a_video_is_never_taken_for_a_photo_of_the_same_content(filled, videos):
    (videos / "clip.mp4").rename(videos / "clip.jpg")
    assert scan(filled).n_moved == 0
    assert [(item.kind, item.spans) for item in filled.pending(MODEL)] == [("image", ())]


def test_a_changed_video_forgets_its_shots(filled, videos):
    clip = ids_of(filled, "clip.mp4")
    (videos / "clip.mp4").write_bytes(b"another clip")
    os.utime(videos / "clip.mp4", ns=(1, time.time_ns()))
    assert scan(filled).n_changed == 1
    assert filled.shots(clip) == ()
    assert filled.thumbnails([clip, segment_id(clip, 1)]) == {}
    assert clip not in item_of(filled.vector_table(MODEL).item_ids)
    row = filled.describe([clip])[0]
    assert (row.status, row.duration_s, row.n_shots) == (ItemStatus.PENDING, 0, 0)
    assert filled.describe([segment_id(clip, 1)]) == []
    [pending] = filled.pending(MODEL)
    assert (pending.spans, pending.content_hash) == ((), None)


def test_a_video_that_cannot_be_read_has_a_row_with_its_error(library, videos):
    library.add_source(videos)
    scan(library)
    [clip] = [item for item in library.pending(MODEL) if item.path.endswith(b"clip.mp4")]
    library.commit_items(MODEL, WEIGHTS, failed=[FailedItem(clip.item_id, "It has no picture.")])
    assert library.problems().rows[0].error == "It has no picture."
    assert (library.counts().n_videos, library.counts().n_failed_videos) == (2, 1)
    assert all(item.item_id != clip.item_id for item in library.pending(MODEL))
    assert library.retry_failed() == 1
    assert library.counts().n_failed_videos == 0


def test_a_missing_video_is_in_no_ranking_and_comes_back(filled, videos, tmp_path):
    (videos / "clip.mp4").rename(tmp_path / "elsewhere")
    scan(filled)
    assert len(filled.vector_table(MODEL).item_ids) == 8
    assert filled.counts().n_videos == 1
    (tmp_path / "elsewhere").rename(videos / "clip.mp4")
    scan(filled)
    assert len(filled.vector_table(MODEL).item_ids) == 11


def test_all_shots_land_or_none(filled, videos):
    (videos / "new.mp4").write_bytes(b"new")
    scan(filled)
    [item] = filled.pending(MODEL)
    good = indexed_video(item, 4)
    bad = replace(good, shots=(*good.shots[:3], replace(good.shots[3], vector=np.zeros((2, 2), np.float32))))
    before = filled.vector_table(MODEL).item_ids.tolist()
    with pytest.raises(ValueError, match="shape"):
        filled.commit_items(MODEL, WEIGHTS, indexed=[bad])
    assert filled.vector_table(MODEL).item_ids.tolist() == before
    assert filled.shots(item.item_id) == ()
    with pytest.raises(ValueError, match="without shots"):
        filled.commit_items(MODEL, WEIGHTS, indexed=[replace(good, shots=())])


def test_captions_are_matched_to_videos(filled, videos):
    clip = ids_of(filled, "clip.mp4")
    assert filled.sentences.match(["clip.mp4"], videos) == [(clip,)]
    filled.sentences.replace({clip: ["a dog runs"]})
    assert filled.describe([segment_id(clip, 1)])[0].captions == ("a dog runs",)
    assert filled.search_text("dog").tolist() == [clip]


def test_removing_a_source_removes_shots(filled):
    filled.remove_source(filled.sources()[0].source_id)
    with filled._connections.reading() as connection:
        for table in ("segments", "vectors", "thumbnails", "shot_thumbnails"):
            assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (0,)


def test_only_an_empty_index_is_looked_at_for_shots_of_photos(filled):
    """At a million photos a look at every segment would cost more than the rest of opening them."""
    from explorer.library.arrays import _SELECTS, Rows

    with filled._connections.reading() as connection:
        plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + _SELECTS[Rows.ITEMS][1], (1,))]
        assert plan[0].startswith("SEARCH segments USING COVERING INDEX segments_behind_first")
        assert not any("SCAN" in step or "B-TREE" in step for step in plan)
        statement = "SELECT COUNT(*) FROM items WHERE kind = 'video' AND missing_since IS NULL"
        [row] = connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        assert "items_videos" in row[3]


@pytest.mark.skipif(sys.platform == "win32", reason="a mapped file cannot be replaced there")
def test_arrays_without_later_shots_are_not_believed(filled):
    """As a program of version 1.2 would leave them."""
    filled.vector_table(MODEL)
    [manifest] = filled.folder.glob("search-*.json")
    manifest.write_text(manifest.read_text().replace('"format": 2', '"format": 1'))
    with open_library(filled.folder) as again:
        assert len(again.vector_table(MODEL).item_ids) == 11
