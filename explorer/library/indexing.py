"""Items, their vectors and their thumbnails into the catalogue: a batch at a time, all of it or nothing."""

import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path

from explorer.errors import StaleIndexError
from explorer.library.rows import FailedItem, IndexedItem, IndexedShot, IndexedVideo
from explorer.library.vectors import VectorForm, VectorKind, to_bytes

_REMEDY = "Index again with this model, or open the other one."


def write_items(
    connection: sqlite3.Connection,
    *,
    model_id: str,
    weights_hash: str,
    indexed: Sequence[IndexedItem | IndexedVideo],
    failed: Sequence[FailedItem],
) -> None:
    """Write one batch; items that were removed meanwhile are passed over. Call inside a write transaction.

    Raises
    ------
    StaleIndexError
        The library holds vectors of this model id made with other weights, or of another kind or width.
    """
    if indexed:
        form = VectorForm.of(_shots(indexed[0])[0].vector)
        model = model_row(connection, "models", model_id, weights_hash, form)
        for item in indexed:
            _write_item(connection, model, item)
        connection.execute("UPDATE models SET change_counter = change_counter + 1 WHERE id = ?", (model,))
    if failed:
        connection.executemany(
            "UPDATE items SET status = 'failed', error = ?, content_hash = NULL WHERE id = ?",
            [(item.error, item.item_id) for item in failed],
        )
        _drop_readings(connection, [item.item_id for item in failed])
        connection.execute("UPDATE models SET change_counter = change_counter + 1")


def forget_readings(connection: sqlite3.Connection, item_ids: Sequence[int]) -> None:
    """Forget what was read from these files: they changed, and are to be read again."""
    connection.executemany(
        "UPDATE items SET status = 'pending', error = '', content_hash = NULL, width_px = 0, height_px = 0,"
        " duration_s = 0, captured_at = '' WHERE id = ?",
        _rows(item_ids),
    )
    _drop_readings(connection, item_ids)


def check_weights(folder: Path, model_id: str, *, stored: str, offered: str) -> None:
    """Raise StaleIndexError if stored vectors were made with other weights than those offered (hashes)."""
    if stored != offered:
        raise StaleIndexError(
            f"The library in {folder} holds vectors of {model_id} made with the weights {stored[:16]},"
            f" but {offered[:16]} are loaded.",
            _REMEDY,
        )


def check_form(folder: Path, model_id: str, *, stored: VectorForm, offered: VectorForm) -> None:
    """Raise StaleIndexError if stored vectors are of another kind or width than what the loaded model makes."""
    if stored != offered:
        raise StaleIndexError(
            f"The library in {folder} holds {stored} of {model_id}, but the loaded model makes {offered}.", _REMEDY
        )


def model_row(
    connection: sqlite3.Connection, table: str, model_id: str, weights_hash: str, form: VectorForm
) -> int:
    """The row of a model in ``table``, made if there is none. Call inside a write transaction.

    Raises
    ------
    StaleIndexError
        The library holds vectors of this model id made with other weights, or of another kind or width.
    """
    row = connection.execute(
        f"SELECT id, weights_hash, kind, dim FROM {table} WHERE model_id = ?", (model_id,)
    ).fetchone()
    if row is None:
        cursor = connection.execute(
            f"INSERT INTO {table} (model_id, weights_hash, kind, dim) VALUES (?, ?, ?, ?)",
            (model_id, weights_hash, *form),
        )
        return int(cursor.lastrowid or 0)
    number, stored, kind, dim = row
    folder = Path(connection.execute("PRAGMA database_list").fetchone()[2]).parent
    check_weights(folder, model_id, stored=stored, offered=weights_hash)
    check_form(folder, model_id, stored=VectorForm(VectorKind(kind), dim), offered=form)
    return int(number)


def _write_item(connection: sqlite3.Connection, model: int, item: IndexedItem | IndexedVideo) -> None:
    row = connection.execute("SELECT content_hash FROM items WHERE id = ?", (item.item_id,)).fetchone()
    if row is None:
        return
    shots = _shots(item)
    if (row[0] is not None and row[0] != item.content_hash) or _differs(connection, item.item_id, shots):
        # The file changed since another model read it: what that one saw is gone.
        _drop_readings(connection, [item.item_id])
        connection.execute("UPDATE models SET change_counter = change_counter + 1")
    duration_s = item.duration_s if isinstance(item, IndexedVideo) else 0.0
    connection.execute(
        "UPDATE items SET status = 'ready', error = '', content_hash = ?, width_px = ?, height_px = ?,"
        " duration_s = ?, captured_at = ? WHERE id = ?",
        (
            item.content_hash, item.full_width_px, item.full_height_px,
            duration_s, item.captured_at, item.item_id,
        ),
    )
    for position, shot in enumerate(shots):
        _write_segment(connection, model, (item.item_id, position), shot)


def _shots(item: IndexedItem | IndexedVideo) -> Sequence[IndexedShot]:
    """What the item's segments are made of, at least one."""
    if isinstance(item, IndexedItem):
        return (IndexedShot(0.0, 0.0, item.thumbnail, item.vector),)
    if not item.shots:
        raise ValueError(f"item {item.item_id} is a video without shots")
    return item.shots


def _differs(connection: sqlite3.Connection, item_id: int, shots: Sequence[IndexedShot]) -> bool:
    """Whether the catalogue holds other segments of this item than these."""
    known = connection.execute(
        "SELECT start_s, end_s FROM segments WHERE item_id = ? ORDER BY position", (item_id,)
    ).fetchall()
    return bool(known) and known != [(shot.start_s, shot.end_s) for shot in shots]


def _write_segment(connection: sqlite3.Connection, model: int, place: tuple[int, int], shot: IndexedShot) -> None:
    """Write one segment, ``place`` being its item and its position."""
    if shot.vector.ndim != 1:
        raise ValueError(f"a vector must have the shape (dim,), got {shot.vector.shape}")
    connection.execute("INSERT OR IGNORE INTO segments VALUES (?, ?, ?, ?)", (*place, shot.start_s, shot.end_s))
    connection.execute(
        "INSERT OR REPLACE INTO vectors (model, item_id, position, vector) VALUES (?, ?, ?, ?)",
        (model, *place, to_bytes(shot.vector)),
    )
    if shot.thumbnail is None:
        return
    if place[1] == 0:
        connection.execute("INSERT OR REPLACE INTO thumbnails VALUES (?, ?)", (place[0], shot.thumbnail))
    else:
        connection.execute("INSERT OR REPLACE INTO shot_thumbnails VALUES (?, ?, ?)", (*place, shot.thumbnail))


def _drop_readings(connection: sqlite3.Connection, item_ids: Sequence[int]) -> None:
    # The vectors go with their segments, and so do the thumbnails of later shots.
    connection.executemany("DELETE FROM segments WHERE item_id = ?", _rows(item_ids))
    connection.executemany("DELETE FROM thumbnails WHERE item_id = ?", _rows(item_ids))


def _rows(item_ids: Iterable[int]) -> list[tuple[int]]:
    return [(int(item_id),) for item_id in item_ids]
