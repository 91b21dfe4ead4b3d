"""Search arrays: a model's vectors as one memory-mapped block, derived from the catalogue and rebuilt when stale.

Beside the catalogue lie, for each model, ``search-NAME.json`` (the manifest) and the two ``.npy`` files it names.
The manifest is replaced last and atomically, so a reader sees the old arrays or the new ones; files of older
generations are removed afterwards (who still maps them keeps them).
"""

import json
import os
import re
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from explorer.errors import StaleIndexError
from explorer.library.rows import VectorTable

FORMAT = 1
_ROWS_PER_FETCH = 4096
_REMEDY = "Rebuild the search arrays."

_SELECT_VECTORS = """
    SELECT vectors.item_id, vectors.vector FROM vectors JOIN items ON items.id = vectors.item_id
    WHERE vectors.model = ? AND vectors.position = 0 AND items.missing_since IS NULL ORDER BY vectors.item_id
"""


@dataclass(frozen=True, slots=True)
class ArraysState:
    """What search arrays were, or would be, made of.

    Attributes:
        identity: of the catalogue.
        change_counter: of the model's vectors within it.
    """

    identity: str
    model_id: str
    weights_hash: str
    dim: int
    change_counter: int
    format: int = FORMAT


def read_arrays(folder: Path, wanted: ArraysState) -> VectorTable:
    """Map the arrays of a model.

    Raises
    ------
    StaleIndexError
        There are none, or they were made of something else; the sentence says what differs.
    """
    manifest_path = _manifest_path(folder, wanted.model_id)
    try:
        manifest = json.loads(manifest_path.read_text("utf-8"))
        state = ArraysState(**manifest["state"])
        names = manifest["item_ids"], manifest["vectors"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StaleIndexError(f"{manifest_path.name} cannot be read ({error}).", _REMEDY) from error
    present, needed = asdict(state), asdict(wanted)
    differing = [f"{key} {present[key]} instead of {needed[key]}" for key in needed if present[key] != needed[key]]
    if differing:
        raise StaleIndexError(f"{manifest_path.name} was built with {', '.join(differing)}.", _REMEDY)
    try:
        item_ids, vectors = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in names)
    except (OSError, ValueError, EOFError) as error:
        raise StaleIndexError(f"The arrays of {manifest_path.name} are damaged.", _REMEDY) from error
    if item_ids.dtype != np.int64 or vectors.dtype != np.float32 or vectors.shape != (len(item_ids), wanted.dim):
        raise StaleIndexError(
            f"The arrays of {manifest_path.name} have the shapes {item_ids.shape} and {vectors.shape}.", _REMEDY
        )
    return VectorTable(np.asarray(item_ids), vectors)


def write_arrays(folder: Path, connection: sqlite3.Connection, model: int, state: ArraysState) -> None:
    """Build the arrays from the catalogue; ``connection`` is inside a read transaction that ``state`` was read in."""
    generation = f"{_stem(state.model_id)}.{state.change_counter}-{os.urandom(4).hex()}"
    ids_path, vectors_path = (folder / f"{generation}.{what}.npy" for what in ("items", "vectors"))
    try:
        n_rows = _count(connection, model)
        item_ids = np.empty(n_rows, np.int64)
        if n_rows:
            # A shape of numpy integers would be written into the header as such, and np.load refuses it.
            vectors = open_memmap(vectors_path, mode="w+", dtype=np.float32, shape=(int(n_rows), int(state.dim)))
            _reserve(vectors_path)
            _fill(connection, model, item_ids, vectors)
            vectors.flush()
            del vectors
        else:
            np.save(vectors_path, np.empty((0, int(state.dim)), np.float32))
        np.save(ids_path, item_ids)
        _replace_manifest(folder, state, ids_path.name, vectors_path.name)
    except BaseException:
        for path in (ids_path, vectors_path):
            path.unlink(missing_ok=True)
        raise
    _remove_older(folder, state.model_id, keep={ids_path.name, vectors_path.name})


def load_vectors(connection: sqlite3.Connection, model: int, dim: int) -> VectorTable:
    """The same arrays in memory, for a library whose folder cannot be written to."""
    n_rows = _count(connection, model)
    item_ids, vectors = np.empty(n_rows, np.int64), np.empty((n_rows, dim), np.float32)
    _fill(connection, model, item_ids, vectors)
    vectors.flags.writeable = False
    return VectorTable(item_ids, vectors)


def remove_arrays(folder: Path, model_id: str) -> None:
    """Remove a model's arrays, if there are any."""
    _manifest_path(folder, model_id).unlink(missing_ok=True)
    _remove_older(folder, model_id, keep=set())


def _count(connection: sqlite3.Connection, model: int) -> int:
    (n_rows,) = connection.execute(f"SELECT COUNT(*) FROM ({_SELECT_VECTORS})", (model,)).fetchone()
    return int(n_rows)


def _fill(connection: sqlite3.Connection, model: int, item_ids: np.ndarray, vectors: np.ndarray) -> None:
    rows = connection.execute(_SELECT_VECTORS, (model,))
    start = 0
    while chunk := rows.fetchmany(_ROWS_PER_FETCH):
        stop = start + len(chunk)
        item_ids[start:stop] = [item_id for item_id, _ in chunk]
        vectors[start:stop] = np.frombuffer(b"".join(vector for _, vector in chunk), "<f4").reshape(len(chunk), -1)
        start = stop


def _reserve(path: Path) -> None:
    """Claim the disk space now: on a full disk, writing into a map kills the process instead of raising."""
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as stream:
            os.posix_fallocate(stream.fileno(), 0, path.stat().st_size)


def _replace_manifest(folder: Path, state: ArraysState, item_ids_name: str, vectors_name: str) -> None:
    path = _manifest_path(folder, state.model_id)
    temporary = path.with_name(f"{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        temporary.write_text(
            json.dumps({"state": asdict(state), "item_ids": item_ids_name, "vectors": vectors_name}), "utf-8"
        )
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _remove_older(folder: Path, model_id: str, keep: set[str]) -> None:
    stem = _stem(model_id)
    for path in (*folder.glob(f"{stem}.*.npy"), *folder.glob(f"{stem}.json.*.tmp")):
        if path.name not in keep:
            try:
                path.unlink()
            except OSError:
                continue  # Windows keeps a mapped file; the next rebuild removes it


def _manifest_path(folder: Path, model_id: str) -> Path:
    return folder / f"{_stem(model_id)}.json"


def _stem(model_id: str) -> str:
    # "." stays out of it: it separates the model from the generation.
    return "search-" + re.sub(r"[^A-Za-z0-9_@-]", "_", model_id)
