"""The top of the window: the query, the model, and the buttons that fold the panes and open the menu."""

from collections.abc import Mapping

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from explorer.gui.icons import GlyphButton
from explorer.gui.keys import Command
from explorer.gui.model_picker import ModelPicker
from explorer.gui.query_bar import QueryBar

_MENU = (
    Command.ADD_FOLDER, Command.RESCAN, Command.ADD_SENTENCES, Command.OPEN_LIBRARY, None, Command.TRAIN, None,
    Command.SEARCH_WITH_PHOTO, Command.SHOW_EVERYTHING, Command.EXPORT_FIGURE, None,
    Command.FOLD_LIBRARY, Command.FOLD_VIEWER, None, Command.KEYS, Command.QUIT,
)


class Header(QWidget):
    """One row.

    Attributes:
        library_button, query, models, viewer_button, menu_button: its parts, from left to right.
    """

    def __init__(self, pause_ms: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.library_button = GlyphButton("left pane", "Library", "Show or hide the library (Ctrl+B)", self)
        self.query = QueryBar(pause_ms, self)
        self.models = ModelPicker(self)
        self.models.setFixedHeight(32)
        self.viewer_button = GlyphButton("right pane", "Viewer", "Show or hide the viewer (Ctrl+I)", self)
        self.menu_button = GlyphButton("menu", "Menu", parent=self)
        self.menu = QMenu(self)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 8, 8, 8)
        row.setSpacing(8)
        row.addWidget(self.library_button)
        row.addWidget(self.query, 1)
        row.addWidget(self.models)
        row.addWidget(self.viewer_button)
        row.addWidget(self.menu_button)
        for button in (self.library_button, self.viewer_button):
            button.setCheckable(True)
        self.menu_button.clicked.connect(self.open_menu)

    def fill_menu(self, actions: Mapping[Command, QAction]) -> None:
        """Put the commands that have no button of their own into the menu, and the others too."""
        for command in _MENU:
            if command is None:
                self.menu.addSeparator()
            else:
                self.menu.addAction(actions[command])

    @Slot(bool, bool)
    def show_folds(self, library_shown: bool, viewer_shown: bool) -> None:
        """Redraw the two pane buttons."""
        self.library_button.setChecked(library_shown)
        self.viewer_button.setChecked(viewer_shown)

    @Slot()
    def open_menu(self) -> None:
        """Open the menu under its button."""
        at = self.menu_button.mapToGlobal(self.menu_button.rect().bottomRight())
        at.setX(at.x() - self.menu.sizeHint().width())
        self.menu.popup(at)
