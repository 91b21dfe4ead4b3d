"""TVDB's alternating discrete steps (README.md 1.4 to 1.7), and a pairwise loss to compare them with."""
# N pairs of a picture and a sentence in a batch, K bits; codes and activations have a row for each pair, (N, K)

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

APART = -0.4
"""Wanted similarity of pairs that are not relevant (chosen on Flickr8k: 0 leaves them closer, -1 makes bits alike)."""

_SMALLEST_VARIANCE = 1e-3
"""Of a direction, as a share of the mean."""

SimilarityKind = Literal["residual", "centred", "signed", "binary", "identity"]


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is known about the N pairs of a batch, each of a picture and a sentence.

    Attributes:
        items: int64 (N,), which picture each pair is of.
        relevance: float32 (N, N), 1 where two pairs share a label or are of the same picture, else 0.
        known: float32 (N, N), 0 where neither of two pairs has a label, unless they are of the same picture, else 1:
            two pictures in which nothing was named may be alike or not.
    """

    items: Tensor
    relevance: Tensor
    known: Tensor


def pairs_of(labels: Tensor, items: Tensor) -> Pairs:
    """labels: bool (N, C) of each pair.   items: int64 (N,), which picture each pair is of."""
    same = items[:, None] == items[None, :]
    shared = labels.float() @ labels.float().T > 0
    named = labels.any(dim=1)
    return Pairs(items, (shared | same).float(), (named[:, None] | named[None, :] | same).float())


def similarity_matrix(
    kind: SimilarityKind, pairs: Pairs, activations: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """The batch's similarity matrix S, float32 (N, N), pictures in rows (README.md 1.7; all reconstructed).

    kind: ``"centred"``: relevance, double-centred; ``"signed"``: +1 and -1; ``"binary"``: relevance as it is;
    ``"identity"``: only what belongs together, double-centred; ``"residual"``: what the networks do not say yet of the
    relevance, which needs their ``activations``, (N, K) of pictures and of sentences.

    Raises ``ValueError`` where activations are needed and there are none.
    """
    if kind == "residual":
        if activations is None:
            raise ValueError("the residual needs the networks' activations")
        return residual_similarity(pairs, *activations)
    if kind == "identity":
        return double_centred((pairs.items[:, None] == pairs.items[None, :]).float())
    if kind == "signed":
        return 2.0 * pairs.relevance - 1.0
    return double_centred(pairs.relevance) if kind == "centred" else pairs.relevance


@torch.no_grad()
def residual_similarity(pairs: Pairs, image: Tensor, text: Tensor) -> Tensor:
    """W (T - f g' / K): wanted less present similarity of the pairs about which something is known, (N, N).

    T is 1 for relevant pairs and :data:`APART` for others. W gives every picture and every sentence the same weight,
    half of it to what is relevant for it: few pictures share a rare class, and without it they would not count.
    """
    relevant, other = pairs.relevance * pairs.known, (1.0 - pairs.relevance) * pairs.known
    weights = 0.5 * degree_normalised(relevant) + 0.5 * degree_normalised(other)
    wanted = torch.where(relevant > 0, 1.0, APART)
    return weights * (wanted - image @ text.T / image.shape[1])


def degree_normalised(matrix: Tensor) -> Tensor:
    """``D^-1/2 R D^-1/2``, D the row sums of a symmetric matrix (N, N) that is not negative."""
    root = matrix.sum(dim=1).clamp(min=1.0).sqrt()
    return matrix / root[:, None] / root[None, :]


def double_centred(matrix: Tensor) -> Tensor:
    """The matrix without its row and column means: both then are 0."""
    rows, columns = matrix.mean(dim=1, keepdim=True), matrix.mean(dim=0, keepdim=True)
    return matrix - rows - columns + matrix.mean()


def sign(values: Tensor, previous: Tensor | None = None) -> Tensor:
    """-1 and +1; exactly 0 keeps the previous bit where there is one (README.md 1.5), else +1."""
    ties = torch.ones_like(values) if previous is None else previous
    return torch.where(values == 0, ties, torch.where(values > 0, 1.0, -1.0))


def update_image_codes(codes: Tensor, text_codes: Tensor, similarity: Tensor, image: Tensor, eta: float) -> Tensor:
    """The pictures' codes that minimise the objective while all else is fixed: sign(S H + 2 eta f) (README.md 1.5)."""
    return sign(similarity @ text_codes + 2.0 * eta * image, codes)


def update_text_codes(codes: Tensor, image_codes: Tensor, similarity: Tensor, text: Tensor, eta: float) -> Tensor:
    """The sentences' codes that minimise the objective while all else is fixed: sign(S' B + 2 eta g)."""
    return sign(similarity.T @ image_codes + 2.0 * eta * text, codes)


def objective(
    image_codes: Tensor, text_codes: Tensor, similarity: Tensor, image: Tensor, text: Tensor, eta: float
) -> Tensor:
    """-trace(B' S H) + eta (|B - f|^2 + |H - g|^2), a scalar (README.md 1.4)."""
    agreement = (image_codes * (similarity @ text_codes)).sum()
    return -agreement + eta * ((image_codes - image).square().sum() + (text_codes - text).square().sum())


@torch.no_grad()
def decorrelated(image: Tensor, text: Tensor, power: float) -> tuple[Tensor, Tensor]:
    """Activations (N, K) of both sides with the correlation of their bits taken off, as far as ``power`` says.

    Reconstructed. Each side less its mean, times C^(-power/2), C the covariance of both sides together, each bit then
    brought to spread 1. The updates are steps of a power iteration: from one batch to the next they turn every bit into
    the direction that is told most easily, and equal bits never part again, for everything moves them alike. With power
    1 the steps are those of an orthogonal iteration, which finds K directions; 0 leaves correlations as they are.
    """
    means = image.mean(dim=0), text.mean(dim=0)
    centred = torch.cat([image - means[0], text - means[1]]).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    # Directions with next to no variance hold noise: it must not be blown up without limit.
    scaled = (values / values.mean().clamp(min=1e-12)).clamp(min=_SMALLEST_VARIANCE)
    turned = centred @ (vectors * scaled.pow(-power / 2)) @ vectors.T
    turned = (turned / turned.std(dim=0).clamp(min=1e-6)).to(image.dtype)
    return turned[: len(image)], turned[len(image) :]


@torch.no_grad()
def discrete_codes(
    image: Tensor, text: Tensor, similarity: Tensor, *, eta: float, n_rounds: int
) -> tuple[Tensor, Tensor]:
    """The codes of a batch after ``n_rounds`` of both updates, from the signs of the activations (README.md 1.6)."""
    image_codes, text_codes = sign(image), sign(text)
    for _ in range(n_rounds):
        image_codes = update_image_codes(image_codes, text_codes, similarity, image, eta)
        text_codes = update_text_codes(text_codes, image_codes, similarity, text, eta)
    return image_codes, text_codes


def regression_loss(image: Tensor, text: Tensor, image_codes: Tensor, text_codes: Tensor) -> Tensor:
    """What the encoders' step minimises while the codes are fixed: the mean of |B - f|^2 + |H - g|^2 per bit."""
    return F.mse_loss(image, image_codes) + F.mse_loss(text, text_codes)


def pairwise_loss(image: Tensor, text: Tensor, pairs: Pairs) -> Tensor:
    """The negative log-likelihood of DCMH (README.md, "The pairwise network"): no discrete step, for comparison.

    theta = u.v / 2 for every picture and sentence of the batch about which something is known; relevant and other pairs
    weigh the same in total, for where few are relevant the others drown them.
    """
    theta = image @ text.T / 2.0
    losses = F.softplus(theta) - pairs.relevance * theta
    relevant, other = pairs.relevance * pairs.known, (1.0 - pairs.relevance) * pairs.known
    return weighted_mean(losses, relevant) + weighted_mean(losses, other)


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """The weighted mean of the losses; 0 where no weight is left."""
    return (losses * weights).sum() / weights.sum().clamp(min=1.0)


@dataclass(frozen=True, slots=True)
class CodeStatistics:
    """Whether codes say anything (README.md 1.7).

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
