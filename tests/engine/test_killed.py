"""The engine is killed at random moments while it indexes: nothing half, nothing lost, same end."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from explorer import protocol
from explorer.library.catalogue import open_library
from explorer.media.writing import write_video
from explorer.protocol import Answer, read_message, write_message
from explorer.segment_ids import segment_id

N_PHOTOS = 200
N_CLIPS = 8
N_SHOTS = 4
N_KILLS = 20
HELPER = Path(__file__).resolve().parent.parent / "helpers" / "colour_model.py"


class Child:
    """An engine in a process of its own."""

    def __init__(self, library: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(HELPER), "--slow", "0.2"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(HELPER.parent.parent.parent)},
        )
        self.send(protocol.OpenLibrary(id=1, path=os.fsencode(library)))
        assert isinstance(self.read(), protocol.LibraryState)

    def send(self, request: protocol.Request) -> None:
        assert self.process.stdin is not None
        write_message(self.process.stdin, request)

    def read(self) -> Answer | None:
        assert self.process.stdout is not None
        return read_message(self.process.stdout, msgspec.msgpack.Decoder(Answer))

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def contents(folder: Path) -> dict[tuple[bytes, float], tuple[int, int, bytes, bytes]]:
    """Path and start to width, height, vector and thumbnail of everything in a library."""
    with open_library(folder) as library:
        ids = [
            segment_id(item, position)
            for item in library.item_ids().tolist()
            for position in range(len(library.shots(item)))
        ]
        rows = {row.item_id: row for row in library.describe(ids)}
        thumbnails = library.thumbnails(ids)
        (model_id,) = library.counts().n_indexed
        table = library.vector_table(model_id)
        parts = table.vectors if table.strengths is None else np.hstack([table.vectors, table.strengths.view(np.uint8)])
        vectors = {item: np.array(row).tobytes() for item, row in zip(table.item_ids.tolist(), parts, strict=True)}
        sizes = {item: (row.width_px, row.height_px) for item, row in rows.items()}
        assert set(vectors) == set(ids)
        return {(rows[i].path, rows[i].start_s): (*sizes[i], vectors[i], thumbnails[i]) for i in ids}


def check_whole(folder: Path) -> None:
    """The catalogue opens, is sound, and holds no item with a part missing."""
    connection = sqlite3.connect(folder / "library.sqlite")
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    half = connection.execute(
        "SELECT COUNT(*) FROM items WHERE status = 'ready' AND (id NOT IN (SELECT item_id FROM vectors)"
        " OR id NOT IN (SELECT item_id FROM thumbnails) OR content_hash IS NULL)"
    ).fetchone()[0]
    stray = connection.execute(
        "SELECT COUNT(*) FROM vectors WHERE item_id NOT IN (SELECT id FROM items WHERE status = 'ready')"
    ).fetchone()[0]
    shots = connection.execute(
        "SELECT COUNT(DISTINCT segments.position), COUNT(vectors.id)"
        " FROM items JOIN segments ON segments.item_id = items.id"
        " LEFT JOIN vectors ON vectors.item_id = items.id AND vectors.position = segments.position"
        " WHERE kind = 'video' GROUP BY items.id"
    ).fetchall()
    connection.close()
    assert (half, stray) == (0, 0)
    assert set(shots) <= {(N_SHOTS, N_SHOTS)}


@pytest.mark.parametrize(("model", "n_wanted"), [("colours", N_KILLS), ("colour-bits", 5)])
def test_killed_many_times(tmp_path: Path, make_photo: Callable[..., Path], model: str, n_wanted: int) -> None:
    photos = tmp_path / "photos"
    for number in range(N_PHOTOS):
        make_photo(photos / f"{number:03d}.jpg", (number, 255 - number, 40), size=(64, 48))
    for number in range(N_CLIPS):
        colours = np.random.default_rng(number).permutation(N_SHOTS) * 60 + 20
        frames = [np.full((48, 64, 3), (c, 255 - c, 100), np.uint8) for c in colours.tolist() for _ in range(10)]
        write_video(photos / f"{20 * number:03d} clip.mp4", frames, 10.0)
    request = protocol.IndexFolders(id=2, folders=(os.fsencode(photos),), model=model)
    moments = random.Random(4)
    n_kills = 0
    while n_kills < n_wanted:
        child = Child(tmp_path / "killed")
        child.send(request)
        time.sleep(moments.uniform(0, 0.25))
        child.process.send_signal(signal.SIGKILL)
        n_kills += 1
        child.close()
        check_whole(tmp_path / "killed")
    for library in ("killed", "undisturbed"):
        child = Child(tmp_path / library)
        child.send(request)
        while isinstance(answer := child.read(), protocol.Progress):
            pass
        assert isinstance(answer, protocol.IndexFinished)
        child.close()
    assert contents(tmp_path / "killed") == contents(tmp_path / "undisturbed")
    assert len(contents(tmp_path / "killed")) == N_PHOTOS + N_CLIPS * N_SHOTS
