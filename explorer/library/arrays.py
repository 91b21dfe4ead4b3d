"""Search arrays: a model's vectors as one memory-mapped block, derived from the catalogue and rebuilt when stale.

Beside the catalogue lie, for each model, ``search-NAME.json`` (the manifest) and the ``.npy`` files it names, and the
same as ``sentences-NAME`` for the vectors of sentences. The bits of codes and their strengths are files of their own:
a search reads an eighth of what it would otherwise read.
The manifest is replaced last and atomically, so a reader sees the old arrays or the new ones; files of older
generations are removed afterwards (who still maps them keeps them).
"""

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from explorer.errors import LibraryError, StaleIndexError
from explorer.library.failures import known_failures
from explorer.library.rows import SENTENCES_PER_ITEM, VectorTable
from explorer.library.vectors import Column, VectorForm, VectorKind
from explorer.segment_ids import segment_id

FORMAT = 2
"""1 had the first segment of each item only."""

_ROWS_PER_FETCH = 4096
_POSITION = segment_id(0, 1)
_REMEDY = "Rebuild the search arrays."


class Rows(StrEnum):
    """What the rows of search arrays are; the value begins the names of their files."""

    ITEMS = "search"
    """Segments of items."""
    SENTENCES = "sentences"


# For each kind of rows the statements whose results, one after the other, are in the order of ids. Where there are only
# photos the second one of items finds an empty index. Cross joins make SQLite walk the tables in the order asked for.
_SELECTS = {
    Rows.ITEMS: (
        """
        SELECT vectors.item_id, vectors.vector FROM vectors JOIN items ON items.id = vectors.item_id
        WHERE vectors.model = ? AND vectors.position = 0 AND items.missing_since IS NULL ORDER BY vectors.item_id
        """,
        f"""
        SELECT segments.position * {_POSITION} + segments.item_id, vectors.vector
        FROM segments CROSS JOIN items ON items.id = segments.item_id
        CROSS JOIN vectors ON vectors.model = ? AND vectors.item_id = segments.item_id
            AND vectors.position = segments.position
        WHERE segments.position > 0 AND items.missing_since IS NULL ORDER BY segments.position, segments.item_id
        """,
    ),
    Rows.SENTENCES: (
        f"""
        SELECT captions.item_id * {SENTENCES_PER_ITEM} + captions.position, sentence_vectors.vector
        FROM captions CROSS JOIN items ON items.id = captions.item_id
        CROSS JOIN sentence_vectors ON sentence_vectors.text = captions.text AND sentence_vectors.model = ?
        WHERE items.missing_since IS NULL ORDER BY captions.item_id, captions.position
        """,
    ),
}


@dataclass(frozen=True, slots=True)
class ArraysState:
    """What search arrays were, or would be, made of.

    Attributes:
        identity: of the catalogue.
        dim: numbers of an embedding, or bits of a code.
        change_counter: of the model's vectors within it.
    """

    identity: str
    model_id: str
    weights_hash: str
    dim: int
    change_counter: int
    rows: Rows = Rows.ITEMS
    kind: VectorKind = VectorKind.EMBEDDING
    format: int = FORMAT

    @property
    def columns(self) -> tuple[Column, ...]:
        """What each vector consists of."""
        return VectorForm(VectorKind(self.kind), self.dim).columns


def current_arrays(
    folder: Path, connection: sqlite3.Connection, model: int, state: ArraysState, *, writable: bool
) -> VectorTable:
    """The arrays as ``state`` says: those on the disk if they are up to date, else new ones.

    ``connection`` is inside the read transaction that ``state`` was read in. Where nothing can be written the arrays
    are made in memory.
    """
    try:
        return read_arrays(folder, state)
    except StaleIndexError:
        if writable:
            try:
                with known_failures(folder):
                    write_arrays(folder, connection, model, state)
                return read_arrays(folder, state)
            except LibraryError:
                pass  # a full disk, or another program that replaces them now: they are only a copy
        return load_vectors(connection, model, state)


def read_arrays(folder: Path, wanted: ArraysState) -> VectorTable:
    """Map the arrays of a model.

    Raises
    ------
    StaleIndexError
        There are none, or they were made of something else; the sentence says what differs.
    """
    manifest_path = _manifest_path(folder, wanted.rows, wanted.model_id)
    try:
        manifest = json.loads(manifest_path.read_text("utf-8"))
        state = ArraysState(**manifest["state"])
        names = [manifest[name] for name in ("item_ids", *(column.name for column in wanted.columns))]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StaleIndexError(f"{manifest_path.name} cannot be read ({error}).", _REMEDY) from error
    present, needed = asdict(state), asdict(wanted)
    differing = [f"{key} {present[key]} instead of {needed[key]}" for key in needed if present[key] != needed[key]]
    if differing:
        raise StaleIndexError(f"{manifest_path.name} was built with {', '.join(differing)}.", _REMEDY)
    try:
        item_ids, *parts = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in names)
    except (OSError, ValueError, EOFError) as error:
        raise StaleIndexError(f"The arrays of {manifest_path.name} are damaged.", _REMEDY) from error
    fit = [
        part.dtype == column.dtype and part.shape == (len(item_ids), column.width)
        for part, column in zip(parts, wanted.columns, strict=True)
    ]
    if item_ids.dtype != np.int64 or not all(fit):
        shapes = " and ".join(str(array.shape) for array in (item_ids, *parts))
        raise StaleIndexError(f"The arrays of {manifest_path.name} have the shapes {shapes}.", _REMEDY)
    return _table(np.asarray(item_ids), parts, wanted)


def write_arrays(folder: Path, connection: sqlite3.Connection, model: int, state: ArraysState) -> None:
    """Build the arrays from the catalogue; ``connection`` is inside a read transaction that ``state`` was read in."""
    generation = f"{_stem(state.rows, state.model_id)}.{state.change_counter}-{os.urandom(4).hex()}"
    names = ["items", *(column.name for column in state.columns)]
    ids_path, *part_paths = paths = [folder / f"{generation}.{name}.npy" for name in names]
    try:
        n_rows = _count(connection, model, state.rows)
        item_ids = np.empty(n_rows, np.int64)
        parts = [
            _new_array(path, column, n_rows) for path, column in zip(part_paths, state.columns, strict=True)
        ]
        _fill(connection, model, state.rows, item_ids, parts)
        for path, part in zip(part_paths, parts, strict=True):
            if isinstance(part, np.memmap):
                part.flush()
            else:
                np.save(path, part)
        del parts
        np.save(ids_path, item_ids)
        _replace_manifest(folder, state, paths)
    except BaseException:
        for path in paths:
            path.unlink(missing_ok=True)
        raise
    _remove_older(folder, state.rows, state.model_id, keep={path.name for path in paths})


def load_vectors(connection: sqlite3.Connection, model: int, state: ArraysState) -> VectorTable:
    """The same arrays in memory, for a library whose folder cannot be written to."""
    n_rows = _count(connection, model, state.rows)
    item_ids = np.empty(n_rows, np.int64)
    parts = [np.empty((n_rows, column.width), column.dtype) for column in state.columns]
    _fill(connection, model, state.rows, item_ids, parts)
    for part in parts:
        part.flags.writeable = False
    return _table(item_ids, parts, state)


def _table(item_ids: np.ndarray, parts: Sequence[np.ndarray], state: ArraysState) -> VectorTable:
    vectors, *strengths = parts
    return VectorTable(item_ids, vectors, strengths[0] if strengths else None, version=state)


def remove_arrays(folder: Path, rows: Rows, model_id: str) -> None:
    """Remove a model's arrays, if there are any."""
    _manifest_path(folder, rows, model_id).unlink(missing_ok=True)
    _remove_older(folder, rows, model_id, keep=set())


def _count(connection: sqlite3.Connection, model: int, rows: Rows) -> int:
    counts = [connection.execute(f"SELECT COUNT(*) FROM ({select})", (model,)).fetchone() for select in _SELECTS[rows]]
    return sum(int(n_rows) for (n_rows,) in counts)


def _new_array(path: Path, column: Column, n_rows: int) -> np.ndarray:
    if not n_rows:
        return np.empty((0, int(column.width)), column.dtype)  # a file of no bytes cannot be mapped
    # A shape of numpy integers would be written into the header as such, and np.load refuses it.
    array: np.ndarray = open_memmap(path, mode="w+", dtype=column.dtype, shape=(int(n_rows), int(column.width)))
    _reserve(path)
    return array


def _fill(
    connection: sqlite3.Connection, model: int, kind: Rows, item_ids: np.ndarray, parts: Sequence[np.ndarray]
) -> None:
    """Write the rows into arrays; ``parts`` in the order of a vector's bytes."""
    start = 0
    for chunk in _chunks(connection, model, kind):
        stop = start + len(chunk)
        item_ids[start:stop] = [item_id for item_id, _ in chunk]
        content = np.frombuffer(b"".join(vector for _, vector in chunk), np.uint8).reshape(len(chunk), -1)
        ends = np.cumsum([part.shape[1] * part.itemsize for part in parts])
        for part, own in zip(parts, np.split(content, ends[:-1], axis=1), strict=True):
            part[start:stop] = own.view(part.dtype)
        start = stop


def _chunks(connection: sqlite3.Connection, model: int, kind: Rows) -> Iterator[list[tuple[int, bytes]]]:
    for select in _SELECTS[kind]:
        rows = connection.execute(select, (model,))
        while chunk := rows.fetchmany(_ROWS_PER_FETCH):
            yield chunk


def _reserve(path: Path) -> None:
    """Claim the disk space now: on a full disk, writing into a map kills the process instead of raising."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)


def _replace_manifest(folder: Path, state: ArraysState, paths: Sequence[Path]) -> None:
    path = _manifest_path(folder, state.rows, state.model_id)
    temporary = path.with_name(f"{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        keys = ("item_ids", *(column.name for column in state.columns))
        names = {key: file.name for key, file in zip(keys, paths, strict=True)}
        temporary.write_text(json.dumps({"state": asdict(state), **names}), "utf-8")
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _remove_older(folder: Path, rows: Rows, model_id: str, keep: set[str]) -> None:
    stem = _stem(rows, model_id)
    for path in (*folder.glob(f"{stem}.*.npy"), *folder.glob(f"{stem}.json.*.tmp")):
        if path.name not in keep:
            try:
                path.unlink()
            except OSError:
                continue  # Windows keeps a mapped file; the next rebuild removes it


def _manifest_path(folder: Path, rows: Rows, model_id: str) -> Path:
    return folder / f"{_stem(rows, model_id)}.json"


def _stem(rows: Rows, model_id: str) -> str:
    # "." stays out of it: it separates the model from the generation.
    return f"{rows}-" + re.sub(r"[^A-Za-z0-9_@-]", "_", model_id)
