"""The catalogue's tables, their version, and how an older catalogue becomes a newer one.

The version is ``PRAGMA user_version`` = major * 1000 + minor. A newer *minor* only adds tables or columns that this
program may ignore; a newer *major* is refused. Every migration is a function tagged with the version it leads to and
runs in one transaction with all others that are due, so that a killed process leaves one version or the other.
"""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from explorer.errors import LibraryError, LibraryTooNewError

MAJOR, MINOR = 1, 3
_FIRST_KIND = "'embedding'"
_KIND_COLUMN = f"kind TEXT NOT NULL DEFAULT {_FIRST_KIND}"
_APPLICATION_ID = 0x52457870  # "RExp": tells a library from any other SQLite file


def _create(connection: sqlite3.Connection) -> None:
    """1.0: the first catalogue."""
    for statement in _TABLES_1_0.split(";;"):
        connection.execute(statement)
    # Tells the search arrays of this catalogue from those of another one that was in the same folder.
    connection.execute("INSERT INTO facts VALUES ('identity', ?)", (os.urandom(16).hex(),))
    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")


def _add_sentence_vectors(connection: sqlite3.Connection) -> None:
    """1.1: vectors of sentences."""
    for statement in (*_TABLES_1_1.split(";;"), *_TRIGGERS_1_1.split(";;")):
        connection.execute(statement)


def _add_kinds(connection: sqlite3.Connection) -> None:
    """1.2: vectors may be binary codes; a model that an older program adds makes embeddings."""
    for table in ("models", "sentence_models"):
        connection.execute(f"ALTER TABLE {table} ADD COLUMN {_KIND_COLUMN}")


def _add_shots(connection: sqlite3.Connection) -> None:
    """1.3: videos, which have a thumbnail for each shot; a photo's, and a first shot's, stay where they were."""
    for statement in (*_TABLES_1_3.split(";;"), *_INDEXES_1_3.split(";;")):
        connection.execute(statement)


MIGRATIONS: tuple[tuple[int, int, Callable[[sqlite3.Connection], None]], ...] = (
    (1, 0, _create),
    (1, 1, _add_sentence_vectors),
    (1, 2, _add_kinds),
    (1, 3, _add_shots),
)
"""(major, minor, function) in ascending order."""


def read_version(connection: sqlite3.Connection) -> tuple[int, int]:
    """(major, minor); (0, 0) of an empty file."""
    (number,) = connection.execute("PRAGMA user_version").fetchone()
    return int(number) // 1000, int(number) % 1000


def check_readable(connection: sqlite3.Connection, folder: Path) -> None:
    """Raise unless this program can read the catalogue as it is.

    Raises
    ------
    LibraryTooNewError
        A newer major version wrote it.
    LibraryError
        It is another program's SQLite file.
    """
    major, minor = read_version(connection)
    if major > MAJOR:
        raise LibraryTooNewError(
            f"The library in {folder} has format {major}.{minor}, and this version reads up to {MAJOR}.x.",
            "Update Retrieval Explorer, or choose another folder.",
        )
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (n_tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    if n_tables and application_id != _APPLICATION_ID:
        raise LibraryError(
            f"{folder / 'library.sqlite'} belongs to another program.", "Choose another folder for the library."
        )


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the catalogue to this program's version; call inside a write transaction."""
    present = read_version(connection)
    for major, minor, function in MIGRATIONS:
        if (major, minor) > present:
            function(connection)
            connection.execute(f"PRAGMA user_version = {major * 1000 + minor}")


def is_empty(connection: sqlite3.Connection) -> bool:
    """Whether the file is no catalogue yet."""
    return read_version(connection) == (0, 0)


def complete_for_reading(connection: sqlite3.Connection) -> None:
    """Let a connection that cannot write see what an older catalogue lacks: tables without rows, columns as they begin.

    What is temporary hides what the file has under the same name.
    """
    version = read_version(connection)
    if version >= (MAJOR, MINOR):
        return
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(_TABLES_1_3.replace("CREATE TABLE", "CREATE TEMP TABLE").replace(_OF_SEGMENTS, ""))
    if version >= (1, 2):
        return
    connection.execute(f"CREATE TEMP VIEW models AS SELECT *, {_FIRST_KIND} AS kind FROM main.models")
    if version >= (1, 1):
        connection.execute(
            f"CREATE TEMP VIEW sentence_models AS SELECT *, {_FIRST_KIND} AS kind FROM main.sentence_models"
        )
        return
    for statement in _TABLES_1_1.split(";;"):
        connection.execute(statement.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    connection.execute(f"ALTER TABLE temp.sentence_models ADD COLUMN {_KIND_COLUMN}")


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether no migration is due (a newer minor version counts as current)."""
    return read_version(connection) >= (MAJOR, MINOR)


_TABLES_1_0 = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
;;
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL UNIQUE,
    missing INTEGER NOT NULL DEFAULT 0,
    device TEXT
)
;;
CREATE TABLE folders (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE)
;;
CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    folder_id INTEGER NOT NULL REFERENCES folders,
    name BLOB NOT NULL,
    kind TEXT NOT NULL DEFAULT 'image',
    size_bytes INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    ctime_ns INTEGER NOT NULL,
    content_hash BLOB,
    width_px INTEGER NOT NULL DEFAULT 0,
    height_px INTEGER NOT NULL DEFAULT 0,
    duration_s REAL NOT NULL DEFAULT 0,
    captured_at TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'ready', 'failed')),
    error TEXT NOT NULL DEFAULT '',
    missing_since REAL,
    UNIQUE (folder_id, name)
)
;;
CREATE INDEX items_present ON items (folder_id, name, missing_since) WHERE missing_since IS NULL
;;
CREATE INDEX items_missing ON items (size_bytes) WHERE missing_since IS NOT NULL
;;
CREATE INDEX items_failed ON items (folder_id, name) WHERE status = 'failed'
;;
CREATE INDEX items_unread ON items (size_bytes) WHERE content_hash IS NULL
;;
CREATE TABLE segments (
    item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    position INTEGER NOT NULL,
    start_s REAL NOT NULL,
    end_s REAL NOT NULL,
    PRIMARY KEY (item_id, position)
) WITHOUT ROWID
;;
CREATE TABLE models (
    id INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL UNIQUE,
    weights_hash TEXT NOT NULL,
    dim INTEGER NOT NULL,
    change_counter INTEGER NOT NULL DEFAULT 0
)
;;
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY,
    model INTEGER NOT NULL REFERENCES models ON DELETE CASCADE,
    item_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    vector BLOB NOT NULL,
    UNIQUE (model, item_id, position),
    FOREIGN KEY (item_id, position) REFERENCES segments ON DELETE CASCADE
)
;;
CREATE INDEX vectors_of_segment ON vectors (item_id, position)
;;
CREATE TABLE thumbnails (
    item_id INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE,
    jpeg BLOB NOT NULL
)
;;
CREATE TABLE captions (
    item_id INTEGER NOT NULL REFERENCES items ON DELETE CASCADE,
    position INTEGER NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (item_id, position)
) WITHOUT ROWID
;;
CREATE TABLE scan_problems (path BLOB PRIMARY KEY, error TEXT NOT NULL) WITHOUT ROWID
;;
CREATE VIRTUAL TABLE item_texts USING fts5 (name, captions)
;;
CREATE TRIGGER items_deleted AFTER DELETE ON items BEGIN
    DELETE FROM item_texts WHERE rowid = old.id;
END
"""

# The vector of a sentence depends on nothing but the sentence and the model, so a sentence that is said of many items
# has one. Models are counted apart from those of the items: having encoded sentences says nothing about photos.
_TABLES_1_1 = """
CREATE TABLE sentence_models (
    id INTEGER PRIMARY KEY,
    model_id TEXT NOT NULL UNIQUE,
    weights_hash TEXT NOT NULL,
    dim INTEGER NOT NULL,
    change_counter INTEGER NOT NULL DEFAULT 0
)
;;
CREATE TABLE sentence_vectors (
    model INTEGER NOT NULL REFERENCES sentence_models ON DELETE CASCADE,
    text TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (text, model)
)
"""

# Triggers, because sentences go with their items, and because a program of version 1.0 knows nothing of all this.
_TRIGGERS_1_1 = """
CREATE INDEX captions_by_text ON captions (text)
;;
CREATE TRIGGER captions_inserted AFTER INSERT ON captions BEGIN
    UPDATE sentence_models SET change_counter = change_counter + 1;
END
;;
CREATE TRIGGER captions_deleted AFTER DELETE ON captions BEGIN
    UPDATE sentence_models SET change_counter = change_counter + 1;
    DELETE FROM sentence_vectors
    WHERE text = old.text AND NOT EXISTS (SELECT 1 FROM captions WHERE text = old.text);
END
;;
CREATE TRIGGER items_came_or_went AFTER UPDATE OF missing_since ON items
WHEN (old.missing_since IS NULL) != (new.missing_since IS NULL)
    AND EXISTS (SELECT 1 FROM captions WHERE item_id = new.id)
BEGIN
    UPDATE sentence_models SET change_counter = change_counter + 1;
END
"""

# Of the first segments the thumbnails stay in their own table, where a program of version 1.2 finds them.
_OF_SEGMENTS = ", FOREIGN KEY (item_id, position) REFERENCES segments ON DELETE CASCADE"
_TABLES_1_3 = f"""
CREATE TABLE shot_thumbnails (
    item_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    jpeg BLOB NOT NULL,
    PRIMARY KEY (item_id, position){_OF_SEGMENTS}
)
"""

# What photos have none of: looking for it costs nothing where there are only photos.
_INDEXES_1_3 = """
CREATE INDEX segments_behind_first ON segments (position, item_id) WHERE position > 0
;;
CREATE INDEX items_videos ON items (missing_since, status) WHERE kind = 'video'
"""
