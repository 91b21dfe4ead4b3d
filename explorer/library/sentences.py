"""What data sets say about a library's items, and the vectors of those sentences.

A sentence has an id of its own, made of its item's id and its position there, so that sentences are in the order of
items (:func:`item_of`). A vector belongs to the words: a sentence that is said of many items is encoded once, and its
vectors go when nothing says it any more.
"""

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from explorer.library import arrays, queries
from explorer.library.arrays import Rows
from explorer.library.connections import Connections
from explorer.library.failures import known_failures
from explorer.library.indexing import model_row
from explorer.library.matching import match_names
from explorer.library.rows import SENTENCES_PER_ITEM, SaidOf, VectorTable, item_of
from explorer.library.vectors import VectorForm, VectorKind, to_bytes

__all__ = ["SENTENCES_PER_ITEM", "Sentences", "item_of"]


class Sentences:
    """The sentences of an open library; ``library.sentences``. As thread-safe as the library itself."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._folder: Path = connections.folder
        self._arrays_lock = threading.Lock()

    # --- what is said -------------------------------------------------------------------------------------------

    def match(self, names: Sequence[str], beside: Path) -> list[tuple[int, ...]]:
        """Ids of the items that each name means; see :func:`~explorer.library.matching.match_names`."""
        with self._connections.reading() as connection:
            return match_names(connection, names, beside)

    def replace(self, said: Mapping[int, Sequence[str]]) -> int:
        """Put these sentences in place of what was said about these items; how many items that changed.

        All of it lands, or nothing; items that were removed meanwhile are passed over. A sentence that was there before
        keeps its vectors.

        Raises
        ------
        ValueError
            A sentence is empty, or there are more than 65,536 about one item.
        """
        for item_id, sentences in said.items():
            if not all(sentences) or len(sentences) > SENTENCES_PER_ITEM:
                raise ValueError(f"expected at most {SENTENCES_PER_ITEM} sentences for {item_id}, and none empty")
        with self._connections.writing() as connection:
            return sum(_replace(connection, item_id, list(sentences)) for item_id, sentences in said.items())

    def count(self) -> int:
        """Number of sentences about items that are not missing."""
        with self._connections.reading() as connection:
            return queries.n_sentences(connection)

    def texts(self, sentence_ids: Sequence[int]) -> dict[int, str]:
        """Sentence by id; unknown ids are left out."""
        with self._connections.reading() as connection:
            return queries.sentences(connection, sentence_ids)

    def said(self, limit: int) -> list[SaidOf]:
        """All items by folder and name with their first ``limit`` sentences, missing ones and silent ones, too."""
        with self._connections.reading() as connection:
            connection.execute("BEGIN")  # one snapshot of items and sentences
            try:
                return queries.said(connection, limit)
            finally:
                connection.execute("COMMIT")

    # --- vectors ------------------------------------------------------------------------------------------------

    def n_without_vector(self, model_id: str) -> int:
        """How many different sentences about items that are not missing have no vector of this model."""
        with self._connections.reading() as connection:
            (number,) = connection.execute(
                f"SELECT COUNT(DISTINCT captions.text) FROM {_WITHOUT_VECTOR}", (model_id,)
            ).fetchone()
        return int(number)

    def without_vector(self, model_id: str, *, after: str = "", limit: int) -> list[str]:
        """The first different sentences without a vector of this model that sort behind ``after``."""
        with self._connections.reading() as connection:
            rows = connection.execute(
                f"SELECT DISTINCT captions.text FROM {_WITHOUT_VECTOR} AND captions.text > ?"
                " ORDER BY captions.text LIMIT ?",
                (model_id, after, limit),
            )
            return [text for (text,) in rows]

    def commit(self, model_id: str, weights_hash: str, texts: Sequence[str], vectors: np.ndarray) -> None:
        """Write one batch in one transaction; sentences that nothing says any more are passed over.

        Parameters
        ----------
        texts
            different sentences.
        vectors
            one for each: float32 (n, dim), or uint8 rows of :func:`~explorer.library.vectors.to_rows`.

        Raises
        ------
        StaleIndexError
            The library holds vectors of this model id made with other weights, or of another kind or width.
        """
        if vectors.ndim != 2 or len(vectors) != len(texts):
            raise ValueError(f"expected vectors (n, dim) for {len(texts)} sentences, got {vectors.shape}")
        with self._connections.writing() as connection:
            model = model_row(connection, "sentence_models", model_id, weights_hash, VectorForm.of(vectors))
            connection.executemany(
                "INSERT OR IGNORE INTO sentence_vectors (model, text, vector) SELECT ?1, ?2, ?3"
                " WHERE EXISTS (SELECT 1 FROM captions WHERE text = ?2)",
                [(model, text, to_bytes(row)) for text, row in zip(texts, vectors, strict=True)],
            )
            connection.execute("UPDATE sentence_models SET change_counter = change_counter + 1 WHERE id = ?", (model,))

    def table(self, model_id: str) -> VectorTable:
        """All vectors of a model by sentence id, of items that are not missing; (0, 0) if there are none at all.

        Like :meth:`~explorer.library.catalogue.Library.vector_table`: from the arrays on the disk, which are rebuilt
        where they are out of date.
        """
        with self._arrays_lock, self._connections.reading() as connection:
            connection.execute("BEGIN")  # one snapshot for the counter and the vectors it speaks of
            try:
                row = connection.execute(
                    "SELECT id, weights_hash, dim, change_counter, kind FROM sentence_models WHERE model_id = ?",
                    (model_id,),
                ).fetchone()
                if row is None:
                    return VectorTable.empty()
                (identity,) = connection.execute("SELECT value FROM facts WHERE name = 'identity'").fetchone()
                model, weights_hash, dim, counter, kind = row
                state = arrays.ArraysState(
                    identity, model_id, weights_hash, dim, counter, Rows.SENTENCES, VectorKind(kind)
                )
                writable = not self._connections.read_only
                return arrays.current_arrays(self._folder, connection, model, state, writable=writable)
            finally:
                connection.execute("COMMIT")

    def drop_model(self, model_id: str) -> None:
        """Forget a model's vectors of sentences."""
        with self._connections.writing() as connection:
            connection.execute("DELETE FROM sentence_models WHERE model_id = ?", (model_id,))
        with self._arrays_lock, known_failures(self._folder):
            arrays.remove_arrays(self._folder, Rows.SENTENCES, model_id)

    def drop_other_versions(self, model_id: str) -> None:
        """Forget what other versions of a model made: of no use once this one has been through the library."""
        name = model_id.partition("@")[0]
        with self._connections.reading() as connection:
            known = [other for (other,) in connection.execute("SELECT model_id FROM sentence_models")]
        for other in known:
            if other != model_id and other.partition("@")[0] == name:
                self.drop_model(other)


_WITHOUT_VECTOR = """
    captions JOIN items ON items.id = captions.item_id WHERE items.missing_since IS NULL AND NOT EXISTS (
        SELECT 1 FROM sentence_vectors WHERE sentence_vectors.text = captions.text
        AND sentence_vectors.model = (SELECT id FROM sentence_models WHERE model_id = ?)
    )
"""


def _replace(connection: sqlite3.Connection, item_id: int, sentences: list[str]) -> bool:
    rows = connection.execute("SELECT text FROM captions WHERE item_id = ? ORDER BY position", (item_id,)).fetchall()
    if [text for (text,) in rows] == sentences:
        return False
    if connection.execute("SELECT 1 FROM items WHERE id = ?", (item_id,)).fetchone() is None:
        return False
    # The new ones come behind the old ones before those go: what is said all along is never without a sentence, and
    # keeps its vectors.
    start = SENTENCES_PER_ITEM
    connection.executemany(
        "INSERT INTO captions VALUES (?, ?, ?)", [(item_id, start + n, text) for n, text in enumerate(sentences)]
    )
    connection.execute("DELETE FROM captions WHERE item_id = ? AND position < ?", (item_id, start))
    connection.execute("UPDATE captions SET position = position - ? WHERE item_id = ?", (start, item_id))
    connection.execute("UPDATE item_texts SET captions = ? WHERE rowid = ?", ("\n".join(sentences), item_id))
    return True
