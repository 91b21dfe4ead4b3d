"""TVDB's alternating discrete steps (README.md 1.4 to 1.7), and a pairwise loss to compare them with."""
# N pairs of a picture and a sentence in a batch, K bits; codes and activations have a row for each pair, (N, K)

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.networks.common.codes import Pairs, sign, weighted_mean

APART = -0.4
"""Wanted similarity of pairs that are not relevant (chosen on Flickr8k: 0 leaves them closer, -1 makes bits alike)."""

_SMALLEST_VARIANCE = 1e-3
"""Of a direction, as a share of the mean."""

SimilarityKind = Literal["residual", "centred", "signed", "binary", "identity"]


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
    centred = torch.cat([image - means[0], text - means[1]])
    # Apple's devices have no float64.
    centred = (centred.cpu() if centred.device.type == "mps" else centred).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    # Directions with next to no variance hold noise: it must not be blown up without limit.
    scaled = (values / values.mean().clamp(min=1e-12)).clamp(min=_SMALLEST_VARIANCE)
    turned = centred @ (vectors * scaled.pow(-power / 2)) @ vectors.T
    turned = (turned / turned.std(dim=0).clamp(min=1e-6)).to(image.dtype).to(image.device)
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


def regression_terms(image: Tensor, text: Tensor, image_codes: Tensor, text_codes: Tensor) -> dict[str, Tensor]:
    """What the encoders' step minimises while the codes are fixed: the means of |B - f|^2 and of |H - g|^2 per bit.

    Their sum is the loss.
    """
    return {"image_codes": F.mse_loss(image, image_codes), "text_codes": F.mse_loss(text, text_codes)}


def pairwise_loss(image: Tensor, text: Tensor, pairs: Pairs) -> Tensor:
    """The negative log-likelihood of DCMH (README.md, "The pairwise network"): no discrete step, for comparison.

    theta = u.v / 2 for every picture and sentence of the batch about which something is known; relevant and other pairs
    weigh the same in total, for where few are relevant the others drown them.
    """
    theta = image @ text.T / 2.0
    losses = F.softplus(theta) - pairs.relevance * theta
    relevant, other = pairs.relevance * pairs.known, (1.0 - pairs.relevance) * pairs.known
    return weighted_mean(losses, relevant) + weighted_mean(losses, other)
