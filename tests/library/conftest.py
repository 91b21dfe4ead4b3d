"""Small photo folders and libraries to try things on."""

import sys
from pathlib import Path

import pytest

from explorer.library import open_library

sys.path.insert(0, str(Path(__file__).parent))  # so that tests and their child processes find photo_library


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five "photos" in two folders (the library never looks inside), a text, a hidden file and a hidden folder."""
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    for name in ("a.jpg", "b.png", "sub/c.jpg", "sub/d.JPG", "e.jpeg", ".f.jpg", ".hidden/g.jpg"):
        (folder / name).write_bytes(f"content of {name}".encode())
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture
def library(tmp_path: Path):
    with open_library(tmp_path / "library") as opened:
        yield opened
