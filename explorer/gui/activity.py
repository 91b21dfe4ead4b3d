"""Long work under way: how far, how fast, how long still, and a way to stop it."""

import os

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QWidget

from explorer.engine.sample_requests import Rendering
from explorer.engine.sentence_requests import Bringing
from explorer.gui.icons import hairline
from explorer.gui.phrases import count, duration
from explorer.gui.quiet_label import QuietLabel
from explorer.session import Indexing


class ProgressLine(QWidget):
    """A thin bar; empty while the whole is not known."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(4)
        self.part = 0.0

    def show_part(self, part: float) -> None:
        """Redraw: this part of 1."""
        self.part = min(1.0, max(0.0, part))
        self.setAccessibleName(f"{self.part:.0%} done")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        box = QRectF(self.rect())
        painter.setBrush(hairline(self.palette()))
        painter.drawRoundedRect(box, 2, 2)
        if self.part:
            painter.setBrush(self.palette().color(QPalette.ColorRole.Highlight))
            box.setWidth(max(4.0, box.width() * self.part))
            painter.drawRoundedRect(box, 2, 2)
        painter.end()


class ActivityView(QWidget):
    """Draws :class:`Indexing`, :class:`Bringing` of sentences or :class:`Rendering`; hidden when there is none.

    Signals:
        stop_asked(): the button was pressed.
    """

    stop_asked = Signal()

    def __init__(
        self, parent: QWidget | None = None, *, work: str = "indexing", noun: str = "file", title: str = ""
    ) -> None:
        super().__init__(parent)
        self._work, self._noun, self._title = work, noun, title
        self._stage = QLabel(self)
        self._share = QuietLabel(self)
        self._share.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._line = ProgressLine(self)
        self._numbers = QuietLabel(self)
        self._numbers.setWordWrap(True)
        self._current = QuietLabel(self)
        self._file = ""
        self._stage.setTextFormat(Qt.TextFormat.PlainText)
        self._current.setMinimumWidth(1)
        self._stop = QPushButton("Stop", self)
        self._stop.setAccessibleName(f"Stop {work}")
        self._stop.clicked.connect(self.stop_asked)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 8, 16, 16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self._stage, 0, 0)
        grid.addWidget(self._share, 0, 1)
        grid.addWidget(self._line, 1, 0, 1, 2)
        grid.addWidget(self._numbers, 2, 0, 1, 2)
        grid.addWidget(self._current, 3, 0, 1, 2)
        grid.addWidget(self._stop, 4, 0, 1, 2)
        self.hide()

    @Slot(object)
    def show_work(self, indexing: Indexing | Bringing | Rendering | None) -> None:
        """Redraw."""
        self.setVisible(indexing is not None)
        if indexing is None:
            return
        progress = indexing.progress
        self._stop.setEnabled(not indexing.stopping)
        self._stop.setText("Stopping…" if indexing.stopping else "Stop")
        if progress is None:
            self._stage.setText(f"Starting {self._work}…")
            self._share.clear()
            self._numbers.clear()
            self._line.show_part(0.0)
            return
        self._stage.setText(self._title or progress.stage[:1].upper() + progress.stage[1:])
        part = progress.n_done / progress.n_total if progress.n_total else 0.0
        self._share.setText(f"{int(100 * part)} %" if progress.n_total else "")
        self._line.show_part(part)
        self._numbers.setText(numbers_text(indexing, self._noun))
        self._file = progress.current
        self._elide()

    def _elide(self) -> None:
        self._current.setToolTip(self._file)
        one_line = " ".join(os.path.basename(self._file).split())
        self._current.setVisible(bool(one_line))
        self._current.setText(
            self._current.fontMetrics().elidedText(one_line, Qt.TextElideMode.ElideMiddle, max(40, self.width() - 32))
        )

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self._elide()


def numbers_text(indexing: Indexing | Bringing | Rendering, noun: str = "file") -> str:
    """``"4,340 of 7,000 · 31 a second · 1 min left"``."""
    progress = indexing.progress
    if progress is None:
        return ""
    if not progress.n_total:
        return count(progress.n_done, noun) + " found" if progress.n_done else ""
    parts = [f"{progress.n_done:,} of {progress.n_total:,}"]
    if progress.rate_per_s > 0:
        rate = progress.rate_per_s
        parts.append(f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.1f} a second")
    if progress.remaining_s is not None and progress.n_done < progress.n_total:
        parts.append(f"{duration(progress.remaining_s)} left")
    return " · ".join(part.replace(" ", "\u00a0") for part in parts)  # lines break at the dots only
