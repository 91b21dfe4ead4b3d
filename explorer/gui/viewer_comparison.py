"""Two pictures of one result: as it is set, and without a part of what explains it; they move together."""

from dataclasses import dataclass, replace

from PySide6.QtCore import QPointF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from explorer.gui.item_text import score_text
from explorer.gui.painters import AnyOverlay
from explorer.gui.viewer_canvas import PictureCanvas
from explorer.overlays import (
    ClassOverlay,
    MovingOverlays,
    PointedOverlay,
    heat_range,
    moving_overlays,
    overlays_at,
)
from explorer.protocol import Explanation

_CAPTION_PX = 28
_TWO_DIGITS = 0.005


@dataclass(frozen=True, slots=True)
class Variant:
    """What the picture beside is without.

    Attributes:
        title: what a person reads.
        without: parts that the network is asked to leave out; empty: only the overlays are left out.
        opposite: what a person reads over the picture as it is set.
    """

    title: str
    without: tuple[str, ...]
    opposite: str


OVERLAYS_OFF = Variant("Overlays off", (), "Overlays on")
VARIANTS = (
    OVERLAYS_OFF, Variant("Without VSeM", ("vsem",), "With VSeM"), Variant("Without VSpM", ("vspm",), "With VSpM"),
    Variant("Without VSeM and VSpM", ("vsem", "vspm"), "With both"),
)


def variants_of(parts: tuple[str, ...]) -> tuple[Variant, ...]:
    """What a model with these overlays can be compared with."""
    return tuple(variant for variant in VARIANTS if set(variant.without) <= set(parts))


def difference_text(score: float | None, other: float | None) -> str:
    """The other score, and how far it is from the first: ``.79 (−.05)``."""
    if other is None:
        return ""
    if score is None:
        return score_text(other)
    change = other - score
    digits = 2 if abs(change) >= _TWO_DIGITS else 4
    size = f"{abs(change):.{digits}f}".lstrip("0") or "0"
    return f"{score_text(other)} ({'±' if float(size) == 0 else '−' if change < 0 else '+'}{size})"


class ComparedPictures(QWidget):
    """The canvas of the viewer, and beside it (below it, where that makes both larger) another one to compare with.

    Signals:
        variants_changed(tuple, Variant | None): what can be compared with, and what is.
        wanted(tuple): evidence without these parts is wanted. zoom_changed(float): by the one beside.
    """

    variants_changed = Signal(tuple, object)
    wanted = Signal(tuple)
    zoom_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas, self.beside = PictureCanvas(), PictureCanvas(is_led=True)
        self.beside.setAccessibleName("Picture to compare with")
        self.beside.pointing.always_keyed = True
        self._captions = QLabel(), QLabel()
        self._variant: Variant | None = None
        self._last = OVERLAYS_OFF
        self._offered: tuple[Variant, ...] = variants_of(())
        self._overlays: tuple[AnyOverlay, ...] = ()
        self._other = MovingOverlays(layers=())
        self._time_s = 0.0
        self._scores: list[float | None] = [None, None]
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._sides = [self._side(place) for place in range(2)]
        self._connect()
        self._say_captions()

    def _side(self, place: int) -> QWidget:
        side, caption = QWidget(), self._captions[place]
        caption.setTextFormat(Qt.TextFormat.PlainText)
        caption.setAlignment(Qt.AlignmentFlag.AlignCenter)
        caption.setWordWrap(True)
        caption.setContentsMargins(4, 4, 4, 4)
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(caption)
        column.addWidget((self.canvas, self.beside)[place], 1)
        self._row.addWidget(side, 1)
        return side

    def _connect(self) -> None:
        self.canvas.picture_changed.connect(self._mirror)
        self.canvas.moved.connect(self._follow)
        self.beside.moved.connect(self._lead)
        self.beside.zoom_changed.connect(self.zoom_changed)
        self.canvas.place_pointed.connect(self.beside.point_at)
        self.beside.pointed.connect(self._on_pointed)
        self.beside.clicked.connect(self._on_clicked)

    # --- what is compared -------------------------------------------------------------------------------------------

    @property
    def variant(self) -> Variant | None:
        """What is shown beside; ``None`` if nothing is, or the model cannot leave it out."""
        return self._variant if self._variant in self._offered else None

    def set_offered(self, parts: tuple[str, ...]) -> None:
        """The model has these parts; what was chosen stays chosen, also while it cannot be shown."""
        self._offered = variants_of(parts)
        self._change()

    @Slot(object)
    def choose(self, variant: Variant | None) -> None:
        """Compare with this from now on, for this result and all that come; or show one picture only."""
        self._variant, self._last = variant, variant or self._last
        self._change()

    def toggle(self) -> None:
        """One picture, or two as they were last."""
        self.choose(None if self.variant is not None else self._last)

    def _change(self) -> None:
        self.variants_changed.emit(self._offered, self.variant)
        self._other, self._scores[1] = MovingOverlays(layers=()), None
        self._say_captions()
        self._dress()
        self._mirror()
        self.ask()

    def ask(self) -> None:
        """Ask for what is shown beside, if that needs another pass of the network."""
        if self.variant is not None and self.variant.without:
            self.wanted.emit(self.variant.without)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def set_overlays(self, overlays: tuple[AnyOverlay, ...], time_s: float = 0.0) -> None:
        """Layers of the first picture, at this time of a video; those of the other one get the same looks."""
        self._overlays, self._time_s = overlays, time_s
        self._dress()

    def set_moving(self, moving: bool) -> None:
        """Whether a video is shown."""
        self.canvas.set_moving(moving)
        self.beside.set_moving(moving)

    def forget(self) -> None:
        """Another shot of the same video is shown: what is known of this one does not count."""
        self._overlays, self._other, self._scores = (), MovingOverlays(layers=()), [None, None]
        self.canvas.forget_overlays()
        self.beside.forget_overlays()
        self._say_captions()

    def set_score(self, score: float | None) -> None:
        """What the whole network says."""
        self._scores[0] = score
        self._say_captions()

    def show_comparison(self, explanation: Explanation) -> None:
        """Take what the network says without those parts; anything else is dropped."""
        if self.variant is None or explanation.without != self.variant.without:
            return
        self._other = moving_overlays(explanation)
        self._scores[1] = explanation.score
        self._say_captions(came=True)
        self._dress()

    def show_problem(self, sentence: str) -> None:
        """Say why there is nothing to compare with."""
        self._captions[1].setText(sentence)

    def _dress(self) -> None:
        """Same looks and one scale of values for both, so that the same colour means the same."""
        self.beside.set_note(self._missing())
        known = {overlay.name: overlay for overlay in self._overlays}
        others = overlays_at(self._other, self._time_s)
        pairs = {
            overlay.name: _on_one_scale(known[overlay.name], _dressed(overlay, known[overlay.name]))
            for overlay in others if overlay.name in known
        }
        self.canvas.pointing.always_keyed = bool(pairs)
        self.canvas.set_overlays(tuple(
            pairs[overlay.name][0] if overlay.name in pairs else overlay for overlay in self._overlays
        ))
        self.beside.set_overlays(tuple(pairs[overlay.name][1] for overlay in others if overlay.name in pairs))
        self.beside.point_at(*self.canvas.pointing.told())

    def _missing(self) -> str:
        """Which layers of the first picture there are none of beside it."""
        there = {overlay.name for overlay in self._other.layers}
        if not there or self.variant is None or not self.variant.without:
            return ""
        titles = [overlay.title for overlay in self._overlays if overlay.visible and overlay.name not in there]
        return f"No “{titles[0]}” {self.variant.title[0].lower()}{self.variant.title[1:]}" if titles else ""

    def _say_captions(self, *, came: bool = False) -> None:
        score, other = self._scores
        variant = self.variant
        for side, caption in zip(self._sides, self._captions, strict=True):
            caption.setVisible(variant is not None)
            side.setVisible(variant is not None or side is self._sides[0])
        if variant is None:
            return
        self._captions[0].setText(" · ".join(text for text in (variant.opposite, difference_text(None, score)) if text))
        told = difference_text(score, other) if variant.without else difference_text(None, score)
        waiting = "" if came or not variant.without or other is not None else "…"
        self._captions[1].setText(" · ".join(text for text in (variant.title, told or waiting) if text))

    # --- moving together --------------------------------------------------------------------------------------------

    @Slot()
    def _mirror(self) -> None:
        if not self.canvas.has_picture:
            self._overlays, self._other, self._scores = (), MovingOverlays(layers=()), [None, None]
            self.beside.expect(self.canvas.placement.picture.toSize())
            self._say_captions()
        elif self.variant is not None:
            self.beside.mirror(self.canvas)
        self._turn()

    @Slot()
    def _follow(self) -> None:
        self.beside.follow(self.canvas.placement)

    @Slot()
    def _lead(self) -> None:
        self.canvas.follow(self.beside.placement)

    @Slot(object)
    def _on_pointed(self, at: QPointF | None) -> None:
        self.canvas.pointed.emit(at)

    @Slot(QPointF)
    def _on_clicked(self, at: QPointF) -> None:
        self.canvas.clicked.emit(at)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side or one above the other, whichever shows more."""
        super().resizeEvent(event)
        self._turn()

    def _turn(self) -> None:
        picture = self.canvas.placement.picture
        wide, tall = QSize(self.width() // 2, self.height()), QSize(self.width(), self.height() // 2)
        across = _scale(picture.width(), picture.height(), wide) >= _scale(picture.width(), picture.height(), tall)
        direction = QBoxLayout.Direction.LeftToRight if across else QBoxLayout.Direction.TopToBottom
        if self._row.direction() != direction:
            self._row.setDirection(direction)


def _scale(width: float, height: float, room: QSize) -> float:
    if width <= 0 or height <= 0:
        return float(room.width())
    return min(room.width() / width, max(1, room.height() - _CAPTION_PX) / height)


def _dressed(overlay: AnyOverlay, like: AnyOverlay) -> AnyOverlay:
    """A layer that looks as the one of its name beside it."""
    dressed = replace(overlay, visible=like.visible, opacity=like.opacity, threshold=like.threshold)
    if isinstance(dressed, ClassOverlay):
        return replace(dressed, hidden=like.hidden) if isinstance(like, ClassOverlay) else dressed
    if isinstance(like, ClassOverlay):
        return dressed
    return replace(dressed, style=like.style, colour_map=like.colour_map)


def _on_one_scale(overlay: AnyOverlay, other: AnyOverlay) -> tuple[AnyOverlay, AnyOverlay]:
    """Both with colours that span the values of both; what changes from place to place keeps its own scale."""
    if isinstance(overlay, ClassOverlay | PointedOverlay) or isinstance(other, ClassOverlay | PointedOverlay):
        return overlay, other
    (low, high), (other_low, other_high) = heat_range(overlay), heat_range(other)
    span = min(low, other_low), max(high, other_high)
    return replace(overlay, span=span), replace(other, span=span)
