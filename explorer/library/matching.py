"""Which items the photo names of a data set mean.

A file of sentences names photos as they lay where it was made. The first of these that fits any item decides:

1. the very path, seen from the file's folder or from ``images`` beside the file;
2. an item whose path ends in the name, whole folder names only (``val/1.jpg`` is not ``interval/1.jpg``);
3. an item with the same file name in whatever folder, if the data set uses that file name once.

Where several items fit equally well, they all are meant if they are known to be copies (same size and content);
otherwise nothing is: a wrong sentence is worse than none. Letters are compared in composed form, as a name may have
come from a disk that decomposes them.
"""

import os
import posixpath
import sqlite3
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An item whose file name occurs in the data set."""

    item_id: int
    path: str
    content: tuple[int, bytes | None]


def match_names(connection: sqlite3.Connection, names: Sequence[str], beside: Path) -> list[tuple[int, ...]]:
    """Ids of the items that each name means, in the order of ``names``; missing items are not looked at.

    Parameters
    ----------
    names
        paths as the data set has them, with ``/``.
    beside
        folder of the data set's file.
    """
    wanted = [_tidy(name) for name in names]
    n_uses = Counter(posixpath.basename(path) for path in wanted)
    candidates = _candidates(connection, frozenset(n_uses))
    start = _composed(os.path.realpath(beside))
    return [_meant(path, candidates, start, alone=n_uses[posixpath.basename(path)] == 1) for path in wanted]


def _candidates(connection: sqlite3.Connection, file_names: frozenset[str]) -> dict[str, list[_Candidate]]:
    rows = connection.execute(
        "SELECT items.id, folders.path, items.name, size_bytes, content_hash"
        " FROM items JOIN folders ON folders.id = items.folder_id WHERE missing_since IS NULL ORDER BY items.id"
    )
    found = defaultdict(list)
    for item_id, folder, name, size_bytes, content_hash in rows:
        file_name = _composed(os.fsdecode(name))
        if file_name in file_names:
            path = posixpath.join(_composed(os.fsdecode(folder)), file_name)
            found[file_name].append(_Candidate(item_id, path, (size_bytes, content_hash)))
    return found


def _meant(
    name: str, candidates: dict[str, list[_Candidate]], beside: str, *, alone: bool
) -> tuple[int, ...]:
    same_file_name = candidates.get(posixpath.basename(name), [])
    places = {posixpath.normpath(posixpath.join(beside, folder, name)) for folder in ("", "images")}
    ending = "/" + name.removeprefix("/")
    while ending.startswith("/../"):
        ending = ending[3:]
    fitting = (
        [item for item in same_file_name if item.path in places]
        or [item for item in same_file_name if f"/{item.path}".endswith(ending)]
        or (same_file_name if alone else [])
    )
    if len(fitting) > 1 and (fitting[0].content[1] is None or len({item.content for item in fitting}) > 1):
        return ()
    return tuple(item.item_id for item in fitting)


def _tidy(name: str) -> str:
    return posixpath.normpath(_composed(name))


def _composed(path: str) -> str:
    return unicodedata.normalize("NFC", path.replace(os.sep, "/"))
