"""What the results grid remembers of the items it shows: bounded, whatever the size of the library."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QImageReader, QPainter, QPixmap

from explorer.protocol import ItemDescription

CORNER_PX = 4.0
_SMALL_PX = 128
_JPEG_BUDGET = 6_000_000


@dataclass(slots=True)
class DrawnThumbnail:
    """A decoded thumbnail.

    Attributes:
        pixmap: at the size of the box it was made for.
        natural: the thumbnail's own size.
        box: that box, in device pixels.
    """

    pixmap: QPixmap
    natural: QSize
    box: QSize

    @property
    def n_bytes(self) -> int:
        """Memory of the pixels."""
        return self.pixmap.width() * self.pixmap.height() * 4


def fitted(size: QSize, box: QSize) -> QSize:
    """The size inside a box with the aspect kept; tiny pictures are at most doubled."""
    scale = min(box.width() / size.width(), box.height() / size.height())
    if max(size.width(), size.height()) < _SMALL_PX:
        scale = min(scale, 2.0)
    return QSize(max(1, round(size.width() * scale)), max(1, round(size.height() * scale)))


def decode_thumbnail(jpeg: bytes, box: QSize, ratio: float, ground: QColor) -> DrawnThumbnail | None:
    """Decode straight to the size that is drawn; ``None`` if it is no picture.

    Its corners are rounded on the colour of the ground, not transparent: an opaque picture is painted several times
    quicker.
    """
    buffer = QBuffer()
    buffer.setData(QByteArray(jpeg))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    natural = reader.size()
    if natural.isValid():
        reader.setScaledSize(fitted(natural, box))
    image = reader.read()
    if image.isNull():
        return None
    rounded = QImage(image.size(), QImage.Format.Format_RGB32)
    rounded.fill(ground)
    painter = QPainter(rounded)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(image))
    painter.drawRoundedRect(rounded.rect(), CORNER_PX * ratio, CORNER_PX * ratio)
    painter.end()
    pixmap = QPixmap.fromImage(rounded, Qt.ImageConversionFlag.NoFormatConversion)
    pixmap.setDevicePixelRatio(ratio)
    return DrawnThumbnail(pixmap, natural if natural.isValid() else image.size(), box)


class ThumbnailCache:
    """Thumbnails as they came, and decoded at the size of the cells; the least recently seen go first."""

    def __init__(self) -> None:
        self._jpegs: OrderedDict[int, bytes] = OrderedDict()
        self._drawn: OrderedDict[int, DrawnThumbnail] = OrderedDict()
        self._broken: set[int] = set()
        self._n_jpeg_bytes = 0
        self._n_drawn_bytes = 0
        self._ground = QColor("white")
        self.drawn_budget = 8_000_000

    def __contains__(self, item_id: int) -> bool:
        return item_id in self._jpegs or item_id in self._drawn

    @property
    def n_bytes(self) -> int:
        """Bytes held, encoded and decoded."""
        return self._n_jpeg_bytes + self._n_drawn_bytes

    def add(self, item_id: int, jpeg: bytes) -> None:
        """Remember a thumbnail; it is decoded when it is first drawn."""
        self._n_jpeg_bytes += len(jpeg) - len(self._jpegs.pop(item_id, b""))
        self._jpegs[item_id] = jpeg
        stale = self._drawn.pop(item_id, None)
        self._n_drawn_bytes -= stale.n_bytes if stale else 0
        self._broken.discard(item_id)
        while self._n_jpeg_bytes > _JPEG_BUDGET and len(self._jpegs) > 1:
            self._n_jpeg_bytes -= len(self._jpegs.popitem(last=False)[1])

    def jpeg(self, item_id: int) -> bytes | None:
        """The thumbnail as it came."""
        return self._jpegs.get(item_id)

    def drawn(self, item_id: int) -> DrawnThumbnail | None:
        """The decoded thumbnail, perhaps of another size; ``None`` if it is not decoded."""
        found = self._drawn.get(item_id)
        if found is None:
            return None
        self._drawn.move_to_end(item_id)
        return found

    def needs_decoding(self, item_id: int, box: QSize) -> bool:
        """Whether :meth:`decode` would bring a better one than :meth:`drawn` gives."""
        if item_id not in self._jpegs or item_id in self._broken:
            return False
        found = self._drawn.get(item_id)
        return found is None or found.box != box

    def decode(self, item_id: int, box: QSize, ratio: float) -> None:
        """Decode for a box of device pixels."""
        self._jpegs.move_to_end(item_id)
        drawn = decode_thumbnail(self._jpegs[item_id], box, ratio, self._ground)
        if drawn is None:
            self._broken.add(item_id)
            return
        before = self._drawn.pop(item_id, None)
        self._drawn[item_id] = drawn
        self._n_drawn_bytes += drawn.n_bytes - (before.n_bytes if before else 0)
        while self._n_drawn_bytes > self.drawn_budget and len(self._drawn) > 1:
            self._n_drawn_bytes -= self._drawn.popitem(last=False)[1].n_bytes

    def set_ground(self, ground: QColor) -> None:
        """The colour behind the pictures; another one means decoding anew."""
        if ground != self._ground:
            self._ground = ground
            self._drawn.clear()
            self._n_drawn_bytes = 0

    def clear(self) -> None:
        """Forget everything."""
        self._jpegs.clear()
        self._drawn.clear()
        self._broken.clear()
        self._n_jpeg_bytes = self._n_drawn_bytes = 0


class PendingRequests:
    """Which items were asked for and have not come, so that nobody asks twice while an answer may still come."""

    def __init__(self, patience_s: float = 5.0) -> None:
        self._asked: dict[int, float] = {}
        self._patience_s = patience_s

    def take(self, wanted: Iterable[int], now_s: float) -> list[int]:
        """Those of ``wanted`` that are worth asking for now; they count as asked from here on."""
        if len(self._asked) > 2000:
            self._asked = {key: at for key, at in self._asked.items() if now_s - at < self._patience_s}
        new = [item for item in wanted if now_s - self._asked.get(item, -1e9) >= self._patience_s]
        self._asked.update(dict.fromkeys(new, now_s))
        return new

    def came(self, item_id: int) -> None:
        """The answer for this item is here."""
        self._asked.pop(item_id, None)

    def clear(self) -> None:
        """Nothing is on its way any more."""
        self._asked.clear()


class DescriptionCache:
    """Descriptions of the items seen lately."""

    def __init__(self, n_max: int = 4000) -> None:
        self._items: OrderedDict[int, ItemDescription] = OrderedDict()
        self._n_max = n_max

    def __contains__(self, item_id: int) -> bool:
        """Whether nothing need be asked: of what was not read yet there is more to know as soon as it is."""
        found = self._items.get(item_id)
        return found is not None and found.status != "pending"

    def add(self, item: ItemDescription) -> None:
        """Remember; the oldest goes when there are too many."""
        self._items.pop(item.item_id, None)
        self._items[item.item_id] = item
        if len(self._items) > self._n_max:
            self._items.popitem(last=False)

    def get(self, item_id: int) -> ItemDescription | None:
        """What is known of the item."""
        found = self._items.get(item_id)
        if found is not None:
            self._items.move_to_end(item_id)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._items.clear()
