"""Which files are media, what they are called for people, and how their bytes are read."""

import os
import stat
from typing import Literal

from explorer.errors import MediaError

SUPPORTED_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".heic", ".heif"}
)
"""Lower-case endings of the names that a scan picks up; what a file really is, its content says."""

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".m4v", ".mkv", ".mov", ".webm"})
"""Lower-case endings of the names of videos."""

MAX_FILE_BYTES = 1 << 30
"""No picture of 250 megapixels needs more; a larger file with an image's name is something else."""

_SUFFIXES_AS_BYTES = frozenset(suffix.encode() for suffix in SUPPORTED_SUFFIXES)


def is_supported(name: bytes | str) -> bool:
    """Whether a file of this name (or path) is taken for an image; upper and lower case are alike."""
    if isinstance(name, bytes):
        return os.path.splitext(name)[1].lower() in _SUFFIXES_AS_BYTES
    return os.path.splitext(name)[1].lower() in SUPPORTED_SUFFIXES


def kind_of(name: bytes | str) -> Literal["image", "video"]:
    """What a file of this name (or path) is taken for; upper and lower case are alike."""
    text = os.fsdecode(name)
    return "video" if os.path.splitext(text)[1].lower() in VIDEO_SUFFIXES else "image"


def display_path(path: bytes) -> str:
    """The path as people can read it, and as JSON can carry it: bytes that are not UTF-8 are escaped."""
    return path.decode("utf-8", errors="backslashreplace")


def read_content(path: bytes) -> bytes:
    """All bytes of one file.

    Raises
    ------
    MediaError
        The file is gone, may not be read, is not a regular file or is larger than any image.
    """
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise MediaError("This is not a regular file.")
            if status.st_size > MAX_FILE_BYTES:
                raise MediaError(f"The file has {status.st_size / 1e9:.1f} GB, which no image of a readable size has.")
            return stream.read()
    except FileNotFoundError as error:
        raise MediaError("The file is no longer there.") from error
    except PermissionError as error:
        raise MediaError("The file may not be read: permission denied.") from error
    except OSError as error:
        raise MediaError(f"The file cannot be read: {error.strerror or error}.") from error
