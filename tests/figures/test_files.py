"""Files: their size, text that stays text, boxes that stay boxes, and the same bytes each time."""

import errno
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image as mpl_image

from explorer.errors import ConfigError, StorageFullError, UserFacingError
from explorer.figures import draw_figure, page_bytes, write_whole
from explorer.figures.page import ImageMark
from explorer.protocol import FigureLayer

QUERIES = ("a dog and a person", "Ελληνικά, кириллица, ß", "日本語の文", "😀 👩‍🚀 emoji", "كلب يجري", "कुत्ता दौड़ता")


@pytest.mark.parametrize(("width", "dpi", "pixels"), [(170.0, 300, 2008), (85.0, 150, 502), (25.4, 72, 72)])
def test_pngs_have_the_pixels_and_the_resolution_asked_for(made, width, dpi, pixels):
    page = draw_figure(made.spec(width_mm=width), made.content())
    png = page_bytes(page, "png", dpi)
    n_across, n_down = struct.unpack(">II", png[16:24])
    assert n_across == pixels
    assert n_down == round(page.height / 25.4 * dpi)
    at = png.index(b"pHYs")
    per_metre, _, unit = struct.unpack(">IIB", png[at + 4 : at + 13])
    assert unit == 1
    assert per_metre * 0.0254 == pytest.approx(dpi, abs=0.02)


def test_pngs_show_the_picture_where_the_map_is_low_and_its_colours_where_it_is_high(made, tmp_path):
    page = draw_figure(made.spec(layers=(FigureLayer(name="vsem", opacity=0.75),)), made.content())
    write_whole(tmp_path / "f.png", page_bytes(page, "png", 100))
    pixels = mpl_image.imread(tmp_path / "f.png")[..., :3]
    per_mm = pixels.shape[1] / page.width
    bare = np.array([128, 64, 32]) / 255
    for place, top_right in ((0, bare), (1, 0.25 * bare + 0.75 * np.array([252, 253, 191]) / 255)):
        [mark] = [mark for mark in page.marks if mark.name == f"panel{place}-picture"]
        left, top = int((mark.box.x + 1) * per_mm), int((mark.box.y + 1) * per_mm)
        right, bottom = int((mark.box.right - 1) * per_mm), int((mark.box.bottom - 1) * per_mm)
        np.testing.assert_allclose(pixels[top, left], bare, atol=0.03)
        np.testing.assert_allclose(pixels[bottom, right], top_right, atol=0.03)


@pytest.mark.parametrize("query", QUERIES)
def test_text_is_text_in_svg(made, query):
    shown = made.content(made.result(evidence=made.evidence(words=None)), query=query)
    svg = made.Svg(page_bytes(draw_figure(made.spec(), shown), "svg", 100))
    assert f"“{query}”" in svg.texts
    for words in ("Picture", "Regions", "0.80", "person  33%"):
        assert words in svg.texts


def test_svgs_have_the_size_asked_for(made):
    page = draw_figure(made.spec(width_mm=85.0), made.content())
    root = made.Svg(page_bytes(page, "svg", 100)).root
    assert float(root.get("width").removesuffix("pt")) * 25.4 / 72 == pytest.approx(85.0, abs=1e-3)
    assert float(root.get("height").removesuffix("pt")) * 25.4 / 72 == pytest.approx(page.height, abs=1e-3)


def test_boxes_are_shapes_at_their_places_in_the_colours_of_their_weights(made):
    page = draw_figure(made.spec(), made.content())
    svg = made.Svg(page_bytes(page, "svg", 100))
    assert svg.named("panel2-regions-box") == ["panel2-regions-box0", "panel2-regions-box1", "panel2-regions-box2"]
    [picture] = [mark.box for mark in page.marks if mark.name == "panel2-picture"]
    for place, (left, top, right, bottom) in enumerate(made.BOXES.tolist()):
        expected = (
            picture.x + left * picture.width, picture.y + top * picture.height,
            picture.x + right * picture.width, picture.y + bottom * picture.height,
        )  # fmt: skip
        assert svg.box_mm(f"panel2-regions-box{place}") == pytest.approx(expected, abs=0.01)
    assert "#fde725" in svg.edge_of("panel2-regions-box2")  # the top of viridis
    assert "#fde725" not in svg.edge_of("panel2-regions-box0")


def test_weak_boxes_below_the_threshold_are_not_drawn(made):
    layers = (FigureLayer(name="regions", threshold=0.4),)
    svg = made.Svg(page_bytes(draw_figure(made.spec(layers=layers), made.content()), "svg", 100))
    assert svg.named("panel1-regions-box") == ["panel1-regions-box1", "panel1-regions-box2"]


def test_frames_of_correct_results_are_shapes(made):
    results = [made.result(evidence=None, rank=n + 1, correct=n in (0, 2)) for n in range(4)]
    page = draw_figure(made.spec(kind="grid"), made.content(*results, correct_ranks=(1, 3)))
    svg = made.Svg(page_bytes(page, "svg", 100))
    frames = [name for name in svg.named("result") if name.endswith("-correct")]
    assert frames == ["result1-correct", "result3-correct"]
    [picture] = [mark.box for mark in page.marks if mark.name == "result3-picture"]
    left, top, right, bottom = svg.box_mm("result3-correct")
    assert picture.x < left < right < picture.right
    assert picture.y < top < bottom < picture.bottom


@pytest.mark.parametrize("query", QUERIES[:2])
def test_text_is_text_in_pdf(made, tmp_path, qapp, query):
    pdf_room = pytest.importorskip("PySide6.QtPdf")
    shown = made.content(made.result(evidence=made.evidence(words=None)), query=query)
    page = draw_figure(made.spec(width_mm=85.0), shown)
    path = tmp_path / "f.pdf"
    path.write_bytes(page_bytes(page, "pdf", 100))
    document = pdf_room.QPdfDocument()
    assert document.load(str(path)) == pdf_room.QPdfDocument.Error.None_
    assert document.pageCount() == 1
    assert document.pagePointSize(0).width() * 25.4 / 72 == pytest.approx(85.0, abs=0.1)
    text = document.getAllText(0).text()
    for words in (query, "Semantic saliency (VSeM)", "rank 3 of 218", "0.80"):
        assert words in text
    document.close()


def test_pdfs_embed_whole_fonts_and_draw_boxes_as_lines(made):
    layers = (FigureLayer(name="regions"),)
    pdf = page_bytes(draw_figure(made.spec(layers=layers), made.content()), "pdf", 100)
    assert b"/Subtype /CIDFontType2" in pdf or b"/Subtype /TrueType" in pdf
    assert b"/Subtype /Type3" not in pdf
    n_images = len(
        [m for m in draw_figure(made.spec(layers=layers), made.content()).marks if isinstance(m, ImageMark)]
    )
    assert pdf.count(b"/Subtype /Image") <= 2 * n_images  # each with its mask; none of them is a box


@pytest.mark.parametrize("file_format", ["png", "svg", "pdf"])
def test_the_same_figure_is_the_same_bytes_and_says_no_time(made, file_format):
    small = made.spec(width_mm=60, layers=(FigureLayer(name="regions"), FigureLayer(name="vsem")))
    first, second = (page_bytes(draw_figure(small, made.content()), file_format, 40) for _ in range(2))
    assert first == second
    for word in (b"CreationDate", b"ModDate", b"<dc:date>", b"tIME"):
        assert word not in first
    assert page_bytes(draw_figure(small, made.content(model="another")), file_format, 40) != first


def test_formats_and_sizes_that_cannot_be_are_refused(made):
    page = draw_figure(made.spec(width_mm=2000), made.content())
    with pytest.raises(ConfigError, match=r"would have \d+ megapixels, more than the 150 that are drawn"):
        page_bytes(page, "png", 1200)
    with pytest.raises(ValueError, match="must be one of png, svg, pdf, got 'docx'"):
        page_bytes(page, "docx", 100)


def test_files_are_written_whole_and_folders_made(tmp_path):
    write_whole(tmp_path / "new" / "folder" / "f.png", b"content")
    assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["f.png"]
    write_whole(tmp_path / "new" / "folder" / "f.png", b"newer")
    assert (tmp_path / "new" / "folder" / "f.png").read_bytes() == b"newer"


def test_a_full_disk_leaves_the_old_figure_and_nothing_half(tmp_path, monkeypatch):
    target = tmp_path / "f.png"
    target.write_bytes(b"old")

    def full(path, content):
        with open(path, "wb") as stream:
            stream.write(content[:2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageFullError, match=r"The disk is full; .*f\.png was not written\. Make room"):
        write_whole(target, b"newer")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f.png"]


def test_places_that_cannot_be_written_to_are_sentences(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserFacingError, match=r"f\.png cannot be written \(.+\)\. Choose another place"):
        write_whole(tmp_path / "file" / "f.png", b"content")
    with pytest.raises(UserFacingError, match="cannot be written"):
        write_whole(tmp_path / ("x" * 300 + ".png"), b"content")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_folders_that_may_not_be_written_to_are_a_sentence(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    with pytest.raises(UserFacingError, match="cannot be written"):
        write_whole(closed / "f.png", b"content")
