import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

from explorer.gui.viewer_levels import PictureLevels


@pytest.mark.parametrize(
    ("wanted", "width"), [(1, 127), (127, 127), (128, 253), (300, 506), (506, 506), (507, 1011), (9999, 1011)]
)
def test_no_more_is_decoded_than_is_seen_and_never_less(qapp, jpeg, wanted, width):
    levels = PictureLevels(jpeg(1011, 700, form="JPEG"))
    image = levels.at_least(wanted)
    assert image.width() == width
    assert image.height() == pytest.approx(width * 700 / 1011, abs=1)
    assert levels.at_least(wanted) is image


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (2000, 1), (1, 2000)])
def test_tiny_pictures_keep_a_pixel(qapp, jpeg, size):
    image = PictureLevels(jpeg(*size)).at_least(0.5)
    assert image.width() >= 1
    assert image.height() >= 1


def test_a_smaller_version_is_the_mean_of_its_pixels(qapp):
    values = np.random.default_rng(0).integers(0, 255, (64, 64), np.uint8)
    values = np.ascontiguousarray(np.repeat(np.repeat(values, 2, axis=0), 2, axis=1))
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImage(values.data, 128, 128, 128, QImage.Format.Format_Grayscale8).save(buffer, "PNG")
    half = PictureLevels(bytes(buffer.data().data())).at_least(64).convertToFormat(QImage.Format.Format_Grayscale8)
    flat = np.frombuffer(half.constBits(), np.uint8).reshape(64, half.bytesPerLine())[:, :64].astype(int)
    assert np.abs(flat - values[::2, ::2]).mean() < 3


def test_nonsense_is_null(qapp):
    assert PictureLevels(b"nonsense").at_least(10).isNull()
