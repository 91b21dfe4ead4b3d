"""Measuring codes in four directions: photos (or clips) and sentences that search each other (papers.md 1.10, 4.2)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.evaluation.encoding import EncodedSplit
from explorer.evaluation.hashing import Cutoffs, DirectionScores, OnProgress, measure_codes
from explorer.evaluation.hashing_pairs import OwnRows, PairLabels
from explorer.evaluation.visual import Visual
from explorer.representations import BinaryCodes, Embeddings

RANDOM_SEED = 0
"""Of the random codes that stand beside every number."""

Binarise = Callable[[Embeddings], BinaryCodes]
"""Makes codes of embeddings."""


@dataclass(frozen=True, slots=True)
class CodedSplit:
    """A split as codes.

    Attributes:
        images: n codes.
        sentences: m codes.
        owners: int64 (m,), row in ``images`` that each sentence belongs to.
    """

    images: BinaryCodes
    sentences: BinaryCodes
    owners: np.ndarray

    @classmethod
    def of(cls, encoded: EncodedSplit, binarise: Binarise | None = None) -> "CodedSplit":
        """The codes of a model, or those made of its embeddings.

        Raises
        ------
        ValueError
            these are embeddings and nothing says how to make codes of them.
        """
        return cls(_codes(encoded.images, binarise), _codes(encoded.sentences, binarise), encoded.owners)


def measure_directions(
    queries: CodedSplit,
    gallery: CodedSplit,
    labels: PairLabels,
    own: OwnRows,
    *,
    visual: Visual = Visual.IMAGE,
    cutoffs: Cutoffs | None = None,
    token: CancellationToken | None = None,
    on_progress: OnProgress | None = None,
) -> Mapping[str, DirectionScores]:
    """Photos or clips and sentences of the queries against sentences and photos or clips of the gallery.

    Within a kind, a query is not searched for among itself; across kinds a photo's own sentences, where they are in the
    gallery, are relevant as all others that the labels say.

    Parameters
    ----------
    queries, gallery
        codes of the same length.
    labels
        of the photos of both; a sentence has its photo's.
    own
        where queries stand in the gallery themselves.
    visual
        what the sentences are about: ``image`` gives ``image_to_text`` and so on.
    cutoffs
        k and n of the metrics.
    token
        looked at between blocks.
    on_progress
        hears how many queries, of all directions, are measured.

    Raises
    ------
    Cancelled
        a stop was asked for.
    """
    seen = visual.value
    asking = {seen: (queries.images, labels.queries), "text": (queries.sentences, labels.queries[queries.owners])}
    asked = {seen: (gallery.images, labels.gallery), "text": (gallery.sentences, labels.gallery[gallery.owners])}
    own_of = {seen: own.images, "text": own.sentences}
    n_total, n_before = 2 * (len(queries.images) + len(queries.sentences)), 0
    found = {}
    for ours, theirs in ((seen, "text"), ("text", seen), (seen, seen), ("text", "text")):
        (codes, code_labels), (items, item_labels) = asking[ours], asked[theirs]
        tell = None if on_progress is None else _shifted(on_progress, n_before, n_total)
        found[f"{ours}_to_{theirs}"] = measure_codes(
            codes,
            items,
            labels.between(code_labels, item_labels),
            own_rows=own_of[ours] if ours == theirs and (own_of[ours] >= 0).any() else None,
            cutoffs=cutoffs,
            seed=RANDOM_SEED,
            token=token,
            on_progress=tell,
        )
        n_before += len(codes)
    return found


def _shifted(on_progress: OnProgress, n_before: int, n_total: int) -> OnProgress:
    return lambda n_done, _n_queries: on_progress(n_before + n_done, n_total)


def _codes(encoded: Embeddings | BinaryCodes, binarise: Binarise | None) -> BinaryCodes:
    if isinstance(encoded, BinaryCodes):
        return encoded
    if binarise is None:
        raise ValueError("expected codes, or a way to make codes of embeddings")
    return binarise(encoded)
