"""Which items the photo names of a data set mean."""

import os
import sqlite3
import unicodedata
from pathlib import Path

import pytest
from photo_library import MODEL, index_all, scan

from explorer.library import Library


def match(library: Library, names: list[str], beside: Path = Path("/elsewhere")) -> dict[str, list[str]]:
    """Name to the paths that were found, from the library's only source on."""
    source = os.fsdecode(library.sources()[0].path)
    found = library.sentences.match(names, beside)
    assert len(found) == len(names)
    return {
        name: [os.path.relpath(row.display, source) for row in library.describe(item_ids)]
        for name, item_ids in zip(names, found, strict=True)
    }


@pytest.fixture
def filled(library, tmp_path):
    """Makes photos (name to content), indexes them and gives the library."""

    def fill(**contents: str) -> Library:
        for name, content in contents.items():
            path = tmp_path / "photos" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        library.add_source(tmp_path / "photos")
        index_all(library)
        return library

    return fill


def test_a_file_name_is_found_in_any_folder(filled):
    library = filled(**{"a.jpg": "a", "deep/er/b.jpg": "b"})
    assert match(library, ["b.jpg", "a.jpg", "c.jpg"]) == {"b.jpg": ["deep/er/b.jpg"], "a.jpg": ["a.jpg"], "c.jpg": []}


def test_whole_folder_names_decide(filled):
    library = filled(**{"val/1.jpg": "a", "interval/1.jpg": "b", "train/1.jpg": "c"})
    assert match(library, ["val/1.jpg", "train/1.jpg", "test/1.jpg"]) == {
        "val/1.jpg": ["val/1.jpg"],
        "train/1.jpg": ["train/1.jpg"],
        "test/1.jpg": [],
    }


def test_an_unknown_folder_is_no_obstacle_to_a_unique_name(filled):
    library = filled(**{"mine/7.jpg": "a"})
    assert match(library, ["val2017/7.jpg"]) == {"val2017/7.jpg": ["mine/7.jpg"]}
    assert match(library, ["/data/val2017/7.jpg"]) == {"/data/val2017/7.jpg": ["mine/7.jpg"]}


def test_a_name_that_the_data_set_uses_twice_is_not_guessed(filled):
    library = filled(**{"dogs/1.jpg": "a"})
    assert match(library, ["cats/1.jpg", "birds/1.jpg"]) == {"cats/1.jpg": [], "birds/1.jpg": []}
    assert match(library, ["cats/1.jpg", "dogs/1.jpg"]) == {"cats/1.jpg": [], "dogs/1.jpg": ["dogs/1.jpg"]}


def test_different_photos_of_one_name_are_not_guessed_and_copies_all_meant(filled):
    library = filled(**{"x/1.jpg": "one", "y/1.jpg": "two", "x/2.jpg": "same", "y/2.jpg": "same"})
    assert match(library, ["1.jpg", "2.jpg"]) == {"1.jpg": [], "2.jpg": ["x/2.jpg", "y/2.jpg"]}


def test_photos_that_were_not_read_yet_are_not_taken_for_copies(library, tmp_path):
    for name in ("x/1.jpg", "y/1.jpg"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True)
        (tmp_path / "photos" / name).write_text("same")
    library.add_source(tmp_path / "photos")
    scan(library)
    assert match(library, ["1.jpg"]) == {"1.jpg": []}
    library.commit_items(MODEL, "0" * 64)
    index_all(library)
    assert match(library, ["1.jpg"]) == {"1.jpg": ["x/1.jpg", "y/1.jpg"]}


@pytest.mark.parametrize("folder", ["", "images"])
def test_what_lies_beside_the_file_comes_first(filled, tmp_path, folder):
    library = filled(**{f"set/{folder}/1.jpg": "one", "other/1.jpg": "two"})
    beside = tmp_path / "photos" / "set"
    assert match(library, ["1.jpg"], beside) == {"1.jpg": [os.path.join("set", folder, "1.jpg")]}
    assert match(library, ["../other/1.jpg"], beside) == {"../other/1.jpg": ["other/1.jpg"]}
    assert match(library, ["../other/1.jpg"]) == {"../other/1.jpg": ["other/1.jpg"]}
    assert match(library, ["./1.jpg"], beside) == {"./1.jpg": [os.path.join("set", folder, "1.jpg")]}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_composed_and_decomposed_letters_are_the_same(filled, form):
    name = unicodedata.normalize(form, "Müßiggänger 红.jpg")
    library = filled(**{name: "a"})
    other = unicodedata.normalize("NFD" if form == "NFC" else "NFC", name)
    assert match(library, [other]) == {other: [name]}


@pytest.mark.parametrize("name", ["", ".", "/", "..", "a/", "\ud800.jpg", "x" * 10_000, "a\0b"])
def test_odd_names_mean_nothing(filled, name):
    assert filled(**{"a.jpg": "a"}).sentences.match([name], Path("/elsewhere")) == [()]


def test_names_that_are_no_text_can_be_matched(library, tmp_path):
    (tmp_path / "photos").mkdir()
    try:
        open(os.path.join(os.fsencode(tmp_path), b"photos", b"caf\xe9.jpg"), "wb").close()
    except OSError:
        pytest.skip("this file system wants UTF-8")
    library.add_source(tmp_path / "photos")
    scan(library)
    assert library.sentences.match([os.fsdecode(b"caf\xe9.jpg"), "café.jpg"], Path("/")) == [(1,), ()]


def test_missing_items_are_not_looked_at(filled, tmp_path):
    library = filled(**{"a.jpg": "a", "b.jpg": "b"})
    (tmp_path / "photos" / "a.jpg").unlink()
    scan(library)
    assert match(library, ["a.jpg", "b.jpg"]) == {"a.jpg": [], "b.jpg": ["b.jpg"]}


def test_any_number_of_names_takes_one_statement(filled):
    library = filled(**{f"{number}.jpg": str(number) for number in range(50)})
    statements: list[str] = []
    connection: sqlite3.Connection = library._connections.get()
    connection.set_trace_callback(statements.append)
    found = library.sentences.match([f"{number}.jpg" for number in range(5000)], Path("/elsewhere"))
    connection.set_trace_callback(None)
    assert sum(map(len, found)) == 50
    assert len(statements) == 1
