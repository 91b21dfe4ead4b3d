"""Whether one model beats another: both on the same photos, so that hard photos are hard for both."""

from dataclasses import dataclass

import numpy as np

from explorer.evaluation.image_text import RECALL_AT, Ranks

_RESAMPLES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """rSum of one model less that of another.

    Attributes:
        difference: on all photos.
        low: lower end of the interval.
        high: upper end of the interval.
        confidence: of the interval, for example 0.95.
        share_above_zero: of the resampled sets of photos, those on which the first model is ahead.
    """

    difference: float
    low: float
    high: float
    confidence: float
    share_above_zero: float


def hit_table(ranks: Ranks, owners: np.ndarray) -> np.ndarray:
    """What each photo adds to the six recalls, float64 (n images, 7).

    Columns: is the photo's sentence among the first 1, 5, 10; how many of its sentences find it within 1, 5, 10; how
    many sentences it has.
    """
    n_images = len(ranks.image_to_text)
    per_image = [ranks.image_to_text < k for k in RECALL_AT]
    per_sentence = [np.bincount(owners, weights=ranks.text_to_image < k, minlength=n_images) for k in RECALL_AT]
    columns: list[np.ndarray] = [*per_image, *per_sentence, np.bincount(owners, minlength=n_images)]
    return np.stack(columns, axis=1).astype(np.float64)


def rsum_of_hits(totals: np.ndarray, n_images: int) -> np.ndarray:
    """RSum from summed rows of :func:`hit_table`, (..., 7) to (...)."""
    return np.asarray(
        100.0 * (totals[..., :3].sum(axis=-1) / n_images + totals[..., 3:6].sum(axis=-1) / totals[..., 6])
    )


def paired_bootstrap(
    ours: Ranks,
    theirs: Ranks,
    owners: np.ndarray,
    *,
    n_resamples: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedDifference:
    """Percentile interval of the difference in rSum, photos drawn with replacement together with their sentences.

    The gallery stays as it is: ranks are not recomputed within a resample.

    Raises
    ------
    ValueError
        the two were not measured on the same photos and sentences.
    """
    shapes = [(side.image_to_text.shape, side.text_to_image.shape) for side in (ours, theirs)]
    if shapes[0] != shapes[1] or ours.text_to_image.shape != owners.shape:
        raise ValueError(f"expected ranks of the same photos and sentences, got {shapes} and owners {owners.shape}")
    tables = hit_table(ours, owners), hit_table(theirs, owners)
    n_images = len(tables[0])
    rng = np.random.default_rng(seed)
    differences = np.empty(n_resamples)
    for start in range(0, n_resamples, _RESAMPLES_AT_ONCE):
        n = min(_RESAMPLES_AT_ONCE, n_resamples - start)
        counts = rng.multinomial(n_images, np.full(n_images, 1 / n_images), size=n).astype(np.float64)
        our_rsums, their_rsums = (rsum_of_hits(counts @ table, n_images) for table in tables)
        differences[start : start + n] = our_rsums - their_rsums
    whole = [float(rsum_of_hits(table.sum(axis=0), n_images)) for table in tables]
    low, high = np.quantile(differences, [(1 - confidence) / 2, (1 + confidence) / 2])
    return PairedDifference(whole[0] - whole[1], float(low), float(high), confidence, float(np.mean(differences > 0)))
