"""TVDB's encoders and what they read: regions in their order, words in their rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from explorer.networks.common.words import PAD, UNKNOWN, build_vocabulary, is_vocabulary, word_rows, words_of
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.tvdb.extractors import RoiAlign
from explorer.networks.tvdb.model import ImageEncoder, TextEncoder
from explorer.networks.tvdb.preprocess import (
    MAX_AREA,
    MIN_AREA,
    order_regions,
    positions_of,
    steps_of,
)
from explorer.vision.features import Regions
from explorer.vision.regions import N_REGIONS, whole_pictures

IMAGE = ImageEncoderConfig(n_bits=16, feature_dim=12, position_dim=8, n_regions=5, hidden_dim=6, fc_dim=10)
TEXT = TextEncoderConfig(n_words=9, n_bits=16, word_dim=4, n_filters=5, fc_dim=10)
WHOLE = [0.0, 0.0, 1.0, 1.0]


def found(*pictures: list[list[float]]) -> Regions:
    """Regions of pictures with these boxes, the surest first."""
    regions = whole_pictures(len(pictures), 80)
    for picture, boxes in enumerate(pictures):
        n = len(boxes)
        if n:
            regions.boxes[picture, :n] = torch.tensor(boxes)
            regions.scores[picture, :n] = torch.linspace(0.9, 0.1, n)
            regions.labels[picture, :n] = torch.arange(n)
            regions.lengths[picture] = n
    return regions


def drawn(n: int, seed: int = 0) -> list[list[float]]:
    """Boxes of more than a hundredth and less than a quarter of the picture."""
    rng = np.random.default_rng(seed)
    corners, sizes = rng.uniform(0, 0.5, (n, 2)), rng.uniform(0.12, 0.5, (n, 2))
    return np.concatenate([corners, corners + sizes], axis=1).tolist()


@pytest.mark.parametrize("n_bits", [8, 16, 32, 64, 128])
@pytest.mark.parametrize("n_pictures", [0, 1, 3])
def test_activations_have_a_column_for_each_bit(n_bits, n_pictures):
    image = ImageEncoder(replace(IMAGE, n_bits=n_bits)).eval()
    text = TextEncoder(replace(TEXT, n_bits=n_bits)).eval()
    pictures = image(torch.randn(n_pictures, 1 + IMAGE.n_regions, 20))
    sentences = text(torch.randint(TEXT.n_words, (n_pictures, TEXT.n_tokens)))
    for activations in (pictures, sentences):
        assert activations.shape == (n_pictures, n_bits)
        assert (activations.abs() < 1).all()


def test_the_papers_own_sizes_fit():
    """5000 numbers a region of which 904 say where it is; branches of lengths 10, 9 and 8."""
    config = ImageEncoderConfig(feature_dim=4096, position_dim=904, hidden_dim=4, fc_dim=4)
    assert ImageEncoder(config).lstm.input_size == 5000
    words = torch.zeros(1, 128, 12)
    branches = TextEncoder(TextEncoderConfig(n_words=3)).branches
    assert [branch(words).shape[2] for branch in branches] == [10, 9, 8]


@pytest.mark.parametrize("n_bits", [0, 4, 12, 65, -8])
def test_codes_that_fill_no_whole_bytes_are_refused(n_bits):
    for kind in (ImageEncoderConfig, TextEncoderConfig):
        with pytest.raises(ValueError, match=f"multiple of 8 bits.*{n_bits}"):
            kind(n_bits=n_bits, **({"n_words": 5} if kind is TextEncoderConfig else {}))


@pytest.mark.parametrize(
    "wrong", [{"position_dim": 6}, {"position_dim": -4}, {"n_regions": -1}, {"hidden_dim": 0}, {"dropout": 1.0}]
)
def test_sizes_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        replace(IMAGE, **wrong)


@pytest.mark.parametrize("wrong", [{"n_tokens": 4}, {"widths": ()}, {"widths": (0,)}, {"n_words": 0}, {"dropout": -1}])
def test_sentences_that_no_filter_fits_are_refused(wrong):
    with pytest.raises(ValueError, match="got"):
        replace(TEXT, **wrong)


def test_the_order_of_regions_counts_and_that_of_pictures_does_not():
    torch.manual_seed(0)
    image = ImageEncoder(IMAGE).eval()
    steps = torch.randn(3, 6, 20)
    activations = image(steps)
    assert (image(steps[:, [0, 3, 1, 5, 2, 4]]) - activations).abs().max() > 1e-4
    torch.testing.assert_close(image(steps[[2, 0, 1]]), activations[[2, 0, 1]])


def test_regions_are_read_from_dominant_to_minor_without_tiny_and_whole_ones():
    boxes = drawn(4)
    tiny, nearly_whole = [0.5, 0.5, 0.55, 0.6], [0.0, 0.0, 1.0, 0.96]
    regions = found([boxes[0], nearly_whole, boxes[1], tiny, boxes[2], boxes[3]], [], [tiny])
    sequence = order_regions(regions, IMAGE, 3)
    assert sequence.which.tolist() == [[-1, 0, 2, 4, 5, -1], [-1] * 6, [-1] * 6]
    assert sequence.lengths.tolist() == [5, 1, 1]
    torch.testing.assert_close(sequence.boxes[0], torch.tensor([WHOLE, *boxes, WHOLE]))
    assert sequence.boxes[1:].tolist() == [[WHOLE] * 6] * 2


BOXES = st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 4), max_size=N_REGIONS)


@given(st.lists(BOXES, max_size=3), st.integers(0, 9))
def test_what_is_read_of_any_boxes(pictures, n_regions):
    regions = found(*(([list(box) for box in boxes]) for boxes in pictures))
    config = replace(IMAGE, n_regions=n_regions)
    sequence = order_regions(regions, config, len(pictures))
    for picture, boxes in enumerate(pictures):
        areas = [max(x2 - x1, 0) * max(y2 - y1, 0) for x1, y1, x2, y2 in np.array(boxes, np.float32).reshape(-1, 4)]
        wanted = [row for row, area in enumerate(areas) if MIN_AREA <= area <= MAX_AREA][:n_regions]
        padding = [-1] * (n_regions - len(wanted))
        assert sequence.which[picture].tolist() == [-1, *wanted, *padding]
        assert int(sequence.lengths[picture]) == 1 + len(wanted)
        shown = sequence.boxes[picture].tolist()
        assert shown[1 : 1 + len(wanted)] == regions.boxes[picture, wanted].tolist()
        assert shown[:1] + shown[1 + len(wanted) :] == [WHOLE] * (1 + len(padding))


def test_no_more_regions_are_read_than_are_wanted():
    regions = found(drawn(9))
    assert order_regions(regions, IMAGE, 1).which.tolist() == [[-1, 0, 1, 2, 3, 4]]
    assert order_regions(regions, replace(IMAGE, n_regions=50), 1).lengths.tolist() == [10]
    whole_only = order_regions(None, replace(IMAGE, n_regions=0), 2)
    assert whole_only.boxes.tolist() == [[WHOLE]] * 2
    assert order_regions(regions, replace(IMAGE, n_regions=0), 1).boxes.tolist() == [[WHOLE]]


def test_a_shuffled_order_is_another_one_and_the_same_in_every_batch():
    pictures = [drawn(12, seed) for seed in range(20)]
    config = replace(IMAGE, n_regions=10, order="shuffled")
    together = order_regions(found(*pictures), config, 20)
    firsts = []
    for picture, boxes in enumerate(pictures):
        alone = order_regions(found(boxes), config, 1)
        assert torch.equal(alone.which[0], together.which[picture])
        rows = alone.which[0, 1:].tolist()
        assert sorted(rows) == list(range(10))
        assert rows != sorted(rows)
        torch.testing.assert_close(alone.boxes[0, 1:], torch.tensor(boxes)[rows])
        firsts.append(rows[0])
    # Which region comes first has nothing to do with how sure the proposer is of it.
    assert len(set(firsts)) > 5
    few = order_regions(found(drawn(3)), config, 1)
    assert sorted(few.which[0, 1:4].tolist()) == [0, 1, 2]
    assert few.which[0, 4:].tolist() == [-1] * 7


@pytest.mark.parametrize("n_found", [0, 1, 4, 5, 8])
def test_leaving_a_region_out_is_not_having_found_it(n_found):
    """At most five are read; a region that was not among them comes in for none."""
    torch.manual_seed(0)
    boxes = drawn(n_found)[:5]
    grid = torch.randn(1, IMAGE.feature_dim, 7, 7)
    extract, image = RoiAlign(IMAGE.feature_dim), ImageEncoder(IMAGE).eval()
    statistics = torch.zeros(IMAGE.feature_dim), torch.ones(IMAGE.feature_dim)

    def read(regions: Regions) -> torch.Tensor:
        sequence = order_regions(regions, IMAGE, 1)
        return steps_of(extract(grid, sequence.boxes), sequence.boxes, statistics, IMAGE)

    orders = order_regions(found(boxes), IMAGE, 1).orders_without()
    assert orders.shape == (min(n_found, 5), 6)
    steps = read(found(boxes))
    for row, order in enumerate(orders):
        fewer = read(found(boxes[:row] + boxes[row + 1 :]))
        torch.testing.assert_close(steps[:, order], fewer)
        torch.testing.assert_close(image(steps[:, order]), image(fewer))


def test_positions_are_size_and_centre_again_and_again():
    boxes = torch.tensor([[[0.1, 0.2, 0.5, 1.0], WHOLE]])
    block = positions_of(boxes, 12)
    assert block[0, 0].tolist() == pytest.approx([0.4, 0.8, 0.3, 0.6] * 3)
    assert block[0, 1].tolist() == pytest.approx([1, 1, 0.5, 0.5] * 3)
    assert positions_of(boxes, 0).shape == (1, 2, 0)
    assert positions_of(boxes, 904).shape == (1, 2, 904)
    with pytest.raises(ValueError, match="multiple of 4"):
        positions_of(boxes, 10)


def test_features_are_standardised_and_positions_are_not():
    boxes = torch.tensor([[[0.1, 0.2, 0.5, 1.0]]])
    features = torch.arange(12.0).view(1, 1, 12)
    steps = steps_of(features, boxes, (torch.full((12,), 2.0), torch.full((12,), 4.0)), IMAGE)
    torch.testing.assert_close(steps[..., :12], (features - 2) / 4)
    torch.testing.assert_close(steps[..., 12:], positions_of(boxes, 8))


def test_the_whole_pictures_features_are_the_maps_mean():
    grid = torch.randn(2, 12, 7, 7)
    features = RoiAlign(12)(grid.half(), torch.tensor(WHOLE).expand(2, 3, 4))
    assert features.dtype == torch.float32
    torch.testing.assert_close(features[:, 1], grid.mean(dim=(2, 3)), atol=1e-3, rtol=1e-2)


VOCABULARY = build_vocabulary(["A dog runs.", "a DOG, a cat!", "ещё cat"], min_count=2)


def test_the_vocabulary_is_of_words_seen_often_enough():
    assert VOCABULARY == {"<pad>": 0, "<unk>": 1, "a": 2, "cat": 3, "dog": 4}
    assert is_vocabulary(VOCABULARY)
    assert is_vocabulary(build_vocabulary([], min_count=1))
    for wrong in ({}, {"a": 0}, {**VOCABULARY, "x": 4}, {**VOCABULARY, "x": 6}, {"<pad>": 1, "<unk>": 0}):
        assert not is_vocabulary(wrong)
    assert words_of("Two dogs' well-known BALL_2, ещё!") == ["two", "dogs", "well", "known", "ball_2", "ещё"]


def test_sentences_are_padded_at_the_left_and_cut_at_the_right():
    rows = word_rows(["", "Dog", "a cat " * 3, "zebra a " * 20, "?!"], VOCABULARY, 6)
    assert rows.tolist() == [
        [PAD] * 6, [PAD] * 5 + [4], [2, 3] * 3, [UNKNOWN, 2] * 3, [PAD] * 6,
    ]  # fmt: skip
    assert rows.dtype == torch.int64
    assert word_rows([], VOCABULARY, 6).shape == (0, 6)


@given(st.lists(st.text(max_size=80), max_size=4))
def test_any_text_has_rows_within_the_table(texts):
    rows = word_rows(texts, VOCABULARY, 12)
    assert rows.shape == (len(texts), 12)
    assert not rows.numel() or (int(rows.min()) >= 0 and int(rows.max()) < len(VOCABULARY))


@pytest.mark.parametrize("text", ["", "dog", "a dog cat " * 4, "a dog a cat " * 10, "zebra", "zebra lion " * 20])
def test_sentences_of_any_length_have_activations(text):
    """0, 1, 12 and 40 words, and only unknown ones; a batch changes nothing."""
    torch.manual_seed(0)
    encoder = TextEncoder(TEXT).eval()
    rows = word_rows([text, "a cat"], VOCABULARY, 12)
    activations = encoder(rows)
    assert torch.isfinite(activations).all()
    torch.testing.assert_close(encoder(rows[:1]), activations[:1])


def test_words_beyond_the_twelfth_change_nothing():
    rows = word_rows(["a dog " * 6, "a dog " * 6 + "cat"], VOCABULARY, 12)
    assert torch.equal(rows[0], rows[1])


def test_forgotten_words_are_unknown_and_padding_stays():
    torch.manual_seed(0)
    encoder = TextEncoder(replace(TEXT, word_dropout=0.999999, dropout=0.0)).train()
    rows = torch.tensor([[PAD] * 6 + [2, 3, 4, 2, 3, 4]])
    unknown = torch.where(rows == PAD, PAD, UNKNOWN)
    torch.testing.assert_close(encoder(rows), encoder(unknown))
    assert not torch.allclose(encoder(rows), encoder.eval()(rows))
