"""The left pane: folders and sentences of the library, what is being done to them, and files that could not be read."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMenu, QMessageBox, QPushButton, QVBoxLayout, QWidget

from explorer.engine.sample_requests import Rendering
from explorer.engine.sentence_requests import Bringing
from explorer.gui.activity import ActivityView
from explorer.gui.icons import GlyphButton
from explorer.gui.phrases import count, noun_of, quoted
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.source_list import SourceList
from explorer.gui.training.run_activity import RunActivity
from explorer.protocol import LibraryState, Source
from explorer.session import Indexing


class LibraryPanel(QWidget):
    """Redrawn from the library's state.

    Signals:
        folder_chosen(str): in the dialog of the button.
        sentences_chosen(str): a file of sentences was chosen in the dialog of the menu.
        rescan_asked(), errors_asked(), stop_asked(), stop_sentences_asked(), stop_sample_asked(): buttons.
        sample_asked(): the sample collection is wanted.
        remove_confirmed(int): the folder with this source id shall be forgotten.
        show_asked(Source): open the folder in the desktop's file manager.
    """

    folder_chosen = Signal(str)
    rescan_asked = Signal()
    errors_asked = Signal()
    stop_asked = Signal()
    sentences_chosen = Signal(str)
    stop_sentences_asked = Signal()
    sample_asked = Signal()
    stop_sample_asked = Signal()
    remove_confirmed = Signal(int)
    show_asked = Signal(Source)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(184)
        self._read_only = False
        self._noun = "file"
        self._indexing = self._bringing = self._rendering = False
        self.add_button = GlyphButton("plus", "Add a folder…", "Add a folder… (Ctrl+N)", self)
        self.rescan_button = GlyphButton("rescan", "Look for changes in all folders", "Look for changes (F5)", self)
        self.more_button = GlyphButton("more", "More to do with the library", parent=self)
        self.menu = QMenu(self)
        self.sources = SourceList(self)
        self.sentences_label = QuietLabel(self)
        self.sentences_label.setContentsMargins(16, 0, 16, 8)
        self.sentences_label.hide()
        self.errors_button = QPushButton(self)
        self.errors_button.setFlat(True)
        self.errors_button.setCursor(Qt.CursorShape.PointingHandCursor)
        self.errors_button.hide()
        self.activity = ActivityView(self)
        self.sentence_activity = ActivityView(self, work="adding sentences", noun="sentence")
        self.sample_activity = ActivityView(self, work="drawing the sample collection", title="Drawing the sample")
        self.run_activity = RunActivity(self)
        self._fill_menu()
        self._compose()
        self.add_button.clicked.connect(self.choose_folder)
        self.rescan_button.clicked.connect(self.rescan_asked)
        self.more_button.clicked.connect(self.open_menu)
        self.errors_button.clicked.connect(self.errors_asked)
        self.sources.remove_asked.connect(self._confirm_removal)
        self.sources.show_asked.connect(self.show_asked)
        self.activity.stop_asked.connect(self.stop_asked)
        self.sentence_activity.stop_asked.connect(self.stop_sentences_asked)
        self.sample_activity.stop_asked.connect(self.stop_sample_asked)

    def _compose(self) -> None:
        title = QLabel("Library", self)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 8, 8)
        head.setSpacing(0)
        head.addWidget(title, 1)
        for button in (self.rescan_button, self.add_button, self.more_button):
            head.addWidget(button)
        errors_row = QHBoxLayout()
        errors_row.setContentsMargins(8, 0, 8, 8)
        errors_row.addWidget(self.errors_button)
        errors_row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.sources, 1)
        column.addWidget(self.sentences_label)
        column.addLayout(errors_row)
        column.addWidget(self.activity)
        column.addWidget(self.sentence_activity)
        column.addWidget(self.sample_activity)
        column.addWidget(self.run_activity)

    def _fill_menu(self) -> None:
        self.add_action = self.menu.addAction("Add a folder…")
        self.rescan_action = self.menu.addAction("Look for changes in all folders")
        self.menu.addSeparator()
        self.sentences_action = self.menu.addAction("Add sentences…")
        self.sample_action = self.menu.addAction("Add the sample collection")
        self.sample_action.triggered.connect(self.sample_asked)
        self.add_action.triggered.connect(self.choose_folder)
        self.rescan_action.triggered.connect(self.rescan_asked)
        self.sentences_action.triggered.connect(self.choose_sentences)

    @Slot()
    def open_menu(self) -> None:
        """Open the menu under its button."""
        self.menu.popup(self.more_button.mapToGlobal(self.more_button.rect().bottomLeft()))

    @Slot(object)
    def show_library(self, library: LibraryState | None) -> None:
        """Redraw folders and errors."""
        self._read_only = library is not None and library.read_only
        self._noun = noun_of(library.n_items, library.n_videos) if library is not None else "file"
        self.sources.show_sources(library.sources if library is not None else (), self._noun)
        n_errors = library.n_errors if library is not None else 0
        self.errors_button.setVisible(n_errors > 0)
        text = f"{count(n_errors, 'file')} could not be read"
        self.errors_button.setText(text)
        self.errors_button.setAccessibleName(text)
        n_sentences = library.n_sentences if library is not None else 0
        self.sentences_label.setVisible(n_sentences > 0)
        self.sentences_label.setText(count(n_sentences, "sentence"))
        self._allow()

    @Slot(object)
    def show_indexing(self, indexing: Indexing | None) -> None:
        """Redraw the activity."""
        self._indexing = indexing is not None
        self.activity.show_work(indexing)
        self._allow()

    @Slot(object)
    def show_bringing(self, bringing: Bringing | None) -> None:
        """Redraw the activity of sentences."""
        self._bringing = bringing is not None
        self.sentence_activity.show_work(bringing)
        self._allow()

    @Slot(object)
    def show_rendering(self, rendering: Rendering | None) -> None:
        """Redraw the activity of the sample collection."""
        self._rendering = rendering is not None
        self.sample_activity.show_work(rendering)
        self._allow()

    def _allow(self) -> None:
        self.add_button.setEnabled(not self._read_only)
        self.rescan_button.setEnabled(self.sources.count() > 0 and not self._indexing and not self._read_only)
        self.sample_action.setEnabled(not self._rendering and not self._read_only)
        self.add_action.setEnabled(self.add_button.isEnabled())
        self.rescan_action.setEnabled(self.rescan_button.isEnabled())
        self.sentences_action.setEnabled(self.sources.count() > 0 and not self._bringing and not self._read_only)

    @Slot()
    def choose_folder(self) -> None:
        """Ask for a folder; returns at once."""
        dialog = QFileDialog(self.window(), "Add a folder of photos and videos")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Add")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.folder_chosen)
        dialog.open()

    @Slot()
    def choose_sentences(self) -> None:
        """Ask for a file of sentences; returns at once."""
        if not self.sentences_action.isEnabled():
            return
        title, kinds = "Add sentences about photos and videos", "Sentences (*.json);;All files (*)"
        dialog = QFileDialog(self.window(), title, "", kinds)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setLabelText(QFileDialog.DialogLabel.Accept, "Add")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.sentences_chosen)
        dialog.open()

    @Slot(Source)
    def _confirm_removal(self, source: Source) -> None:
        if self._read_only:
            return
        box = QMessageBox(self.window())
        box.setIcon(QMessageBox.Icon.NoIcon)
        box.setText(f"Remove {quoted(source.display)} from the library?")
        gone = f"{count(source.n_items, self._noun)} can then no longer be found here."
        box.setInformativeText(f"{gone} The files themselves stay untouched.")
        remove = box.addButton("Remove", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        remove.clicked.connect(lambda: self.remove_confirmed.emit(source.source_id))
        box.open()
