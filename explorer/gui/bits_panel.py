"""The bit inspector: both codes, what the bit under the pointer says, and the results that carry a held bit."""

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from explorer.evidence import BitAgreement
from explorer.gui.bit_carriers import CarrierStrip
from explorer.gui.bit_grid import NO_BIT, BitGrid
from explorer.gui.bit_words import short_bit_text
from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import score_text
from explorer.gui.phrases import count
from explorer.gui.quiet_label import QuietLabel
from explorer.overlays import UNDECIDED, agreement_text, bits_from_message
from explorer.protocol import BitCarriers, Bits, ItemDescription, Thumbnail

MOST_CARRIERS = 20

_TITLE = "The query's bits above, the result's below"
_KEY = "■ set  □ not set  × differ; small: near flipping"
_UNDECIDED = (
    f"Nearly undecided: less than {score_text(UNDECIDED)} from flipping (of 1 at most), in the query or in the result"
)
_BUSY = "Looking through the library…"
_BUSY_AFTER_MS = 150


class CarriersBox(QWidget):
    """The photos and shots that carry the held bit: set or not set, as a person chooses.

    Signals:
        wanted(int, bool): the photos in which this bit is set, or not set.
        items_wanted(list): thumbnails and names of these items. chosen(id): open this item.
        controls_changed(): others take the focus now.
    """

    wanted = Signal(int, bool)
    items_wanted = Signal(list)
    chosen = Signal(ITEM_ID)
    controls_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bit = NO_BIT
        self.title = QLabel()
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.is_set, self.not_set = QRadioButton("Set"), QRadioButton("Not set")
        self._choice = QButtonGroup(self)
        for button, where in ((self.is_set, "is set"), (self.not_set, "is not set")):
            button.setAccessibleName(f"Photos and shots in which the bit {where}")
            button.setToolTip(button.accessibleName())
            self._choice.addButton(button)
        self.is_set.setChecked(True)
        self.state = QuietLabel(self)
        self.state.setWordWrap(True)
        self.retry = QPushButton("Try again")
        self.strip = CarrierStrip()
        self._patience = QTimer(self, singleShot=True, interval=_BUSY_AFTER_MS)
        self._compose()
        self._patience.timeout.connect(self._show_waiting)
        self._choice.buttonClicked.connect(self._ask)
        self.retry.clicked.connect(self._ask)
        self.strip.chosen.connect(self.chosen)
        self.setAccessibleName("What carries the bit")
        self.hide()

    def _compose(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.title, 1)
        head.addWidget(self.is_set)
        head.addWidget(self.not_set)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.state)
        column.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.strip)

    def controls(self) -> list[QWidget]:
        """What takes the focus, from top to bottom; of the photos only one is reached by Tab."""
        return [self.is_set, self.not_set, self.retry, *self.strip.buttons] if self._bit != NO_BIT else []

    def show_bit(self, bit: int) -> None:
        """Ask for the photos that carry this bit; -1: no bit is held any more."""
        self._bit = bit
        self.setVisible(bit != NO_BIT)
        if bit == NO_BIT:
            self._patience.stop()
            self.strip.show_items((), ())
            return
        self.title.setText(f"Bit {bit + 1}")
        self._ask()

    @Slot()
    def _ask(self) -> None:
        self._patience.start()
        self.retry.hide()
        self.wanted.emit(self._bit, self.is_set.isChecked())

    @Slot()
    def _show_waiting(self) -> None:
        self.strip.hide()
        self.state.setText(_BUSY)

    def show_carriers(self, carriers: BitCarriers) -> None:
        """Take the answer; one about another bit, or from before the choice changed, is dropped.

        Raises:
            ValueError: there is not one strength for each item.
        """
        if (carriers.bit, carriers.positive) != (self._bit, self.is_set.isChecked()):
            return
        self._patience.stop()
        item_ids = np.frombuffer(carriers.item_ids, "<i8")[:MOST_CARRIERS].tolist()
        strengths = np.nan_to_num(np.frombuffer(carriers.strengths, "<f4"))[:MOST_CARRIERS].tolist()
        self.strip.show_items(item_ids, strengths)
        self.strip.setVisible(bool(item_ids))
        self.retry.hide()
        self.state.setText(_told_of(len(item_ids), positive=carriers.positive))
        self.controls_changed.emit()
        if item_ids:
            self.items_wanted.emit(item_ids)

    def show_problem(self, sentence: str) -> None:
        """The photos could not be found."""
        if self._bit != NO_BIT:
            self._patience.stop()
            self.strip.show_items((), ())
            self.strip.hide()
            self.state.setText(sentence)
            self.retry.show()


def _told_of(n_found: int, *, positive: bool) -> str:
    how = "set" if positive else "not set"
    if not n_found:
        return f"In nothing of the library is it {how}."
    if n_found < MOST_CARRIERS:
        return f"{count(n_found, 'result')} in which it is {how}, the surest first"
    return f"The {n_found} results in which it is {how} most surely"


class BitsPanel(QWidget):
    """Hidden where the model makes no binary codes, or nothing was searched for.

    Signals:
        carriers_wanted(str, int, bool): of this model the photos in which this bit is set, or not set.
        items_wanted(list): thumbnails and names of these items.
        item_chosen(id): open this item.
        controls_changed(): others take the focus now.
    """

    carriers_wanted = Signal(str, int, bool)
    items_wanted = Signal(list)
    item_chosen = Signal(ITEM_ID)
    controls_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bits: BitAgreement | None = None
        self._model = ""
        self.title = QuietLabel(self, _TITLE)
        self.title.setWordWrap(True)
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.summary.setToolTip(_UNDECIDED)
        self.grid = BitGrid()
        self.told = QuietLabel(self, _KEY)
        self.told.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.carriers = CarriersBox()
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(6)
        for widget in (self.summary, self.title, self.grid, self.told, self.carriers):
            column.addWidget(widget)
        self.setAccessibleName("Bits")
        self.grid.pointed.connect(self._say)
        self.grid.held.connect(self.carriers.show_bit)
        self.carriers.wanted.connect(self._ask)
        self.carriers.items_wanted.connect(self.items_wanted)
        self.carriers.chosen.connect(self.item_chosen)
        self.carriers.controls_changed.connect(self.controls_changed)
        self.hide()

    @property
    def bits(self) -> BitAgreement | None:
        """What is shown; ``None`` while the panel is hidden."""
        return self._bits

    def controls(self) -> list[QWidget]:
        """What takes the focus, from top to bottom."""
        return [self.grid, *self.carriers.controls()] if self._bits is not None else []

    def show_bits(self, bits: Bits | None, model: str) -> None:
        """Show the codes of an explanation by this model.

        A held bit stays, with its photos, until another model speaks or there are no codes.

        Raises:
            ValueError: there is no bit, or query and picture have not equally many.
        """
        shown = bits_from_message(bits) if bits is not None else None
        if shown is None or model != self._model or len(shown.query) != self.grid.n_bits:
            self._let_go()  # while the codes are still those that its bit belongs to
        self._bits, self._model = shown, model
        self.setVisible(self._bits is not None)
        if self._bits is not None:
            self.summary.setText(agreement_text(self._bits))
            self.grid.show_bits(self._bits)

    def hold(self) -> None:
        """Another picture is on its way: the bits are those of the one before until its own come."""
        self.grid.set_stale()

    def show_item(self, item_id: int) -> None:
        """The viewer shows this item now."""
        self.carriers.strip.mark(item_id)

    @Slot(tuple)
    def add_thumbnails(self, thumbnails: tuple[Thumbnail, ...]) -> None:
        """Take those that are needed out of whatever came."""
        self.carriers.strip.add_thumbnails(thumbnails)

    @Slot(tuple)
    def add_descriptions(self, items: tuple[ItemDescription, ...]) -> None:
        """Take those that are needed out of whatever came."""
        self.carriers.strip.add_descriptions(items)

    @Slot(int)
    def _say(self, bit: int) -> None:
        text = _KEY if self._bits is None or bit == NO_BIT else short_bit_text(self._bits, bit)
        self.told.setText(text)

    @Slot(int, bool)
    def _ask(self, bit: int, positive: bool) -> None:
        self.carriers_wanted.emit(self._model, bit, positive)

    def _let_go(self) -> bool:
        was_held = self.grid.let_go()
        self.carriers.show_bit(NO_BIT)
        return was_held

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape lets the held bit go, wherever in the panel the focus is."""
        if event.key() != Qt.Key.Key_Escape or self.grid.held_bit == NO_BIT:
            event.ignore()
            return
        self.grid.setFocus(Qt.FocusReason.OtherFocusReason)
        self._let_go()
