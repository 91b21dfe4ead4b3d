"""The words of a sentence as chips: each with what it adds, one of them lit, one of them perhaps held."""

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from explorer.gui.flow_layout import FlowLayout, place_beside
from explorer.gui.word_chip import WordChip, number_text
from explorer.gui.word_links import WordTable, runs_right_to_left

_GAP_PX = 6


class WordChips(QWidget):
    """All words, wrapped in the order of the sentence; one place in the tab order, arrows lead on from there.

    Signals:
        lit(int): the word under the pointer, else the one with the keyboard's focus, else the one held; -1: none.
        left_out(int): search without this word.
    """

    lit = Signal(int)
    left_out = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chips: list[WordChip] = []
        self._table: WordTable | None = None
        self._entered = self._held = self._lit = -1
        self._flow = FlowLayout(self, _GAP_PX)
        self.setAccessibleName("Words of the query")

    @property
    def held(self) -> int:
        """The word that stays lit; -1: none."""
        return self._held

    @property
    def lit_word(self) -> int:
        """The word that is lit; -1: none."""
        return self._lit

    def show_words(self, table: WordTable) -> None:
        """Show these words; a held one stays held if the sentence is the same."""
        same = self._table is not None and self._table.words == table.words
        self._table = table
        if not same:
            self._entered = self._held = -1
            self._make(len(table.words))
            mirrored = runs_right_to_left(" ".join(table.words))
            self.setLayoutDirection(Qt.LayoutDirection.RightToLeft if mirrored else Qt.LayoutDirection.LeftToRight)
        for place, (chip, word) in enumerate(zip(self.chips, table.words, strict=True)):
            chip.show_word(" ".join(word.split()), strongest=place == table.strongest)
            chip.setChecked(place == self._held)
        self.show_weights()
        self._tell()

    def show_weights(self) -> None:
        """Tint the words by what they add to the score."""
        if self._table is not None:
            weights = self._table.weights
            self._tint(weights, float(np.abs(weights).max(initial=0.0)), _told_of_score)

    def show_shares(self, shares: np.ndarray, scale: float) -> None:
        """Tint the words by what they add at one place."""
        self._tint(shares, scale, _told_of_place)

    def free(self) -> bool:
        """Hold no word any more; whether one was held."""
        was_held, self._held = self._held >= 0, -1
        for chip in self.chips:
            chip.setChecked(False)
        self._entered = -1
        self._tell()
        return was_held

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape frees the held word."""
        if event.key() != Qt.Key.Key_Escape or self._held < 0:
            event.ignore()
        else:
            self.free()

    def _make(self, n_words: int) -> None:
        while len(self.chips) > n_words:
            chip = self.chips.pop()
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        while len(self.chips) < n_words:
            chip = WordChip(len(self.chips), self)
            chip.entered.connect(self._enter)
            chip.left.connect(self._leave)
            chip.moved.connect(self._move)
            chip.menu_asked.connect(self._open_menu)
            chip.clicked.connect(self._click)
            self._flow.addWidget(chip)
            self.chips.append(chip)
        self._let_tab_reach(0)

    def _tint(self, values: np.ndarray, scale: float, told: Callable[[str, float, float], str]) -> None:
        for chip, value in zip(self.chips, values.tolist(), strict=True):
            chip.show_number(value, scale, told(chip.text(), value, scale))

    def _let_tab_reach(self, place: int) -> None:
        for chip in self.chips:
            reached = chip.place == place
            chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus if reached else Qt.FocusPolicy.ClickFocus)

    def _tell(self) -> None:
        now = self._entered if self._entered >= 0 else self._held
        if now != self._lit:
            self._lit = now
            self.lit.emit(now)

    @Slot(int)
    def _enter(self, place: int) -> None:
        self._entered = place
        self._tell()

    @Slot(int)
    def _leave(self, place: int) -> None:
        if self._entered == place:
            self._entered = -1
            self._tell()

    @Slot()
    def _click(self) -> None:
        chip = self.sender()
        assert isinstance(chip, WordChip)
        self._held = -1 if self._held == chip.place else chip.place
        for other in self.chips:
            other.setChecked(other.place == self._held)
        self._let_tab_reach(chip.place)
        if self._held < 0:
            self._entered = -1  # freed is dark, though the pointer is still there
        self._tell()

    @Slot(int, int)
    def _move(self, place: int, key: int) -> None:
        target = self.chips[place_beside(self.chips, place, Qt.Key(key), self.layoutDirection())]
        self._let_tab_reach(target.place)
        target.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(int, QPoint)
    def _open_menu(self, place: int, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        several = " " in self.chips[place].text()
        action = menu.addAction("Search without these words" if several else "Search without this word")
        action.setEnabled(len(self.chips) > 1)
        action.triggered.connect(lambda: self.left_out.emit(place))
        menu.popup(at)


def _told_of_score(word: str, value: float, scale: float) -> str:
    amount = number_text(abs(value), scale)
    return f"Without “{word}” the score {'falls' if value >= 0 else 'rises'} by {amount}."


def _told_of_place(word: str, value: float, scale: float) -> str:
    verb = "adds" if value >= 0 else "takes"
    return f"At this place “{word}” {verb} {number_text(abs(value), scale)}."
