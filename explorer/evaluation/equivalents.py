"""Lists of clips that fit a sentence as well as the one that it was written for, with the reason for each.

::

    {"about": "clips of ...",
     "same": [{"items": ["a/test.mp4", "a/part_0.mp4"], "because": "the same pool from the same place"}],
     "also": [{"sentence": "a man rides a bicycle", "items": ["b.mp4"], "because": "he does, too"}]}

``same``: every sentence of one of these items fits the others. ``also``: one sentence fits these items, too. Names are
those of the data set; for photos the names of their files. A list may speak of more than a split holds.
"""

from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from explorer.datasets.clips import CaptionedClips
from explorer.datasets.json_file import decode_json, read_json_bytes
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import ConfigError, DatasetError
from explorer.evaluation.encoding import Source
from explorer.evaluation.image_text import owners_of
from explorer.evaluation.judgements import GalleryIds, Judgements

NAME = "equivalents"

_NEEDS = 'It needs {"same": [{"items": [names], "because": "..."}]}, or also: [{"sentence", "items", "because"}].'


class _Group(msgspec.Struct):
    items: list[str]
    because: str


class _Sentence(msgspec.Struct):
    sentence: str
    items: list[str]
    because: str


class _File(msgspec.Struct):
    same: list[_Group] = []
    also: list[_Sentence] = []


@dataclass(frozen=True, slots=True)
class Equivalents:
    """What fits equally well, by rows of a split.

    Attributes:
        ids: of its photos or clips, and of its sentences: their rows.
        judgements: all right answers of every one of them, its own among them.
        n_changed: queries that have more right answers than their own.
    """

    ids: GalleryIds
    judgements: Judgements
    n_changed: int


def read_equivalents(path: Path, source: Source) -> Equivalents:
    """Read a list and see what of a split it speaks of.

    Raises
    ------
    DatasetError
        the file cannot be read or is not of this form, gives no reason, or speaks of nothing in the split.
    ConfigError
        the split is a folder of feature files, whose items have no names.
    """
    if not isinstance(source, CaptionedImages):
        raise ConfigError(f"The items of {source.name} have no names that {path.name} could speak of.")
    content = decode_json(read_json_bytes(path), _File, path, needs=_NEEDS)
    least = [(entry.items, entry.because, 2) for entry in content.same]
    for items, because, n_least in [*least, *((entry.items, entry.because, 1) for entry in content.also)]:
        if not because.strip() or len(items) < n_least:
            raise DatasetError(
                f"An entry of {path.name} has no reason, or too few items: {', '.join(items) or 'none'}.", _NEEDS
            )
    fits = _relevance(content, source)
    own = owners_of([len(said) for said in source.sentences])
    n_changed = int((fits.sum(axis=0) > 1).sum())
    extra = fits.copy()
    extra[own, np.arange(len(own))] = False
    if not n_changed:
        raise DatasetError(
            f"{path.name} speaks of nothing in {source.name} {source.split}.",
            "Are its names and sentences those of the data set?",
        )
    return Equivalents(
        GalleryIds(tuple(range(fits.shape[0])), tuple(range(fits.shape[1]))),
        Judgements(
            NAME,
            {row: tuple(np.flatnonzero(fits[row]).tolist()) for row in range(fits.shape[0])},
            {column: tuple(np.flatnonzero(fits[:, column]).tolist()) for column in range(fits.shape[1])},
        ),
        n_changed + int(extra.any(axis=1).sum()),
    )


def _relevance(content: _File, source: CaptionedImages) -> np.ndarray:
    """Which photos or clips each sentence fits, bool (n, m)."""
    names = source.names if isinstance(source, CaptionedClips) else tuple(path.name for path in source.image_paths)
    row_of = {name: row for row, name in enumerate(names)}
    owners = owners_of([len(said) for said in source.sentences])
    fits = owners[None, :] == np.arange(len(names))[:, None]
    own = fits.copy()
    for group in content.same:
        rows = [row_of[name] for name in dict.fromkeys(group.items) if name in row_of]
        fits[rows] |= own[rows].any(axis=0)
    texts = [text for said in source.sentences for text in said]
    for entry in content.also:
        columns = [column for column, text in enumerate(texts) if text == entry.sentence]
        rows = [row_of[name] for name in entry.items if name in row_of]
        fits[np.ix_(rows, columns)] = True
    return np.asarray(fits)
