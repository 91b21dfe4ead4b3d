"""A question before something that cannot be undone; never waits for the answer."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

Choice = tuple[str, Callable[[], object]]


def ask(
    parent: QWidget, question: str, explanation: str, choices: Sequence[Choice], *, harmless: Choice | None = None
) -> QMessageBox:
    """Open a question with a button for each choice and one that cancels.

    ``harmless``: a choice that is offered first and that Enter takes; without one Enter cancels.
    """
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(question)
    box.setInformativeText(explanation)
    if harmless is not None:
        button = box.addButton(harmless[0], QMessageBox.ButtonRole.AcceptRole)
        button.clicked.connect(harmless[1])
        box.setDefaultButton(button)
    for text, act in choices:
        box.addButton(text, QMessageBox.ButtonRole.DestructiveRole).clicked.connect(act)
    cancel = box.addButton(QMessageBox.StandardButton.Cancel)
    if harmless is None:
        box.setDefaultButton(cancel)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
    return box
