"""Whatever happens to the files, a scan and an indexing later the library says what the disk says."""

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
from photo_library import MODEL, index_all, scan, vector_of

from explorer.library import open_library
from explorer.library import scanning as scanning_module


class Disk:
    """A folder to which random things happen; contents are short, so that sizes collide often."""

    def __init__(self, root: Path, seed: int) -> None:
        self.root = root
        self.random = random.Random(seed)
        self.clock_ns = 1_600_000_000_000_000_000

    def files(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*") if path.is_file())

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"%03d" % self.random.randrange(1000))
        self.clock_ns += 10**9
        os.utime(path, ns=(self.clock_ns, self.clock_ns))

    def new_path(self) -> Path:
        return self.root / self.random.choice(["", "a", "b", "a/c"]) / f"{self.random.randrange(30)}.jpg"

    def step(self) -> None:
        files = self.files()
        what = self.random.choice(["write", "write", "delete", "move", "copy", "move folder", "delete folder"])
        target = self.new_path()
        if what == "write" or not files:
            self.write(target)
        elif what == "delete":
            self.random.choice(files).unlink()
        elif what == "move":
            target.parent.mkdir(parents=True, exist_ok=True)
            self.random.choice(files).rename(target)
        elif what == "copy":
            source = self.random.choice(files)
            if source != target:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        elif what == "move folder" and (self.root / "a").exists() and not (self.root / "d").exists():
            (self.root / "a").rename(self.root / "d")
        elif what == "delete folder" and (self.root / "d").exists():
            shutil.rmtree(self.root / "d")


@pytest.mark.parametrize("seed", range(12))
def test_the_library_says_what_the_disk_says(tmp_path, seed, monkeypatch):
    monkeypatch.setattr(scanning_module, "CHANGES_PER_TRANSACTION", 1 + seed % 5)
    (tmp_path / "photos").mkdir()
    disk = Disk(tmp_path / "photos", seed)
    with open_library(tmp_path / "library") as library:
        library.add_source(disk.root)
        for _ in range(25):
            for _ in range(disk.random.randrange(4)):
                disk.step()
            if disk.random.random() < 0.3:
                scan(library)  # a scan that nothing is encoded after
                continue
            index_all(library)
            expected = {os.fsencode(path): vector_of(path.read_bytes()) for path in disk.files()}
            rows = library.describe(library.item_ids())
            assert [row.path for row in rows] == sorted(expected, key=lambda path: os.path.split(path))
            table = library.vector_table(MODEL)
            paths = {row.item_id: row.path for row in rows}
            assert sorted(table.item_ids.tolist()) == sorted(paths)
            for item_id, vector in zip(table.item_ids.tolist(), table.vectors, strict=True):
                np.testing.assert_array_equal(vector, expected[paths[item_id]])
            assert library.counts().n_indexed.get(MODEL, 0) == library.counts().n_items == len(expected)
            found = scan(library)
            assert found.n_unchanged == len(expected)
            assert found.n_added == found.n_changed == found.n_moved == found.n_removed == 0
