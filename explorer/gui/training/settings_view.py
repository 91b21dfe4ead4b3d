"""The recipe of a run, as it was when the run was made."""

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QWidget

from explorer.gui.training.copied_text import CopiedText


class SettingsView(CopiedText):
    """Text to read and to copy; the same file trains on the command line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Settings", "recipe", parent)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setPlaceholderText("The recipe of this run cannot be read.")

    def show_recipe(self, recipe: bytes) -> None:
        """Redraw."""
        self.text.setPlainText(recipe.decode("utf-8", "replace"))
        self.note.setText("The same recipe trains on the command line: retrieval-explorer train FILE.toml")
        self.copy.setEnabled(bool(recipe))
