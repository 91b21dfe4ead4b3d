"""Paired intervals: zero for a twin, above zero for a better model, and as wide as resampling by hand says."""

import numpy as np
import pytest

from explorer.evaluation.comparison import hit_table, paired_bootstrap, rsum_of_hits
from explorer.evaluation.image_text import Ranks, owners_of, rsum

OWNERS = owners_of([5] * 60)


def random_ranks(seed: int, shift: float = 0.0) -> Ranks:
    rng = np.random.default_rng(seed)
    return Ranks(np.floor(rng.exponential(6, 60) + shift), np.floor(rng.exponential(9, 300) + shift))


def test_hit_table_adds_up_to_rsum() -> None:
    ranks = random_ranks(0)
    assert rsum_of_hits(hit_table(ranks, OWNERS).sum(axis=0), 60) == pytest.approx(rsum(ranks))


def test_twin_differs_by_nothing() -> None:
    result = paired_bootstrap(random_ranks(0), random_ranks(0), OWNERS)
    assert (result.difference, result.low, result.high, result.share_above_zero) == (0, 0, 0, 0)


def test_better_model_is_above_and_the_sign_follows_the_order() -> None:
    better, worse = random_ranks(0), random_ranks(0, shift=4)
    result = paired_bootstrap(better, worse, OWNERS)
    assert result.difference == pytest.approx(rsum(better) - rsum(worse))
    assert 0 < result.low < result.difference < result.high
    assert result.share_above_zero == 1
    turned = paired_bootstrap(worse, better, OWNERS)
    assert turned.high == pytest.approx(-result.low)


def test_interval_equals_resampling_photo_by_photo() -> None:
    ours, theirs = random_ranks(1), random_ranks(2)
    rng = np.random.default_rng(5)
    differences = []
    for _ in range(1500):
        photos = rng.integers(0, 60, 60)
        sentences = np.concatenate([np.flatnonzero(photo == OWNERS) for photo in photos])
        drawn = [Ranks(r.image_to_text[photos], r.text_to_image[sentences]) for r in (ours, theirs)]
        differences.append(rsum(drawn[0]) - rsum(drawn[1]))
    result = paired_bootstrap(ours, theirs, OWNERS, n_resamples=3000)
    low, high = np.quantile(differences, [0.025, 0.975])
    width = high - low
    assert result.low == pytest.approx(low, abs=0.1 * width)
    assert result.high == pytest.approx(high, abs=0.1 * width)


def test_same_seed_same_interval() -> None:
    results = [paired_bootstrap(random_ranks(1), random_ranks(2), OWNERS, seed=s) for s in (3, 3, 4)]
    assert results[0] == results[1] != results[2]


def test_other_photos_are_refused() -> None:
    with pytest.raises(ValueError, match="same photos and sentences"):
        paired_bootstrap(random_ranks(1), Ranks(np.zeros(59), np.zeros(300)), OWNERS)
