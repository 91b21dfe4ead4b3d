"""What every family of binary codes shares: which pairs are alike, signs, and whether codes say anything."""
# N pairs in a batch, n items, K bits, C classes

from dataclasses import dataclass

import torch
from torch import Tensor


def check_bits(n_bits: int) -> None:
    """Refuse a code that does not fill whole bytes; ``ValueError`` in words for a recipe."""
    if n_bits < 8 or n_bits % 8:
        raise ValueError(f"a code needs a multiple of 8 bits (16, 32, 64 and 128 are usual), got {n_bits}")


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is known about the N pairs of a batch, each of a picture and a sentence.

    Attributes:
        items: int64 (N,), which picture each pair is of.
        relevance: float32 (N, N), 1 where two pairs share a label or are of the same picture, else 0.
        known: float32 (N, N), 0 where neither of two pairs has a label, unless they are of the same picture, else 1:
            two pictures in which nothing was named may be alike or not. Where there are no classes at all, 1.
    """

    items: Tensor
    relevance: Tensor
    known: Tensor


def pairs_of(labels: Tensor, items: Tensor) -> Pairs:
    """labels: bool (N, C) of each pair; C may be 0.   items: int64 (N,), which picture each pair is of.

    Without classes pairs are relevant where they are of one picture, and all others are known not to be.
    """
    same = items[:, None] == items[None, :]
    if not labels.shape[1]:
        return Pairs(items, same.float(), torch.ones_like(same, dtype=torch.float32))
    shared = labels.float() @ labels.float().T > 0
    named = labels.any(dim=1)
    return Pairs(items, (shared | same).float(), (named[:, None] | named[None, :] | same).float())


def sign(values: Tensor, previous: Tensor | None = None) -> Tensor:
    """-1 and +1; exactly 0 keeps the previous bit where there is one (tvdb/README.md 1.5), else +1."""
    ties = torch.ones_like(values) if previous is None else previous
    return torch.where(values == 0, ties, torch.where(values > 0, 1.0, -1.0))


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean of the losses; 0 where no weight is left."""
    return (losses * weights).sum() / weights.sum().clamp(min=1.0)


@dataclass(frozen=True, slots=True)
class CodeStatistics:
    """Whether codes say anything (tvdb/README.md 1.7).

    Attributes:
        unique_share: different codes among the items, 0 to 1.
        correlation: mean size of the correlation between two bits, 0 to 1.
        imbalance: mean size of a bit's mean: 0 where each is set in half of the items, 1 where all are the same.
    """

    unique_share: float
    correlation: float
    imbalance: float


def code_statistics(activations: Tensor) -> CodeStatistics:
    """Statistics of the codes of n items, from their activations (n, K)."""
    codes = sign(activations)
    means = codes.mean(dim=0)
    centred = codes - means
    spread = centred.square().mean(dim=0).sqrt()
    correlation = (centred.T @ centred / len(codes)) / (spread[:, None] * spread[None, :]).clamp(min=1e-6)
    # A bit that never changes says nothing: it counts as wholly correlated with every other.
    constant = spread < 1e-6
    correlation = torch.where(constant[:, None] | constant[None, :], 1.0, correlation.abs())
    n_bits = codes.shape[1]
    pairs = (correlation.sum() - correlation.diagonal().sum()) / max(n_bits * (n_bits - 1), 1)
    return CodeStatistics(
        unique_share=len(torch.unique(codes, dim=0)) / len(codes),
        correlation=float(pairs),
        imbalance=float(means.abs().mean()),
    )


def opposition(image: Tensor, text: Tensor) -> float:
    """Mean over bits of the mean image bit times the mean text bit: near -1 where all images oppose all texts."""
    return float((sign(image).mean(dim=0) * sign(text).mean(dim=0)).mean())
