"""Which items answer each other by their labels: those that share one, one of a group, or all.

Labels that begin alike before a colon are a group: ``motion:left`` and ``motion:up`` are of the group ``motion``.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.errors import ConfigError
from explorer.evaluation.hashing import Relevance, sharing_a_label

ANY = "any"
EQUAL = "equal"


@dataclass(frozen=True, slots=True)
class LabelRule:
    """When two items answer each other.

    Attributes:
        name: ``"any"``: they share a label; ``"equal"``: they have the same labels, at least one; else names of groups
            joined by plus signs: they share a label of each of these groups.
    """

    name: str = ANY

    @property
    def said(self) -> str:
        """What is relevant, as the end of "relevant is what ...", or of "no query ... with"."""
        if self.name == ANY:
            return "shares a label"
        if self.name == EQUAL:
            return "shares all labels"
        groups = self.name.split("+")
        if len(groups) == 1:
            return f"shares a label of the group {self.name}"
        return f"shares a label of each of the groups {', '.join(groups[:-1])} and {groups[-1]}"

    def between(self, label_names: Sequence[str]) -> Callable[[np.ndarray, np.ndarray], Relevance]:
        """What makes of the labels of queries, bool (q, c), and of a gallery, bool (n, c), who answers whom.

        Raises
        ------
        ConfigError
            no label is of one of the groups.
        """
        if self.name == ANY:
            return sharing_a_label
        if self.name == EQUAL:
            return having_the_same
        columns = [_columns_of(group, label_names) for group in self.name.split("+")]
        return lambda queries, gallery: _all_of([sharing_a_label(queries[:, c], gallery[:, c]) for c in columns])


def having_the_same(query_labels: np.ndarray, gallery_labels: np.ndarray) -> Relevance:
    """Relevant is what has exactly the same labels; of items without labels nothing is known, so they answer nothing.

    Parameters
    ----------
    query_labels
        bool (q, n_classes).
    gallery_labels
        bool (n, n_classes).
    """
    packed = np.packbits(np.concatenate([query_labels, gallery_labels]), axis=1)
    kinds = np.unique(packed, axis=0, return_inverse=True)[1].reshape(-1)
    ours, theirs = kinds[: len(query_labels)], kinds[len(query_labels) :]
    labelled = gallery_labels.any(axis=1)
    return lambda rows: (ours[rows][:, None] == theirs) & labelled


def _columns_of(group: str, label_names: Sequence[str]) -> np.ndarray:
    columns = [place for place, name in enumerate(label_names) if name.startswith(f"{group}:")]
    if not columns or not group:
        groups = list(dict.fromkeys(name.partition(":")[0] for name in label_names if ":" in name))
        listed = f"Groups: {', '.join(groups)}." if groups else "These labels have no groups."
        raise ConfigError(f"No label is of the group {group!r}.", f"{listed} Or say {ANY} or {EQUAL}.")
    return np.array(columns)


def _all_of(parts: Sequence[Relevance]) -> Relevance:
    def relevant(rows: slice) -> np.ndarray:
        found = parts[0](rows)
        for part in parts[1:]:
            found = found & part(rows)
        return found

    return relevant
