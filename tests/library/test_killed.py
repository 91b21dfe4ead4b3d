"""``kill -9`` at any moment leaves whole items only, and indexing goes on where it was."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from photo_library import MODEL, index_all

from explorer.library import ItemStatus, Library, open_library
from explorer.segment_ids import item_of, segment_id

_N_PHOTOS = 300
_N_ROUNDS = 6

_INDEX = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from explorer.library import open_library
from explorer.library import scanning
from photo_library import *
scanning.CHANGES_PER_TRANSACTION = 20
with open_library(Path(sys.argv[1])) as library:
    library.add_source(Path(sys.argv[2]))
    print("open", flush=True)
    scan(library)
    items = library.pending(MODEL)
    for start in range(0, len(items), 4):
        library.commit_items(MODEL, WEIGHTS, indexed=[
            indexed_video(item, 3) if item.kind == "video" else indexed(item) for item in items[start : start + 4]
        ])
        print("batch", flush=True)
        if start % 16 == 0:
            library.vector_table(MODEL)
print("done", flush=True)
"""


def content_of(library: Library) -> dict[bytes, tuple[object, ...]]:
    """All that the library knows, by path; ids are left out, as they depend on the order of events."""
    table = library.vector_table(MODEL)
    vectors = dict(zip(table.item_ids.tolist(), np.asarray(table.vectors), strict=True))
    rows = library.describe(library.item_ids())
    thumbnails = library.thumbnails([row.item_id for row in rows])
    return {
        row.path: (
            row.status, row.size_bytes, row.mtime_ns, row.width_px, row.captured_at,
            thumbnails[row.item_id], vectors[row.item_id].tobytes(),
        )
        for row in rows
    }  # fmt: skip


def assert_whole(library: Library) -> int:
    """No half item; how many are ready."""
    with library._connections.reading() as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    rows = library.describe(library.item_ids())
    ready = {row.item_id for row in rows if row.status == ItemStatus.READY}
    videos = [row for row in rows if row.kind == "video"]
    assert {row.n_shots for row in videos} <= {0, 3}
    shots = {segment_id(row.item_id, position) for row in videos for position in range(row.n_shots)}
    segments = ready | shots
    assert {item_of(shot) for shot in shots} == ready & {row.item_id for row in videos}
    assert set(library.thumbnails([*(row.item_id for row in rows), *sorted(shots)])) == segments
    assert set(library.vector_table(MODEL).item_ids.tolist()) == segments
    assert {item.item_id for item in library.pending(MODEL)} == {row.item_id for row in rows} - ready
    return len(ready)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_killed_at_random_moments(tmp_path):
    photos = tmp_path / "photos"
    for number in range(_N_PHOTOS):
        folder = photos / str(number % 7)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.{'mp4' if number % 10 == 0 else 'jpg'}").write_bytes(b"%d" % number * 500)
    with open_library(tmp_path / "undisturbed") as undisturbed:
        undisturbed.add_source(photos)
        index_all(undisturbed)
        expected = content_of(undisturbed)
    moments, n_ready = random.Random(7), [0]
    command = [sys.executable, "-c", _INDEX, tmp_path / "library", photos]
    for _ in range(_N_ROUNDS):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout.readline() == "open\n"
            for _ in range(moments.randrange(10)):
                assert child.stdout.readline() == "batch\n"
            time.sleep(moments.uniform(0.0, 0.01))
            child.kill()
        with open_library(tmp_path / "library") as library:
            n_ready.append(assert_whole(library))
    assert n_ready == sorted(n_ready)
    assert 0 < n_ready[-1] < _N_PHOTOS, "the children were killed before or after all work: the test proves nothing"
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.endswith("done\n")
    with open_library(tmp_path / "library") as library:
        assert assert_whole(library) == _N_PHOTOS
        assert content_of(library) == expected
        assert len([name for name in os.listdir(library.folder) if name.endswith(".npy")]) <= 2
