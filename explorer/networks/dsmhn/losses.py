"""DSMHN's objective as pure functions (README.md 2.3): five losses between modalities, and four on the codes.

Every loss is a mean that does not grow with the batch or the number of bits, so that a weight says the same everywhere.
"""
# N pairs in a batch, each of an item (a picture or a video) and a sentence; n rows of one modality; K bits; C classes

from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.networks.common.codes import Pairs, sign

SimilarityLoss = Literal["nll", "contrastive", "inner_product", "hinge", "triplet"]
"""What can hold relevant items and sentences together and others apart."""

SIMILARITY_LOSSES: tuple[SimilarityLoss, ...] = get_args(SimilarityLoss)

LabelKind = Literal["multi", "single"]
"""Whether each class is told by itself (sigmoid), or all share one probability (softmax)."""

_MARGIN = 0.25
"""Of the triplet loss, in shares of all bits."""

_FAR = 1e4
"""Beyond all distances."""


def similarity_loss(
    kind: SimilarityLoss,
    items: Tensor,
    texts: Tensor,
    pairs: Pairs,
    *,
    balanced: bool = True,
    steepness: float = 0.0,
) -> Tensor:
    """How far codes of items and sentences are from what their labels ask for, a scalar.

    Parameters
    ----------
    kind
        one of :data:`SIMILARITY_LOSSES`.
    items, texts
        activations (N, K) of the pairs' items and sentences.
    pairs
        which of them belong together; what is not known has no weight.
    balanced
        whether relevant and other pairs weigh the same in total (of triplets: whether every anchor does).
    steepness
        of the negative log-likelihood: theta for codes that agree in all bits; 0 for K / 2 as in DCMH.
    """
    if kind == "triplet":
        return triplet_loss(items, texts, pairs, balanced=balanced)
    products = items @ texts.T / items.shape[1]
    if kind == "nll":
        losses = nll_terms(products, pairs.relevance, steepness or items.shape[1] / 2)
    elif kind == "contrastive":
        losses = contrastive_terms(items, texts, pairs.relevance)
    else:
        losses = _TERMS[kind](products, pairs.relevance)
    loss: Tensor = (losses * pair_weights(pairs, balanced=balanced)).sum()
    return loss


def pair_weights(pairs: Pairs, *, balanced: bool) -> Tensor:
    """Weights (N, N) of a batch's pairs with sum 1, or 0 where nothing is known.

    balanced: half of it to the relevant pairs and half to the others; with one of the two missing all to the other.
    Without it a batch with one relevant pair in twenty is told best by all items at +1 and all sentences at -1
    (README.md 2.3).
    """
    if not balanced:
        return pairs.known / pairs.known.sum().clamp(min=1.0)
    parts = pairs.relevance * pairs.known, (1.0 - pairs.relevance) * pairs.known
    totals = [part.sum() for part in parts]
    n_kinds = (totals[0] > 0).float() + (totals[1] > 0).float()
    weights: Tensor = parts[0] / totals[0].clamp(min=1.0) + parts[1] / totals[1].clamp(min=1.0)
    return weights / n_kinds.clamp(min=1.0)


def nll_terms(products: Tensor, relevance: Tensor, steepness: float) -> Tensor:
    """softplus(theta) - s theta of each pair (N, N), theta = ``steepness`` x u.v / K (a; DCMH's: K / 2).

    softplus does not overflow, whatever theta is.
    """
    theta = steepness * products
    return F.softplus(theta) - relevance * theta


def contrastive_terms(items: Tensor, texts: Tensor, relevance: Tensor) -> Tensor:
    """(s d^2 + (1 - s) max(0, m - d)^2) / 4K of each pair (N, N), m = sqrt(2K): half of the bits differ (b)."""
    n_bits = items.shape[1]
    squared = items.square().sum(dim=1)[:, None] + texts.square().sum(dim=1)[None, :] - 2.0 * items @ texts.T
    # The root's gradient is infinite at 0, where a pair that should be apart is all alike.
    distance = squared.clamp(min=1e-6 * n_bits).sqrt()
    beyond = (float(2 * n_bits) ** 0.5 - distance).clamp(min=0.0)
    losses: Tensor = relevance * squared.clamp(min=0.0) + (1.0 - relevance) * beyond.square()
    return losses / (4.0 * n_bits)


def inner_product_terms(products: Tensor, relevance: Tensor) -> Tensor:
    """(u.v / K - s)^2 of each pair (N, N) (c)."""
    return (products - relevance).square()


def hinge_terms(products: Tensor, relevance: Tensor) -> Tensor:
    """max(0, 1 - u.v / K) of relevant pairs, max(0, u.v / K) of others, (N, N) (d)."""
    return relevance * (1.0 - products).clamp(min=0.0) + (1.0 - relevance) * products.clamp(min=0.0)


_TERMS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "inner_product": inner_product_terms,
    "hinge": hinge_terms,
}


def triplet_loss(
    items: Tensor, texts: Tensor, pairs: Pairs, *, balanced: bool = True, margin: float = _MARGIN
) -> Tensor:
    """max(0, m + d(a, p) - d(a, n)), d = (1 - u.v / K) / 2, over all triplets of the batch, both directions (e).

    balanced: mean over the anchors of each one's mean; else over all triplets at once.
    """
    distances = (1.0 - items @ texts.T / items.shape[1]) / 2.0
    both = [
        _anchored(distances, pairs.relevance, pairs.known, margin, balanced=balanced),
        _anchored(distances.T, pairs.relevance.T, pairs.known.T, margin, balanced=balanced),
    ]
    return (both[0] + both[1]) / 2.0


def _anchored(distances: Tensor, relevance: Tensor, known: Tensor, margin: float, *, balanced: bool) -> Tensor:
    """One direction; anchors in rows (N, N).

    All N^3 triplets at the cost of sorting: for each positive the negatives below ``margin`` + d(a, p) are the first
    of the sorted ones, and their sum is a running one.
    """
    relevant, other = (relevance * known) > 0, ((1.0 - relevance) * known) > 0
    negatives = torch.where(other, distances, _FAR).sort(dim=1).values
    bound = margin + distances
    n_below = torch.searchsorted(negatives.detach().contiguous(), bound.detach().contiguous())
    running = F.pad(torch.where(negatives < _FAR, negatives, 0.0).cumsum(dim=1), (1, 0))
    terms = torch.where(relevant, n_below * bound - running.gather(1, n_below), 0.0).sum(dim=1)
    counts = relevant.sum(dim=1) * other.sum(dim=1)
    if not balanced:
        return terms.sum() / counts.sum().clamp(min=1)
    return (terms / counts.clamp(min=1)).sum() / (counts > 0).sum().clamp(min=1)


def classification_loss(logits: Tensor, labels: Tensor, kind: LabelKind) -> Tensor:
    """Cross-entropy of classes told from codes, a mean over the items that have a class; 0 where none has.

    logits: (n, C).   labels: bool (n, C).   kind: sigmoids, a mean over the classes, or a softmax, in which those of
    an item have equal shares.

    An item without a class says nothing: that nothing was named does not mean that nothing is there.
    """
    named = labels.any(dim=1)
    if not named.any():
        return logits.sum() * 0.0
    chosen, wanted = logits[named], labels[named].float()
    if kind == "single":
        return F.cross_entropy(chosen, wanted / wanted.sum(dim=1, keepdim=True))
    return F.binary_cross_entropy_with_logits(chosen, wanted)


def quantisation_loss(activations: Tensor) -> Tensor:
    """Mean over the numbers of (sign(u) - u)^2, activations (n, K)."""
    return (sign(activations.detach()) - activations).square().mean()


def balance_loss(activations: Tensor) -> Tensor:
    """Mean over the bits of (mean over the items)^2: 0 where each bit is +1 as often as -1; activations (n, K)."""
    return activations.mean(dim=0).square().mean()


def independence_loss(activations: Tensor) -> Tensor:
    """|U'U / n - I|^2 / K: 0 where bits are uncorrelated and full; activations (n, K)."""
    n, n_bits = activations.shape
    products = activations.T @ activations / n
    return (products - torch.eye(n_bits, device=products.device, dtype=products.dtype)).square().sum() / n_bits
