"""What the readers of the hashing papers' data sets give: items with labels, and with whatever texts there are.

Two items are relevant to each other if they share a label. :meth:`LabelledItems.to_label_file` gives the labels in the
form of ``retrieval-explorer labels``, :meth:`LabelledItems.at` the items of one split.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from explorer.datasets.labels import LabelFile
from explorer.errors import DatasetError


@dataclass(frozen=True, slots=True, eq=False)
class LabelledItems:
    """Items of a data set in the order of its files, n of them, with c labels to choose from.

    Attributes:
        name: the data set's name, for example ``"iaprtc12"``.
        filenames: one for each item, each once: the file name of its photo; the row as a number, from 0, where the data
            set names no files.
        label_names: c of them.
        labels: which of them each item has, bool (n, c); an item may have none.
        image_paths: the photos, or None where the data set brings arrays only.
        texts: the sentences of each item, perhaps none for some, or None where there are only tags or nothing.
        tags: numbers that stand for the text, (n, n_tags), uint8 or float32, or None.

    Raises
    ------
    DatasetError
        the parts have different numbers of rows, or a file name stands there twice.
    """

    name: str
    filenames: tuple[str, ...]
    label_names: tuple[str, ...]
    labels: np.ndarray
    image_paths: tuple[Path, ...] | None = None
    texts: tuple[tuple[str, ...], ...] | None = None
    tags: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.labels.dtype != np.bool_ or self.labels.ndim != 2 or self.labels.shape[1] != len(self.label_names):
            raise DatasetError(
                f"The labels of {self.name} have the shape {self.labels.shape}, for {len(self.label_names)} names.",
                "One row for each item and one column for each name are needed.",
            )
        counts = {
            key: len(part)
            for key, part in (
                ("file names", self.filenames),
                ("labels", self.labels),
                ("photos", self.image_paths),
                ("texts", self.texts),
                ("tags", self.tags),
            )
            if part is not None
        }
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{count:,} {key}" for key, count in counts.items())
            raise DatasetError(
                f"The parts of {self.name} do not fit together: {listed}.",
                "They must have the same number of rows; are the files of one release?",
            )
        if not self.filenames:
            raise DatasetError(f"{self.name} holds no items.", "Choose another data set.")
        name, count = Counter(self.filenames).most_common(1)[0]
        if count > 1:
            raise DatasetError(f"{self.name} names {name} {count} times.", "Each item needs a name of its own.")

    def __len__(self) -> int:
        return len(self.filenames)

    def at(self, rows: Sequence[int] | np.ndarray) -> "LabelledItems":
        """These items, rows counted from 0, in the order given; for example those of a split."""
        chosen = [int(row) for row in rows]
        return replace(
            self,
            filenames=tuple(self.filenames[row] for row in chosen),
            labels=self.labels[chosen],
            image_paths=None if self.image_paths is None else tuple(self.image_paths[row] for row in chosen),
            texts=None if self.texts is None else tuple(self.texts[row] for row in chosen),
            tags=None if self.tags is None else self.tags[chosen],
        )

    def with_most_frequent(self, n_labels: int) -> "LabelledItems":
        """The items of the labels that most items have, with these labels only; order as it was, earlier labels first.

        Hashing papers keep 100 of the 353 of Web Queries; which they kept is remembered, not read.
        """
        frequency = self.labels.sum(axis=0)
        kept = np.sort(np.argsort(-frequency, kind="stable")[:n_labels])
        chosen = self.at(np.flatnonzero(self.labels[:, kept].any(axis=1)))
        names = tuple(self.label_names[number] for number in kept)
        return replace(chosen, label_names=names, labels=chosen.labels[:, kept])

    def to_label_file(self) -> LabelFile:
        """The labels by file name; see :func:`~explorer.datasets.labels.write_labels`."""
        numbers = [tuple(np.flatnonzero(row).tolist()) for row in self.labels]
        return LabelFile(self.label_names, dict(zip(self.filenames, numbers, strict=True)))
