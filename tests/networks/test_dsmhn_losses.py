"""DSMHN's losses against loops over pairs and triplets, at extremes, and on batches that tell nothing apart."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.common.codes import Pairs, pairs_of
from explorer.networks.dsmhn.losses import (
    SIMILARITY_LOSSES,
    balance_loss,
    classification_loss,
    independence_loss,
    pair_weights,
    quantisation_loss,
    similarity_loss,
    triplet_loss,
)
from explorer.networks.dsmhn.objective import Batch, LossWeights, PairSettings, loss_terms
from explorer.training.code_measures import mean_average_precision

K = 8


def batch(n=7, n_classes=3, seed=0) -> tuple[Tensor, Tensor, Pairs]:
    """Activations and pairs; two items have no label, and two pairs are of one item."""
    generator = torch.Generator().manual_seed(seed)
    items, texts = (torch.tanh(torch.randn(n, K, generator=generator)) for _ in range(2))
    labels = torch.rand(n, n_classes, generator=generator) < 0.4
    labels[:2] = False
    ids = torch.arange(n)
    ids[3] = ids[4]
    labels[3] = labels[4]
    return items, texts, pairs_of(labels, ids)


def term_of(kind: str, u: Tensor, v: Tensor, s: float) -> float:
    """One pair's loss, as the README writes it."""
    product, distance = float(u @ v), float((u - v).norm())
    if kind == "nll":
        theta = product / 2
        return math.log1p(math.exp(theta)) - s * theta
    if kind == "contrastive":
        return (s * distance**2 + (1 - s) * max(0.0, math.sqrt(2 * K) - distance) ** 2) / (4 * K)
    if kind == "inner_product":
        return (product / K - s) ** 2
    return s * max(0.0, 1 - product / K) + (1 - s) * max(0.0, product / K)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("kind", [kind for kind in SIMILARITY_LOSSES if kind != "triplet"])
def test_losses_of_pairs_are_their_sums(kind, balanced, seed):
    items, texts, pairs = batch(seed=seed)
    sums, counts = {0.0: 0.0, 1.0: 0.0}, {0.0: 0, 1.0: 0}
    for i, j in itertools.product(range(len(items)), repeat=2):
        if pairs.known[i, j]:
            s = float(pairs.relevance[i, j])
            sums[s] += term_of(kind, items[i], texts[j], s)
            counts[s] += 1
    assert min(counts.values()) > 0
    expected = (
        (sums[0] / counts[0] + sums[1] / counts[1]) / 2 if balanced else (sums[0] + sums[1]) / (counts[0] + counts[1])
    )
    assert float(similarity_loss(kind, items, texts, pairs, balanced=balanced)) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("balanced", [True, False])
def test_the_triplet_loss_is_the_sum_over_all_triplets(balanced, seed):
    items, texts, pairs = batch(seed=seed)
    distances = (1 - items @ texts.T / K) / 2
    both = []
    for matrix in (distances, distances.T):
        anchors = []
        for a in range(len(matrix)):
            relevant = [j for j in range(len(matrix)) if pairs.relevance[a, j] and pairs.known[a, j]]
            other = [j for j in range(len(matrix)) if not pairs.relevance[a, j] and pairs.known[a, j]]
            anchors.append([max(0.0, 0.25 + float(matrix[a, p] - matrix[a, n])) for p in relevant for n in other])
        told = [values for values in anchors if values]
        everything = [value for values in told for value in values]
        means = [sum(values) / len(values) for values in told]
        both.append(sum(means) / len(means) if balanced else sum(everything) / len(everything))
    assert float(triplet_loss(items, texts, pairs, balanced=balanced)) == pytest.approx(sum(both) / 2, rel=1e-4)


def test_the_triplet_loss_has_the_gradient_of_its_triplets():
    items, texts, pairs = batch()
    items.requires_grad_()
    triplet_loss(items, texts, pairs).backward()
    slopes, step = items.grad.clone(), 1e-3
    for place in [(0, 0), (3, 5), (6, 2)]:
        values = []
        for sign in (1, -1):
            moved = items.detach().double().clone()
            moved[place] += sign * step
            values.append(float(triplet_loss(moved, texts.double(), pairs)))
        assert (values[0] - values[1]) / (2 * step) == pytest.approx(float(slopes[place]), abs=1e-4)


def test_relevant_and_other_pairs_weigh_the_same_and_unknown_ones_nothing():
    _, _, pairs = batch()
    weights = pair_weights(pairs, balanced=True)
    assert float(weights.sum()) == pytest.approx(1.0)
    assert float((weights * pairs.relevance).sum()) == pytest.approx(0.5)
    assert not weights[pairs.known == 0].any()
    alike = Pairs(pairs.items, torch.ones(7, 7), torch.ones(7, 7))
    assert float(pair_weights(alike, balanced=True).sum()) == pytest.approx(1.0)
    unknown = Pairs(pairs.items, torch.zeros(7, 7), torch.zeros(7, 7))
    assert not pair_weights(unknown, balanced=True).any()
    assert not pair_weights(unknown, balanced=False).any()


@pytest.mark.parametrize("kind", SIMILARITY_LOSSES)
@pytest.mark.parametrize("balanced", [True, False])
@pytest.mark.parametrize("value", [0.0, 1.0, -1.0])
def test_gradients_are_finite_at_extremes(kind, balanced, value):
    """Codes of 4096 bits that all agree, disagree, or are all zero: theta reaches 2048."""
    for share in (1.0, 0.0):
        items = torch.full((6, 4096), 1.0 if value else 0.0, requires_grad=True)
        texts = torch.full((6, 4096), value, requires_grad=True)
        relevance = torch.full((6, 6), share)
        pairs = Pairs(torch.arange(6), relevance, torch.ones(6, 6))
        loss = similarity_loss(kind, items, texts, pairs, balanced=balanced)
        loss.backward()
        assert math.isfinite(float(loss.detach()))
        assert items.grad.isfinite().all()
        assert texts.grad.isfinite().all()


@pytest.mark.parametrize("kind", SIMILARITY_LOSSES)
def test_ideal_codes_cost_less_than_items_against_sentences_once_pairs_are_balanced(kind):
    """Five classes of forty items at 16 bits, one pair in twenty relevant (README.md 2.3)."""
    classes = torch.arange(40) % 20
    codes = torch.where(torch.rand(20, 16, generator=torch.Generator().manual_seed(3)) < 0.5, -1.0, 1.0)[classes]
    pairs = pairs_of(F.one_hot(classes, 20).bool(), torch.arange(40))
    ones = torch.ones(40, 16)
    ideal, apart = similarity_loss(kind, codes, codes, pairs), similarity_loss(kind, ones, -ones, pairs)
    assert float(ideal) < float(apart)
    if kind == "nll":
        assert float(similarity_loss(kind, codes, codes, pairs, balanced=False)) > float(
            similarity_loss(kind, ones, -ones, pairs, balanced=False)
        )


def test_the_steepness_keeps_theta_from_growing_with_the_bits():
    items, texts, pairs = batch()
    long = similarity_loss("nll", items.repeat(1, 8), texts.repeat(1, 8), pairs, steepness=4.0)
    assert float(long) == pytest.approx(float(similarity_loss("nll", items, texts, pairs, steepness=4.0)), rel=1e-5)
    assert float(similarity_loss("nll", items, texts, pairs)) == pytest.approx(
        float(similarity_loss("nll", items, texts, pairs, steepness=K / 2)), rel=1e-6
    )


def test_classes_are_told_by_sigmoids_or_one_softmax_and_items_without_a_class_say_nothing():
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.3, 0.2, 0.1], [5.0, 5.0, 5.0]])
    labels = torch.tensor([[True, False, True], [False, True, False], [False, False, False]])
    sigmoid = torch.sigmoid(logits[:2])
    wanted = labels[:2].float()
    expected = -(wanted * sigmoid.log() + (1 - wanted) * (1 - sigmoid).log()).mean()
    assert float(classification_loss(logits, labels, "multi")) == pytest.approx(float(expected), rel=1e-5)
    told = logits[:2].log_softmax(dim=1)
    expected = -(0.5 * told[0, 0] + 0.5 * told[0, 2] + told[1, 1]) / 2
    assert float(classification_loss(logits, labels, "single")) == pytest.approx(float(expected), rel=1e-5)
    assert float(classification_loss(logits, torch.zeros_like(labels), "multi")) == 0.0


def test_losses_on_codes():
    activations = torch.tensor([[0.5, -0.2, 0.0], [1.0, -1.0, -0.4]])
    expected = (0.5**2 + 0.8**2 + 1.0 + 0.0 + 0.0 + 0.6**2) / 6
    assert float(quantisation_loss(activations)) == pytest.approx(expected)
    means = [0.75, -0.6, -0.2]
    assert float(balance_loss(activations)) == pytest.approx(sum(mean**2 for mean in means) / 3)
    codes = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    assert float(independence_loss(codes)) == 0.0
    assert float(independence_loss(torch.ones(4, 2))) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "labels", [torch.zeros(4, 3, dtype=torch.bool), torch.ones(4, 3, dtype=torch.bool), torch.zeros(4, 0).bool()],
    ids=["nothing is named", "all are alike", "no labels"],
)
def test_every_term_is_finite_whatever_the_labels(labels):
    weights = LossWeights(**dict.fromkeys(LossWeights.__dataclass_fields__, 1.0))
    items = torch.randn(4, K, requires_grad=True)
    texts = torch.randn(8, K, requires_grad=True)
    owners = torch.arange(4).repeat_interleave(2)
    n_classes = labels.shape[1]
    logits = (items @ torch.randn(K, n_classes), texts @ torch.randn(K, n_classes)) if n_classes else None
    made = Batch(items.tanh(), texts.tanh(), owners, torch.arange(4), labels, logits)
    terms = loss_terms(made, weights, PairSettings())
    missing = {"within"} if n_classes else {"within", "classification"}
    assert set(terms) == set(LossWeights.__dataclass_fields__) - missing
    torch.stack(list(terms.values())).sum().backward()
    assert items.grad.isfinite().all()
    assert texts.grad.isfinite().all()


def test_without_labels_pairs_are_what_belongs_to_one_item():
    pairs = pairs_of(torch.zeros(3, 0, dtype=torch.bool), torch.tensor([5, 6, 5]))
    assert pairs.relevance.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert pairs.known.all()


def test_weights_below_zero_and_none_at_all_are_refused():
    with pytest.raises(ValueError, match="hinge"):
        LossWeights(hinge=-1.0)
    with pytest.raises(ValueError, match="nothing"):
        LossWeights(nll=0, classification=0, quantisation=0, within=1.0)


def separable(n=150, seed=0) -> tuple[Tensor, Tensor, Tensor]:
    """Features of items and sentences of five classes, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(n) % 5
    sides = [
        torch.randn(5, 12, generator=torch.Generator().manual_seed(90 + side))[classes]
        + 0.3 * torch.randn(n, 12, generator=generator)
        for side in range(2)
    ]
    return sides[0], sides[1], F.one_hot(classes, 5).bool()


def learn(weights: LossWeights, n_steps: int = 120, *, normalised: bool = False) -> tuple[list[float], Tensor, Tensor]:
    """Linear hash functions of both sides on the separable features; losses, and activations of new ones."""
    torch.manual_seed(0)
    norms = [[nn.BatchNorm1d(16, affine=False)] if normalised else [] for _ in range(2)]
    nets = [nn.Sequential(nn.Linear(12, 16), *norm, nn.Tanh()) for norm in norms]
    classifier = nn.Linear(16, 5)
    parameters = [p for net in (*nets, classifier) for p in net.parameters()]
    optimizer, losses = torch.optim.Adam(parameters, lr=0.02), []
    first, second, labels = separable()
    for _ in range(n_steps):
        items, texts = nets[0](first), nets[1](second)
        logits = (classifier(items), classifier(texts))
        made = Batch(items, texts, torch.arange(150), torch.arange(150), labels, logits)
        loss = torch.stack(list(loss_terms(made, weights, PairSettings()).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    first, second, _ = separable(seed=1)
    for net in nets:
        net.eval()
    with torch.inference_mode():
        return losses, nets[0](first), nets[1](second)


@pytest.mark.parametrize("kind", SIMILARITY_LOSSES)
def test_each_loss_between_modalities_finds_separable_classes(kind):
    """The acceptance test of papers 2.6: mAP above .95 on new items of five separable classes."""
    alone = {"nll": 0.0, "classification": 0.0, "quantisation": 0.0, kind: 1.0}
    losses, items, texts = learn(LossWeights(**alone))
    assert losses[-1] < 0.7 * losses[0]
    labels = separable(seed=1)[2]
    assert mean_average_precision(items, texts, labels, labels) > 95
    assert mean_average_precision(texts, items, labels, labels) > 95


def test_the_balance_term_brings_mean_bits_below_a_tenth():
    """And without it the mean of the bits of five equal classes is above."""
    _, items, texts = learn(LossWeights(nll=1.0, classification=0.0, quantisation=0.0, balance=10.0), n_steps=250)
    assert float(items.mean(dim=0).abs().mean()) < 0.1
    assert float(texts.mean(dim=0).abs().mean()) < 0.1
    _, items, _ = learn(LossWeights(nll=1.0, classification=0.0, quantisation=0.0), n_steps=250)
    assert float(items.mean(dim=0).abs().mean()) > 0.1
