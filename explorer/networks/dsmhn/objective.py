"""DSMHN's whole objective on a batch: every term with its weight (README.md 2.3)."""
# n items (pictures or videos), m sentences of them, K bits, C classes

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from explorer.networks.common.codes import pairs_of
from explorer.networks.dsmhn.losses import (
    SIMILARITY_LOSSES,
    LabelKind,
    balance_loss,
    classification_loss,
    independence_loss,
    quantisation_loss,
    similarity_loss,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWeights:
    """What each term counts; a term with weight 0 is not computed.

    Attributes:
        nll: of the negative log-likelihood of pairs (a).
        contrastive: of squared distances and a margin (b).
        inner_product: of squared differences from the wanted product (c).
        hinge: of hinges on products (d).
        triplet: of triplets in both directions (e).
        within: of the same losses between two items and between two sentences, beside those between modalities
            (reconstructed; 0 in the paper's words, where labels alone hold a modality together).
        classification: of classes told from codes.
        quantisation: of the distance to the nearest code.
        balance: of bits that are set in more or fewer than half of the items (v1 and v2 of the paper).
        independence: of correlated bits (reconstructed).
    """

    nll: float = 1.0
    contrastive: float = 0.0
    inner_product: float = 0.0
    hinge: float = 0.0
    triplet: float = 0.0
    within: float = 0.0
    classification: float = 1.0
    quantisation: float = 0.1
    balance: float = 0.0
    independence: float = 0.0

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0.0 <= getattr(self, field.name) < float("inf"):
                raise ValueError(f"the weight {field.name} must be at least 0, got {getattr(self, field.name)}")
        if not self.classification and not self.count_without_classes:
            raise ValueError("all weights are 0: nothing would be learned")

    @property
    def count_without_classes(self) -> bool:
        """Whether something would be learned where there are no classes to tell."""
        alone = (field.name for field in fields(self) if field.name not in ("within", "classification"))
        return any(getattr(self, name) for name in alone)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairSettings:
    """How pairs and classes are judged.

    Attributes:
        balanced: whether relevant and other pairs weigh the same in total.
        steepness: of the negative log-likelihood; 0 for half of the bits.
        labels: how classes are told from codes: each by itself, or all in one softmax.
    """

    balanced: bool = True
    steepness: float = 0.0
    labels: LabelKind = "multi"


@dataclass(frozen=True, slots=True)
class Batch:
    """Activations of a batch, and what is known about it.

    Attributes:
        items: (n, K), each item once.
        texts: (m, K), sentences of them.
        owners: int64 (m,), the row of each sentence's item.
        ids: int64 (n,), which item each is.
        labels: bool (n, C); C = 0 where there are no labels at all.
        logits: classes told from items (n, C) and sentences (m, C), or None where there is no classifier.
    """

    items: Tensor
    texts: Tensor
    owners: Tensor
    ids: Tensor
    labels: Tensor
    logits: tuple[Tensor, Tensor] | None = None


def loss_terms(batch: Batch, weights: LossWeights, settings: PairSettings) -> dict[str, Tensor]:
    """Every term that counts, weighted; their sum is the loss. None where only classes count, and there are none."""
    terms = _similarity_terms(batch, weights, settings)
    if weights.classification and batch.logits is not None:
        item_logits, text_logits = batch.logits
        told = classification_loss(item_logits, batch.labels, settings.labels)
        told = told + classification_loss(text_logits, batch.labels[batch.owners], settings.labels)
        terms["classification"] = weights.classification * told
    for name, loss in (
        ("quantisation", quantisation_loss), ("balance", balance_loss), ("independence", independence_loss)
    ):
        weight = getattr(weights, name)
        if weight:
            terms[name] = weight * (loss(batch.items) + loss(batch.texts))
    return terms


def _similarity_terms(batch: Batch, weights: LossWeights, settings: PairSettings) -> dict[str, Tensor]:
    """The losses between modalities, and where ``within`` counts those within each."""
    pairs = pairs_of(batch.labels[batch.owners], batch.ids[batch.owners])
    compared = [(1.0, batch.items[batch.owners], batch.texts, pairs)]
    if weights.within:
        compared += [
            (weights.within, batch.items, batch.items, pairs_of(batch.labels, batch.ids)),
            (weights.within, batch.texts, batch.texts, pairs),
        ]
    terms: dict[str, Tensor] = {}
    for kind in SIMILARITY_LOSSES:
        weight = getattr(weights, kind)
        if weight:
            losses = [
                share * similarity_loss(
                    kind, ours, theirs, both, balanced=settings.balanced, steepness=settings.steepness
                )
                for share, ours, theirs, both in compared
            ]
            terms[kind] = weight * torch.stack(losses).sum()
    return terms
