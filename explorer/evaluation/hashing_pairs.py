"""Queries, the gallery that they search, and the labels of both: which photo or sentence answers which.

A sentence has its photo's labels. A query that stands in the gallery itself is no answer to itself.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile, item_names
from explorer.errors import DatasetError
from explorer.evaluation.encoding import Source


@dataclass(frozen=True, slots=True)
class OwnRows:
    """Where queries stand in the gallery themselves; -1 for nowhere.

    Attributes:
        images: int64 (n photos that ask,).
        sentences: int64 (m sentences that ask,).
    """

    images: np.ndarray
    sentences: np.ndarray

    @property
    def n_there(self) -> int:
        """Query photos that are in the gallery, too."""
        return int(np.count_nonzero(self.images >= 0))


def own_rows(queries: Source, gallery: Source) -> OwnRows:
    """Find each query photo and sentence in the gallery: the same file, and the same words at the same place."""
    row_of = {identity: row for row, identity in enumerate(_identities(gallery))}
    images = np.array([row_of.get(identity, -1) for identity in _identities(queries)], np.int64)
    starts = np.cumsum([0, *(len(own) for own in gallery.sentences)])
    sentences = []
    for row, own in zip(images.tolist(), queries.sentences, strict=True):
        theirs = gallery.sentences[row] if row >= 0 else ()
        for place, text in enumerate(own):
            same = place < len(theirs) and theirs[place] == text
            sentences.append(int(starts[row]) + place if same else -1)
    return OwnRows(images, np.array(sentences, np.int64))


def _identities(source: Source) -> list[str]:
    if isinstance(source, CaptionedImages):
        folders = {path.parent for path in source.image_paths}
        whole = {folder: os.path.realpath(folder) for folder in folders}
        return [f"{whole[path.parent]}/{path.name}" for path in source.image_paths]
    return [f"{source.name}/{source.split}/{number}" for number in source.image_ids]


@dataclass(frozen=True, slots=True, eq=False)
class PairLabels:
    """Labels of queries and gallery, one class a column.

    Attributes:
        name: where they come from.
        queries: of the photos that ask, bool (n, c).
        gallery: of the photos that are searched, bool (m, c).
    """

    name: str
    queries: np.ndarray
    gallery: np.ndarray


def labels_from_file(name: str, labels: LabelFile, queries: Source, gallery: Source) -> PairLabels:
    """Labels of both from one file, photos by the names of their files, feature files by their ids.

    Raises
    ------
    DatasetError
        the file does not speak of all of them, or two photos have one name.
    """
    return PairLabels(name, *(labels.matrix(_names(source)) for source in (queries, gallery)))


def _names(source: Source) -> Sequence[str]:
    return item_names(source.image_paths) if isinstance(source, CaptionedImages) else source.image_ids


def require_answers(labels: PairLabels, own: OwnRows) -> None:
    """See that at least one query photo shares a label with another photo of the gallery.

    Raises
    ------
    DatasetError
        none does: every query would be skipped, and there would be nothing to measure.
    """
    n_others = labels.gallery.sum(axis=0) - np.where(own.images[:, None] >= 0, labels.gallery[own.images], False)
    if not (labels.queries & (n_others > 0)).any():
        raise DatasetError(
            f"By the labels of {labels.name} no query shares a label with any item of the gallery: all "
            f"{len(labels.queries):,} photos and their sentences would be skipped.",
            "Use labels with classes that several photos have.",
        )
