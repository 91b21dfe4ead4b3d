"""The left pane: the folders of the library, what is being done to them, and the files that could not be read."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMessageBox, QPushButton, QVBoxLayout, QWidget

from explorer.gui.activity import ActivityView
from explorer.gui.icons import GlyphButton
from explorer.gui.phrases import count, quoted
from explorer.gui.source_list import SourceList
from explorer.protocol import LibraryState, Source
from explorer.session import Indexing


class LibraryPanel(QWidget):
    """Redrawn from the library's state.

    Signals:
        folder_chosen(str): in the dialog of the button.
        rescan_asked(), errors_asked(), stop_asked(): buttons.
        remove_confirmed(int): the folder with this source id shall be forgotten.
        show_asked(Source): open the folder in the desktop's file manager.
    """

    folder_chosen = Signal(str)
    rescan_asked = Signal()
    errors_asked = Signal()
    stop_asked = Signal()
    remove_confirmed = Signal(int)
    show_asked = Signal(Source)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(184)
        self._read_only = False
        self._indexing = False
        title = QLabel("Library", self)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        self.add_button = GlyphButton("plus", "Add a folder…", "Add a folder… (Ctrl+N)", self)
        self.rescan_button = GlyphButton("rescan", "Look for changes in all folders", "Look for changes (F5)", self)
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 8, 8)
        head.setSpacing(0)
        head.addWidget(title, 1)
        head.addWidget(self.rescan_button)
        head.addWidget(self.add_button)
        self.sources = SourceList(self)
        self.errors_button = QPushButton(self)
        self.errors_button.setFlat(True)
        self.errors_button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.errors_button.hide()
        errors_row = QHBoxLayout()
        errors_row.setContentsMargins(8, 0, 8, 8)
        errors_row.addWidget(self.errors_button)
        errors_row.addStretch()
        self.activity = ActivityView(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.sources, 1)
        column.addLayout(errors_row)
        column.addWidget(self.activity)
        self.add_button.clicked.connect(self.choose_folder)
        self.rescan_button.clicked.connect(self.rescan_asked)
        self.errors_button.clicked.connect(self.errors_asked)
        self.sources.remove_asked.connect(self._confirm_removal)
        self.sources.show_asked.connect(self.show_asked)
        self.activity.stop_asked.connect(self.stop_asked)

    @Slot(object)
    def show_library(self, library: LibraryState | None) -> None:
        """Redraw folders and errors."""
        self._read_only = library is not None and library.read_only
        self.sources.show_sources(library.sources if library is not None else ())
        n_errors = library.n_errors if library is not None else 0
        self.errors_button.setVisible(n_errors > 0)
        text = f"{count(n_errors, 'file')} could not be read"
        self.errors_button.setText(text)
        self.errors_button.setAccessibleName(text)
        self._allow()

    @Slot(object)
    def show_indexing(self, indexing: Indexing | None) -> None:
        """Redraw the activity."""
        self._indexing = indexing is not None
        self.activity.show_indexing(indexing)
        self._allow()

    def _allow(self) -> None:
        self.add_button.setEnabled(not self._read_only)
        self.rescan_button.setEnabled(self.sources.count() > 0 and not self._indexing and not self._read_only)

    @Slot()
    def choose_folder(self) -> None:
        """Ask for a folder; returns at once."""
        dialog = QFileDialog(self.window(), "Add a folder of photos")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Add")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder_chosen)
        dialog.open()

    @Slot(Source)
    def _confirm_removal(self, source: Source) -> None:
        if self._read_only:
            return
        box = QMessageBox(self.window())
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"Remove {quoted(source.display)} from the library?")
        box.setInformativeText(
            f"{count(source.n_items, 'photo')} can then no longer be found here. The files themselves stay untouched."
        )
        remove = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        remove.clicked.connect(lambda: self.remove_confirmed.emit(source.source_id))
        box.open()
