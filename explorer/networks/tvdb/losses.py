"""TVDB's alternating discrete steps (README.md 1.4 to 1.7), and a pairwise loss to compare them with."""
# N pairs of a picture and a sentence in a batch, K bits; codes and activations have a row for each pair, (N, K)

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

APART = -0.4
"""Wanted similarity of pairs that are not relevant (chosen on Flickr8k: 0 leaves them closer, -1 makes bits alike)."""

SimilarityKind = Literal["residual", "centred", "signed", "binary", "identity"]


def similarity_matrix(
    kind: SimilarityKind, relevance: Tensor, items: Tensor, activations: tuple[Tensor, Tensor] | None = None
) -> Tensor:
    """The batch's similarity matrix S, float32 (N, N), pictures in rows (README.md 1.7; all reconstructed).

    kind: ``"centred"``: relevance, double-centred; ``"signed"``: +1 and -1; ``"binary"``: relevance as it is;
    ``"identity"``: only what belongs together, double-centred; ``"residual"``: what the networks do not say yet of the
    relevance, which needs their ``activations``, (N, K) of pictures and of sentences.
    relevance: (N, N) of 0 and 1, see :func:`relevance_of`.   items: int64 (N,), which picture each pair is of.

    Raises ``ValueError`` where activations are needed and there are none.
    """
    if kind == "residual":
        if activations is None:
            raise ValueError("the residual needs the networks' activations")
        return residual_similarity(relevance, *activations)
    if kind == "identity":
        return double_centred((items[:, None] == items[None, :]).float())
    if kind == "signed":
        return 2.0 * relevance - 1.0
    return double_centred(relevance) if kind == "centred" else relevance


@torch.no_grad()
def residual_similarity(relevance: Tensor, image: Tensor, text: Tensor) -> Tensor:
    """W (T - f g' / K): wanted less present similarity, relevant and other pairs of equal weight in total, (N, N).

    T is 1 for relevant pairs and :data:`APART` for others. An S that does not change makes the updates steps of a power
    iteration, and over training turns every bit into its leading eigenvector: with the double-centred relevance of
    Flickr8k all bits were one after two epochs. What is said already is taken off here, as in boosting, so that bits
    go on to say something else; within a batch S is fixed and the updates stay exact.
    """
    wanted = torch.where(relevance > 0, 1.0, APART)
    n_relevant = relevance.sum().clamp(min=1.0)
    n_other = (1.0 - relevance).sum().clamp(min=1.0)
    weights = torch.where(relevance > 0, 0.5 / n_relevant, 0.5 / n_other) * len(relevance)
    return weights * (wanted - image @ text.T / image.shape[1])


def relevance_of(labels: Tensor, items: Tensor) -> Tensor:
    """1 where two pairs share a label or are of the same picture, else 0; float32 (N, N)."""
    shared = labels.float() @ labels.float().T > 0
    return (shared | (items[:, None] == items[None, :])).float()


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


def pairwise_loss(image: Tensor, text: Tensor, relevance: Tensor) -> Tensor:
    """The negative log-likelihood of DCMH (README.md, "The pairwise network"): no discrete step, for comparison.

    theta = u.v / 2 for every picture and sentence of the batch; relevant and other pairs weigh the same in total, for
    where few are relevant the others drown them.   relevance: (N, N) of 0 and 1.
    """
    theta = image @ text.T / 2.0
    losses = F.softplus(theta) - relevance * theta
    n_relevant = relevance.sum().clamp(min=1.0)
    n_other = (1.0 - relevance).sum().clamp(min=1.0)
    return (losses * relevance).sum() / n_relevant + (losses * (1.0 - relevance)).sum() / n_other


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
