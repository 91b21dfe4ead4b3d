"""Pictures and messages for the widgets that show results; in no case does an engine run."""

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice, Qt
from PySide6.QtGui import QCursor, QImage

from explorer.media.writing import write_video
from explorer.protocol import Boxes, ClassMap, Explanation, Grid, ItemDescription, Picture, PointedMaps, Thumbnail

CLASS_NAMES = ("background", "cat", "dog", "person")


def pytest_collection_modifyitems(items):
    for item in items:
        if "gui_view" in str(item.path):
            # The offscreen platform says so of sizes and of raised windows.
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support", extend=True))


@pytest.fixture(autouse=True)
def _pointer_elsewhere(qapp):
    """Where an earlier test left the pointer, a window that is shown there would be entered and left by itself."""
    QCursor.setPos(799, 799)  # the corner of the offscreen screen; what tests show is not so high


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


BOXES = ((0.1, 0.1, 0.9, 0.9), (0.2, 0.2, 0.5, 0.5), (0.6, 0.3, 0.8, 0.6))


@pytest.fixture
def region_explanation():
    """Three boxes with weights (the second lies within the first), a map for each, and a class map."""

    def make(item_id, *, values=(0.2, 0.5, 0.9), without=(), score=0.8):
        packed = {
            "boxes": np.asarray(BOXES, "<f4").tobytes(), "scores": np.asarray((0.5, 0.9, 0.7), "<f4").tobytes(),
            "labels": ("person", "dog", ""),
        }
        maps = np.zeros((3, 4, 4), "<f2")
        maps[0, 0, 0] = maps[1, 3, 3] = maps[2, 0, 3] = 1
        return Explanation(
            id=3, item_id=item_id, model="3shnet",
            attention=(Grid(name="vspm", title="Attention", height=4, width=4,
                            values=maps.astype("<f4").mean(axis=0).tobytes()),),
            class_map=None, presence=(), score=score, elapsed_ms=2.0, without=without,
            regions=(
                Boxes(name="regions", title="Gave", values=np.asarray(values, "<f4").tobytes(), **packed),
                Boxes(name="vsem", title="Gates", values=np.asarray(values[::-1], "<f4").tobytes(), **packed),
            ),
            pointed=(PointedMaps(
                name="vspm-of-place", title="Attends", places="regions", n_places=3, height=4, width=4,
                values=maps.tobytes(),
            ),),
        )

    return make


class Clips:
    """Rendered clips whose frames tell their own number by their grey."""

    RATE_FPS, N_FRAMES, STEP = 10, 30, 8
    SECONDS = N_FRAMES / RATE_FPS
    WIDTH, HEIGHT = 64, 48

    def level(self, number):
        return 8 + self.STEP * number

    def write(self, path, n_frames=N_FRAMES):
        frames = (np.full((self.HEIGHT, self.WIDTH, 3), self.level(n), np.uint8) for n in range(n_frames))
        write_video(path, frames, self.RATE_FPS)
        return path

    def number_in(self, image):
        """Which frame this is, from the pixel in its middle."""
        grey = image.pixelColor(image.width() // 2, image.height() // 2).green()
        return round((grey - 8) / self.STEP)


@pytest.fixture(scope="session")
def clips():
    return Clips()


@pytest.fixture(scope="session")
def clip(clips, tmp_path_factory):
    """Three seconds, ten frames a second."""
    return clips.write(tmp_path_factory.mktemp("clips") / "clip.mp4")
