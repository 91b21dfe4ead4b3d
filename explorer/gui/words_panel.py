"""The query's words beside the picture, and their links to places in it."""

import numpy as np
from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from explorer.gui.quiet_label import QuietLabel
from explorer.gui.word_chips import WordChips
from explorer.gui.word_links import WordTable, word_table
from explorer.protocol import Words

_MOST_ROWS = 6
_OF_SCORE = "What each word adds"
_WAITING = "Finding out what each word adds…"
_OF_PLACE = "What each word adds here"


class ChipArea(QScrollArea):
    """As high as its chips need, up to a few rows; then it scrolls."""

    def __init__(self, chips: WordChips, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chips = chips
        self.setWidget(chips)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setAutoFillBackground(False)
        chips.setAutoFillBackground(False)

    def fit(self) -> None:
        """Take the height of the chips in this width."""
        layout = self._chips.layout()
        if layout is None or not self._chips.chips:
            return
        row = self._chips.chips[0].sizeHint().height()
        most = _MOST_ROWS * row + (_MOST_ROWS - 1) * 6 + row // 2  # half a row more says that there is more
        needed = min(most, layout.heightForWidth(self.width()))
        if self.height() != needed:
            self.setFixedHeight(needed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width breaks the lines elsewhere."""
        super().resizeEvent(event)
        self.fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Other words, numbers or letters need other lines."""
        handled = bool(super().eventFilter(watched, event))
        if watched is self._chips and event.type() == QEvent.Type.LayoutRequest:
            self.fit()
        return handled

    def minimumSizeHint(self) -> QSize:
        """As narrow as one likes."""
        return QSize(80, 24)


class WordsPanel(QWidget):
    """Hidden when there are no words.

    Signals:
        values_wanted(str, object): let the layer of this name show these values, float32 (n_places,), in place of its
            own, and no other layer; None: all show their own.
        search_asked(str): search with this sentence in place of the one whose words are shown.
    """

    values_wanted = Signal(str, object)
    search_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table: WordTable | None = None
        self._holding = False
        self._seen: tuple[str, ...] = ()
        self._title = QuietLabel(self, _OF_SCORE)
        self._title.setWordWrap(True)
        self.chips = WordChips()
        self._area = ChipArea(self.chips, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addWidget(self._area)
        self.setAccessibleName("Words")
        self.chips.lit.connect(self._light)
        self.chips.left_out.connect(self._leave_out)
        self.hide()

    @property
    def table(self) -> WordTable | None:
        """What is shown; ``None`` while the panel is hidden."""
        return self._table

    @property
    def held(self) -> tuple[str, int, str] | None:
        """The word that is held: the layer it lights, its number, the word."""
        table, number = self._table, self.chips.held
        if table is None or number < 0 or not table.links:
            return None
        return self._linked_layer(table), number, table.words[number]

    def controls(self) -> list[QWidget]:
        """What takes the focus, from left to right; only one of them is reached by Tab."""
        return list(self.chips.chips) if self._table is not None else []

    def show_words(self, words: Words | None) -> None:
        """Show the words of an explanation whose layers are shown already.

        Raises:
            ValueError: weights or links do not fit the words.
        """
        self._holding = False
        self._table = word_table(words) if words is not None and words.words else None
        self.setVisible(self._table is not None)
        if self._table is None:
            return
        self._area.show()
        self._title.setText(_OF_SCORE)
        lit = self.chips.lit_word
        self.chips.show_words(self._table)
        self._area.fit()
        if self.chips.lit_word >= 0 and self.chips.lit_word == lit:
            self._light(lit)  # the same word, in another picture

    def show_waiting(self) -> None:
        """The words of a long sentence take their time."""
        self._table = None
        self._title.setText(_WAITING)
        self._area.hide()
        self.show()

    def hold(self) -> None:
        """Another picture is on its way: its places mean nothing to these words until their numbers come."""
        self._holding = True
        if self._table is not None:
            self._title.setText(_OF_SCORE)
            self.chips.show_weights()

    def prefer(self, layers: tuple[str, ...]) -> None:
        """A word lights its places in the first of these layers that has links; else in any that has."""
        self._seen = layers

    @Slot(str, int)
    def point(self, layer: str, place: int) -> None:
        """The pointer is at a place of a layer; -1: at none."""
        table = self._table
        if table is None:
            return
        shares = None if self._holding else table.shares(layer, place)
        self._title.setText(_OF_SCORE if shares is None else _OF_PLACE)
        if shares is None:
            self.chips.show_weights()
        else:
            self.chips.show_shares(shares, table.scale_of(layer, place))

    @Slot(int)
    def _light(self, word: int) -> None:
        if self._table is None or self._holding or not self._table.links:
            return
        layer = self._linked_layer(self._table)
        values: np.ndarray | None = self._table.links[layer][word] if word >= 0 else None
        self.values_wanted.emit(layer, values)

    def _linked_layer(self, table: WordTable) -> str:
        return next((name for name in self._seen if name in table.links), next(iter(table.links)))

    @Slot(int)
    def _leave_out(self, word: int) -> None:
        if self._table is not None:
            self.search_asked.emit(self._table.without(word))
