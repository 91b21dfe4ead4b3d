"""How photos without splits are divided into those to train on and those to choose on.

The rule: photos are put in the order of the hash (BLAKE2b, 8 bytes) of their file's name, and the first
``val_share`` of them, rounded, at least one, are the validation split; names that are equal are told apart by their
folders, from the last to the first. It does not depend on the order of the photos, on the machine, or on the folder
that a collection lies in; a few photos more or less move a few others at most.
"""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path


def validation_rows(paths: Sequence[Path], share: float) -> list[int]:
    """Rows of the photos to choose on, rising.

    paths: two photos at least, so that one is left to train on.   share: in [0, 1).
    """
    if len(paths) < 2:
        raise ValueError(f"expected two photos at least, got {len(paths)}")
    n = min(max(round(len(paths) * share), 1), len(paths) - 1)
    order = sorted(range(len(paths)), key=lambda row: _key(paths[row]))
    return sorted(order[:n])


def _key(path: Path) -> tuple[bytes, tuple[bytes, ...]]:
    parts = tuple(os.fsencode(part) for part in reversed(path.parts))
    return hashlib.blake2b(parts[0], digest_size=8).digest(), parts
