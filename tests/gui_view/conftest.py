"""Pictures and messages for the widgets that show results; in no case does an engine run."""

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QImage

from explorer.protocol import ClassMap, Explanation, Grid, ItemDescription, Picture, Thumbnail

CLASS_NAMES = ("background", "cat", "dog", "person")


def pytest_collection_modifyitems(items):
    for item in items:
        if "gui_view" in str(item.path):
            # The offscreen platform says so of sizes and of raised windows.
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support", extend=True))


def encoded(width, height, colour=0xFF804020, form="PNG"):
    """An image file of one colour."""
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(colour)
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    assert image.save(buffer, form)
    return bytes(buffer.data().data())


@pytest.fixture
def jpeg():
    return encoded


@pytest.fixture
def thumbnail():
    def make(item_id, width=256, height=192, colour=0xFF804020):
        return Thumbnail(item_id=item_id, jpeg=encoded(width, height, colour))

    return make


@pytest.fixture
def description():
    def make(item_id, **changes):
        known = {
            "item_id": item_id, "path": b"/p", "display": "/p", "name": f"IMG_{item_id}.jpg", "kind": "image",
            "width_px": 400, "height_px": 300, "size_bytes": 153_400, "modified_at": 1.5e9,
            "captured_at": "2019-07-14T16:02:11",
        }
        return ItemDescription(**{**known, **changes})

    return make


@pytest.fixture
def picture():
    def make(item_id, width=400, height=300, colour=0xFF804020):
        return Picture(
            id=1, item_id=item_id, jpeg=encoded(width, height, colour), full_width_px=width, full_height_px=height
        )

    return make


@pytest.fixture
def explanation():
    """Two heat maps and a class map: left half person, a quarter dog."""

    def make(item_id, *, empty=False, values=None):
        values = np.linspace(0.2, 0.8, 49, dtype="<f4").reshape(7, 7) if values is None else np.asarray(values, "<f4")
        grids = tuple(
            Grid(name=name, title=title, height=values.shape[0], width=values.shape[1], values=grid.tobytes())
            for name, title, grid in (("vsem", "Saliency", values), ("vspm", "Attention", values[::-1]))
        )
        ids = np.zeros((8, 8), np.uint8)
        ids[:, :4] = 3
        ids[4:, 4:] = 2
        sure = np.full((8, 8), 230, np.uint8)
        classes = ClassMap(
            height=8, width=8, class_ids=ids.tobytes(), confidence=sure.tobytes(), names=CLASS_NAMES
        )
        return Explanation(
            id=2, item_id=item_id, model="3shnet", attention=() if empty else grids,
            class_map=None if empty else classes, presence=(("person", 0.93), ("dog", 0.88), ("cat", 0.1)),
            score=0.8, elapsed_ms=2.0,
        )

    return make


@pytest.fixture
def keys():
    return Qt.Key
