"""Queries, the gallery that they search, and the labels of both: which photo or sentence answers which.

A sentence has its photo's labels. A query that stands in the gallery itself is no answer to itself.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from explorer.datasets.clips import CaptionedClips
from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile, item_names
from explorer.errors import DatasetError
from explorer.evaluation.encoding import Source
from explorer.evaluation.hashing import Relevance, sharing_a_label
from explorer.evaluation.label_rules import LabelRule

_PAIRS_AT_ONCE = 1 << 22


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
    """Find each query photo or clip and sentence in the gallery: the same file, the same words at the same place."""
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
        files = [f"{whole[path.parent]}/{path.name}" for path in source.image_paths]
        if isinstance(source, CaptionedClips):
            return [f"{file}#{span.start_s},{span.end_s}" for file, span in zip(files, source.spans, strict=True)]
        return files
    return [f"{source.name}/{source.split}/{number}" for number in source.image_ids]


@dataclass(frozen=True, slots=True, eq=False)
class PairLabels:
    """Labels of queries and gallery, one class a column.

    Attributes:
        name: where they come from.
        queries: of the photos or clips that ask, bool (n, c).
        gallery: of those that are searched, bool (m, c).
        rule: which of them must be shared.
        between: the rule on these labels.
    """

    name: str
    queries: np.ndarray
    gallery: np.ndarray
    rule: LabelRule = field(default_factory=LabelRule)
    between: Callable[[np.ndarray, np.ndarray], Relevance] = sharing_a_label


def labels_from_file(
    name: str, labels: LabelFile, queries: Source, gallery: Source, rule: LabelRule | None = None
) -> PairLabels:
    """Labels of both from one file: photos by the names of their files, clips by their own, feature files by ids.

    Raises
    ------
    DatasetError
        the file does not speak of all of them, or two photos have one name.
    ConfigError
        the rule is about a group that no label is of.
    """
    rule = rule or LabelRule()
    ours, theirs = (labels.matrix(_names(source, labels)) for source in (queries, gallery))
    return PairLabels(name, ours, theirs, rule, rule.between(labels.names))


def own_labels(queries: Source, gallery: Source) -> LabelFile | None:
    """Labels that the data sets bring themselves; None where one brings none, or they name other classes."""
    found = [source.labels if isinstance(source, CaptionedClips) else None for source in (queries, gallery)]
    if found[0] is None or found[1] is None or found[0].names != found[1].names:
        return None
    return LabelFile(found[0].names, {**found[1].items, **found[0].items})


def _names(source: Source, labels: LabelFile) -> Sequence[str]:
    if isinstance(source, CaptionedClips) and any(name in labels.items for name in source.names):
        return source.names
    return item_names(source.image_paths) if isinstance(source, CaptionedImages) else source.image_ids


def require_answers(labels: PairLabels, own: OwnRows) -> None:
    """See that at least one query photo or clip is answered by another one of the gallery.

    Raises
    ------
    DatasetError
        none is: every query would be skipped, and there would be nothing to measure.
    """
    relevant = labels.between(labels.queries, labels.gallery)
    step = max(1, _PAIRS_AT_ONCE // len(labels.gallery))
    for start in range(0, len(labels.queries), step):
        block = relevant(slice(start, start + step)).copy()
        own_rows = own.images[start : start + step]
        there = np.flatnonzero(own_rows >= 0)
        block[there, own_rows[there]] = False
        if block.any():
            return
    raise DatasetError(
        f"By the labels of {labels.name} no query {labels.rule.said} with any item of the gallery: all "
        f"{len(labels.queries):,} queries and their sentences would be skipped.",
        "Use labels with classes that several items have.",
    )
