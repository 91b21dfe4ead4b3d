"""What is looked at before codes are trained: data from which no code can learn is refused in a sentence."""
# n photos, C classes

from collections.abc import Sequence

from torch import Tensor

from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import DatasetError


def look_at_splits(captioned: Sequence[CaptionedImages], labels: Sequence[Tensor], batch_size: int) -> tuple[str, ...]:
    """What whoever started the run should know of its training and validation photos, in sentences.

    labels: bool (n, C) of each split; C = 0 where there are none.

    Raises
    ------
    DatasetError
        the labels tell nothing apart, or nothing could be measured by them.
    """
    _require_telling(*labels)
    return batch_notes(batch_size, len(captioned[0]), "training photos")


def batch_notes(batch_size: int, n: int, what: str) -> tuple[str, ...]:
    """What to say where a batch is larger than all there is; ``what`` the n are called."""
    if batch_size <= n:
        return ()
    return (f"batch_size is {batch_size:,}, and there are {n:,} {what}: every step takes all of them.",)


def _require_telling(train: Tensor, val: Tensor) -> None:
    """See that some training photos share a label and some do not, and that some of the others are like them."""
    if not train.shape[1]:
        return
    if train.all(dim=0).any():
        raise DatasetError(
            f"All {len(train):,} training photos share a label: all are alike, and nothing is told apart.",
            "Leave that class out ([labels] without), or name other labels.",
        )
    if not (val & train.any(dim=0)).any():
        raise DatasetError(
            "No validation photo has a label that a training photo has, so nothing could be measured.",
            "Label the photos of both splits by the same classes, or choose other splits in [dataset].",
        )
