"""Some fixed sentences, and what the network finds for each as it learns."""

from collections.abc import Mapping
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt, Slot
from PySide6.QtGui import QImage, QImageReader, QPainter, QPainterPath, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from explorer.gui.icons import blend
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.worker import Job
from explorer.protocol.runs import AnsweredQuery, QueriesAnswered, TopPicture

_PICTURE_PX = 96
_GAP_PX = 8
_FRAME_PX = 3.0


class QueriesView(QScrollArea):
    """A row for each sentence: its words, the rank of its own picture, and the pictures found first."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Queries")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.rows: list[QueryRow] = []
        self._pictures: dict[Path, QImage] = {}
        self._folder = Path()
        self._shown: tuple[QueriesAnswered | None, QueriesAnswered | None] | None = None
        self._job: Job | None = None
        content = QWidget(self)
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(16, 16, 16, 16)
        self._column.setSpacing(16)
        self.note = QLabel(content)
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self._column.addWidget(self.note)
        self._column.addStretch()
        self.setWidget(content)

    def show_queries(self, answered: QueriesAnswered | None, before: QueriesAnswered | None, folder: Path) -> None:
        """Redraw: what was found after the last epoch, and after the one ``before``; ``folder`` holds the pictures."""
        if folder != self._folder:
            self._folder, self._pictures, self._shown = folder, {}, None
        if self._shown is not None and self._shown[0] is answered and self._shown[1] is before:
            return
        self._shown = (answered, before)
        queries = () if answered is None else answered.queries
        earlier = {} if before is None else {query.text: query.rank for query in before.queries}
        self.note.setText(
            "After the first epoch this shows what the network finds for some sentences that it did not learn from."
            if answered is None or not queries
            else f"After epoch {answered.epoch}: sentences that it did not learn from. Their own picture has a frame."
        )
        while len(self.rows) < len(queries):
            row = QueryRow(self.widget())
            self._column.insertWidget(1 + len(self.rows), row)
            self.rows.append(row)
        for row, query in zip(self.rows, queries, strict=False):
            row.show_query(query, earlier.get(query.text))
        for i, row in enumerate(self.rows):
            row.setVisible(i < len(queries))
        self._read_pictures()

    @Slot()
    def _read_pictures(self) -> None:
        """In a thread: the folder may lie on a slow disk."""
        wanted = {self._folder / top.picture for row in self.rows for top in row.query.top if row.isVisibleTo(self)}
        missing = wanted - self._pictures.keys()
        if missing and self._job is None:
            self._job = Job(lambda: {path: _read(path) for path in missing})
            self._job.done.connect(self._take_pictures)
            self._job.finished.connect(self._job_over)
            self._job.start()
        self._give_pictures()

    @Slot(object)
    def _take_pictures(self, read: Mapping[Path, QImage]) -> None:
        self._pictures.update({path: image for path, image in read.items() if path.parent == self._folder})

    @Slot()
    def _job_over(self) -> None:
        self._job = None
        self._read_pictures()

    def _give_pictures(self) -> None:
        for row in self.rows:
            row.strip.show_pictures(
                [(top, self._pictures.get(self._folder / top.picture, QImage())) for top in row.query.top]
            )


class QueryRow(QWidget):
    """One sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.query = AnsweredQuery(text="", rank=0, n_ranked=0, top=())
        self.sentence = QLabel(self)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.sentence.setWordWrap(True)
        self.sentence.setMinimumWidth(1)
        self.rank = QuietLabel(self)
        self.rank.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        self.strip = PictureStrip(self)
        words = QHBoxLayout()
        words.setSpacing(16)
        words.addWidget(self.sentence, 1)
        words.addWidget(self.rank)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(words)
        column.addWidget(self.strip)

    def show_query(self, query: AnsweredQuery, rank_before: int | None) -> None:
        """Redraw."""
        self.query = query
        self.sentence.setText(query.text)
        self.rank.setText(rank_text(query, rank_before))
        self.setAccessibleName(f"{query.text}: {rank_text(query, rank_before)}")
        self.strip.setAccessibleName(f"First pictures for: {query.text}")


def rank_text(query: AnsweredQuery, rank_before: int | None) -> str:
    """``"rank 3 of 1,000, was 12"``."""
    text = f"rank {query.rank:,} of {query.n_ranked:,}"
    return text if rank_before is None or rank_before == query.rank else f"{text}, was {rank_before:,}"


class PictureStrip(QWidget):
    """Pictures side by side; those that belong to the sentence are framed. What does not fit is left out."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pictures: list[tuple[TopPicture, QImage]] = []
        self.setFixedHeight(_PICTURE_PX)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(6 * (_PICTURE_PX + _GAP_PX), _PICTURE_PX)

    def show_pictures(self, pictures: list[tuple[TopPicture, QImage]]) -> None:
        """Redraw; a picture that is not there yet is an empty place."""
        self.pictures = pictures
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        palette, left = self.palette(), 0.0
        ground = palette.color(QPalette.ColorRole.Window)
        for top, image in self.pictures:
            ratio = image.width() / image.height() if not image.isNull() else 4 / 3
            box = QRectF(left, 0, round(_PICTURE_PX * min(2.0, max(0.5, ratio))), _PICTURE_PX)
            if box.right() > self.width():
                break
            painter.save()
            outline = QPainterPath()
            outline.addRoundedRect(box, 4, 4)
            painter.setClipPath(outline)
            if image.isNull():
                painter.fillRect(box, blend(palette.color(QPalette.ColorRole.WindowText), ground, 0.08))
            else:
                painter.drawImage(box, image, _middle_of(image, box.width() / box.height()))
            painter.restore()
            if top.own:
                painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), _FRAME_PX))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                inset = _FRAME_PX / 2
                painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), 4, 4)
            left = box.right() + _GAP_PX
        painter.end()


def _middle_of(image: QImage, ratio: float) -> QRectF:
    """The largest part of this ratio in the picture's middle; nearly always all of it."""
    whole = QRectF(image.rect())
    width, height = min(whole.width(), ratio * whole.height()), min(whole.height(), whole.width() / ratio)
    part = QRectF(0, 0, width, height)
    part.moveCenter(whole.center())
    return part


def _read(path: Path) -> QImage:
    """The picture at twice the size it is shown in; a null one where it cannot be read."""
    reader = QImageReader(str(path))
    reader.setAutoTransform(True)
    size = reader.size()
    if size.height() > 2 * _PICTURE_PX:
        reader.setScaledSize(size.scaled(4 * _PICTURE_PX, 2 * _PICTURE_PX, Qt.AspectRatioMode.KeepAspectRatio))
    return reader.read()
