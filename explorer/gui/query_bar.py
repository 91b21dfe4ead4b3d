"""What to search for: words, a photo or a video, or both."""

from msgspec.structs import replace
from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLineEdit, QWidget

from explorer.gui.icons import GlyphButton, hairline, paint_glyph, quiet_text
from explorer.gui.image_query import (
    FILE_KINDS,
    Bitmap,
    Folders,
    ImageFile,
    Intake,
    Prepared,
    Refusal,
    Sentence,
    VideoFile,
    prepare,
    query_file,
    read_mime,
)
from explorer.gui.query_chip import QueryChip
from explorer.gui.worker import Job
from explorer.protocol import Query

_HEIGHT = 36


class QueryBar(QFrame):
    """One line: a glass, the photo or video if there is one, the words, a cross that clears, a button that chooses.

    Signals:
        searched(Query): Enter was pressed, typing paused, or the photo changed. An empty query means: show everything.
        poster_wanted(bytes): a picture of the video file at this path, for :meth:`show_poster`.
        folders_given(tuple): folders were dropped or pasted here.
        refused(str): what was dropped or pasted cannot be used; a sentence.
        left(): Escape was pressed; the person wants back to the results.
    """

    searched = Signal(Query)
    poster_wanted = Signal(object)
    folders_given = Signal(tuple)
    refused = Signal(str)
    left = Signal()

    def __init__(self, pause_ms: int = 300, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self._source: ImageFile | VideoFile | Bitmap | None = None
        self._medium = Query()  # what is searched with besides words
        self._asked: Query | None = None
        self._job: Job | None = None
        self.edit = QLineEdit(self)
        self.edit.setFrame(False)
        self.edit.setTextMargins(2, 0, 2, 0)
        self.edit.setAcceptDrops(False)  # the window takes drops, wherever they fall
        self.edit.setPlaceholderText("Describe what you are looking for, or drop a photo or a video")
        self.edit.setAccessibleName("Search for")
        palette = self.edit.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.edit.setPalette(palette)
        self.edit.installEventFilter(self)
        self.chip = QueryChip(self)
        self.chip.hide()
        self.clear_button = GlyphButton("close", "Clear the search", "Clear the search (Esc twice)", self)
        self.clear_button.setFixedSize(28, 28)
        self.clear_button.hide()
        choose = "Search with a photo or a video…"
        self.choose_button = GlyphButton("add image", choose, f"{choose} (Ctrl+O)", self)
        self.choose_button.setFixedSize(28, 28)
        row = QHBoxLayout(self)
        row.setContentsMargins(36, 0, 4, 0)
        row.setSpacing(4)
        for part in (self.chip, self.edit, self.clear_button, self.choose_button):
            row.addWidget(part, 1 if part is self.edit else 0)
        self._pause = QTimer(self, singleShot=True, interval=pause_ms)
        self._pause.timeout.connect(self._search_if_new)
        self.edit.textEdited.connect(self._typed)
        self.edit.textChanged.connect(self._show_clear)
        self.edit.returnPressed.connect(self.search_now)
        self.chip.removed.connect(self.remove_image)
        self.clear_button.clicked.connect(self.clear)
        self.choose_button.clicked.connect(self.choose_image)

    # --- the query ----------------------------------------------------------------------------------------------------

    def query(self) -> Query:
        """What the bar says now."""
        words = " ".join(_whole(self.edit.text()).split())
        return replace(self._medium, text=words)

    @Slot()
    def search_now(self) -> None:
        """Search at once, even for the same again."""
        self._pause.stop()
        if self._source is None or self._medium != Query():  # otherwise as soon as the picture is ready
            self._asked = self.query()
            self.searched.emit(self._asked)

    @Slot()
    def clear(self) -> None:
        """Take out words and picture, and show everything."""
        self.edit.clear()
        self._drop_image()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self._search_if_new()

    @Slot()
    def remove_image(self) -> None:
        """Take out the photo or the video; the words stay."""
        self._drop_image()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.search_now()

    def reset(self) -> None:
        """Empty the bar without searching: another library was opened."""
        self._pause.stop()
        self.edit.clear()
        self._drop_image()
        self._asked = None

    def focus(self) -> None:
        """Put the cursor here, all words selected."""
        self.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.edit.selectAll()

    def set_item(self, item_id: int, name: str, *, moves: bool = False) -> None:
        """Search with a photo or a shot of the library, and with nothing else; ``moves``: it is a shot."""
        self.edit.clear()
        self._drop_image()
        self._medium = Query(image_item_id=item_id)
        self.chip.show_medium(name, moves=moves)
        self._show_chip(True)
        self.search_now()

    def set_sentence(self, text: str) -> None:
        """Search with this sentence, and with nothing else."""
        self._drop_image()
        self.replace_words(text)

    def replace_words(self, text: str) -> None:
        """Search with other words; a photo or a video stays."""
        self.edit.setText(text)
        self.search_now()

    def show_item_thumbnail(self, item_id: int, image: QImage) -> None:
        """The thumbnail for :meth:`set_item` has come."""
        if self._medium.image_item_id == item_id and not self.chip.has_picture:
            self.chip.show_picture(image)

    def show_poster(self, path: bytes, image: QImage) -> None:
        """The picture of a video file has come."""
        if self._medium.video_path == path:
            self.chip.show_picture(image)

    # --- what is dropped, pasted, chosen ------------------------------------------------------------------------------

    def take(self, intake: Intake | None) -> None:
        """Use what was dropped or pasted."""
        match intake:
            case ImageFile() | VideoFile() | Bitmap():
                self._take_medium(intake)
            case Sentence(text=text):
                self.edit.setText(" ".join(text.split()))
                self.search_now()
            case Folders(paths=paths):
                self.folders_given.emit(paths)
            case Refusal(text=text):
                self.refused.emit(text)

    @Slot()
    def paste(self) -> None:
        """Use what is in the clipboard."""
        self.take(read_mime(QGuiApplication.clipboard().mimeData()))

    @Slot()
    def choose_image(self) -> None:
        """Ask for a photo or a video on this computer; returns at once."""
        dialog = QFileDialog(self.window(), "Search with a photo or a video", "", FILE_KINDS)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda path: self.take(query_file(path)))
        dialog.open()

    def _take_medium(self, source: ImageFile | VideoFile | Bitmap) -> None:
        self._drop_image()
        self._source = source
        self.chip.show_medium(source.name, moves=isinstance(source, VideoFile))
        self._show_chip(True)
        if isinstance(source, VideoFile):
            self._medium = Query(video_path=source.path)
            self.search_now()
            self.poster_wanted.emit(source.path)
            return
        job = Job(lambda: (source, prepare(source)))
        job.done.connect(self._use_prepared)
        job.failed.connect(self._preparing_failed)
        job.start()
        if isinstance(source, ImageFile):
            self._medium = Query(image_path=source.path)
            self.search_now()

    @Slot(object)
    def _use_prepared(self, result: tuple[ImageFile | Bitmap, Prepared]) -> None:
        source, prepared = result
        if source is not self._source:
            return  # another photo took its place meanwhile
        self.chip.show_medium(source.name, prepared.thumbnail)
        if isinstance(source, Bitmap):
            if prepared.thumbnail.isNull() or not prepared.encoded:
                self._drop_image()
                self.refused.emit("What was pasted cannot be read as a picture.")
                return
            self._medium = Query(image_bytes=prepared.encoded)
            self.search_now()

    @Slot(BaseException)
    def _preparing_failed(self, error: BaseException) -> None:
        self._drop_image()
        self.refused.emit(f"This picture cannot be used ({error}).")

    def _drop_image(self) -> None:
        self._source = None
        self._medium = Query()
        self._show_chip(False)

    # --- typing -------------------------------------------------------------------------------------------------------

    @Slot(str)
    def _typed(self, text: str) -> None:
        self._pause.start()

    @Slot()
    def _search_if_new(self) -> None:
        if self.query() != (self._asked or Query()):
            self.search_now()

    @Slot(str)
    def _show_clear(self, text: str) -> None:
        self.clear_button.setVisible(bool(text) or self.chip.isVisibleTo(self))

    def _show_chip(self, shown: bool) -> None:
        self.chip.setVisible(shown)
        self._show_clear(self.edit.text())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Escape, Ctrl+V with a picture or a video, and Backspace before one, in the line of words."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            self.update()
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() == Qt.Key.Key_Escape:
                self.left.emit()
                return True
            if event.matches(QKeySequence.StandardKey.Paste):
                intake = read_mime(QGuiApplication.clipboard().mimeData())
                if intake is not None and not isinstance(intake, Sentence):
                    self.take(intake)
                    return True
            at_start = self.edit.cursorPosition() == 0 and not self.edit.hasSelectedText()
            if event.key() == Qt.Key.Key_Backspace and at_start and self.chip.isVisibleTo(self):
                self.remove_image()
                return True
        return bool(super().eventFilter(watched, event))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        focused = self.edit.hasFocus()
        line = palette.color(QPalette.ColorRole.Highlight) if focused else hairline(palette)
        painter.setPen(QPen(line, 1.5 if focused else 1.0))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
        paint_glyph(painter, "search", QRectF(12, (self.height() - 16) / 2, 16, 16), quiet_text(palette))
        painter.end()


def _whole(text: str) -> str:
    """Without halves of characters, which no encoding can carry."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
