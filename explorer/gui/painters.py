"""How each kind of overlay is painted: a small image, made when the overlay changes, scaled over the picture each time.

:data:`PAINTERS` joins kinds and painters. Nothing is burnt into the picture; the stretch from the network's square back
to the picture's own shape is the scaling itself.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QImage, QPainter

from explorer.gui.painters_regions import RegionPainter
from explorer.overlays import (
    AnyOverlay,
    ClassOverlay,
    HeatOverlay,
    OverlayKind,
    PlacedOverlay,
    RegionOverlay,
    Style,
    bar_colours,
    class_rgba,
    heat_rgba,
    region_cover_rgba,
)

__all__ = ["AnyOverlay", "OverlayPainter", "bar_image", "image_from_rgba"]


def image_from_rgba(rgba: np.ndarray) -> QImage:
    """A premultiplied image from uint8 (h, w, 4), in the format that Qt paints fastest."""
    height, width = rgba.shape[:2]
    pixels = np.ascontiguousarray(rgba)
    image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888_Premultiplied)
    # The conversion copies, so that the image owns its pixels.
    return image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)


def _heat_image(overlay: AnyOverlay) -> QImage:
    assert isinstance(overlay, HeatOverlay)
    return image_from_rgba(heat_rgba(overlay))


def _class_image(overlay: AnyOverlay) -> QImage:
    assert isinstance(overlay, ClassOverlay)
    return image_from_rgba(class_rgba(overlay))


def _frame_image(overlay: AnyOverlay) -> QImage:
    assert isinstance(overlay, ClassOverlay)
    return image_from_rgba(class_rgba(overlay, edge=_MOVING_EDGE))


def _cover_image(overlay: AnyOverlay) -> QImage:
    assert isinstance(overlay, RegionOverlay)
    return image_from_rgba(region_cover_rgba(overlay))


PAINTERS: dict[OverlayKind, Callable[[AnyOverlay], QImage]] = {
    OverlayKind.HEAT: _heat_image,
    OverlayKind.REGIONS: _cover_image,
    OverlayKind.CLASSES: _class_image,
}
"""From an overlay to its small premultiplied image; opacity is applied when it is drawn. Outlines are no image."""


_MOVING_EDGE = 224
"""Pixels along the longer edge of classes that move: a quarter of the work, and nobody looks at stairs meanwhile."""

_MOST_FRAMES = 32
"""Class maps of a shot whose images are remembered: 6 MB; the shot is shown over and over."""

_MAX_SCALED_PX = 2_000_000
"""Of the screen: 8 MB a layer; larger overlays are stretched in each frame."""


class OverlayPainter:
    """Paints overlays over a picture; remembers the small image of each until what it shows changes.

    While picture and overlay stay as they are (another opacity, the bare picture and back) the stretched image is
    remembered too and only copied; while either moves, nothing large is kept.

    Attributes:
        moving: whether it is a video that is shown: class maps come again and again, and each is seen for a moment.
    """

    def __init__(self) -> None:
        self.moving = False
        self._images: dict[str, OrderedDict[Hashable, tuple[AnyOverlay, QImage]]] = {}
        self._scaled: dict[str, tuple[QRect, QImage, QImage]] = {}
        self._last: dict[str, tuple[QRect, QImage]] = {}
        self._regions = RegionPainter()

    def paint(self, painter: QPainter, target: QRectF, overlay: AnyOverlay) -> None:
        """Draw one overlay stretched over ``target``, where the whole picture is."""
        if not overlay.visible or overlay.opacity <= 0:
            self._scaled.pop(overlay.name, None)
            return
        if isinstance(overlay, RegionOverlay) and overlay.style is Style.HEAT:
            self._regions.paint(painter, target, overlay)
            return
        image = self._image(overlay)
        place = target.toAlignedRect()
        ratio = painter.device().devicePixelRatioF()
        last = self._last.get(overlay.name)
        stays = last is not None and last[0] == place and last[1] is image
        self._last[overlay.name] = place, image
        painter.save()
        painter.setOpacity(overlay.opacity)
        if stays and place.width() * place.height() * ratio * ratio <= _MAX_SCALED_PX:
            painter.drawImage(place.topLeft(), self._stretched(overlay.name, image, place, ratio))
        else:
            self._scaled.pop(overlay.name, None)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, image)
        painter.restore()

    def forget(self) -> None:
        """Another picture: its overlays come anew."""
        self._images.clear()
        self._scaled.clear()
        self._last.clear()

    def _stretched(self, name: str, image: QImage, place: QRect, ratio: float) -> QImage:
        known = self._scaled.get(name)
        if known is None or known[0] != place or known[1] is not image or known[2].devicePixelRatio() != ratio:
            large = QImage(
                round(place.width() * ratio), round(place.height() * ratio), QImage.Format.Format_ARGB32_Premultiplied
            )
            painter = QPainter(large)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
            painter.drawImage(large.rect(), image)
            painter.end()
            large.setDevicePixelRatio(ratio)
            known = self._scaled[name] = place, image, large
        return known[2]

    def _image(self, overlay: AnyOverlay) -> QImage:
        remembered = self._images.setdefault(overlay.name, OrderedDict())
        is_frame = self.moving and isinstance(overlay, ClassOverlay)
        key = (overlay.kind, is_frame, *_content(overlay))
        known = remembered.get(key)
        if known is None:
            # With the overlay, whose arrays must not be gone as long as they are told apart by their identity.
            known = remembered[key] = overlay, (_frame_image if is_frame else PAINTERS[overlay.kind])(overlay)
        remembered.move_to_end(key)
        while len(remembered) > (_MOST_FRAMES if is_frame else 1):
            remembered.popitem(last=False)
        return known[1]


def _content(overlay: AnyOverlay) -> tuple[object, ...]:
    """What the small image depends on; arrays are told apart by identity, they are never changed in place."""
    if isinstance(overlay, HeatOverlay):
        return id(overlay.values), overlay.threshold, overlay.colour_map, overlay.style, overlay.span
    if isinstance(overlay, RegionOverlay):
        return id(overlay.values), id(overlay.boxes), overlay.threshold, overlay.span
    return id(overlay.class_ids), overlay.threshold, overlay.hidden, overlay.filled, overlay.colour_order


def bar_image(overlay: PlacedOverlay) -> QImage:
    """The colours of an overlay from low (left) to high, 256 x 1 pixels."""
    return image_from_rgba(bar_colours(overlay)[None])
