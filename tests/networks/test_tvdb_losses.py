"""TVDB's alternating steps: exact minimisers, an objective that never rises, and what each S does to codes."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from explorer.evaluation.hashing_metrics import tie_aware_average_precision
from explorer.networks.common.codes import Pairs, code_statistics, opposition, pairs_of, sign
from explorer.networks.common.words import build_vocabulary, word_rows
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.tvdb.losses import (
    APART,
    decorrelated,
    discrete_codes,
    double_centred,
    objective,
    pairwise_loss,
    regression_terms,
    similarity_matrix,
    update_image_codes,
    update_text_codes,
)
from explorer.networks.tvdb.model import ImageEncoder, TextEncoder
from explorer.networks.tvdb.preprocess import steps_of

KINDS = ("residual", "centred", "signed", "binary", "identity")

within_one = st.floats(-1, 1, width=32)
etas = st.sampled_from([0.01, 0.1, 1.0, 3.0, 50.0])


@st.composite
def batches(draw, n_pairs=4, n_bits=2) -> tuple[Tensor, Tensor, Tensor]:
    """Activations of pictures and sentences, and any S that a batch may have."""
    image, text = (draw(arrays(np.float32, (n_pairs, n_bits), elements=within_one)) for _ in range(2))
    labels = draw(arrays(np.bool_, (n_pairs, 3)))
    items = draw(arrays(np.int64, n_pairs, elements=st.integers(0, 2)))
    kind = draw(st.sampled_from(KINDS))
    activations = torch.from_numpy(image), torch.from_numpy(text)
    similarity = similarity_matrix(kind, pairs_of(torch.from_numpy(labels), torch.from_numpy(items)), activations)
    return *activations, similarity


def every_code(n_pairs: int, n_bits: int) -> list[Tensor]:
    """All matrices of -1 and +1."""
    every = itertools.product((-1.0, 1.0), repeat=n_pairs * n_bits)
    return [torch.tensor(bits).view(n_pairs, n_bits) for bits in every]


@settings(max_examples=20)
@given(batches(), etas)
def test_updates_are_the_best_of_all_codes(batch, eta):
    """Two bits of four pairs: all 256 matrices (README.md 1.5)."""
    image, text, similarity = batch
    codes = sign(image), sign(text)
    ours = update_image_codes(codes[0], codes[1], similarity, image, eta)
    least = min(float(objective(other, codes[1], similarity, image, text, eta)) for other in every_code(4, 2))
    reached = float(objective(ours, codes[1], similarity, image, text, eta))
    assert reached == pytest.approx(least, rel=1e-5, abs=1e-4)
    theirs = update_text_codes(codes[1], ours, similarity, text, eta)
    least = min(float(objective(ours, other, similarity, image, text, eta)) for other in every_code(4, 2))
    assert float(objective(ours, theirs, similarity, image, text, eta)) == pytest.approx(least, rel=1e-5, abs=1e-4)


@settings(max_examples=20)
@given(batches(n_pairs=7, n_bits=8), etas)
def test_each_bit_is_the_best_of_all_its_columns(batch, eta):
    """Bits do not know each other: each is compared with all 2^7 columns."""
    image, text, similarity = batch
    codes = sign(text)
    ours = update_image_codes(sign(image), codes, similarity, image, eta)
    columns = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=7)))
    for bit in range(8):
        gains = columns @ (similarity @ codes[:, bit] + 2 * eta * image[:, bit])
        gain = ours[:, bit] @ (similarity @ codes[:, bit] + 2 * eta * image[:, bit])
        assert float(gain) == pytest.approx(float(gains.max()), rel=1e-5, abs=1e-4)


@given(batches(n_pairs=9, n_bits=8), etas)
def test_the_objective_never_rises_within_a_batch(batch, eta):
    image, text, similarity = batch
    values = [
        float(objective(*discrete_codes(image, text, similarity, eta=eta, n_rounds=n), similarity, image, text, eta))
        for n in range(12)
    ]
    assert all(later <= earlier + 1e-4 * max(1.0, abs(earlier)) for earlier, later in itertools.pairwise(values))


@given(batches(n_pairs=5, n_bits=8), etas, st.integers(0, 4))
def test_codes_are_of_minus_one_and_one_only(batch, eta, n_rounds):
    image, text, similarity = batch
    image[0], text[1] = 0.0, -0.0
    for codes in discrete_codes(image, text, similarity, eta=eta, n_rounds=n_rounds):
        assert codes.unique().tolist() in ([-1.0], [1.0], [-1.0, 1.0])


def test_a_tie_keeps_the_previous_bit_and_else_is_positive():
    values = torch.tensor([0.0, -0.0, -2.0, 3.0])
    assert sign(values).tolist() == [1, 1, -1, 1]
    assert sign(values, torch.tensor([-1.0, 1.0, 1.0, -1.0])).tolist() == [-1, 1, -1, 1]
    codes = torch.tensor([[-1.0], [1.0]])
    # Nothing is similar and the activations are 0: every argument is exactly 0.
    nothing = torch.zeros(2, 2), torch.zeros(2, 1), 1.0
    assert torch.equal(update_image_codes(codes, codes, *nothing), codes)
    assert torch.equal(update_text_codes(codes, codes, *nothing), codes)


@pytest.fixture
def pairs() -> Pairs:
    """Six pairs, the first two of one picture; the first, the second and the last have no label."""
    generator = torch.Generator().manual_seed(2)
    labels = torch.rand(6, 4, generator=generator) > 0.6
    labels[[0, 1, 5]] = False
    labels[2:5, 0] = torch.tensor([True, True, False])
    labels[4, 3] = True
    return pairs_of(labels, torch.tensor([0, 0, 1, 2, 3, 4]))


def test_relevance_is_a_shared_label_or_the_same_picture(pairs):
    assert pairs.relevance[0].tolist() == [1, 1, 0, 0, 0, 0]
    assert pairs.relevance[5].tolist() == [0, 0, 0, 0, 0, 1]
    assert pairs.relevance[2, 3] == 1
    # Of pictures without labels nothing is known but what pictures with labels say.
    assert pairs.known[0].tolist() == [1, 1, 1, 1, 1, 0]
    assert pairs.known[5].tolist() == [0, 0, 1, 1, 1, 1]
    assert pairs.known[2].tolist() == [1] * 6
    labels = torch.rand(9, 3, generator=torch.Generator().manual_seed(5)) > 0.5
    items = torch.tensor([0, 0, 1, 2, 3, 3, 4, 5, 6])
    relevance = pairs_of(labels, items).relevance
    for i, j in itertools.product(range(9), repeat=2):
        assert bool(relevance[i, j]) == bool((labels[i] & labels[j]).any() or items[i] == items[j])


def test_similarity_matrices_against_loops(pairs):
    relevance = pairs.relevance
    assert torch.equal(similarity_matrix("binary", pairs), relevance)
    assert torch.equal(similarity_matrix("signed", pairs), 2 * relevance - 1)
    centred = similarity_matrix("centred", pairs)
    for i, j in itertools.product(range(6), repeat=2):
        expected = relevance[i, j] - relevance[i].mean() - relevance[:, j].mean() + relevance.mean()
        assert float(centred[i, j]) == pytest.approx(float(expected), abs=1e-6)
    same = (pairs.items[:, None] == pairs.items[None, :]).float()
    torch.testing.assert_close(similarity_matrix("identity", pairs), double_centred(same))


def test_the_residual_is_what_the_networks_do_not_say_yet(pairs):
    generator = torch.Generator().manual_seed(2)
    image, text = (torch.rand(6, 8, generator=generator) * 2 - 1 for _ in range(2))
    residual = similarity_matrix("residual", pairs, (image, text))
    for i, j in itertools.product(range(6), repeat=2):
        alike = bool(pairs.relevance[i, j])
        kind = (pairs.relevance if alike else 1 - pairs.relevance) * pairs.known
        weight = float(pairs.known[i, j]) * 0.5 / float(max(kind[i].sum(), 1) * max(kind[j].sum(), 1)) ** 0.5
        missing = (1.0 if alike else APART) - float(image[i] @ text[j]) / 8
        assert float(residual[i, j]) == pytest.approx(weight * missing, abs=1e-6)
    # Codes that say all that is wanted leave nothing to say.
    everything = pairs_of(torch.ones(5, 1, dtype=torch.bool), torch.arange(5))
    assert similarity_matrix("residual", everything, (torch.ones(5, 8), torch.ones(5, 8))).abs().max() < 1e-6
    with pytest.raises(ValueError, match="needs the networks' activations"):
        similarity_matrix("residual", pairs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shared", [False, True, None])
def test_any_labels_give_an_answer(kind, shared):
    """Labels that nobody shares, that everybody shares, and no labels at all."""
    labels = torch.eye(6, dtype=torch.bool) if shared is False else torch.full((6, 3), bool(shared))
    generator = torch.Generator().manual_seed(0)
    image, text = (torch.rand(6, 8, generator=generator) * 2 - 1 for _ in range(2))
    pairs = pairs_of(labels, torch.arange(6))
    similarity = similarity_matrix(kind, pairs, (image, text))
    assert torch.isfinite(similarity).all()
    assert torch.isfinite(pairwise_loss(image, text, pairs))
    codes = discrete_codes(image, text, similarity, eta=1.0, n_rounds=3)
    if kind == "centred" and shared:
        # Where all are relevant, S says nothing and the codes stay those of the activations.
        assert torch.equal(codes[0], sign(image))
        assert torch.equal(codes[1], sign(text))


def test_pairwise_loss_against_a_loop(pairs):
    generator = torch.Generator().manual_seed(3)
    image, text = (torch.rand(6, 8, generator=generator) * 2 - 1 for _ in range(2))
    losses: dict[bool, list[float]] = {False: [], True: []}
    for i, j in itertools.product(range(6), repeat=2):
        theta, alike = float(image[i] @ text[j]) / 2, bool(pairs.relevance[i, j])
        if pairs.known[i, j]:
            losses[alike].append(np.log1p(np.exp(theta)) - alike * theta)
    expected = sum(np.mean(values) for values in losses.values())
    assert float(pairwise_loss(image, text, pairs)) == pytest.approx(expected, rel=1e-5)


def test_decorrelated_bits_share_nothing():
    """Two bits that are nearly one, and six of their own: with power 1 the covariance is the unit matrix."""
    drawn = torch.randn(600, 8, generator=torch.Generator().manual_seed(4)) * 0.3 + 0.2
    drawn[:, 1] = drawn[:, 0] + 0.3 * drawn[:, 1]
    image, text = drawn[:300], drawn[300:]
    whole = torch.cat(decorrelated(image, text, 1.0))
    torch.testing.assert_close(whole.T @ whole / 600, torch.eye(8), atol=1e-2, rtol=0)
    for side in decorrelated(image, text, 1.0):
        assert side.mean(dim=0).abs().max() < 1e-5
    untouched = torch.cat(decorrelated(image, text, 0.0))
    centred = torch.cat([image - image.mean(dim=0), text - text.mean(dim=0)])
    torch.testing.assert_close(untouched, centred / centred.std(dim=0), atol=1e-4, rtol=1e-4)
    same = torch.ones(4, 8)
    assert all(torch.isfinite(side).all() for side in decorrelated(same, -same, 1.0))


def test_statistics_of_codes_that_say_nothing_and_of_codes_that_do():
    same = torch.ones(50, 16)
    stats = code_statistics(same)
    assert (stats.unique_share, stats.correlation, stats.imbalance) == (1 / 50, 1.0, 1.0)
    assert opposition(same, -same) == -1.0
    drawn = torch.randn(4000, 16, generator=torch.Generator().manual_seed(1))
    stats = code_statistics(drawn)
    assert stats.unique_share > 0.9
    assert stats.correlation < 0.05
    assert stats.imbalance < 0.05
    assert abs(opposition(drawn, drawn)) < 0.05
    # Each bit twice: every bit has one other that is like it.
    twice = torch.cat([drawn[:, :8], drawn[:, :8]], dim=1)
    assert code_statistics(twice).correlation == pytest.approx(1 / 15, abs=0.03)


# Toy data: a class has a direction of its own in the features of regions, and three words.

N_BITS, N_FEATURES, N_STEPS = 32, 24, 4


def toy(n_classes: int, n_of_each: int, seed: int) -> tuple[Tensor, list[str], Tensor]:
    """Features (n, L, F) of boxes, sentences, and classes (n,)."""
    rng = np.random.default_rng(seed)
    directions = np.random.default_rng(99).normal(size=(n_classes, N_FEATURES))
    classes = np.repeat(np.arange(n_classes), n_of_each)
    features = directions[classes][:, None] + 0.7 * rng.normal(size=(len(classes), N_STEPS, N_FEATURES))
    sentences = [
        " ".join(["a", *(f"c{c}w{w}" for w in rng.permutation(3)[:2]), f"noise{rng.integers(9)}"]) for c in classes
    ]
    return torch.from_numpy(features).float(), sentences, torch.from_numpy(classes)


def train_toy(n_classes: int, kind: str, n_epochs: int, *, decorrelation: float) -> tuple[Tensor, Tensor, Tensor]:
    """Activations of pictures and sentences never trained on, and their classes, after README.md 1.6."""
    eta = 0.1 if kind == "residual" else 1.0
    torch.manual_seed(0)
    features, sentences, classes = toy(n_classes, 400 // n_classes, seed=0)
    vocabulary = build_vocabulary(sentences, min_count=2)
    sizes = {"n_bits": N_BITS, "fc_dim": 64, "dropout": 0.2, "normalised": bool(decorrelation)}
    image = ImageEncoder(
        ImageEncoderConfig(**sizes, feature_dim=N_FEATURES, position_dim=4, n_regions=N_STEPS - 1, hidden_dim=16)
    )
    text = TextEncoder(TextEncoderConfig(**sizes, n_words=len(vocabulary), word_dim=16, n_filters=16))
    optimiser = torch.optim.Adam([*image.parameters(), *text.parameters()], lr=3e-3)
    boxes = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(len(features), N_STEPS, 4)
    statistics = features.mean(dim=(0, 1)), features.std(dim=(0, 1))
    steps, rows = steps_of(features, boxes, statistics, image.config), word_rows(sentences, vocabulary, 12)
    labels = torch.nn.functional.one_hot(classes).bool()
    for _ in range(n_epochs):
        for batch in torch.randperm(len(steps)).split(100):
            f, g = image(steps[batch]), text(rows[batch])
            similarity = similarity_matrix(kind, pairs_of(labels[batch], batch), (f, g))
            near = decorrelated(f, g, decorrelation) if decorrelation else (f, g)
            codes = discrete_codes(*near, similarity, eta=eta, n_rounds=1)
            optimiser.zero_grad()
            sum(regression_terms(f, g, *codes).values()).backward()
            optimiser.step()
    features, sentences, classes = toy(n_classes, 10, seed=1)
    steps = steps_of(features, boxes[: len(features)], statistics, image.config)
    with torch.inference_mode():
        return image.eval()(steps), text.eval()(word_rows(sentences, vocabulary, 12)), classes


def mean_average_precision(queries: Tensor, gallery: Tensor, relevant: Tensor) -> float:
    distances = ((N_BITS - sign(queries) @ sign(gallery).T) / 2).round().int().numpy()
    return float(np.mean(tie_aware_average_precision(distances, relevant.numpy(), N_BITS)))


@pytest.mark.parametrize("kind", ["centred", "residual"])
def test_training_finds_separable_classes(kind):
    image, text, classes = train_toy(10, kind, 40, decorrelation=0.5)
    relevant = classes[:, None] == classes[None, :]
    for queries, gallery in itertools.product((image, text), repeat=2):
        assert mean_average_precision(queries, gallery, relevant) > 0.9
    stats = code_statistics(image)
    assert stats.unique_share >= 0.1
    assert stats.correlation < 0.5


@pytest.mark.parametrize("kind", ["signed", "binary"])
def test_similarities_without_balance_collapse_where_positives_are_few(kind):
    """5 per cent of the pairs are relevant (README.md 1.7): training's own statistics see it, and so does retrieval."""
    image, text, classes = train_toy(20, kind, 25, decorrelation=0.0)
    stats = code_statistics(torch.cat([image, text]))
    assert stats.unique_share < 0.1
    assert stats.correlation > 0.5
    if kind == "signed":
        assert opposition(image, text) < -0.5
    assert mean_average_precision(text, image, classes[:, None] == classes[None, :]) < 0.15
