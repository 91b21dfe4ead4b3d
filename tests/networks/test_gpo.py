"""Generalized pooling against a loop that follows three_shnet/README.md 3.6 to the letter."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.networks.common.gpo import GeneralizedPooling, MeanPooling, sinusoidal_codes
from explorer.networks.common.sorting import sort_descending


def naive_codes(n, size):
    codes = torch.zeros(n, size)
    for position in range(n):
        for channel in range(0, size, 2):
            angle = position / 10_000 ** (channel / size)
            codes[position, channel], codes[position, channel + 1] = math.sin(angle), math.cos(angle)
    return codes


def naive_pool(pool, tokens, lengths):
    rows = []
    for sample, length in zip(tokens, lengths.tolist(), strict=True):
        states, _ = pool.gru(naive_codes(length, 32).unsqueeze(0))
        scores = pool.linear((states[..., :32] + states[..., 32:]) / 2)[0, :, 0]
        theta = torch.softmax(scores / 0.1, dim=0)
        columns = [sample[:length, d].sort(descending=True).values @ theta for d in range(sample.shape[1])]
        rows.append(torch.stack(columns))
    return torch.stack(rows)


def test_position_codes_follow_the_formula():
    torch.testing.assert_close(sinusoidal_codes(40, 32), naive_codes(40, 32), atol=1e-5, rtol=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 10_000))
def test_pooling_of_ragged_batches_equals_the_loop(lengths, seed):
    torch.manual_seed(seed)
    pool = GeneralizedPooling()
    tokens = torch.randn(len(lengths), max(lengths) + 2, 6)
    lengths = torch.tensor(lengths)
    torch.testing.assert_close(pool(tokens, lengths), naive_pool(pool, tokens, lengths), atol=1e-5, rtol=1e-5)


def test_gradients_equal_those_of_the_loop():
    torch.manual_seed(1)
    pool, lengths, weights = GeneralizedPooling(), torch.tensor([5, 2, 7]), torch.randn(3, 4)
    gradients = []
    for function in (lambda t: pool(t, lengths), lambda t: naive_pool(pool, t, lengths)):
        torch.manual_seed(2)
        tokens = torch.randn(3, 7, 4, requires_grad=True)
        pool.zero_grad()
        (function(tokens) * weights).sum().backward()
        gradients.append((tokens.grad, pool.linear.weight.grad.clone()))
    torch.testing.assert_close(gradients[0], gradients[1], atol=1e-5, rtol=1e-4)


def test_padding_and_order_do_not_matter():
    torch.manual_seed(0)
    pool, tokens = GeneralizedPooling().eval(), torch.randn(2, 6, 5)
    lengths = torch.tensor([4, 6])
    with torch.inference_mode():
        expected = pool(tokens, lengths)
        padded = torch.cat([tokens, torch.full((2, 3, 5), 77.0)], dim=1)
        padded[0, 4:6] = -99.0
        shuffled = padded.clone()
        shuffled[0, :4] = padded[0, torch.tensor([2, 0, 3, 1])]
        torch.testing.assert_close(pool(shuffled, lengths), expected)


def test_the_published_size():
    assert sum(p.numel() for p in GeneralizedPooling().parameters()) == 12_704


@pytest.mark.parametrize("shape", [(1, 1), (7, 2), (3, 5, 148), (4, 300)])
def test_sorting_equals_torch_with_and_without_gradients(shape):
    torch.manual_seed(0)
    values = torch.randn(shape)
    expected = values.sort(dim=-1, descending=True).values
    assert torch.equal(sort_descending(values), expected)
    tracked = values.clone().requires_grad_()
    # With gradients, near ties (2^-14 of a value for 300 tokens) may change places.
    torch.testing.assert_close(sort_descending(tracked), expected, atol=1e-3, rtol=1e-3)


def test_every_gradient_goes_back_to_its_own_value():
    values = torch.tensor([[3.0, -1.0, 0.0, -0.0, 2.5]], requires_grad=True)
    (sort_descending(values) * torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0]])).sum().backward()
    assert values.grad[0, 0] == 1.0
    assert values.grad[0, 4] == 2.0
    assert values.grad[0, 1] == 5.0
    assert sorted(values.grad[0, 2:4].tolist()) == [3.0, 4.0]


def test_mean_pooling_counts_valid_tokens_only():
    tokens = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert MeanPooling()(tokens, torch.tensor([2])).item() == pytest.approx(2.0)
