"""What changed on the disk since the last scan, written into the catalogue.

A file is unchanged if its size and modification time are. A file that vanished is kept as missing; if a new file has
its content, the item moves there with its id, vectors and thumbnail. A source that is not there (an unplugged disk) and
a folder that cannot be read lose nothing.
"""

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from explorer.cancellation import CancellationToken
from explorer.library.connections import Connections
from explorer.library.contents import hash_file
from explorer.library.indexing import forget_readings
from explorer.library.rows import ScanProgress, ScanSummary
from explorer.library.walking import FolderListing, Walk, is_below
from explorer.media.item import display_path, kind_of

CHANGES_PER_TRANSACTION = 2000
PROGRESS_INTERVAL_S = 0.05
MISSING_KEPT_DAYS = 30


@dataclass(slots=True)
class _Known:
    """What the catalogue knows of one file."""

    item_id: int
    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    failed: bool
    missing: bool


@dataclass(slots=True)
class _Differences:
    """What one or more folders have that the catalogue has not, and the other way round."""

    added: list[tuple[bytes, bytes, tuple[int, int, int]]] = field(default_factory=list)
    changed: list[tuple[int, tuple[int, int, int]]] = field(default_factory=list)
    returned: list[int] = field(default_factory=list)
    vanished: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.returned) + len(self.vanished)


class Scan:
    """One scan of some sources; iterate :meth:`run` to its end."""

    def __init__(self, connections: Connections, token: CancellationToken, source_ids: Sequence[int] | None) -> None:
        self._connections = connections
        self._token = token
        with connections.reading() as connection:
            rows = connection.execute("SELECT id, path FROM sources ORDER BY path").fetchall()
        self._all_sources = [path for _, path in rows]
        wanted = None if source_ids is None else set(source_ids)
        self._sources = [(source_id, path) for source_id, path in rows if wanted is None or source_id in wanted]
        self._unavailable: list[bytes] = []
        self._problems: dict[bytes, str] = {}
        self._n_added = self._n_changed = self._n_removed = self._n_moved = 0
        self._n_unchanged = self._n_unsupported = self._n_seen = 0

    def run(self) -> Iterator[ScanProgress | ScanSummary]:
        """Progress at most 20 times a second, then the summary. Raises Cancelled; what was found so far is kept."""
        present = self._available_sources()
        walk = Walk(present, self._all_sources, skipped=[os.fsencode(self._connections.folder)])
        differences, seen, last_said = _Differences(), set(), 0.0
        for listing in walk.listings():
            self._token.check()
            seen.add(listing.path)
            self._compare(listing, differences)
            if len(differences) >= CHANGES_PER_TRANSACTION:
                self._write(differences)
                differences = _Differences()
            if time.monotonic() - last_said >= PROGRESS_INTERVAL_S:
                last_said = time.monotonic()
                yield ScanProgress(self._n_seen, display_path(listing.path))
        self._note_vanished_folders(seen, differences)
        self._write(differences)
        yield ScanProgress(self._n_seen, "")
        self._follow_moves()
        self._finish(present)
        yield ScanSummary(
            n_added=self._n_added, n_changed=self._n_changed, n_moved=self._n_moved, n_removed=self._n_removed,
            n_unchanged=self._n_unchanged, n_unsupported=self._n_unsupported, n_problems=len(self._problems),
        )  # fmt: skip

    def _available_sources(self) -> list[bytes]:
        present = []
        with self._connections.reading() as connection:
            devices = dict(connection.execute("SELECT path, device FROM sources").fetchall())
        for _, path in self._sources:
            if _is_available(path, devices.get(path)):
                present.append(path)
            else:
                self._unavailable.append(path)
        return present

    def _compare(self, listing: FolderListing, differences: _Differences) -> None:
        self._problems.update(listing.problems)
        self._n_unsupported += listing.n_unsupported
        self._n_seen += len(listing.files)
        if not listing.readable:
            self._unavailable.append(listing.path)
        with self._connections.reading() as connection:
            known = _known_files(connection, listing.path)
        for name, found in sorted(listing.files.items()):  # ids in the order of names, whatever the disk says
            item = known.pop(name, None)
            if item is None:
                differences.added.append((listing.path, name, found))
                continue
            same = (item.size_bytes, item.mtime_ns) == found[:2] and not (item.failed and item.ctime_ns != found[2])
            if not same:
                differences.changed.append((item.item_id, found))
            elif item.missing:
                differences.returned.append(item.item_id)
            else:
                self._n_unchanged += 1
        if listing.readable:
            differences.vanished += [
                item.item_id
                for name, item in known.items()
                if not item.missing and os.path.join(listing.path, name) not in listing.problems
            ]

    def _note_vanished_folders(self, seen: set[bytes], differences: _Differences) -> None:
        scanned = [path for _, path in self._sources]
        with self._connections.reading() as connection:
            for (path,) in connection.execute("SELECT path FROM folders").fetchall():
                if (
                    path not in seen
                    and any(is_below(path, source) for source in scanned)
                    and not any(is_below(path, folder) for folder in self._unavailable)
                ):
                    known = _known_files(connection, path)
                    differences.vanished += [item.item_id for item in known.values() if not item.missing]

    def _write(self, differences: _Differences) -> None:
        if not len(differences):
            return
        now = time.time()
        with self._connections.writing() as connection:
            _add_items(connection, differences.added)
            connection.executemany(
                "UPDATE items SET size_bytes = ?, mtime_ns = ?, ctime_ns = ?, missing_since = NULL WHERE id = ?",
                [(*found, item_id) for item_id, found in differences.changed],
            )
            forget_readings(connection, [item_id for item_id, _ in differences.changed])
            connection.executemany(
                "UPDATE items SET missing_since = NULL WHERE id = ?", [(item_id,) for item_id in differences.returned]
            )
            connection.executemany(
                "UPDATE items SET missing_since = ? WHERE id = ?", [(now, item_id) for item_id in differences.vanished]
            )
            if differences.changed or differences.returned or differences.vanished:
                note_change(connection)
        self._n_added += len(differences.added) + len(differences.returned)
        self._n_changed += len(differences.changed)
        self._n_removed += len(differences.vanished)

    def _follow_moves(self) -> None:
        """Where a new file has the content of a missing one, the missing item takes the new file's place."""
        with self._connections.reading() as connection:
            candidates = connection.execute(_MOVE_CANDIDATES).fetchall()
        moves = []
        for new_id, folder, name, size_bytes in candidates:
            self._token.check()
            try:
                moves.append((new_id, size_bytes, hash_file(os.path.join(folder, name), self._token)))
            except OSError:
                continue  # stays a new item, which will get its error when it is read
        if not moves:
            return
        with self._connections.writing() as connection:
            self._n_moved = sum(_move(connection, *move) for move in moves)
            if self._n_moved:
                note_change(connection)
        self._n_added -= self._n_moved
        self._n_removed = max(0, self._n_removed - self._n_moved)

    def _finish(self, present: Sequence[bytes]) -> None:
        """Record problems and sources, and forget what is missing for long; an unchanged library is not written to."""
        scanned = [path for _, path in self._sources]
        limit = time.time() - MISSING_KEPT_DAYS * 86400
        with self._connections.reading() as connection:
            old_problems = dict(connection.execute("SELECT path, error FROM scan_problems").fetchall())
            old_states = {row[0]: row[1:] for row in connection.execute("SELECT path, missing, device FROM sources")}
            expired = connection.execute("SELECT 1 FROM items WHERE missing_since < ? LIMIT 1", (limit,)).fetchone()
        elsewhere = [path for path in old_problems if not any(is_below(path, source) for source in scanned)]
        problems = {path: old_problems[path] for path in elsewhere} | self._problems
        states = {
            path: (0, _device(path)) if path in present else (1, old_states[path][1])
            for path in scanned
            if path in old_states
        }
        if problems == old_problems and not expired and all(old_states[path] == states[path] for path in states):
            return
        with self._connections.writing() as connection:
            connection.execute("DELETE FROM scan_problems")
            connection.executemany("INSERT INTO scan_problems VALUES (?, ?)", problems.items())
            connection.executemany(
                "UPDATE sources SET missing = ?, device = ? WHERE path = ?",
                [(*state, path) for path, state in states.items()],
            )
            connection.execute("DELETE FROM items WHERE missing_since < ?", (limit,))
            drop_empty_folders(connection)


_MOVE_CANDIDATES = """
    SELECT new.id, folders.path, new.name, new.size_bytes
    FROM items new JOIN folders ON folders.id = new.folder_id
    WHERE new.content_hash IS NULL AND new.missing_since IS NULL AND new.status = 'pending' AND EXISTS (
        SELECT 1 FROM items old
        WHERE old.missing_since IS NOT NULL AND old.size_bytes = new.size_bytes AND old.content_hash IS NOT NULL
    )
    ORDER BY folders.path, new.name
"""


def drop_empty_folders(connection: sqlite3.Connection) -> None:
    """Forget the folders that no item is in."""
    connection.execute(
        "DELETE FROM folders WHERE NOT EXISTS (SELECT 1 FROM items WHERE items.folder_id = folders.id)"
    )


def note_change(connection: sqlite3.Connection) -> None:
    """The search arrays of every model are out of date after this transaction."""
    connection.execute("UPDATE models SET change_counter = change_counter + 1")


def folder_id(connection: sqlite3.Connection, path: bytes) -> int:
    """The id of a folder, which is added if need be."""
    connection.execute("INSERT OR IGNORE INTO folders (path) VALUES (?)", (path,))
    (number,) = connection.execute("SELECT id FROM folders WHERE path = ?", (path,)).fetchone()
    return int(number)


def _is_available(path: bytes, last_device: str | None) -> bool:
    """Whether a source is there. An empty folder that held another disk last time is a disk that is not there."""
    try:
        with os.scandir(path) as entries:
            if next(entries, None) is not None:
                return True
    except OSError:
        return False
    return last_device is None or last_device == _device(path)


def _device(path: bytes) -> str | None:
    try:
        return str(os.stat(path).st_dev)
    except OSError:
        return None  # it went away during the scan; the next one will tell


def _known_files(connection: sqlite3.Connection, folder: bytes) -> dict[bytes, _Known]:
    rows = connection.execute(
        "SELECT name, items.id, size_bytes, mtime_ns, ctime_ns, status = 'failed', missing_since IS NOT NULL"
        " FROM folders JOIN items ON items.folder_id = folders.id WHERE folders.path = ?",
        (folder,),
    )
    return {row[0]: _Known(*row[1:]) for row in rows}


def _add_items(connection: sqlite3.Connection, added: Sequence[tuple[bytes, bytes, tuple[int, int, int]]]) -> None:
    numbers: dict[bytes, int] = {}
    for folder, name, (size_bytes, mtime_ns, ctime_ns) in added:
        if folder not in numbers:
            numbers[folder] = folder_id(connection, folder)
        cursor = connection.execute(
            "INSERT INTO items (folder_id, name, kind, size_bytes, mtime_ns, ctime_ns) VALUES (?, ?, ?, ?, ?, ?)",
            (numbers[folder], name, kind_of(name), size_bytes, mtime_ns, ctime_ns),
        )
        connection.execute(
            "INSERT INTO item_texts (rowid, name, captions) VALUES (?, ?, '')", (cursor.lastrowid, display_path(name))
        )


def _move(connection: sqlite3.Connection, new_id: int, size_bytes: int, content_hash: bytes) -> bool:
    """Let a missing item of this content take the new one's place; whether there was one."""
    old = connection.execute(
        "SELECT id FROM items WHERE missing_since IS NOT NULL AND size_bytes = ? AND content_hash = ?"
        " AND kind = (SELECT kind FROM items WHERE id = ?) ORDER BY id",
        (size_bytes, content_hash, new_id),
    ).fetchone()
    place = connection.execute(
        "SELECT folder_id, name, mtime_ns, ctime_ns FROM items WHERE id = ?", (new_id,)
    ).fetchone()
    if old is None or place is None:
        return False
    connection.execute("DELETE FROM items WHERE id = ?", (new_id,))
    connection.execute(
        "UPDATE items SET folder_id = ?, name = ?, mtime_ns = ?, ctime_ns = ?, missing_since = NULL WHERE id = ?",
        (*place, *old),
    )
    connection.execute("UPDATE item_texts SET name = ? WHERE rowid = ?", (display_path(place[1]), *old))
    return True
