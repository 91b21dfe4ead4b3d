"""What is asked of the catalogue; every function takes a connection and changes nothing."""

import os
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from explorer import segment_ids
from explorer.library.rows import (
    CAPTIONS_SHOWN,
    SENTENCES_PER_ITEM,
    Counts,
    ItemRow,
    ItemStatus,
    PendingItem,
    Problem,
    Problems,
    SaidOf,
    Source,
    item_of,
)
from explorer.library.walking import is_below
from explorer.media.item import display_path

_IDS_PER_STATEMENT = 500


def sources(connection: sqlite3.Connection) -> list[Source]:
    """The sources in the order of their paths."""
    counts = connection.execute(
        "SELECT folders.path, COUNT(*) FROM items JOIN folders ON folders.id = items.folder_id"
        " WHERE items.missing_since IS NULL GROUP BY items.folder_id"
    ).fetchall()
    rows = connection.execute("SELECT id, path, missing FROM sources ORDER BY path").fetchall()
    return [
        Source(
            source_id=number,
            path=path,
            display=display_path(path),
            n_items=sum(n_items for folder, n_items in counts if is_below(folder, path)),
            missing=bool(missing),
        )
        for number, path, missing in rows
    ]


def item_ids(connection: sqlite3.Connection, limit: int | None) -> np.ndarray:
    """Ids of all items that are not missing, by folder and name; int64 (n,)."""
    # The cross join makes SQLite walk the two indexes in the order asked for, so that the first rows come at once.
    rows = connection.execute(
        "SELECT items.id FROM folders CROSS JOIN items INDEXED BY items_present ON items.folder_id = folders.id"
        " WHERE items.missing_since IS NULL ORDER BY folders.path, items.name LIMIT ?",
        (-1 if limit is None else limit,),
    )
    return np.fromiter((item_id for (item_id,) in rows), np.int64)


def pending(
    connection: sqlite3.Connection, model_id: str, kinds: Collection[str] | None = None
) -> list[PendingItem]:
    """Items (of these kinds; None: of all) that the model has no vector of, by folder and name."""
    rows = connection.execute(
        "SELECT items.id, folders.path, items.name, items.kind,"
        " CASE items.kind WHEN 'video' THEN items.content_hash END"
        " FROM folders JOIN items ON items.folder_id = folders.id"
        " WHERE items.missing_since IS NULL AND items.status != 'failed' AND NOT EXISTS ("
        "   SELECT 1 FROM vectors WHERE vectors.item_id = items.id"
        "   AND vectors.model = (SELECT id FROM models WHERE model_id = ?))"
        " ORDER BY folders.path, items.name",
        (model_id,),
    ).fetchall()
    unplugged = [path for (path,) in connection.execute("SELECT path FROM sources WHERE missing")]
    return [
        PendingItem(item_id, os.path.join(folder, name))
        if kind == "image"
        else PendingItem(item_id, os.path.join(folder, name), kind, shots(connection, item_id), content_hash)
        for item_id, folder, name, kind, content_hash in rows
        if (kinds is None or kind in kinds) and not any(is_below(folder, source) for source in unplugged)
    ]


def shots(connection: sqlite3.Connection, item_id: int) -> tuple[tuple[float, float], ...]:
    """Start and end in seconds of the segments of an item, in order; none of an item that was not read."""
    rows = connection.execute(
        "SELECT start_s, end_s FROM segments WHERE item_id = ? ORDER BY position", (item_id,)
    )
    return tuple(rows)


def describe(connection: sqlite3.Connection, wanted: Sequence[int]) -> list[ItemRow]:
    """The segments in the order asked; unknown ids are left out."""
    segments = [int(segment) for segment in wanted]
    items = sorted(set(map(segment_ids.item_of, segments)))
    found = {
        row[0]: row
        for row in _by_ids(
            connection,
            "SELECT items.id, folders.path, items.name, kind, size_bytes, mtime_ns, width_px, height_px, duration_s,"
            " captured_at, status, error, missing_since IS NOT NULL"
            " FROM items JOIN folders ON folders.id = items.folder_id WHERE items.id IN",
            items,
        )
    }
    captions = defaultdict(list)
    for item_id, text in _by_ids(
        connection,
        f"SELECT item_id, text FROM captions WHERE position < {CAPTIONS_SHOWN} AND item_id IN",
        found,
        then="ORDER BY item_id, position",
    ):
        captions[item_id].append(text)
    spans = {item_id: shots(connection, item_id) for item_id, row in found.items() if row[3] == "video"}
    return [
        _item_row(segment, found[item_id], captions[item_id], spans.get(item_id, ()))
        for segment, item_id in ((segment, segment_ids.item_of(segment)) for segment in segments)
        if item_id in found and segment_ids.position_of(segment) < max(1, len(spans.get(item_id, ())))
    ]


def thumbnails(connection: sqlite3.Connection, wanted: Sequence[int]) -> dict[int, bytes]:
    """JPEG by segment id; segments without one are left out."""
    segments = [int(segment) for segment in wanted]
    first = [segment for segment in segments if segment_ids.position_of(segment) == 0]
    found = dict(_by_ids(connection, "SELECT item_id, jpeg FROM thumbnails WHERE item_id IN", first))
    for segment in segments:
        if segment_ids.position_of(segment):
            row = connection.execute(
                "SELECT jpeg FROM shot_thumbnails WHERE item_id = ? AND position = ?",
                (segment_ids.item_of(segment), segment_ids.position_of(segment)),
            ).fetchone()
            if row is not None:
                found[segment] = row[0]
    return found


def problems(connection: sqlite3.Connection, limit: int) -> Problems:
    """Unreadable files and folders in the order of their paths."""
    rows = [
        (os.path.join(folder, name), error)
        for folder, name, error in connection.execute(
            "SELECT folders.path, items.name, items.error FROM items JOIN folders ON folders.id = items.folder_id"
            " WHERE items.status = 'failed' AND items.missing_since IS NULL"
        )
    ]
    rows += connection.execute("SELECT path, error FROM scan_problems").fetchall()
    rows.sort()
    return Problems(tuple(Problem(path, display_path(path), error) for path, error in rows[:limit]), len(rows))


def counts(connection: sqlite3.Connection) -> Counts:
    """How much the library holds."""

    def number(statement: str) -> int:
        return int(connection.execute(statement).fetchone()[0])

    n_failed = number("SELECT COUNT(*) FROM items WHERE status = 'failed' AND missing_since IS NULL")
    return Counts(
        n_items=number("SELECT COUNT(*) FROM items INDEXED BY items_present WHERE missing_since IS NULL"),
        n_failed=n_failed,
        n_missing=number("SELECT COUNT(*) FROM items INDEXED BY items_missing WHERE missing_since IS NOT NULL"),
        n_problems=n_failed + number("SELECT COUNT(*) FROM scan_problems"),
        n_indexed=_n_indexed(connection),
        n_sentences=n_sentences(connection),
        n_videos=number("SELECT COUNT(*) FROM items WHERE kind = 'video' AND missing_since IS NULL"),
        n_failed_videos=number(
            "SELECT COUNT(*) FROM items WHERE kind = 'video' AND missing_since IS NULL AND status = 'failed'"
        ),
    )


def n_sentences(connection: sqlite3.Connection) -> int:
    """Number of sentences about items that are not missing."""
    # Few items are missing: only those are looked up one by one.
    (number,) = connection.execute(
        "SELECT (SELECT COUNT(*) FROM captions) - (SELECT COUNT(*) FROM items INDEXED BY items_missing"
        " JOIN captions ON captions.item_id = items.id WHERE items.missing_since IS NOT NULL)"
    ).fetchone()
    return int(number)


def sentences(connection: sqlite3.Connection, wanted: Sequence[int]) -> dict[int, str]:
    """Sentence by its id; unknown ids are left out."""
    ids = {int(sentence_id) for sentence_id in wanted}
    rows = _by_ids(
        connection, "SELECT item_id, position, text FROM captions WHERE item_id IN", sorted(set(map(item_of, ids)))
    )
    found = {item_id * SENTENCES_PER_ITEM + position: text for item_id, position, text in rows}
    return {sentence_id: found[sentence_id] for sentence_id in ids & found.keys()}


def said(connection: sqlite3.Connection, limit: int) -> list[SaidOf]:
    """All items by folder and name with up to ``limit`` sentences each, those without one and missing ones, too."""
    sentences: defaultdict[int, list[str]] = defaultdict(list)
    rows = connection.execute(
        "SELECT item_id, text FROM captions WHERE position < ? ORDER BY item_id, position", (limit,)
    )
    for item_id, text in rows:
        sentences[item_id].append(text)
    items = connection.execute(
        "SELECT items.id, folders.path, items.name, items.kind, items.missing_since IS NOT NULL OR status = 'failed'"
        " FROM items JOIN folders ON folders.id = items.folder_id ORDER BY folders.path, items.name"
    )
    return [
        SaidOf(number, os.path.join(folder, name), kind, bool(missing), tuple(sentences.get(number, ())))
        for number, folder, name, kind, missing in items
    ]


def search_text(connection: sqlite3.Connection, words: str, limit: int) -> np.ndarray:
    """Ids of items whose name or captions hold every word (or a word that begins so), best first; int64 (n,)."""
    terms = [f'"{word}"*' for word in words.replace('"', " ").replace("\0", " ").split()]
    if not terms:
        return np.empty(0, np.int64)
    rows = connection.execute(
        "SELECT item_texts.rowid FROM item_texts JOIN items ON items.id = item_texts.rowid"
        " WHERE item_texts MATCH ? AND items.missing_since IS NULL ORDER BY bm25(item_texts), item_texts.rowid LIMIT ?",
        (" ".join(terms), limit),
    )
    return np.fromiter((item_id for (item_id,) in rows), np.int64)


def _n_indexed(connection: sqlite3.Connection) -> dict[str, int]:
    # All vectors of a model lie together in an index; only those of missing items are looked up one by one.
    return dict(
        connection.execute(
            "SELECT model_id,"
            " (SELECT COUNT(*) FROM vectors WHERE model = models.id AND position = 0)"
            " - (SELECT COUNT(*) FROM items INDEXED BY items_missing JOIN vectors ON vectors.item_id = items.id"
            "    AND vectors.model = models.id AND position = 0 WHERE items.missing_since IS NOT NULL)"
            " FROM models ORDER BY model_id"
        )
    )


def _by_ids(
    connection: sqlite3.Connection, statement: str, wanted: Iterable[int], *, then: str = ""
) -> Iterator[Any]:
    ids = [int(item_id) for item_id in wanted]
    for start in range(0, len(ids), _IDS_PER_STATEMENT):
        chunk = ids[start : start + _IDS_PER_STATEMENT]
        yield from connection.execute(f"{statement} ({', '.join('?' * len(chunk))}) {then}", chunk)


def _item_row(
    segment: int, row: tuple[Any, ...], captions: Sequence[str], spans: Sequence[tuple[float, float]]
) -> ItemRow:
    path: bytes = os.path.join(row[1], row[2])
    start_s, end_s = spans[segment_ids.position_of(segment)] if spans else (0.0, 0.0)
    return ItemRow(
        item_id=segment,
        path=path,
        display=display_path(path),
        name=display_path(row[2]),
        kind=row[3],
        size_bytes=row[4],
        mtime_ns=row[5],
        width_px=row[6],
        height_px=row[7],
        duration_s=row[8],
        captured_at=row[9],
        status=ItemStatus.MISSING if row[12] else ItemStatus(row[10]),
        error=row[11],
        captions=tuple(captions),
        start_s=start_s,
        end_s=end_s,
        n_shots=len(spans),
    )
