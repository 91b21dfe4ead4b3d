"""What was dropped or pasted: a photo, a video, a result or a sentence to search with, folders to add, or a refusal."""

import os
from dataclasses import dataclass

import msgspec
from PySide6.QtCore import QBuffer, QByteArray, QFileInfo, QIODevice, QMimeData, QMimeDatabase, QSize, Qt, QUrl
from PySide6.QtGui import QImage, QImageReader, QImageWriter

from explorer.gui.phrases import quoted

RESULT_FORM = "application/x-retrieval-explorer-result"
"""The form in which a result is dragged from the grid onto the query."""

_ON_THE_WEB = "What is on the web cannot be searched with by its address: copy the picture, or save the video."

CHIP_EDGE_PX = 96
"""Thumbnails of query images are decoded at this size: twice what the chip shows, for dense screens."""

_SENT_EDGE_PX = 1024
_QUALITY = 92
_PHOTO_ENDINGS = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "heic", "heif")
VIDEO_ENDINGS = ("avi", "m4v", "mkv", "mov", "mp4", "webm")
"""As the engine knows them; what else is a video is known by its content."""


def _pattern(endings: tuple[str, ...]) -> str:
    return " ".join(f"*.{each}" for ending in endings for each in (ending, ending.upper()))


FILE_KINDS = ";;".join((
    f"Photos and videos ({_pattern(_PHOTO_ENDINGS + VIDEO_ENDINGS)})", f"Photos ({_pattern(_PHOTO_ENDINGS)})",
    f"Videos ({_pattern(VIDEO_ENDINGS)})", "All files (*)",
))
"""What a dialog offers to search with."""

_ENCODED_FORMATS = ("image/png", "image/jpeg", "image/webp", "image/bmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFile:
    """A photo on this computer; the engine reads it, so it may be of a kind that Qt cannot show."""

    path: bytes
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFile:
    """A video on this computer; the engine reads it."""

    path: bytes
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A photo or a shot of the open library, by its segment id; ``moves``: it is a shot."""

    item_id: int
    name: str
    moves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bitmap:
    """A picture without a file, encoded already or not."""

    name: str
    encoded: bytes = b""
    image: QImage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Words to search for."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """Folders to add to the library."""

    paths: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Nothing that can be used, and why, in one sentence."""

    text: str


Intake = ImageFile | VideoFile | Result | Bitmap | Sentence | Folders | Refusal


def read_mime(mime: QMimeData) -> Intake | None:
    """What was dropped or pasted; ``None`` if there is nothing in it."""
    if mime.hasFormat(RESULT_FORM):
        result = _result_in(bytes(mime.data(RESULT_FORM).data()))
        if result is not None:
            return result
    local = [url.toLocalFile() for url in mime.urls() if url.isLocalFile()] or _paths_in(mime.text())
    if local:
        folders = tuple(os.fsencode(path) for path in local if os.path.isdir(path))
        return Folders(paths=folders) if folders else query_file(local[0])
    for form in _ENCODED_FORMATS:
        if mime.hasFormat(form):
            return Bitmap(name="Pasted picture", encoded=bytes(mime.data(form).data()))
    if mime.hasImage():
        image = mime.imageData()
        if isinstance(image, QImage) and not image.isNull():
            return Bitmap(name="Pasted picture", image=image)
    if mime.urls() or mime.text().strip().startswith(("https://", "http://")):
        return Refusal(text=_ON_THE_WEB)
    if mime.hasText() and mime.text().strip():
        return Sentence(text=mime.text())
    return None


def _paths_in(text: str) -> list[str]:
    """The file or folder whose path or address was copied as text; nothing if it is other text."""
    line = text.strip().strip("\"'")
    if "\n" in line:
        return []
    path = QUrl(line).toLocalFile() if line.startswith("file://") else os.path.expanduser(line)
    return [path] if os.path.isabs(path) and os.path.exists(path) else []


def result_mime(result: Result) -> QByteArray:
    """A result that is dragged, as :func:`read_mime` knows it again in the same window."""
    return QByteArray(msgspec.json.encode((os.getpid(), result)))


def _result_in(content: bytes) -> Result | None:
    """``None`` for one of another window: its library may be another."""
    try:
        process, result = msgspec.json.decode(content, type=tuple[int, Result])
    except msgspec.MsgspecError:
        return None
    return result if process == os.getpid() else None


def query_file(path: str) -> ImageFile | VideoFile | Refusal:
    """A file to search with, unless it plainly is neither picture nor video."""
    name = quoted(os.path.basename(path))
    found = QFileInfo(path)
    if not found.exists():
        return Refusal(text=f"{name} is not there any more.")
    if not found.isReadable():
        return Refusal(text=f"{name} may not be read by you.")
    if found.size() == 0:
        return Refusal(text=f"{name} is empty.")
    if found.suffix().lower() in VIDEO_ENDINGS:
        return VideoFile(path=os.fsencode(path), name=os.path.basename(path))
    kind = QMimeDatabase().mimeTypeForFile(found)
    if kind.name().startswith("video/"):
        return VideoFile(path=os.fsencode(path), name=os.path.basename(path))
    looks_it_up = kind.name() == "application/octet-stream"  # raw photos are often unknown to the desktop
    if not kind.name().startswith("image/") and not looks_it_up:
        what = kind.comment() or kind.name()
        return Refusal(text=f"{name} is neither a picture nor a video ({what}).")
    return ImageFile(path=os.fsencode(path), name=os.path.basename(path))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """A query picture made ready in a thread: its thumbnail (null if Qt cannot read it); bytes if it has no file."""

    thumbnail: QImage
    encoded: bytes = b""


def prepare(source: ImageFile | Bitmap) -> Prepared:
    """Decode the thumbnail and encode what needs it; safe in any thread."""
    if isinstance(source, ImageFile):
        reader = QImageReader(os.fsdecode(source.path))
        return Prepared(thumbnail=_read_small(reader))
    if source.image is not None:
        image = source.image.scaled(
            _SENT_EDGE_PX, _SENT_EDGE_PX, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
        ) if max(source.image.width(), source.image.height()) > _SENT_EDGE_PX else source.image
        return Prepared(thumbnail=_shrunk(image), encoded=_encoded(image))
    content = QBuffer()
    content.setData(QByteArray(source.encoded))
    content.open(QIODevice.OpenModeFlag.ReadOnly)
    return Prepared(thumbnail=_read_small(QImageReader(content)), encoded=source.encoded)


def _encoded(image: QImage) -> bytes:
    """JPEG, which is quick; PNG where something is transparent."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png" if image.hasAlphaChannel() else b"jpeg"))
    writer.setQuality(_QUALITY)
    writer.write(image)
    return bytes(buffer.data().data())


def _read_small(reader: QImageReader) -> QImage:
    reader.setAutoTransform(True)
    size = reader.size()
    if size.isValid() and max(size.width(), size.height()) > CHIP_EDGE_PX:
        reader.setScaledSize(size.scaled(QSize(CHIP_EDGE_PX, CHIP_EDGE_PX), Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return image if image.isNull() else _shrunk(image)


def _shrunk(image: QImage) -> QImage:
    return image.scaled(
        CHIP_EDGE_PX, CHIP_EDGE_PX, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
