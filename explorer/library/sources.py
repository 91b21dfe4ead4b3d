"""Which folders may become part of a library, and what goes with one that leaves it."""

import os
import sqlite3

from explorer.errors import SourceError
from explorer.library.scanning import drop_empty_folders, note_change
from explorer.library.walking import is_below
from explorer.media.item import display_path


def check_source(path: bytes, library_folder: bytes) -> None:
    """Raise SourceError unless the folder is there, can be read, and is not the library's own (or inside it)."""
    shown = display_path(path)
    if not os.path.exists(path):
        raise SourceError(f"The folder {shown} does not exist.", "Check its name, or plug in the disk it is on.")
    if not os.path.isdir(path):
        raise SourceError(f"{shown} is a file, not a folder.", "Add the folder that it is in.")
    if is_below(path, library_folder):
        raise SourceError(
            f"{shown} holds the library itself, and nothing is ever written into a folder of photos.",
            "Keep the library in a folder of its own.",
        )
    try:
        with os.scandir(path) as entries:
            next(entries, None)
    except OSError as error:
        raise SourceError(
            f"The folder {shown} cannot be read: {error.strerror or error}.", "Check its permissions."
        ) from error


def remove_source(connection: sqlite3.Connection, source_id: int) -> None:
    """Forget a source and the items that no other source holds; call inside a write transaction."""
    row = connection.execute("SELECT path FROM sources WHERE id = ?", (source_id,)).fetchone()
    if row is None:
        return
    connection.execute("DELETE FROM sources WHERE id = ?", (source_id,))
    kept = [path for (path,) in connection.execute("SELECT path FROM sources")]
    for number, path in connection.execute("SELECT id, path FROM folders").fetchall():
        if is_below(path, row[0]) and not any(is_below(path, source) for source in kept):
            connection.execute("DELETE FROM items WHERE folder_id = ?", (number,))
    drop_empty_folders(connection)
    problems = connection.execute("SELECT path FROM scan_problems").fetchall()
    connection.executemany(
        "DELETE FROM scan_problems WHERE path = ?", [(p,) for (p,) in problems if is_below(p, row[0])]
    )
    note_change(connection)
