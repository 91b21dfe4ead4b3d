"""What to search for: words, a photo, or both."""

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QFileDialog, QFrame, QHBoxLayout, QLabel, QLineEdit, QWidget

from explorer.gui.icons import GlyphButton, blend, hairline, paint_glyph, quiet_text
from explorer.gui.image_query import (
    Bitmap,
    Folders,
    ImageFile,
    Intake,
    Prepared,
    Refusal,
    Sentence,
    image_file,
    prepare,
    read_mime,
)
from explorer.gui.worker import Job
from explorer.protocol import Query

_HEIGHT = 36
_CHIP_HEIGHT = 28
_CHIP_NAME_PX = 112
_PICTURE_FILTER = (
    "Photos (*.jpg *.jpeg *.png *.webp *.gif *.bmp *.tif *.tiff *.heic *.heif *.JPG *.JPEG *.PNG *.HEIC);;All files (*)"
)


class ImageChip(QWidget):
    """The photo that is searched with, small, with its name and a way to take it out.

    Signals:
        removed(): the cross was pressed.
    """

    removed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_CHIP_HEIGHT)
        self._picture = QPixmap()
        self._name = QLabel(self)
        self._name.setTextFormat(Qt.TextFormat.PlainText)
        self._cross = GlyphButton("close", "Remove the picture from the search", parent=self)
        self._cross.setFixedSize(24, 24)
        self._cross.clicked.connect(self.removed)
        row = QHBoxLayout(self)
        row.setContentsMargins(_CHIP_HEIGHT + 8, 0, 2, 0)
        row.setSpacing(4)
        row.addWidget(self._name)
        row.addWidget(self._cross)

    def show_image(self, name: str, image: QImage | None = None) -> None:
        """Show this name, and the picture once there is one."""
        metrics = self._name.fontMetrics()
        self._name.setText(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, _CHIP_NAME_PX))
        self.setToolTip(name)
        self.setAccessibleName(f"Searching with the picture {name}")
        self._picture = QPixmap() if image is None or image.isNull() else QPixmap.fromImage(image)
        self.update()

    @property
    def has_picture(self) -> bool:
        """Whether a thumbnail is shown, not only a glyph."""
        return not self._picture.isNull()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        palette = self.palette()
        ground = blend(palette.color(QPalette.ColorRole.Text), palette.color(QPalette.ColorRole.Base), 0.09)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ground)
        painter.drawRoundedRect(QRectF(self.rect()), 4, 4)
        box = QRectF(2, 2, _CHIP_HEIGHT + 2, _CHIP_HEIGHT - 4)
        if self._picture.isNull():
            glyph = QRectF(0, 0, 16, 16)
            glyph.moveCenter(box.center())
            paint_glyph(painter, "photos", glyph, quiet_text(palette))
        else:
            size = QSize(self._picture.size())
            size.scale(box.size().toSize(), Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            scale = self._picture.width() / max(1, size.width())
            source = QRectF(0, 0, box.width() * scale, box.height() * scale)
            source.moveCenter(QRectF(self._picture.rect()).center())
            painter.drawPixmap(box, self._picture, source)
        painter.end()


class QueryBar(QFrame):
    """One line: a glass, the photo if there is one, the words, a cross that clears, a button that chooses a photo.

    Signals:
        searched(Query): Enter was pressed, typing paused, or the photo changed. An empty query means: show everything.
        folders_given(tuple): folders were dropped or pasted here.
        refused(str): what was dropped or pasted cannot be used; a sentence.
        left(): Escape was pressed; the person wants back to the results.
    """

    searched = Signal(Query)
    folders_given = Signal(tuple)
    refused = Signal(str)
    left = Signal()

    def __init__(self, pause_ms: int = 300, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(_HEIGHT)
        self._source: ImageFile | Bitmap | None = None
        self._image = Query()
        self._asked: Query | None = None
        self._job: Job | None = None
        self.edit = QLineEdit(self)
        self.edit.setFrame(False)
        self.edit.setTextMargins(2, 0, 2, 0)
        self.edit.setAcceptDrops(False)  # the window takes drops, wherever they fall
        self.edit.setPlaceholderText("Describe what you are looking for, or drop a photo")
        self.edit.setAccessibleName("Search for")
        palette = self.edit.palette()
        palette.setColor(QPalette.ColorRole.Base, Qt.GlobalColor.transparent)
        self.edit.setPalette(palette)
        self.edit.installEventFilter(self)
        self.chip = ImageChip(self)
        self.chip.hide()
        self.clear_button = GlyphButton("close", "Clear the search", "Clear the search (Esc twice)", self)
        self.clear_button.setFixedSize(28, 28)
        self.clear_button.hide()
        self.choose_button = GlyphButton("add image", "Search with a photo…", "Search with a photo… (Ctrl+O)", self)
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
        return Query(
            text=words, image_path=self._image.image_path, image_bytes=self._image.image_bytes,
            image_item_id=self._image.image_item_id,
        )

    @Slot()
    def search_now(self) -> None:
        """Search at once, even for the same again."""
        self._pause.stop()
        if self._source is None or self._image != Query():  # otherwise as soon as the picture is ready
            self._asked = self.query()
            self.searched.emit(self._asked)

    @Slot()
    def clear(self) -> None:
        """Take out words and photo, and show everything."""
        self.edit.clear()
        self._drop_image()
        self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self._search_if_new()

    @Slot()
    def remove_image(self) -> None:
        """Take out the photo; the words stay."""
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

    def set_item(self, item_id: int, name: str) -> None:
        """Search with a photo of the library, and with nothing else."""
        self.edit.clear()
        self._drop_image()
        self._image = Query(image_item_id=item_id)
        self.chip.show_image(name)
        self._show_chip(True)
        self.search_now()

    def set_sentence(self, text: str) -> None:
        """Search with this sentence, and with nothing else."""
        self._drop_image()
        self.replace_words(text)

    def replace_words(self, text: str) -> None:
        """Search with other words; a photo stays."""
        self.edit.setText(text)
        self.search_now()

    def show_item_thumbnail(self, item_id: int, image: QImage) -> None:
        """The thumbnail of the photo of :meth:`set_item` has come."""
        if self._image.image_item_id == item_id and not self.chip.has_picture:
            self.chip.show_image(self.chip.toolTip(), image)

    # --- what is dropped, pasted, chosen ------------------------------------------------------------------------------

    def take(self, intake: Intake | None) -> None:
        """Use what was dropped or pasted."""
        match intake:
            case ImageFile() | Bitmap():
                self._take_image(intake)
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
        """Ask for a photo on this computer; returns at once."""
        dialog = QFileDialog(self.window(), "Search with a photo", "", _PICTURE_FILTER)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._take_chosen)
        dialog.open()

    @Slot(str)
    def _take_chosen(self, path: str) -> None:
        self.take(image_file(path))

    def _take_image(self, source: ImageFile | Bitmap) -> None:
        self._drop_image()
        self._source = source
        self.chip.show_image(source.name)
        self._show_chip(True)
        job = Job(lambda: (source, prepare(source)))
        job.done.connect(self._use_prepared)
        job.failed.connect(self._preparing_failed)
        job.start()
        if isinstance(source, ImageFile):
            self._image = Query(image_path=source.path)
            self.search_now()

    @Slot(object)
    def _use_prepared(self, result: tuple[ImageFile | Bitmap, Prepared]) -> None:
        source, prepared = result
        if source is not self._source:
            return  # another photo took its place meanwhile
        self.chip.show_image(source.name, prepared.thumbnail)
        if isinstance(source, Bitmap):
            if prepared.thumbnail.isNull() or not prepared.encoded:
                self._drop_image()
                self.refused.emit("What was pasted cannot be read as a picture.")
                return
            self._image = Query(image_bytes=prepared.encoded)
            self.search_now()

    @Slot(BaseException)
    def _preparing_failed(self, error: BaseException) -> None:
        self._drop_image()
        self.refused.emit(f"This picture cannot be used ({error}).")

    def _drop_image(self) -> None:
        self._source = None
        self._image = Query()
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
        """Escape, Ctrl+V with a picture, and Backspace before a picture, in the line of words."""
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
