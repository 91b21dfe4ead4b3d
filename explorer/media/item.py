"""Which files are media, what they are called for people, and how their bytes are read."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Literal

from explorer.errors import MediaError

MediaKind = Literal["image", "video"]

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".heic", ".heif"}
)
"""Lower-case endings of the names of pictures."""

VIDEO_SUFFIXES = frozenset({".avi", ".mp4", ".m4v", ".mkv", ".mov", ".webm"})
"""Lower-case endings of the names of videos."""

SUPPORTED_SUFFIXES = IMAGE_SUFFIXES | VIDEO_SUFFIXES
"""Lower-case endings of the names that a scan picks up; what a file really is, its content says."""

MAX_FILE_BYTES = 1 << 30
"""No picture of 250 megapixels needs more; a larger file with an image's name is something else."""

_SUFFIXES_AS_BYTES = frozenset(suffix.encode() for suffix in SUPPORTED_SUFFIXES)
_VIDEO_SUFFIXES_AS_BYTES = frozenset(suffix.encode() for suffix in VIDEO_SUFFIXES)


def is_supported(name: bytes | str) -> bool:
    """Whether a file of this name (or path) is taken for an image or a video; upper and lower case are alike."""
    if isinstance(name, bytes):
        return os.path.splitext(name)[1].lower() in _SUFFIXES_AS_BYTES
    return os.path.splitext(name)[1].lower() in SUPPORTED_SUFFIXES


def kind_of(name: bytes | str) -> MediaKind:
    """What a supported file of this name (or path) is taken for; of any other name, an image."""
    if isinstance(name, bytes):
        return "video" if os.path.splitext(name)[1].lower() in _VIDEO_SUFFIXES_AS_BYTES else "image"
    return "video" if os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES else "image"


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
    with open_regular(path) as stream:
        n_bytes = os.fstat(stream.fileno()).st_size
        if n_bytes > MAX_FILE_BYTES:
            raise MediaError(f"The file has {n_bytes / 1e9:.1f} GB, which no image of a readable size has.")
        return stream.read()


@contextmanager
def open_regular(path: bytes) -> Iterator[BinaryIO]:
    """Open a regular file for reading; what reading it raises as OSError becomes a sentence, too.

    Raises
    ------
    MediaError
        The file is gone, may not be read or is not a regular file.
    """
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as stream:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise MediaError("This is not a regular file.")
            yield stream
    except FileNotFoundError as error:
        raise MediaError("The file is no longer there.") from error
    except PermissionError as error:
        raise MediaError("The file may not be read: permission denied.") from error
    except OSError as error:
        raise MediaError(f"The file cannot be read: {error.strerror or error}.") from error
