"""INRIA's Web Queries, written here as its page describes it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.web_queries import read_web_queries
from explorer.errors import DatasetError

ROWS = ((150, 0, 1), (150, 1, 0), (7, 0, 1), (9, 12, 1))
TEXTS = {
    "query_150_document_0": ("1024 x 768 Au Revoir Trompette", "", "All Things Chill » Blog Archive", "Trompette"),
    "query_150_document_1": ("", "", "", ""),
    "query_7_document_0": ("avant la", "tour Eiffel", "Tour Eiffel &amp; Paris", "Tour Eiffel &amp; Paris"),
    "query_9_document_12": ("x", "x", "x x", ""),
}


def metadata(before: str, after: str, title: str, alternative: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<documentmeta>\n<concept> geheim </concept>\n<rank> 1 </rank>\n'
        "<language> en </language>\n<referer> http://example.org/?a=1&b=2 </referer>\n"
        "<imageUrl> http://example.org/a.jpg </imageUrl>\n"
        f"<before>\n {before}\n</before>\n<after> {after} </after>\n<ptitle> {title} </ptitle>\n"
        f"<alt> {alternative} </alt>\n</documentmeta>\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "metadata").mkdir()
    (tmp_path / "queries_fr_orig.txt").write_text("7 tour eiffel\n9 tour\n150 trompette\n", encoding="utf-8")
    (tmp_path / "queries_en_trans.txt").write_text("7 tower\n9\ttower\n150 jazz trumpet\n", encoding="utf-8")
    (tmp_path / "labels.txt").write_text("".join(f"{q} {d} {r}\n" for q, d, r in ROWS))
    for stem, texts in TEXTS.items():
        (tmp_path / "images" / f"{stem}_imagethumb.jpg").touch()
        (tmp_path / "metadata" / f"{stem}_textmeta.xml").write_text(metadata(*texts), encoding="utf-8")
    return tmp_path


def test_pictures_in_the_order_of_their_labels(folder: Path) -> None:
    items = read_web_queries(folder)
    assert items.filenames == tuple(f"query_{q}_document_{d}_imagethumb.jpg" for q, d, _ in ROWS)
    assert items.image_paths == tuple(folder / "images" / name for name in items.filenames)
    assert items.label_names == ("tower (7)", "tower (9)", "jazz trumpet")
    np.testing.assert_array_equal(items.labels, [[0, 0, 1], [0, 0, 0], [1, 0, 0], [0, 1, 0]])
    assert items.texts == (
        ("All Things Chill » Blog Archive", "Trompette", "1024 x 768 Au Revoir Trompette"),
        (),
        ("Tour Eiffel & Paris", "avant la tour Eiffel"),
        ("x x",),
    )
    assert not any("geheim" in text for own in items.texts for text in own)


def test_lists_that_are_not_utf8(folder: Path) -> None:
    (folder / "queries_en_trans.txt").write_bytes("7 caf\xe9\r\n9 b\r\n150 c\r\n".encode("latin-1"))
    assert read_web_queries(folder).label_names == ("café", "b", "c")


def test_photos_may_be_elsewhere(folder: Path) -> None:
    (folder / "images" / "query_7_document_0_imagethumb.jpg").unlink()
    with pytest.raises(DatasetError, match="1 of 4 photos of the split web-queries are missing"):
        read_web_queries(folder)
    assert read_web_queries(folder, photos=False).image_paths is None


def rewrite(path: str, content: str) -> Callable[[Path], None]:
    return lambda folder: (folder / path).write_text(content) and None


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "labels.txt").unlink(), r"labels\.txt is missing"),
        (lambda folder: (folder / "queries_en_trans.txt").unlink(), r"queries_en_trans\.txt is missing"),
        (lambda folder: (folder / "metadata/query_7_document_0_textmeta.xml").unlink(), r"textmeta\.xml is missing"),
        (rewrite("metadata/query_7_document_0_textmeta.xml", metadata("a", "b", "c", "d")[:-30]), "is cut off"),
        (rewrite("metadata/query_7_document_0_textmeta.xml", ""), "is cut off"),
        (rewrite("labels.txt", "7 0 1\n7 1\n"), "Line 2 of .* is not query, document, and 0 or 1"),
        (rewrite("labels.txt", "7 0 2\n"), "Line 1 of .* is not query, document, and 0 or 1"),
        (rewrite("labels.txt", "8 0 1\n"), "has query 8, which queries_en_trans.txt does not list"),
        (rewrite("labels.txt", "7 0 1\n7 0 0\n"), "names query_7_document_0_imagethumb.jpg 2 times"),
        (rewrite("labels.txt", "\n"), "holds no items"),
        (rewrite("queries_en_trans.txt", "7 a\n9\n"), "Line 2 of .* is not a new number and a query"),
        (rewrite("queries_en_trans.txt", "7 a\n7 b\n"), "Line 2 of .* is not a new number and a query"),
        (rewrite("queries_en_trans.txt", "tower\n"), "Line 1 of .* is not a new number and a query"),
    ],
)
def test_what_does_not_fit_is_one_sentence(folder: Path, spoil: Callable[[Path], object], says: str) -> None:
    spoil(folder)
    with pytest.raises(DatasetError, match=says):
        read_web_queries(folder)
