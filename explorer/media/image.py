"""Image files to upright RGB arrays, reduced while decoding, and back to small JPEGs.

Pillow decodes (its JPEG draft mode reads an eighth of the picture within a tenth of the entropy decoder's own time, and
it reports a cut-off file where OpenCV's decoder paints grey and prints a warning); OpenCV resizes and encodes. What a
file is, its content says, whatever its name: a PNG called ``.jpg`` is read, a text called ``.jpg`` is an error.
"""

import functools
import importlib.util
import io
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import cv2
import numpy as np
from PIL import Image

from explorer.errors import MediaError
from explorer.media.pixels import orient, to_rgb

MAX_PIXELS = 250_000_000
THUMBNAIL_EDGE_PX = 256
THUMBNAIL_QUALITY = 85

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "DIB", "TIFF")
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_ORIENTATION_TAG, _DATE_TAG, _EXIF_IFD, _ORIGINAL_DATE_TAG = 0x0112, 0x0132, 0x8769, 0x9003

# What decoders are known to raise on damaged files. A MemoryError here is a damaged size field or a picture too large
# for this machine: that file's trouble as well.
_DECODER_FAILURES = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, ArithmeticError, AttributeError,
    AssertionError, RuntimeError, MemoryError, struct.error, zlib.error,
)  # fmt: skip

# Pillow refuses or warns by limits of its own; ours is checked before any decoding.
Image.MAX_IMAGE_PIXELS = None
_warnings_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """One upright picture.

    Attributes:
        pixels: uint8 RGB (h, w, 3), C-contiguous, possibly reduced.
        full_width_px, full_height_px: of the whole picture, upright.
        format: "jpeg", "png", "webp", "gif", "bmp", "tiff" or "heic".
        captured_at: local time of capture, ISO 8601, or empty.
    """

    pixels: np.ndarray = field(repr=False)
    full_width_px: int
    full_height_px: int
    format: str
    captured_at: str = ""


def decode_image(content: bytes, *, min_edge_px: int | None = None) -> DecodedImage:
    """Decode the bytes of an image file.

    With ``min_edge_px`` the picture may come reduced, as far as its short edge stays at least that long: for a JPEG by
    1/2, 1/4 or 1/8 within the decoder, for others by a whole factor after it. Transparent pictures lie on white, 16-bit
    ones are scaled to 8, of a moving picture the first frame is taken.

    Raises
    ------
    MediaError
        The content is empty, cut off, damaged, not an image, of a format that is not read, or has more than 250
        megapixels (which its header says; such a picture is never decoded).
    """
    if not content:
        raise MediaError("The file is empty.")
    is_heif = content[4:8] == b"ftyp" and content[8:12] in _HEIF_BRANDS
    if is_heif:
        _enable_heif()
    try:
        with _without_warnings():
            image = Image.open(io.BytesIO(content), formats=("HEIF",) if is_heif else _FORMATS)
    except _DECODER_FAILURES as error:
        raise MediaError("The file is not an image of a kind that can be read, or its beginning is damaged.") from error
    with image:
        if image.format in ("JPEG", "MPO"):
            image.decodermaxblock = len(content)  # all at once: in small blocks it takes a twentieth longer
        return _decode(image, min_edge_px)


def squash(pixels: np.ndarray, side_px: int) -> np.ndarray:
    """The whole picture as a square, both axes resized independently; uint8 (side_px, side_px, 3)."""
    return _resize(pixels, side_px, side_px)


def fit_within(pixels: np.ndarray, max_edge_px: int) -> np.ndarray:
    """The picture with its longest edge at most ``max_edge_px``, aspect kept; never enlarged."""
    height, width = pixels.shape[:2]
    scale = max_edge_px / max(height, width)
    if scale >= 1:
        return pixels
    return _resize(pixels, max(1, round(width * scale)), max(1, round(height * scale)))


def encode_jpeg(pixels: np.ndarray, quality: int = 90) -> bytes:
    """uint8 RGB (h, w, 3) as a JPEG file."""
    done, buffer = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV cannot encode pixels of shape {pixels.shape} and type {pixels.dtype}")
    return buffer.tobytes()


def make_thumbnail(pixels: np.ndarray, edge_px: int = THUMBNAIL_EDGE_PX) -> bytes:
    """A JPEG whose longest edge is at most ``edge_px``, aspect kept."""
    return encode_jpeg(fit_within(pixels, edge_px), THUMBNAIL_QUALITY)


def _resize(pixels: np.ndarray, width_px: int, height_px: int) -> np.ndarray:
    height, width = pixels.shape[:2]
    if (width, height) == (width_px, height_px):
        return np.ascontiguousarray(pixels)
    # Averaging over the covered area is what shrinking means; enlarging has no area to average.
    shrinks = width_px <= width and height_px <= height
    return cv2.resize(pixels, (width_px, height_px), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _decode(image: Image.Image, min_edge_px: int | None) -> DecodedImage:
    width_px, height_px = image.size
    name = {"MPO": "jpeg", "DIB": "bmp", "HEIF": "heic"}.get(image.format or "", (image.format or "").lower())
    if width_px * height_px > MAX_PIXELS:
        raise MediaError(
            f"The image has {width_px * height_px / 1e6:.0f} megapixels, more than the"
            f" {MAX_PIXELS // 1_000_000} that are read."
        )
    try:
        if min_edge_px is not None:
            image.draft(None, (min_edge_px, min_edge_px))  # JPEG only; elsewhere it does nothing
        with _without_warnings() if name == "tiff" else _with_warnings():
            image.load()
        orientation, captured_at = _read_exif(image)
        pixels = orient(to_rgb(image, min_edge_px), orientation)
    except _DECODER_FAILURES as error:
        raise MediaError(f"The {name.upper()} image is damaged or cut off, and cannot be decoded.") from error
    if orientation >= 5:
        width_px, height_px = height_px, width_px
    return DecodedImage(pixels, width_px, height_px, name, captured_at)


def _read_exif(image: Image.Image) -> tuple[int, str]:
    """(orientation 1..8, capture time); a damaged block counts as none, the picture is still there."""
    try:
        with _without_warnings():
            exif = image.getexif()
            orientation = exif.get(_ORIENTATION_TAG, 1)
            written = exif.get_ifd(_EXIF_IFD).get(_ORIGINAL_DATE_TAG) or exif.get(_DATE_TAG) or ""
    except _DECODER_FAILURES:
        return 1, ""
    return (orientation if orientation in range(1, 9) else 1), _to_iso(written)


def _to_iso(written: object) -> str:
    if not isinstance(written, str):
        return ""
    try:
        return datetime.strptime(written.strip("\0 ")[:19], "%Y:%m:%d %H:%M:%S").isoformat()
    except ValueError:
        return ""


@functools.cache
def _enable_heif() -> None:
    if importlib.util.find_spec("pillow_heif") is None:
        raise MediaError(
            "This is a HEIC image, which needs an extra part of the program.",
            "Install it with: pip install 'retrieval-explorer[heic]'",
        )
    import pillow_heif  # an optional part: imported when the first such file comes

    pillow_heif.register_heif_opener()


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Silence Pillow's Python warnings about odd metadata: nobody reads them, and the picture is what counts.

    The filter is the whole process's, so that threads take turns; only headers and TIFF files come here.
    """
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextmanager
def _with_warnings() -> Iterator[None]:
    yield
