"""What is going on with the shown item, in one sentence; and, at rest, what is under the pointer."""

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from explorer.gui.item_text import score_text
from explorer.gui.overlay_controls import value_text
from explorer.gui.painters import AnyOverlay
from explorer.overlays import NOWHERE, ClassOverlay, heat_range, place_at, place_value

_BUSY_AFTER_MS = 250


def pointed_text(overlays: tuple[AnyOverlay, ...], x: float, y: float) -> str:
    """The raw values of the visible layers at a place of the picture in [0, 1]: ``Saliency .61 · dog .93``."""
    words = []
    for overlay in overlays:
        if not overlay.visible:
            continue
        if not isinstance(overlay, ClassOverlay):
            low, high = heat_range(overlay)
            place = place_at(overlay, x, y)
            if place != NOWHERE:
                words.append(f"{overlay.title} {value_text(place_value(overlay, place), high - low)}")
        else:
            h, w = overlay.class_ids.shape
            cell = min(h - 1, int(y * h)), min(w - 1, int(x * w))
            name = overlay.names[int(overlay.class_ids[cell])]
            words.append(f"{name} {score_text(float(overlay.confidence[cell]))}")
    return " · ".join(words)


class EmptyState(QWidget):
    """One quiet sentence in the middle of an empty pane."""

    def __init__(self, sentence: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        label = QLabel(sentence)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        label.setWordWrap(True)
        label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.addWidget(label)


class StatusStrip(QWidget):
    """A problem with a way out, or that something is under way, or what the pointer is over."""

    retry_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._waits_for: set[str] = set()
        self._problem = self._hint = self._pointed = self._unplayable = ""
        self._bare = False
        self._label = QLabel()
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setWordWrap(True)
        self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._label.setMinimumHeight(self._label.fontMetrics().height())
        self.retry = QPushButton("Try again")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 6, 8, 6)
        row.addWidget(self._label, 1)
        row.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignTop)
        self._busy = QTimer(self, singleShot=True, interval=_BUSY_AFTER_MS)
        self._busy.timeout.connect(self._redraw)
        self.retry.clicked.connect(self.retry_clicked)
        self.setAccessibleName("State of the picture")
        self._redraw()

    def text(self) -> str:
        """The sentence that is shown."""
        return self._label.text()

    def reset(self) -> None:
        """Another item, or another try."""
        self._waits_for.clear()
        self._problem = self._hint = self._pointed = ""
        self._redraw()

    def picture_asked(self) -> None:
        """The picture is on its way."""
        self._waits_for.add("picture")
        self._busy.start()

    def explanation_asked(self) -> None:
        """The explanation is on its way."""
        self._waits_for.add("explanation")
        self._busy.start()

    def picture_came(self) -> None:
        """The picture is here."""
        self._waits_for.discard("picture")
        self._redraw()

    def explanation_came(self, *, has_layers: bool) -> None:
        """The explanation is here; a model that has none gets a sentence that says what to do."""
        self._waits_for.discard("explanation")
        self._problem = ""
        self._hint = "" if has_layers else (
            "This model does not show where it looks. Choose one with overlays to see saliency and segmentation.")
        self._redraw()

    def show_problem(self, sentence: str) -> None:
        """Something failed."""
        self._waits_for.clear()
        self._problem = sentence
        self._redraw()

    @Slot(str)
    def say(self, sentence: str) -> None:
        """Something to know, until something else is."""
        self._hint = sentence
        self._redraw()

    @Slot(str)
    def set_unplayable(self, sentence: str) -> None:
        """Why the video is not played, as long as it is not; empty if it is."""
        self._unplayable = sentence
        self._redraw()

    @Slot(str)
    def set_pointed(self, text: str) -> None:
        """What the pointer is over."""
        self._pointed = text
        self._redraw()

    @Slot(bool)
    def set_bare(self, bare: bool) -> None:
        """The overlays are held back."""
        self._bare = bare
        self._redraw()

    @Slot()
    def _redraw(self) -> None:
        busy = ""
        if self._waits_for and not self._busy.isActive():
            busy = "Loading the picture…" if "picture" in self._waits_for else "Finding out where the model looked…"
        text = self._problem or ("The bare picture, while Space is held" if self._bare else "") or self._pointed
        if text == self._pointed:  # the figures at the end are what is read
            text = self.fontMetrics().elidedText(text, Qt.TextElideMode.ElideMiddle, self._label.width())
        said = self._unplayable or self._hint
        self._label.setText(text or self._unplayable or busy or self._hint or "Point at the picture to read its values")
        told = bool(self._problem or self._pointed or self._unplayable or (self._hint and not busy))
        self._label.setForegroundRole(QPalette.ColorRole.WindowText if told else QPalette.ColorRole.PlaceholderText)
        self._label.setWordWrap(bool(self._problem or said))
        self.retry.setVisible(bool(self._problem or self._unplayable))
