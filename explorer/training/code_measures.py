"""What is measured of codes after every epoch, whatever family makes them, and when a run is stopped."""
# n items, K bits, C classes

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer.errors import UserFacingError
from explorer.evaluation.hashing_metrics import tie_aware_average_precision
from explorer.networks.common.codes import CodeStatistics, code_statistics, opposition, sign
from explorer.representations import BinaryCodes

_BATCH = 100
_MEASURED = 1000
"""Queries of a measurement after an epoch; the whole protocol is `evaluate --protocol hashing`."""

_FEWEST_UNIQUE = 0.1
_HIGHEST_CORRELATION = 0.9
_MOST_OPPOSED = -0.5
_EPOCHS_COLLAPSED = 2
_FEWEST_ITEMS = 50
"""Fewer say nothing about whether codes differ."""


class CodesCollapsedError(UserFacingError):
    """The codes say nothing any more."""


class CollapseWatch:
    """Looks at the codes of a run after every epoch, and stops it where they say nothing.

    Attributes:
        n_collapsed: epochs in a row so far whose codes said nothing.
        is_new: whether steps were taken since the last look; looking twice at the same codes counts once.
        bit_shares: for each bit the share of items that had it set at the last look; empty before it.
    """

    def __init__(self) -> None:
        self.n_collapsed = 0
        self.is_new = False
        self.bit_shares: tuple[float, ...] = ()

    def look(self, items: Tensor, texts: Tensor | None, n_label_sets: int, advice: str) -> dict[str, float]:
        """Statistics of the codes of the training items, and how far they oppose the sentences.

        items, texts: activations (n, K) of each; ``texts`` is None where there are none.
        n_label_sets: how many different sets of labels the items have.
        advice: which setting to change first.

        Raises
        ------
        CodesCollapsedError
            they have said nothing for two epochs.
        """
        found = code_statistics(items)
        opposed = 0.0 if texts is None else opposition(items, texts)
        self.bit_shares = tuple((sign(items) > 0).float().mean(dim=0).tolist())
        # The first epoch of a short run may still begin; what is so after the next stays so.
        problem = collapse_of(found, opposed, n_label_sets / len(items)) if len(items) >= _FEWEST_ITEMS else ""
        if self.is_new:
            self.n_collapsed = self.n_collapsed + 1 if problem else 0
        self.is_new = False
        if self.n_collapsed == _EPOCHS_COLLAPSED:
            raise CodesCollapsedError(f"The codes collapsed: {problem}.", advice)
        return {
            "unique_share": found.unique_share,
            "bit_correlation": found.correlation,
            "bit_imbalance": found.imbalance,
            "opposition": opposed,
        }

    def state(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return {"n_collapsed": self.n_collapsed, "is_new": self.is_new}

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        self.n_collapsed, self.is_new = int(state.get("n_collapsed", 0)), bool(state.get("is_new", False))
        self.bit_shares = ()


def collapse_of(found: CodeStatistics, opposed: float, label_share: float) -> str:
    """Why codes say nothing (networks/tvdb/README.md 1.7), or an empty string where they do.

    Fewer than one code in ten is unique, bits repeat each other, or all items oppose all sentences. Where items
    have few different sets of labels as few codes say all: ``label_share`` is how many sets there are for each item.
    """
    if found.unique_share < min(_FEWEST_UNIQUE, label_share / 2):
        return f"only {found.unique_share:.1%} of the photos' codes differ"
    if found.correlation > _HIGHEST_CORRELATION:
        return "every bit says the same"
    return "all photos are the opposite of all sentences" if opposed < _MOST_OPPOSED else ""


def mean_average_precision(
    queries: Tensor, gallery: Tensor, query_labels: Tensor, gallery_labels: Tensor
) -> float:
    """Tie-aware mAP of at most a thousand queries, evenly taken, in per cent; relevant is what shares a label.

    queries, gallery: activations (n, K).   query_labels, gallery_labels: bool (n, C).
    """
    step = max(1, len(queries) // _MEASURED)
    asked, asked_labels = queries[::step], query_labels[::step].float()
    values = []
    for distances, relevant in _blocks(asked, gallery, asked_labels, gallery_labels.float()):
        values.append(tie_aware_average_precision(distances, relevant, gallery.shape[1]))
    found = np.concatenate(values)
    return 100.0 * float(np.nanmean(found)) if np.isfinite(found).any() else 0.0


def n_label_sets(labels: Tensor) -> int:
    """How many different sets of labels there are, labels bool (n, C)."""
    return len(torch.unique(labels, dim=0))


def _blocks(
    queries: Tensor, gallery: Tensor, query_labels: Tensor, gallery_labels: Tensor
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Distances and relevance of some queries at a time."""
    n_bits = gallery.shape[1]
    ours, theirs = (BinaryCodes.from_activations(part.numpy()).signs.astype(np.float32) for part in (queries, gallery))
    for start in range(0, len(ours), _BATCH):
        rows = slice(start, start + _BATCH)
        distances = ((n_bits - ours[rows] @ theirs.T) / 2).astype(np.int64)
        yield distances, (query_labels[rows] @ gallery_labels.T > 0).numpy()


def owners_of(first: Tensor) -> Tensor:
    """The item of every sentence, int64 (m,), where ``first``, int64 (n + 1,), has the first sentence of each item."""
    return torch.arange(len(first) - 1).repeat_interleave(first.diff())
