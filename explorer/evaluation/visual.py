"""What sentences are about in a split, and what it is called: photos, clips, or both."""

from collections.abc import Sequence
from enum import StrEnum
from fnmatch import fnmatchcase

from explorer.datasets.clips import CaptionedClips
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import ConfigError, DatasetError
from explorer.evaluation.encoding import Source


class Visual(StrEnum):
    """One thing that a sentence is about; the value is what keys of reports call it."""

    IMAGE = "image"
    VIDEO = "video"
    ITEM = "item"

    @property
    def plural(self) -> str:
        """Several of them, for people."""
        return {Visual.IMAGE: "photos", Visual.VIDEO: "clips", Visual.ITEM: "photos and clips"}[self]


def visual_of(source: Source) -> Visual:
    """What the sentences of a split are about."""
    if not isinstance(source, CaptionedClips) or not any(source.are_videos):
        return Visual.IMAGE
    return Visual.VIDEO if all(source.are_videos) else Visual.ITEM


def chosen_items(source: Source, patterns: Sequence[str]) -> Source:
    """The items whose names fit one of some patterns (``*`` for anything), or all where there are no patterns.

    Raises
    ------
    ConfigError
        it is a folder of feature files, whose items have no names.
    DatasetError
        no name fits.
    """
    if not patterns:
        return source
    if not isinstance(source, CaptionedImages):
        raise ConfigError(f"The items of {source.name} have no names to choose by.", "Leave --items out.")
    names = source.names if isinstance(source, CaptionedClips) else tuple(path.name for path in source.image_paths)
    rows = [row for row, name in enumerate(names) if any(fnmatchcase(name, pattern) for pattern in patterns)]
    if not rows:
        raise DatasetError(
            f"No name of {source.name} {source.split} fits {' or '.join(patterns)}.",
            f"Names are like {names[0]}.",
        )
    return source.at(rows, split=source.split)
