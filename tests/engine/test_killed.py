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
from explorer.protocol import Answer, read_message, write_message

N_PHOTOS = 200
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


def contents(folder: Path) -> dict[bytes, tuple[int, int, bytes, bytes]]:
    """Path to width, height, vector and thumbnail of everything in a library."""
    with open_library(folder) as library:
        ids = library.item_ids().tolist()
        rows = {row.item_id: row for row in library.describe(ids)}
        thumbnails = library.thumbnails(ids)
        (model_id,) = library.counts().n_indexed
        table = library.vector_table(model_id)
        parts = table.vectors if table.strengths is None else np.hstack([table.vectors, table.strengths.view(np.uint8)])
        vectors = {item: np.array(row).tobytes() for item, row in zip(table.item_ids.tolist(), parts, strict=True)}
        sizes = {item: (row.width_px, row.height_px) for item, row in rows.items()}
        return {rows[item].path: (*sizes[item], vectors[item], thumbnails[item]) for item in ids}


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
    connection.close()
    assert (half, stray) == (0, 0)


@pytest.mark.parametrize(("model", "n_wanted"), [("colours", N_KILLS), ("colour-bits", 5)])
def test_killed_many_times(tmp_path: Path, make_photo: Callable[..., Path], model: str, n_wanted: int) -> None:
    photos = tmp_path / "photos"
    for number in range(N_PHOTOS):
        make_photo(photos / f"{number:03d}.jpg", (number, 255 - number, 40), size=(64, 48))
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
    assert len(contents(tmp_path / "killed")) == N_PHOTOS
