"""What we know of a person's media: the catalogue, its scanning, and the search arrays derived from it.

``library.sqlite`` in the library's folder is the truth (:mod:`~explorer.library.schema`); everything else beside it can
be made again. Start at :mod:`~explorer.library.catalogue`::

    with open_library(folder) as library:
        library.add_source(photos)
        for event in library.scan(token=token): ...
        for item in library.pending(model_id): ...
        library.commit_items(model_id, weights_hash, indexed=[...], failed=[...])
        table = library.vector_table(model_id)
        library.sentences.replace({item_id: ["a dog on a beach"]})  # see explorer.library.sentences
"""

from explorer.errors import (
    LibraryBusyError,
    LibraryError,
    LibraryReadOnlyError,
    LibraryTooNewError,
    StaleIndexError,
    StorageFullError,
)
from explorer.library.catalogue import CATALOGUE_NAME, Library, open_library
from explorer.library.contents import hash_content, hash_file
from explorer.library.rows import (
    Counts,
    FailedItem,
    IndexedItem,
    IndexedShot,
    IndexedVideo,
    ItemRow,
    ItemStatus,
    PendingItem,
    Problem,
    Problems,
    ScanProgress,
    ScanSummary,
    Source,
    VectorTable,
)
from explorer.library.sentences import Sentences, item_of
from explorer.library.vectors import VectorForm, VectorKind, to_activations, to_rows

__all__ = [
    "CATALOGUE_NAME", "Counts", "FailedItem", "IndexedItem", "IndexedShot", "IndexedVideo", "ItemRow", "ItemStatus",
    "Library", "LibraryBusyError", "LibraryError", "LibraryReadOnlyError", "LibraryTooNewError", "PendingItem",
    "Problem", "Problems", "ScanProgress", "ScanSummary", "Sentences", "Source", "StaleIndexError",
    "StorageFullError", "VectorForm", "VectorKind", "VectorTable", "hash_content", "hash_file", "item_of",
    "open_library", "to_activations", "to_rows",
]  # fmt: skip
