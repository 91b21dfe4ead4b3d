"""Painters against the same picture computed in numpy."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from explorer.gui.painters import PAINTERS, OverlayPainter, bar_image, image_from_rgba
from explorer.gui.painters_regions import frame_bars
from explorer.overlays import (
    ClassOverlay,
    ColourMap,
    HeatOverlay,
    OverlayKind,
    RegionOverlay,
    Style,
    class_rgba,
    colour_table,
    heat_rgba,
    region_cover_rgba,
)
from explorer.overlays.interpolation import enlarge

GROUND = np.array([40, 90, 200], np.float64)


def _canvas(width, height):
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(0xFF000000 | int(GROUND[0]) << 16 | int(GROUND[1]) << 8 | int(GROUND[2]))
    return image


def _pixels(image):
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine() // 4, 4)
    return flat[:, : image.width(), :3].astype(np.float64)


def _expected(rgba, width, height, opacity):
    """Bilinear stretch of the premultiplied image over the whole canvas, laid over the ground."""
    stretched = np.stack([enlarge(rgba[..., k].astype(np.float32), height, width) for k in range(4)], axis=2)
    return GROUND * (1 - opacity * stretched[..., 3:] / 255) + opacity * stretched[..., :3]


@pytest.fixture
def heat():
    return HeatOverlay(
        name="vsem", title="Saliency", values=np.random.default_rng(3).random((7, 7), np.float32), opacity=0.7
    )


@pytest.fixture
def classes():
    ids = np.zeros((14, 14), np.uint8)
    ids[2:9, 3:8], ids[6:12, 8:13] = 3, 1
    return ClassOverlay(
        name="seg", title="Segmentation", class_ids=ids, confidence=np.ones((14, 14), np.float32),
        names=("background", "a", "b", "c"), opacity=0.8,
    )


@pytest.mark.parametrize("size", [(448, 448), (640, 331), (97, 300)])
@pytest.mark.parametrize("twice", [False, True], ids=["moved", "still"])
def test_a_heat_map_is_stretched_over_the_whole_picture(qapp, heat, size, twice):
    _check(heat, heat_rgba(heat), size, twice)


@pytest.mark.parametrize("size", [(448, 448), (640, 500)])
@pytest.mark.parametrize("twice", [False, True], ids=["moved", "still"])
def test_a_class_map_is_stretched_over_the_whole_picture(qapp, classes, size, twice):
    _check(classes, class_rgba(classes), size, twice)


def _check(overlay, rgba, size, twice):
    width, height = size
    overlays = OverlayPainter()
    for _ in range(2 if twice else 1):
        canvas = _canvas(width, height)
        painter = QPainter(canvas)
        overlays.paint(painter, QRectF(0, 0, width, height), overlay)
        painter.end()
    expected = _expected(rgba, width, height, overlay.opacity)
    difference = np.abs(_pixels(canvas) - expected)
    # Qt interpolates with 8 bits of the position; at sharp borders that moves an edge by a small part of a pixel.
    assert difference.mean() < 1.0
    assert np.quantile(difference, 0.99) < 12


def test_each_kind_has_its_painter(heat, classes):
    assert set(PAINTERS) == set(OverlayKind)
    for overlay in (heat, classes):
        image = PAINTERS[overlay.kind](overlay)
        assert image.format() == QImage.Format.Format_ARGB32_Premultiplied
        assert max(image.width(), image.height()) <= 448


def test_colours_keep_their_order_on_the_way_to_qt(qapp):
    image = image_from_rgba(np.array([[[200, 100, 50, 255], [0, 0, 0, 0]]], np.uint8))
    assert image.pixelColor(0, 0).getRgb() == (200, 100, 50, 255)
    assert image.pixelColor(1, 0).alpha() == 0


@pytest.mark.parametrize("change", [{"visible": False}, {"opacity": 0.0}])
def test_what_is_not_visible_leaves_the_picture_alone(qapp, heat, change):
    canvas = _canvas(60, 40)
    painter = QPainter(canvas)
    OverlayPainter().paint(painter, QRectF(0, 0, 60, 40), replace(heat, **change))
    painter.end()
    np.testing.assert_array_equal(_pixels(canvas), np.broadcast_to(GROUND, (40, 60, 3)))


@pytest.mark.parametrize("change", [{"threshold": 0.6}, {"colour_map": ColourMap.VIRIDIS}, {"opacity": 0.2}])
def test_a_change_is_seen_at_once_although_images_are_remembered(qapp, heat, change):
    overlays = OverlayPainter()
    before = _painted(overlays, heat)
    before_again = _painted(overlays, heat)
    after = _painted(overlays, replace(heat, **change))
    np.testing.assert_allclose(before, before_again, atol=1)
    assert np.abs(after - before_again).max() > 20
    np.testing.assert_allclose(after, _painted(OverlayPainter(), replace(heat, **change)), atol=1)


def _painted(overlays, overlay):
    canvas = _canvas(200, 150)
    painter = QPainter(canvas)
    overlays.paint(painter, QRectF(0, 0, 200, 150), overlay)
    painter.end()
    return _pixels(canvas)


def test_hidden_classes_leave_the_picture_alone(qapp, classes):
    shown, hidden = _painted(OverlayPainter(), classes), _painted(
        OverlayPainter(), replace(classes, hidden=frozenset({1, 3})))
    assert np.abs(shown - GROUND).max() > 50
    # The hair line outside of outlines goes with them.
    np.testing.assert_array_equal(hidden, np.broadcast_to(GROUND, hidden.shape))


def test_a_dense_screen_is_painted_at_its_own_pixels(qapp, heat):
    overlays = OverlayPainter()
    for _ in range(2):
        canvas = _canvas(400, 300)
        canvas.setDevicePixelRatio(2.0)
        painter = QPainter(canvas)
        overlays.paint(painter, QRectF(0, 0, 200, 150), heat)
        painter.end()
    difference = np.abs(_pixels(canvas) - _expected(heat_rgba(heat), 400, 300, heat.opacity))
    assert difference.mean() < 1.0


def test_the_colour_bar_runs_from_low_to_high(qapp, heat):
    bar = _pixels(bar_image(heat))
    np.testing.assert_array_equal(bar[0], colour_table(ColourMap.MAGMA))


# --- regions ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_the_bars_of_a_frame_cover_it_once_and_nothing_else(seed):
    rng = np.random.default_rng(seed)
    view = QRect(0, 0, 60, 50)
    left, top = rng.integers(-30, 60, 2).tolist()
    wide, high = rng.integers(1, 80, 2).tolist()
    width = int(rng.integers(1, 6))
    box = QRect(left, top, wide, high)
    expected = np.zeros((50, 60), int)
    for y in range(50):
        for x in range(60):
            dx, dy = min(x - left, left + wide - 1 - x), min(y - top, top + high - 1 - y)
            expected[y, x] = min(dx, dy) >= 0 and (min(dx, dy) < width)
    painted = np.zeros((50, 60), int)
    for bar in frame_bars(box, width, view, piece=7):
        assert bar.width() > 0
        assert bar.height() > 0
        seen = bar & view
        painted[seen.top() : seen.bottom() + 1, seen.left() : seen.right() + 1] += 1
    np.testing.assert_array_equal(painted, expected)


def _regions(**look):
    return RegionOverlay(
        name="regions", title="R", labels=("a", "b"), scores=np.ones(2, np.float32),
        boxes=np.array([[0.1, 0.1, 0.6, 0.6], [0.4, 0.4, 0.9, 0.9]], np.float32),
        **{"values": np.array([0.2, 0.8], np.float32), **look},
    )


def _drawn(overlay, width=200, height=100, painter_of=OverlayPainter):
    canvas = _canvas(width, height)
    painter = QPainter(canvas)
    painter_of().paint(painter, QRectF(0, 0, width, height), overlay)
    painter.end()
    return _pixels(canvas)


def test_regions_are_outlined_in_their_colour_and_leave_the_picture_inside_alone(qapp):
    pixels = _drawn(_regions(opacity=1.0))
    np.testing.assert_array_equal(pixels[15, 50], GROUND)  # inside of the first
    np.testing.assert_array_equal(pixels[75, 120], GROUND)  # inside of the second
    np.testing.assert_array_equal(pixels[3, 3], GROUND)
    strongest = colour_table(ColourMap.MAGMA)[255]
    np.testing.assert_allclose(pixels[75, 80], strongest, atol=1)  # the left side of the second
    np.testing.assert_allclose(pixels[40, 100], strongest, atol=1)  # where it crosses the first: on top
    assert pixels[75, 77].max() < GROUND.max() * 0.6  # the dark line beside it
    assert np.abs(pixels[10, 60] - GROUND).max() > 15  # the weak one is there, faintly


def test_a_region_below_the_threshold_is_not_drawn(qapp):
    pixels = _drawn(_regions(opacity=1.0, threshold=0.5))
    np.testing.assert_array_equal(pixels[10, 60], GROUND)
    assert np.abs(pixels[75, 80] - GROUND).max() > 100


def test_outlines_follow_the_picture_when_it_moves(qapp):
    overlays, canvas = OverlayPainter(), _canvas(200, 100)
    for offset in (0, 20):
        canvas.fill(0xFF285AC8)
        painter = QPainter(canvas)
        overlays.paint(painter, QRectF(offset, 0, 200, 100), _regions(opacity=1.0))
        painter.end()
        column = 80 + offset
        assert np.abs(_pixels(canvas)[75, column] - GROUND).max() > 100
    np.testing.assert_array_equal(_pixels(canvas)[75, 80], GROUND)


def test_a_cover_of_regions_darkens_what_is_outside_of_them(qapp):
    overlay = _regions(opacity=1.0, style=Style.COVER)
    pixels = _drawn(overlay, 448, 448)
    alpha = region_cover_rgba(overlay)[..., 3] / 255
    np.testing.assert_allclose(pixels, GROUND * (1 - alpha[..., None]), atol=2)


def test_what_lowers_the_score_is_dashed_and_the_rest_is_not(qapp):
    values = np.array([-0.8, 0.8], np.float32)
    overlay = _regions(opacity=1.0, numbered=False, values=values, colour_map=ColourMap.MANAGUA)
    pixels = _drawn(overlay, 400, 400)
    negative, positive = pixels[240, 60:150].max(axis=1), pixels[360, 180:340].max(axis=1)  # lower sides
    assert (negative > 180).sum() > 30
    assert (negative < 120).sum() > 20  # the gaps, dark
    assert (positive > 180).all()


def test_boxes_bear_numbers_unless_they_shall_not(qapp):
    with_numbers, without = _drawn(_regions(opacity=1.0)), _drawn(_regions(opacity=1.0, numbered=False))
    changed = np.argwhere(np.abs(with_numbers - without).max(axis=2) > 10)
    for left, top in ((20, 10), (80, 40)):  # the upper left corners of both boxes
        near = changed[(abs(changed[:, 0] - top - 6) < 14) & (abs(changed[:, 1] - left - 8) < 18)]
        assert len(near) > 40
    np.testing.assert_array_equal(with_numbers[80:, :], without[80:, :])
