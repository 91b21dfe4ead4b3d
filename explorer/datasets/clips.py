"""Clips with their sentences, in the form ``captions.json`` and as what all readers of clips give.

``captions.json`` lies above the files that it speaks of::

    {"captions": {"cooking/rice.mp4": ["rice is poured into a pot"], "film.mkv#t=12,20.5": "a car turns left"},
     "splits": {"val": ["cooking/rice.mp4"], "test": ["film.mkv#t=12,20.5"]},
     "dataset": "kitchen"}

``splits`` may also say the split of each path, or be missing; ``dataset`` too, then it is called as its folder. A name
may end in ``#t=start,end`` (seconds, as in W3C's media fragments): this part of the video. Photos may stand among the
clips. ``labels.json`` beside it (``labels.py``), if there is one, has the same names.
"""

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import msgspec
import numpy as np

from explorer.datasets.json_file import decode_json, read_json_bytes
from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile, read_labels
from explorer.errors import DatasetError
from explorer.media.item import kind_of

CAPTIONS_FILE = "captions.json"
LABELS_FILE = "labels.json"
WHOLE_SPLIT = "all"
"""What the one split of a file without splits is called."""

MOST_SENTENCES = 10_000
"""Of one clip; data sets have at most a few dozen, and a file with more speaks of something else."""

_N_NAMED = 3
_NEEDS = 'It needs {"captions": {"folder/clip.mp4": ["a sentence"]}}, and may have splits: {"test": [paths]}.'
_FRAGMENT = re.compile(r"(?P<name>.+)#t=(?P<start>[0-9.]*)(?:,(?P<end>[0-9.]+))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Span:
    """Part of a video, in seconds.

    Attributes:
        start_s: where it begins.
        end_s: where it ends; None for the video's end.
    """

    start_s: float = 0.0
    end_s: float | None = None


@dataclass(frozen=True, slots=True)
class CaptionedClips(CaptionedImages):
    """One split with videos in it: clips, or photos and clips, each with its own sentences.

    As in :class:`CaptionedImages`, whose ``image_paths`` may be videos here, and where an item may have any number of
    sentences. What is new:

    Attributes:
        names: what the data set calls each item; labels and judgements know it by this name.
        spans: which part of the video each item is, the whole of it for most; of photos it says nothing.
        labels: of these items, where the data set brings some.
    """

    names: tuple[str, ...]
    spans: tuple[Span, ...]
    labels: LabelFile | None = None

    @property
    def are_videos(self) -> tuple[bool, ...]:
        """Which items are clips; the others are photos."""
        return tuple(kind_of(path.name) == "video" for path in self.image_paths)

    def at(self, rows: Sequence[int] | np.ndarray, *, split: str) -> "CaptionedClips":
        """These items with their sentences, rows counted from 0, in the order given, under a split's name."""
        chosen = [int(row) for row in rows]
        return replace(
            self,
            split=split,
            image_paths=tuple(self.image_paths[row] for row in chosen),
            sentences=tuple(self.sentences[row] for row in chosen),
            image_ids=tuple(self.image_ids[row] for row in chosen),
            sent_ids=tuple(self.sent_ids[row] for row in chosen),
            names=tuple(self.names[row] for row in chosen),
            spans=tuple(self.spans[row] for row in chosen),
        )

    def of_kind(self, kind: str) -> "CaptionedClips":
        """Only the clips (``"video"``) or only the photos (``"image"``).

        Raises
        ------
        DatasetError
            there are none.
        """
        rows = [row for row, is_video in enumerate(self.are_videos) if is_video == (kind == "video")]
        if not rows:
            what = "clips" if kind == "video" else "photos"
            raise DatasetError(f"The split {self.split} of {self.name} has no {what}.", "Choose another split.")
        return self.at(rows, split=self.split)


class _File(msgspec.Struct):
    captions: dict[str, str | list[str]]
    splits: dict[str, str | list[str]] = {}
    dataset: str = ""


def read_clips(
    path: Path, *, split: str | None = None, folder: Path | None = None, whole: bool = True
) -> CaptionedClips:
    """Read one split of a ``captions.json``, in file order, and see that its files are there.

    Parameters
    ----------
    path
        the json file.
    split
        its name; several are joined by a plus sign; None: all items.
    folder
        what its paths start from, that of the json by default.
    whole
        whether all files must be there.

    Raises
    ------
    DatasetError
        the file cannot be read or is not of this form; there is no such split or it is empty; an item has no sentence,
        no usable name, or is in two splits; files are missing; ``labels.json`` beside it is no label file.
    """
    content = _decode(path)
    folder = path.parent if folder is None else folder
    names = chosen_names(tuple(content.captions), _splits(content, path), split, path)
    said = {name: said_of(name, content.captions[name], path) for name in names}
    places = {name: _place(name, folder, path) for name in names}
    labels = path.parent / LABELS_FILE
    return captioned_clips(
        name=content.dataset or path.absolute().parent.name,
        split=split or WHOLE_SPLIT,
        places=places,
        said=said,
        folder=folder if whole else None,
        labels=read_labels(labels) if labels.is_file() else None,
    )


def splits_by_name(path: Path) -> dict[str, str]:
    """The split of every item of a ``captions.json`` that has one, by its name; raises as :func:`read_clips` does."""
    return {name: split for split, names in _splits(_decode(path), path).items() for name in names}


def clip_splits(path: Path) -> tuple[str, ...]:
    """Names of the splits of a ``captions.json``, none where it has none; raises as :func:`read_clips` does."""
    return tuple(_splits(_decode(path), path))


def captioned_clips(
    *,
    name: str,
    split: str,
    places: Mapping[str, tuple[Path, Span]],
    said: Mapping[str, tuple[str, ...]],
    folder: Path | None,
    labels: LabelFile | None,
) -> CaptionedClips:
    """Put a split together, and see that its files are there.

    Parameters
    ----------
    name, split
        of the data set.
    places
        file and part of each item by its name, in the order of the split.
    said
        the sentences of each.
    folder
        where the files are, for errors; None: they need not be there.
    labels
        of all items of the data set, if there are some.

    Raises
    ------
    DatasetError
        files are missing.
    """
    if folder is not None:
        require_files([place.as_posix() for place, _ in places.values()], folder, split)
    starts = np.cumsum([0, *(len(said[item]) for item in places)])[:-1].tolist()
    return CaptionedClips(
        name=name,
        split=split,
        image_paths=tuple(place for place, _ in places.values()),
        sentences=tuple(said[item] for item in places),
        image_ids=tuple(range(len(places))),
        sent_ids=tuple(tuple(range(n, n + len(said[item]))) for item, n in zip(places, starts, strict=True)),
        names=tuple(places),
        spans=tuple(span for _, span in places.values()),
        labels=labels,
    )


def chosen_names(
    names: Sequence[str], splits: Mapping[str, Sequence[str]], split: str | None, path: Path
) -> tuple[str, ...]:
    """The names of a split, in file order.

    Raises
    ------
    DatasetError
        there is no such split, or no item in it.
    """
    if not names:
        raise DatasetError(f"{path.name} speaks of no clips.", "Choose another data set.")
    if split is None or (split == WHOLE_SPLIT and split not in splits):
        return tuple(names)
    wanted = split.split("+")
    unknown = [name for name in wanted if name not in splits]
    if unknown:
        has = f"It has {', '.join(sorted(splits))}." if splits else f"It has no splits: say {WHOLE_SPLIT}."
        raise DatasetError(f"{path.name} has no split called {' or '.join(unknown)!r}.", has)
    chosen = {name for each in wanted for name in splits[each]}
    if not chosen:
        raise DatasetError(f"The split {split} of {path.name} is empty.", "Choose another split.")
    return tuple(name for name in names if name in chosen)


def said_of(name: str, sentences: str | Iterable[str], path: Path) -> tuple[str, ...]:
    """The sentences of one item, each on one line, empty ones left out.

    Raises
    ------
    DatasetError
        it has none, or more than any data set has.
    """
    given = [sentences] if isinstance(sentences, str) else sentences
    kept = tuple(text for text in (" ".join(sentence.replace("\0", " ").split()) for sentence in given) if text)
    if not kept:
        raise DatasetError(
            f"{path.name} has no sentence for {name}.", "Every clip needs at least one; leave the others out."
        )
    if len(kept) > MOST_SENTENCES:
        raise DatasetError(
            f"{path.name} has {len(kept):,} sentences for {name}.", f"A clip can have {MOST_SENTENCES:,} at most."
        )
    return kept


def require_files(paths: Sequence[str], folder: Path, split: str) -> None:
    """See that the clips of a split are there; :class:`~explorer.errors.DatasetError` names those that are not."""
    missing = [path for path in paths if not os.path.isfile(path)]  # unlike Path's, never raises
    if missing:
        named = ", ".join(os.path.relpath(path, folder) for path in missing[:_N_NAMED])
        more = ", ..." if len(missing) > _N_NAMED else ""
        raise DatasetError(
            f"{len(missing):,} of {len(paths):,} clips of the split {split} are missing in {folder} ({named}{more}).",
            "Give the folder of the clips with --images.",
        )


def parse_name(name: str) -> tuple[str, Span]:
    """A name without its fragment, and the part of the video that the fragment says; a photo's name is as it is.

    Raises
    ------
    ValueError
        the fragment says no part of a video.
    """
    found = _FRAGMENT.fullmatch(name)
    if found is None or kind_of(found["name"]) != "video":
        return name, Span()
    start = float(found["start"] or 0)
    end = None if found["end"] is None else float(found["end"])
    if not math.isfinite(start) or (end is not None and not start < end < math.inf):
        raise ValueError(f"no time from {start} to {end} seconds")
    return found["name"], Span(start, end)


def _place(name: str, folder: Path, path: Path) -> tuple[Path, Span]:
    if (literal := PurePosixPath(name)).name and os.path.isfile(folder / literal):
        found, span = name, Span()  # a file may really be called so
    else:
        try:
            found, span = parse_name(name)
        except ValueError as error:
            raise DatasetError(
                f"{path.name} names {name}, and its ending says {error}.", "Write #t=start,end in seconds."
            ) from error
    place = PurePosixPath(found)
    if place.is_absolute() or ".." in place.parts or not place.name or "\0" in found:
        raise DatasetError(
            f"{path.name} names {found!r}, which is no file below its folder.", "Name files relative to the json."
        )
    return folder / place, span


def _decode(path: Path) -> _File:
    return decode_json(read_json_bytes(path), _File, path, needs=_NEEDS)


def _splits(content: _File, path: Path) -> dict[str, list[str]]:
    """Names by split, from either form; each name in one split at most."""
    splits: dict[str, list[str]] = {}
    for key, value in content.splits.items():
        if isinstance(value, str):
            splits.setdefault(value, []).append(key)
        else:
            splits.setdefault(key, []).extend(value)
    n_uses = Counter(name for names in splits.values() for name in names)
    strange = next((name for name, n in n_uses.items() if n > 1 or name not in content.captions), None)
    if strange is not None:
        why = "twice" if strange in content.captions else "without sentences"
        raise DatasetError(f"The splits of {path.name} name {strange} {why}.", "Write or export the file again.")
    return splits
