"""What a new model may be called; no Qt."""

import os
import re
from pathlib import Path

from explorer.gui.training.draft import Draft
from explorer.protocol import LibraryState

_LONGEST = 48


def data_name(draft: Draft, library: LibraryState | None) -> str:
    """What the data of a recipe is called; empty where it has none."""
    folder = draft.value("dataset.library")
    if folder is not None:
        sources = library.sources if library is not None else ()
        path = sources[0].path if len(sources) == 1 else os.fsencode(str(folder))
        return os.path.basename(os.fsdecode(path).rstrip("/\\"))
    stem = Path(str(draft.value("dataset.annotations") or "")).stem
    return stem.removeprefix("dataset_").removeprefix("captions_")


def free_name(words: str, taken: set[str]) -> str:
    """A name for a package that no other has: small letters, digits and hyphens."""
    stem = re.sub(r"[^a-z0-9]+", "-", words.lower()).strip("-")[:_LONGEST].strip("-") or "model"
    name, n = stem, 2
    while name in taken:
        name, n = f"{stem}-{n}", n + 1
    return name
