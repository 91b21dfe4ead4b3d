"""A walk over source folders: what is there, folder by folder, without opening a single file.

Hidden folders and files are skipped. A folder that is reached twice (a nested source, a symbolic link, a loop of links)
is visited once, and at its true place if that lies within a source: linked folders wait until all true ones were seen.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from explorer.media.item import is_supported

_HIDDEN = ord(".")


@dataclass(slots=True)
class FolderListing:
    """The media files directly in one folder.

    Attributes:
        files: name to (size in bytes, mtime in ns, ctime in ns).
        n_unsupported: other files.
        problems: path to sentence, for what could not be looked at.
        readable: whether ``files`` is all there is; otherwise what was known of the folder is to be kept.
    """

    path: bytes
    files: dict[bytes, tuple[int, int, int]] = field(default_factory=dict)
    n_unsupported: int = 0
    problems: dict[bytes, str] = field(default_factory=dict)
    readable: bool = True


class Walk:
    """One walk over some of the sources.

    Attributes:
        roots: the folders to walk.
        all_sources: every source of the library: what a link points to within one of them is found there.
        skipped: folders never to enter (the library's own).
    """

    def __init__(self, roots: Sequence[bytes], all_sources: Sequence[bytes], skipped: Sequence[bytes] = ()) -> None:
        self._roots = sorted(roots)
        self._sources = [_with_separator(source) for source in all_sources]
        self._visited: set[tuple[int, int]] = set()
        for path in skipped:
            try:
                self._visited.add(_identity(os.stat(path)))
            except OSError:
                continue  # what cannot be looked at cannot be entered either

    def listings(self) -> Iterator[FolderListing]:
        """Every folder once, parents before children, names in order."""
        links: list[bytes] = []
        for root in self._roots:
            yield from self._below(root, links)
        while links:
            yield from self._below(links.pop(0), links)

    def _below(self, top: bytes, links: list[bytes]) -> Iterator[FolderListing]:
        stack = [top]
        while stack:
            listing = FolderListing(stack.pop())
            try:
                identity = _identity(os.stat(listing.path))
                if identity in self._visited:
                    continue
                self._visited.add(identity)
                children = self._list(listing, links)
            except OSError as error:
                listing.readable = False
                listing.problems[listing.path] = f"The folder cannot be read: {error.strerror or error}."
                children = []
            yield listing
            stack.extend(sorted(children, reverse=True))

    def _list(self, listing: FolderListing, links: list[bytes]) -> list[bytes]:
        children: list[bytes] = []
        with os.scandir(listing.path) as entries:
            for entry in entries:
                if entry.name[0] == _HIDDEN:
                    continue
                try:
                    if entry.is_symlink() and self._is_found_elsewhere(os.path.realpath(entry.path)):
                        continue
                    if entry.is_dir():
                        (links if entry.is_symlink() else children).append(entry.path)
                    elif not is_supported(entry.name):
                        listing.n_unsupported += 1
                    else:
                        self._add_file(listing, entry)
                except OSError as error:  # a link to itself, a file that vanished, a disk that fails
                    listing.problems[entry.path] = f"The file cannot be looked at: {error.strerror or error}."
        return children

    def _add_file(self, listing: FolderListing, entry: "os.DirEntry[bytes]") -> None:
        if not entry.is_file():
            # A broken link, a pipe or a socket with an image's name.
            listing.problems[entry.path] = "This is not a regular file."
            return
        status = entry.stat()
        if entry.is_symlink():
            if _identity(status) in self._visited:
                return
            self._visited.add(_identity(status))
        listing.files[entry.name] = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def _is_found_elsewhere(self, target: bytes) -> bool:
        """Whether a link's target lies in a source, or (a loop) a source lies in it."""
        target = _with_separator(target)
        return any(target.startswith(source) or source.startswith(target) for source in self._sources)


def is_below(path: bytes, folder: bytes) -> bool:
    """Whether the path is the folder or lies in it."""
    return _with_separator(path).startswith(_with_separator(folder))


def _with_separator(path: bytes) -> bytes:
    return path if path.endswith(os.fsencode(os.sep)) else path + os.fsencode(os.sep)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
