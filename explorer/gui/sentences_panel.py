"""The best sentences of the library for the picture that is searched with."""

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from explorer.engine.sentence_requests import RankedSentences
from explorer.gui.icons import hairline
from explorer.gui.notices import sentence_of
from explorer.gui.phrases import count
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.sentence_list import ROW_PX, SentenceList
from explorer.protocol import SentenceRanking, Thumbnail

_MOST_ROWS, _LEAST_ROWS = 5.5, 2.5
_SHARE = 0.32


class SentencesPanel(QWidget):
    """A heading that folds and says what is so, and the sentences; hidden while no picture is searched with.

    Attributes:
        unfolded: whether the sentences are to be seen.

    Signals:
        wanted(bool): the panel was unfolded or folded.
        stop_asked(), again_asked(): the button in the heading.
        thumbnails_wanted(list): of these items.
    """

    wanted = Signal(bool)
    stop_asked = Signal()
    again_asked = Signal()
    thumbnails_wanted = Signal(list)

    def __init__(self, *, unfolded: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ranking: SentenceRanking | None = None
        self.unfolded = unfolded
        self.fold = QToolButton(self)
        self.fold.setText("Sentences")
        self.fold.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.fold.setAutoRaise(True)
        self.fold.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.fold.setToolTip("The sentences of the library that fit the picture or the video best")
        font = self.fold.font()
        font.setBold(True)
        self.fold.setFont(font)
        self.state = QuietLabel(self)
        self.state.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.button = QPushButton(self)
        self.list = SentenceList(self)
        head = QHBoxLayout()
        head.setContentsMargins(8, 4, 16, 4)
        head.setSpacing(8)
        head.addWidget(self.fold)
        head.addWidget(self.state, 1)
        head.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.list)
        self.setAccessibleName("Sentences")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._show_fold()
        self.fold.clicked.connect(self._turn)
        self.button.clicked.connect(self._press)
        self.list.chosen.connect(self._choose)
        self.show_ranked(False, None)

    @Slot(bool, object)
    def show_ranked(self, applies: bool, ranked: RankedSentences | None) -> None:
        """Redraw; the last sentences stay until others are there."""
        self.setVisible(applies)
        if ranked is None or ranked.ranking is None:
            self._show_ranking(None)
        elif ranked.ranking is not self._ranking:
            self._show_ranking(ranked.ranking)
        self._say(ranked)
        self._fit()

    @Slot(tuple)
    def add_thumbnails(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Take those of the sentences' photos out of whatever came."""
        if self._ranking is not None:
            self.list.rows.add_thumbnails(thumbnails)

    @Slot()
    def forget_items(self) -> None:
        """Another library was opened: its photos have the same numbers and are others."""
        self.list.rows.forget_thumbnails()

    def _show_ranking(self, ranking: SentenceRanking | None) -> None:
        self._ranking = ranking
        sentences = ranking.sentences if ranking is not None else ()
        if sentences != self.list.rows.sentences:
            had = self.list.selected() is not None
            missing = self.list.rows.show_sentences(sentences)
            if had:
                self.list.chosen.emit("")  # a reset takes the selection away without a word
            if missing:
                self.thumbnails_wanted.emit(missing)

    def _say(self, ranked: RankedSentences | None) -> None:
        text, button = _state_of(ranked) if ranked is not None and self.unfolded else ("", "")
        if self.list.selected() is not None:
            text = "Results are explained with the selected sentence"
        self.state.setText(text)
        self.state.setToolTip(text)
        self.button.setVisible(bool(button))
        self.button.setText(button)

    @Slot(str)
    def _choose(self, sentence: str) -> None:
        if self._ranking is not None:
            self._say(RankedSentences(query=self._ranking.query, ranking=self._ranking))  # type: ignore[arg-type]

    @Slot()
    def _turn(self) -> None:
        self.unfolded = not self.unfolded
        self._show_fold()
        if not self.unfolded:
            self.list.clearSelection()
        self.wanted.emit(self.unfolded)
        self._choose("")
        self._fit()

    def _show_fold(self) -> None:
        self.fold.setArrowType(Qt.ArrowType.DownArrow if self.unfolded else Qt.ArrowType.RightArrow)
        self.fold.setAccessibleName("Hide the sentences" if self.unfolded else "Show the sentences")

    @Slot()
    def _press(self) -> None:
        (self.stop_asked if self.button.text() == _STOP else self.again_asked).emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A line between the results and this."""
        painter = QPainter(self)
        painter.fillRect(QRectF(0, 0, self.width(), 1), hairline(self.palette()))
        painter.end()

    # --- room ---------------------------------------------------------------------------------------------------------

    def _fit(self) -> None:
        """A third of the pane, and no more than the sentences need."""
        n_rows = len(self.list.rows.sentences)
        self.list.setVisible(self.unfolded and n_rows > 0)
        pane = self.parentWidget()
        room = _SHARE * pane.height() / ROW_PX if pane is not None else _MOST_ROWS
        rows = min(float(n_rows), max(_LEAST_ROWS, min(_MOST_ROWS, float(int(room)) + 0.5)))
        self.list.setFixedHeight(round(rows * ROW_PX) + 4)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The pane may be lower or higher, too."""
        super().resizeEvent(event)
        self._fit()


_STOP = "Stop"


def _state_of(ranked: RankedSentences) -> tuple[str, str]:
    """What the heading says, and its button."""
    if ranked.problem is not None:
        return sentence_of(ranked.problem), "Try again"
    if ranked.stopped:
        return "Stopped before all sentences were encoded.", "Go on"
    if ranked.progress is not None:
        done = ranked.progress
        stage = done.stage[:1].upper() + done.stage[1:]
        return f"{stage}: {done.n_done:,} of {done.n_total:,}" if done.n_total else f"{stage}…", _STOP
    if ranked.ranking is None:
        return "Looking for the best sentences…", ""
    n_shown, n_all = len(ranked.ranking.sentences), ranked.ranking.n_sentences
    return (f"The {n_shown} best of {n_all:,}" if n_shown < n_all else count(n_all, "sentence")), ""
