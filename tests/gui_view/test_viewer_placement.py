import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPointF, QSizeF

from explorer.gui.viewer_placement import MAX_ENLARGEMENT, PicturePlacement

sizes = st.tuples(st.integers(8, 9000), st.integers(8, 9000))
views = st.tuples(st.integers(120, 2500), st.integers(96, 1600))


def _placement(picture, view):
    placement = PicturePlacement()
    placement.picture, placement.view = QSizeF(*picture), QSizeF(*view)
    return placement


@given(sizes, views)
def test_a_fitted_picture_is_whole_centred_and_of_its_aspect(picture, view):
    rect = _placement(picture, view).rect()
    assert rect.left() >= 0
    assert rect.top() >= 0
    assert rect.right() <= view[0]
    assert rect.bottom() <= view[1]
    assert rect.center().x() == pytest.approx(view[0] / 2, abs=1)
    assert rect.center().y() == pytest.approx(view[1] / 2, abs=1)
    size = _placement(picture, view).drawn_size()
    assert size.width() / size.height() == pytest.approx(picture[0] / picture[1])
    assert size.width() <= MAX_ENLARGEMENT * picture[0] + 1e-6


@given(sizes, views, st.floats(0.05, 0.95), st.floats(0.05, 0.95), st.floats(1.1, 8))
def test_zoom_keeps_the_place_under_the_pointer_unless_an_edge_would_come_in(picture, view, u, v, factor):
    placement = _placement(picture, view)
    rect = placement.rect()
    at = QPointF(rect.left() + u * rect.width(), rect.top() + v * rect.height())
    before = placement.place_at(at)
    assert placement.zoom_by(factor, at)
    after = placement.rect()
    for length, room, low, high, was, pointer in (
        (after.width(), view[0], after.left(), after.right(), before.x(), at.x()),
        (after.height(), view[1], after.top(), after.bottom(), before.y(), at.y()),
    ):
        if length <= room:
            assert low >= -1
            assert high <= room + 1
        else:
            assert low <= 1
            assert high >= room - 1
            at_edge = abs(low) <= 2 or abs(high - room) <= 2
            assert at_edge or low + was * length == pytest.approx(pointer, abs=3)


@given(sizes, views, st.floats(-5000, 5000), st.floats(-5000, 5000))
def test_panning_never_brings_empty_room_in(picture, view, dx, dy):
    placement = _placement(picture, view)
    placement.zoom_by(6, QPointF(view[0] / 3, view[1] / 4))
    placement.pan_by(dx, dy)
    rect = placement.rect()
    if rect.width() > view[0] + 2:
        assert rect.left() <= 1
        assert rect.right() >= view[0] - 1
    if rect.height() > view[1] + 2:
        assert rect.top() <= 1
        assert rect.bottom() >= view[1] - 1


def test_zooming_out_ends_at_the_whole_picture():
    placement = _placement((400, 300), (500, 500))
    placement.zoom_by(4, QPointF(10, 10))
    placement.zoom_by(0.01, QPointF(400, 400))
    assert placement.zoom == 1.0
    assert placement.rect() == _placement((400, 300), (500, 500)).rect()


def test_places_outside_of_the_picture_are_none():
    placement = _placement((400, 100), (416, 500))
    assert placement.place_at(QPointF(200, 10)) is None
    middle = placement.place_at(QPointF(208, 250))
    assert (middle.x(), middle.y()) == (pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01))
    assert PicturePlacement().place_at(QPointF(1, 1)) is None
