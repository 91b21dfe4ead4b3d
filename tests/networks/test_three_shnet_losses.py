"""Losses against loops that say what they mean."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.networks.three_shnet.losses import info_nce_loss, triplet_loss


def naive_triplet(scores, negatives, margin, ids):
    n, total = len(scores), 0.0
    for i in range(n):
        of_image = [
            max(0.0, margin + scores[i][j] - scores[i][i]) for j in range(n) if j != i and ids[i] != ids[j]
        ]
        of_sentence = [
            max(0.0, margin + scores[j][i] - scores[i][i]) for j in range(n) if j != i and ids[i] != ids[j]
        ]
        for costs in (of_image, of_sentence):
            total += (max(costs, default=0.0)) if negatives == "hardest" else sum(costs)
    return total


def naive_info_nce(scores, owners, scale):
    n, s = len(scores), len(scores[0])
    to_image = to_sentence = 0.0
    for j in range(s):
        i = owners[j]
        to_image -= math.log(math.exp(scale * scores[i][j]) / sum(math.exp(scale * scores[r][j]) for r in range(n)))
        others = sum(math.exp(scale * scores[i][t]) for t in range(s) if owners[t] != i)
        right = math.exp(scale * scores[i][j])
        to_sentence -= math.log(right / (right + others))
    return (to_image / s + to_sentence / s) / 2


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 6), st.integers(0, 9999), st.sampled_from(["all", "hardest"]), st.booleans())
def test_triplet_equals_the_loop(n, seed, negatives, shared):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.rand(n, n, generator=generator) * 2 - 1
    ids = torch.randint(0, 3, (n,), generator=generator) if shared else torch.arange(n)
    loss = triplet_loss(scores, negatives=negatives, image_ids=ids if shared else None)
    expected = naive_triplet(scores.tolist(), negatives, 0.2, ids.tolist())
    assert loss.item() == pytest.approx(expected, abs=1e-4)


@settings(deadline=None, max_examples=40)
@given(st.integers(2, 5), st.integers(1, 3), st.integers(0, 9999))
def test_info_nce_equals_the_loop(n, n_each, seed):
    generator = torch.Generator().manual_seed(seed)
    owners = torch.arange(n).repeat_interleave(n_each)
    scores = torch.rand(n, n * n_each, generator=generator) * 2 - 1
    loss = info_nce_loss(scores, owners, log_scale=torch.tensor(math.log(7.0)))
    assert loss.item() == pytest.approx(naive_info_nce(scores.tolist(), owners.tolist(), 7.0), abs=1e-4)


def test_right_pairs_cost_nothing_once_the_margin_is_kept():
    scores = torch.eye(4)
    assert triplet_loss(scores, negatives="all").item() == 0.0
    assert triplet_loss(scores * 0.1, negatives="all").item() > 0.0
