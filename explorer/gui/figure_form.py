"""The controls of a figure: what is drawn, how large, and where it goes."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from explorer.gui.elided_label import ElidedLabel
from explorer.gui.figure_offer import MM_PER_INCH, MOST_RESULTS, FigureChoice, FigureOffer, Format, Kind, file_name
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.viewer_comparison import variants_of
from explorer.protocol import Query

_KINDS: dict[Kind, str] = {
    "shown": "This result as shown", "panels": "This result, a panel for each overlay", "grid": "The first results",
}
_FORMATS: tuple[Format, ...] = get_args(Format)
_SHOWN: Literal["shown"] = "shown"


class FigureForm(QWidget):
    """Controls from top to bottom; :attr:`choice` is what they say.

    Signals:
        changed(): the figure is another one. named(): only its file is.
    """

    changed = Signal()
    named = Signal()

    def __init__(self, offer: FigureOffer, last: FigureChoice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._offer = offer
        self._folder = last.name.parent
        self._named_by_hand = False
        self.kind = QComboBox()
        for kind in offer.kinds:
            self.kind.addItem(_KINDS[kind], kind)
        self.layers = [ElidedCheckBox(layer.title) for layer in offer.layers]
        self.n_results = _spin(1, min(MOST_RESULTS, max(1, len(offer.item_ids))), last.n_results)
        self.columns = _spin(1, 20, last.columns)
        self.network = QComboBox()
        self.network.addItem("Whole", ())
        for variant in variants_of(offer.parts):
            if variant.without:
                self.network.addItem(variant.title, variant.without)
        self.scores, self.words, self.frames = (
            QCheckBox("Scores and ranks"), QCheckBox("Words and what each adds"), QCheckBox("Frame correct results"),
        )
        self.format = QComboBox()
        for name in _FORMATS:
            self.format.addItem(name.upper(), name)
        self.width_mm = QDoubleSpinBox()
        self.width_mm.setDecimals(1)
        self.width_mm.setRange(20, 2000)
        self.width_mm.setSuffix(" mm")
        self.dpi = _spin(36, 1200, last.dpi)
        self.size_note = QuietLabel(self)
        self.name = QLineEdit()
        self.place = ElidedLabel()
        self.choose = QPushButton("Choose…")
        self._set(last)
        self._compose()
        self._give_names()
        self._connect()
        self._suit_kind()

    def _set(self, last: FigureChoice) -> None:
        self.kind.setCurrentIndex(max(0, self.kind.findData(last.kind)))
        self.format.setCurrentIndex(max(0, self.format.findData(last.format)))
        self.width_mm.setValue(last.width_mm)
        for switch, on in ((self.scores, last.scores), (self.words, last.words), (self.frames, last.frames)):
            switch.setChecked(on)
        self._check_layers()
        self._suggest_name()

    def _compose(self) -> None:
        self._form = QFormLayout(self)
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setVerticalSpacing(8)
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._form.addRow("Figure", self.kind)
        self._form.addRow("Results", self.n_results)
        self._form.addRow("In a row", self.columns)
        self._overlays = _column(self.layers)
        self._form.addRow("Overlays", self._overlays)
        self._form.addRow("Network", self.network)
        self._form.addRow("With", _column([self.scores, self.words, self.frames]))
        self._form.addRow("Format", self.format)
        self._form.addRow("Width", self.width_mm)
        self._form.addRow("Pixels an inch", self.dpi)
        self._form.addRow("", self.size_note)
        self._form.addRow("File", self.name)
        row = QWidget()
        inside = QHBoxLayout(row)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.place, 1)
        inside.addWidget(self.choose)
        self._form.addRow("In", row)
        for combo in (self.kind, self.network, self.format):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumContentsLength(5)
        self._form.setRowVisible(self._overlays, bool(self.layers))
        self._form.setRowVisible(self.network, self.network.count() > 1)

    def _give_names(self) -> None:
        for control, name in (
            (self.kind, "Figure"), (self.n_results, "Number of results"), (self.columns, "Results in a row"),
            (self.network, "Network"), (self.format, "Format"), (self.width_mm, "Width in millimetres"),
            (self.dpi, "Pixels an inch"), (self.name, "File"), (self.choose, "Choose the file"),
        ):
            control.setAccessibleName(name)
        self.frames.setToolTip("Where the library's sentences tell which results belong to the query")

    def _connect(self) -> None:
        self.kind.currentIndexChanged.connect(self._kind_chosen)
        self.format.currentIndexChanged.connect(self._format_chosen)
        self.network.currentIndexChanged.connect(self._change)
        for spin in (self.n_results, self.columns, self.dpi):
            spin.valueChanged.connect(self._change)
        self.width_mm.valueChanged.connect(self._change)
        for box in (*self.layers, self.scores, self.words, self.frames):
            box.toggled.connect(self._change)
        self.name.textEdited.connect(self._name_typed)
        self.name.editingFinished.connect(self._follow_ending)
        self.choose.clicked.connect(self._choose_file)

    # --- what is chosen -----------------------------------------------------------------------------------------------

    @property
    def choice(self) -> FigureChoice:
        """What the controls say."""
        return FigureChoice(
            kind=self.kind.currentData(), chosen=tuple(i for i, box in enumerate(self.layers) if box.isChecked()),
            n_results=self.n_results.value(), columns=self.columns.value(), format=self.format.currentData(),
            width_mm=self.width_mm.value(), dpi=self.dpi.value(), scores=self.scores.isChecked(),
            words=self.words.isChecked(), frames=self.frames.isChecked(), without=tuple(self.network.currentData()),
            name=self._path(),
        )  # fmt: skip

    @property
    def problem(self) -> str:
        """Why this is no figure, in a sentence; empty if it is one."""
        if self.kind.currentData() == "panels" and self.layers and not self.choice.chosen:
            return "Choose at least one overlay: each gets a panel."
        return ""

    def _path(self) -> Path:
        return self._folder / Path(self.name.text().strip()).expanduser()  # an absolute one stands for itself

    def _check_layers(self) -> None:
        """One over the other as they are seen; each in a panel, all of them; over many results none at first."""
        kind = self.kind.currentData()
        for box, offered in zip(self.layers, self._offer.layers, strict=True):
            box.setChecked(kind == "panels" or (kind == _SHOWN and offered.seen))

    # --- changes ------------------------------------------------------------------------------------------------------

    @Slot()
    def _change(self) -> None:
        self._say_size()
        self.changed.emit()

    @Slot()
    def _kind_chosen(self) -> None:
        for box in self.layers:
            box.blockSignals(True)
        self._check_layers()
        for box in self.layers:
            box.blockSignals(False)
        self._suggest_name()
        self._suit_kind()
        self._change()

    def _suit_kind(self) -> None:
        grid = self.kind.currentData() == "grid"
        for control in (self.n_results, self.columns):
            self._form.setRowVisible(control, grid)
        self.frames.setVisible(grid and self._offer.has_sentences)
        query = self._query()
        self.words.setEnabled(query is not None and bool(query.text))
        self._say_size()

    def _query(self) -> Query | None:
        return self._offer.query if self.kind.currentData() == "grid" else self._offer.explained_by

    def _say_size(self) -> None:
        wide = round(self.width_mm.value() / MM_PER_INCH * self.dpi.value())
        if self.format.currentData() == "png":
            self.size_note.setText(f"{wide:,} pixels wide")
        else:
            self.size_note.setText("For the photos; text and lines stay sharp")

    @Slot()
    def _format_chosen(self) -> None:
        self.name.setText(str(Path(self.name.text()).with_suffix(f".{self.format.currentData()}")))
        self._say_size()
        self.named.emit()

    # --- the file -----------------------------------------------------------------------------------------------------

    def _suggest_name(self) -> None:
        if not self._named_by_hand:
            name = file_name(self._query(), self.kind.currentData(), self.format.currentData())
            self.name.setText(name)
            self.name.setCursorPosition(0)
        self.place.set_line(str(self._folder))

    @Slot()
    def _name_typed(self) -> None:
        self._named_by_hand = True
        self.named.emit()

    @Slot()
    def _follow_ending(self) -> None:
        """A folder that was typed is taken out of the name; an ending chooses the format, or is added."""
        if not self.name.text().strip():
            return
        whole = self._path()
        self._folder, typed = whole.parent, whole.name
        self.name.setText(typed)
        self.place.set_line(str(self._folder))
        ending = Path(typed).suffix.lower().lstrip(".")
        if ending in _FORMATS:
            self.format.setCurrentIndex(self.format.findData(ending))
        else:
            self.name.setText(f"{typed}.{self.format.currentData()}")

    @Slot()
    def _choose_file(self) -> None:
        dialog = QFileDialog(self.window(), "Export the figure as", str(self._path()))
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setOption(QFileDialog.Option.DontConfirmOverwrite)  # asked when it is written, for the recipe too
        dialog.setNameFilters([f"{name.upper()} (*.{name})" for name in _FORMATS])
        dialog.selectNameFilter(f"{self.format.currentText()} (*.{self.format.currentData()})")
        dialog.setDefaultSuffix(self.format.currentData())
        dialog.selectFile(self._path().name)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_file)
        dialog.open()

    @Slot(str)
    def _take_file(self, path: str) -> None:
        self.name.setText(path)
        self._name_typed()
        self._follow_ending()


class ElidedCheckBox(QCheckBox):
    """A check box that may get narrow; its text is then shortened, and whole in the tool tip."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._whole = text
        self.setAccessibleName(text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Shorten the text to what fits."""
        super().resizeEvent(event)
        room = self.width() - self.iconSize().width() - 12
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, room))
        self.setToolTip("" if self.text() == self._whole else self._whole)


def remembered(choice: FigureChoice) -> FigureChoice:
    """What the next figure begins with: all but what belongs to this one."""
    return replace(choice, kind="shown" if choice.kind == "panels" else choice.kind, chosen=(), without=())


def _spin(low: int, high: int, value: int) -> QSpinBox:
    spin = QSpinBox()
    spin.setRange(low, high)
    spin.setValue(value)
    return spin


def _column(widgets: Sequence[QCheckBox]) -> QWidget:
    column = QWidget()
    inside = QVBoxLayout(column)
    inside.setContentsMargins(0, 0, 0, 0)
    inside.setSpacing(4)
    for widget in widgets:
        inside.addWidget(widget)
    return column


