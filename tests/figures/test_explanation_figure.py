import errno

import numpy as np
import pytest
from matplotlib import image as mpl_image

from explorer.errors import StorageFullError, UserFacingError
from explorer.evidence import AttentionMap, Evidence, Segmentation
from explorer.figures import draw_explanation, save_figure

NAMES = ("background", "cat", "dog", "person")


def _evidence(n_attention=1, *, segmentation=True, score=0.84):
    gates = np.linspace(0.2, 0.8, 49, dtype=np.float32).reshape(7, 7)
    ids = np.zeros((28, 28), np.uint8)
    ids[4:20, 4:20], ids[20:, 14:] = 3, 2
    return Evidence(
        attention=tuple(AttentionMap(f"map{k}", f"Map {k}", gates) for k in range(n_attention)),
        segmentation=Segmentation(ids, np.ones((28, 28), np.float32), NAMES) if segmentation else None,
        score=score,
    )


def _picture(width=320, height=240):
    return np.full((height, width, 3), (128, 64, 32), np.uint8)


def _texts(figure):
    found = [text.get_text() for text in figure.texts]
    for axes in figure.axes:
        found += [axes.get_title(loc="left"), *(tick.get_text() for tick in axes.get_xticklabels() if axes.axison)]
        legend = axes.get_legend()
        found += [text.get_text() for text in legend.get_texts()] if legend else []
    return [text for text in found if text]


def test_it_shows_picture_saliency_and_segmentation_with_what_colours_mean(tmp_path):
    figure = draw_explanation(_picture(), _evidence(), query="a dog and a person", title="3shnet · IMG_1.jpg")
    texts = _texts(figure)
    assert texts[:2] == ["“a dog and a person”", "3shnet · IMG_1.jpg · score 0.84"]
    for words in ("Picture", "Map 0", "Segmentation", "0.20", "0.50", "0.80", "person  33%", "dog  14%"):
        assert words in texts
    save_figure(figure, tmp_path / "figure.png")
    pixels = mpl_image.imread(tmp_path / "figure.png")
    assert pixels.shape[1] > 1500
    assert [path.name for path in tmp_path.iterdir()] == ["figure.png"]


def test_the_saliency_panel_is_clear_where_the_map_is_low_and_coloured_where_it_is_high(tmp_path):
    figure = draw_explanation(_picture(), _evidence(segmentation=False), dpi=100)
    save_figure(figure, tmp_path / "f.png")
    pixels = mpl_image.imread(tmp_path / "f.png")[..., :3]
    height, width = pixels.shape[:2]
    corner = []
    for axes in figure.axes[:2]:
        box = axes.get_position()
        left, right = int(box.x0 * width) + 3, int(box.x1 * width) - 3
        top, bottom = int((1 - box.y1) * height) + 3, int((1 - box.y0) * height) - 3
        corner.append((pixels[top, left], pixels[bottom, right]))
    bare = np.array([128, 64, 32]) / 255
    np.testing.assert_allclose(corner[0], [bare, bare], atol=0.02)
    np.testing.assert_allclose(corner[1][0], bare, atol=0.02)
    # The top of magma at an opacity of three quarters.
    np.testing.assert_allclose(corner[1][1], 0.25 * bare + 0.75 * np.array([252, 253, 191]) / 255, atol=0.03)


@pytest.mark.parametrize("size", [(1200, 60), (60, 1200), (640, 480), (480, 640), (1, 1), (5, 3)])
def test_pictures_of_any_aspect_keep_it(size):
    figure = draw_explanation(_picture(*size), _evidence(2), query="q")
    width, height = figure.get_size_inches()
    for axes in figure.axes:
        box = axes.get_position()
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= 1
        assert box.y1 <= 1
    if 0.4 < size[0] / size[1] < 5:
        box = figure.axes[0].get_position()
        assert box.width * width / (box.height * height) == pytest.approx(size[0] / size[1], rel=0.01)
    assert 1 < width < 20
    assert 1 < height < 20


def test_panels_do_not_overlap():
    figure = draw_explanation(_picture(), _evidence(2), query="a " * 200, title="t" * 100)
    boxes = [axes.get_position() for axes in figure.axes]
    for place, first in enumerate(boxes):
        for second in boxes[place + 1 :]:
            assert not (first.x0 < second.x1 and second.x0 < first.x1 and first.y0 < second.y1 and second.y0 < first.y1)
    top = max(box.y1 for box in boxes)
    figure.canvas.draw()
    for text in figure.texts:
        extent = text.get_window_extent().transformed(figure.transFigure.inverted())
        assert extent.y0 > top
        assert extent.x1 <= 1.0


@pytest.mark.parametrize(
    "query", ["", "x" * 10_000, "word " * 2000, "$x_1$ \\frac{1}{2}", "日本語 😀 ελληνικά", "a\nb\tc\x00d"]
)
def test_queries_of_any_kind_end_in_a_file(tmp_path, query):
    figure = draw_explanation(_picture(64, 48), _evidence(), query=query, dpi=60)
    assert len(figure.texts) <= 4
    save_figure(figure, tmp_path / "f.png")
    assert (tmp_path / "f.png").stat().st_size > 1000


def test_what_is_missing_is_left_out():
    assert _texts(draw_explanation(_picture(), Evidence())) == ["Picture"]
    nothing = Segmentation(np.zeros((4, 4), np.uint8), np.ones((4, 4), np.float32), NAMES)
    figure = draw_explanation(_picture(), Evidence(segmentation=nothing))
    assert figure.axes[-1].texts[0].get_text() == "none of its classes"


def test_other_arrays_are_refused():
    with pytest.raises(ValueError, match=r"must be uint8 of shape \(h, w, 3\), got float64 of shape \(4, 4, 3\)"):
        draw_explanation(np.zeros((4, 4, 3)), Evidence())


def test_unknown_formats_and_places_are_sentences(tmp_path):
    figure = draw_explanation(_picture(8, 8), Evidence(), dpi=50)
    with pytest.raises(UserFacingError, match=r"“\.docx” is no format for a figure"):
        save_figure(figure, tmp_path / "f.docx")
    with pytest.raises(UserFacingError, match="cannot be written"):
        save_figure(figure, tmp_path / "missing" / "f.png")


def test_a_full_disk_leaves_the_old_figure_and_nothing_half(tmp_path, monkeypatch):
    target = tmp_path / "f.png"
    target.write_bytes(b"old")
    figure = draw_explanation(_picture(8, 8), Evidence(), dpi=50)

    def full(part, **_):
        part.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(figure, "savefig", full)
    with pytest.raises(StorageFullError, match="The disk is full"):
        save_figure(figure, target)
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["f.png"]


def test_pdf_and_svg_are_written_too(tmp_path):
    for name in ("f.pdf", "f.svg"):
        save_figure(draw_explanation(_picture(16, 12), _evidence()), tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000
