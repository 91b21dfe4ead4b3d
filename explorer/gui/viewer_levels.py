"""One encoded picture at the resolutions it is shown at."""

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QImage, QImageReader

_MAX_HALVINGS = 3


class FramePicture:
    """One frame of a video: it is decoded already, and gone before a smaller one of it would be worth its while."""

    def __init__(self, image: QImage) -> None:
        self._image = image
        self.size = image.size()

    def at_least(self, width_px: float) -> QImage:
        """The frame as it is, however wide it is drawn."""
        return self._image


class PictureLevels:
    """Decodes a picture at a half, a quarter, an eighth of its size when that is all that is seen.

    A JPEG is decoded at such sizes directly, several times quicker than whole (the window must not stall), and what is
    drawn is at most halved again, so that it does not shimmer.
    """

    def __init__(self, encoded: bytes) -> None:
        self._encoded = QByteArray(encoded)
        self._decoded: dict[int, QImage] = {}
        reader, _buffer = self._reader()
        self.size = reader.size()
        if not self.size.isValid():
            # Some formats tell their size only when they are decoded.
            self._decoded[0] = self._decode(0)
            self.size = self._decoded[0].size()

    def at_least(self, width_px: float) -> QImage:
        """The smallest version that is at least this wide, or the picture itself; null if it cannot be decoded."""
        halvings = 0
        while halvings < _MAX_HALVINGS and _halved(self.size, halvings + 1).width() >= width_px:
            halvings += 1
        if halvings not in self._decoded:
            self._decoded[halvings] = self._decode(halvings)
        return self._decoded[halvings]

    def _reader(self) -> tuple[QImageReader, QBuffer]:
        """A reader, and the buffer that must outlive it."""
        buffer = QBuffer()
        buffer.setData(self._encoded)
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        return QImageReader(buffer), buffer

    def _decode(self, halvings: int) -> QImage:
        reader, _buffer = self._reader()
        if halvings:
            reader.setScaledSize(_halved(self.size, halvings))
        image = reader.read()
        return image if image.isNull() else image.convertToFormat(QImage.Format.Format_RGB32)


def _halved(size: QSize, halvings: int) -> QSize:
    """As a JPEG decoder rounds."""
    part = 1 << halvings
    return QSize(-(-size.width() // part), -(-size.height() // part))
