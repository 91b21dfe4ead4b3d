"""Which model answers."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QComboBox, QWidget

from explorer.protocol import ModelSummary

_LEAST_PX, _MOST_PX = 144, 264
_NAME = Qt.ItemDataRole.UserRole


class ModelPicker(QComboBox):
    """The packages that were found; damaged ones are listed, cannot be chosen, and say why.

    Signals:
        model_chosen(str): a person chose this package.
    """

    model_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Model")
        self.setToolTip("The model that answers")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.setMinimumWidth(_LEAST_PX)
        self.setMaximumWidth(_MOST_PX)
        self.setEnabled(False)
        self.setPlaceholderText("No model")
        self.activated.connect(self._choose)

    @Slot(tuple, str)
    def show_models(self, models: tuple[ModelSummary, ...], current: str) -> None:
        """Redraw: these packages, this one in use."""
        listed = QStandardItemModel(self)
        for model in models:
            row = QStandardItem(model.title or model.name)
            row.setData(model.name, _NAME)
            row.setToolTip(model.problem or f"{model.name}: {model.output}")
            row.setEnabled(not model.problem)
            listed.appendRow(row)
        self.setModel(listed)  # the box deletes the model it had, being its parent
        row_in_use = self.findData(current, _NAME)
        self.setCurrentIndex(row_in_use)
        self.setEnabled(bool(models))
        chosen = next((model for model in models if model.name == current), None)
        self.setToolTip(f"{chosen.name}: {chosen.output}" if chosen else "The model that answers")

    @Slot(int)
    def _choose(self, row: int) -> None:
        self.model_chosen.emit(self.itemData(row, _NAME))
