"""A page as the bytes of a file, the same bytes each time; and files that are written as a whole or not at all."""

import errno
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from explorer.errors import ConfigError, StorageFullError, UserFacingError
from explorer.figures.lettering import letters_without_glyphs
from explorer.figures.page import MM_PER_INCH, Page

FORMATS = ("png", "svg", "pdf")
MOST_PIXELS = 150_000_000
"""A poster of 84 x 119 cm at 300 pixels an inch has fewer."""

_SETTINGS = {
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "retrieval-explorer",  # names inside the file would be drawn by lot
    "pdf.fonttype": 42,  # whole letters of TrueType fonts: text can be selected, found and edited
    "image.composite_image": False,  # picture and layers stay apart, so that they can be edited
}
_METADATA: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_matplotlib_settings = threading.Lock()


def page_bytes(page: Page, file_format: str, dpi: int) -> bytes:
    """The page as a PNG, SVG or PDF; neither time nor place are in it, so that the same page gives the same bytes.

    Raises
    ------
    ConfigError
        It would have more than :data:`MOST_PIXELS`.
    ValueError
        The format is none of :data:`FORMATS`.
    """
    check_pixels(page.width * page.height * (dpi / MM_PER_INCH) ** 2)
    return figure_bytes(lambda: page.to_figure(dpi, whole_pixels=file_format == "png"), file_format, dpi)


def figure_bytes(draw: Callable[[], Figure], file_format: str, dpi: int) -> bytes:
    """What a figure becomes, as :func:`page_bytes` has it; it is drawn with the settings that its file needs.

    Raises
    ------
    ValueError
        The format is none of :data:`FORMATS`.
    """
    if file_format not in FORMATS:
        raise ValueError(f"the format must be one of {', '.join(FORMATS)}, got {file_format!r}")
    content = io.BytesIO()
    # These settings are the whole process's, so that threads take turns.
    with _matplotlib_settings, matplotlib.rc_context(_SETTINGS), letters_without_glyphs():
        draw().savefig(content, format=file_format, dpi=dpi, metadata=_METADATA[file_format])
    return content.getvalue()


def check_pixels(n_pixels: float) -> None:
    """Refuse more than :data:`MOST_PIXELS`; :class:`~explorer.errors.ConfigError`."""
    if n_pixels > MOST_PIXELS:
        raise ConfigError(
            f"The figure would have {n_pixels / 1e6:.0f} megapixels, more than the {MOST_PIXELS // 1_000_000} that"
            " are drawn.",
            "Choose a smaller width, fewer results or fewer pixels an inch.",
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file; what was there before stays until all of it is written. Folders are made as needed.

    Raises:
        StorageFullError: the disk is full.
        UserFacingError: it cannot be written there.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        _remove(part)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFullError(f"The disk is full; {path} was not written.", "Make room and try again.") from error
        raise UserFacingError(f"{path} cannot be written ({error.strerror}).", "Choose another place.") from error


def _remove(part: Path) -> None:
    try:
        part.unlink(missing_ok=True)
    except OSError:
        return  # a folder that is a file, for example: there is nothing to remove then
