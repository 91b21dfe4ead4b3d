"""Ensembles and folds, beside whole matrices and loops over sub-matrices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import ConfigError
from explorer.evaluation import image_text
from explorer.evaluation.image_text import Ties, owners_of, ranks_of_similarities
from explorer.evaluation.similarities import EncodedPairs, Similarities, fold_slices, standings_of


def some_pairs(seed: int, counts: list[int], dim: int = 5, n_values: int = 3) -> EncodedPairs:
    """Whole numbers, so that every order of summing gives the same product, and with ties."""
    rng = np.random.default_rng(seed)
    images, sentences = (
        rng.integers(-n_values, n_values + 1, (n, dim)).astype(np.float32) for n in (len(counts), sum(counts))
    )
    return EncodedPairs(images, sentences, owners_of(counts))


uneven = st.lists(st.integers(1, 6), min_size=1, max_size=4)
ties_rules = st.sampled_from(["pessimistic", "mean"])


@given(uneven, st.integers(1, 3), st.integers(0, 999), ties_rules)
def test_folds_equal_a_loop_over_sub_matrices(counts: list[int], n_folds: int, seed: int, ties: Ties) -> None:
    pairs = some_pairs(seed, counts * n_folds)
    found = standings_of(Similarities((pairs,)), n_folds=n_folds).ranks(ties)
    matrix, size = pairs.images @ pairs.sentences.T, len(counts)
    i2t, t2i = [], []
    for fold in range(n_folds):
        rows = np.arange(fold * size, (fold + 1) * size)
        columns = np.flatnonzero(np.isin(pairs.owners, rows))
        part = ranks_of_similarities(matrix[np.ix_(rows, columns)], pairs.owners[columns] - rows[0], ties=ties)
        i2t, t2i = [*i2t, *part.image_to_text], [*t2i, *part.text_to_image]
    assert found.image_to_text.tolist() == i2t
    assert found.text_to_image.tolist() == t2i


@given(uneven, st.integers(2, 4), st.integers(0, 999))
def test_ensemble_equals_the_mean_of_whole_matrices(counts: list[int], n_models: int, seed: int) -> None:
    members = [some_pairs(seed + number, counts, dim=3 + number) for number in range(n_models)]  # widths differ
    mean = np.sum([member.images @ member.sentences.T for member in members], axis=0) / np.float32(n_models)
    found = standings_of(Similarities(tuple(members))).ranks("pessimistic")
    expected = ranks_of_similarities(mean, members[0].owners)
    np.testing.assert_array_equal(found.image_to_text, expected.image_to_text)
    np.testing.assert_array_equal(found.text_to_image, expected.text_to_image)


def test_a_model_with_itself_is_the_model() -> None:
    pairs = some_pairs(1, [5] * 12)
    alone, twice = (standings_of(Similarities((pairs,) * n)).ranks("mean") for n in (1, 2))
    np.testing.assert_array_equal(alone.image_to_text, twice.image_to_text)
    np.testing.assert_array_equal(alone.text_to_image, twice.text_to_image)


def test_two_weak_models_that_err_elsewhere_are_better_together() -> None:
    rng = np.random.default_rng(0)
    owners = owners_of([5] * 60)
    truth = rng.standard_normal((60, 32), dtype=np.float32)

    def noisy() -> EncodedPairs:
        return EncodedPairs(
            truth + 1.5 * rng.standard_normal(truth.shape, dtype=np.float32),
            truth[owners] + 1.5 * rng.standard_normal((300, 32), dtype=np.float32),
            owners,
        )

    members = noisy(), noisy()
    together = standings_of(Similarities(members)).ranks("pessimistic")
    assert all(image_text.rsum(together) > image_text.rsum(member.ranks()) for member in members)


def test_no_block_holds_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_text, "_CHUNK_SCORES", 100)
    pairs = some_pairs(2, [5] * 30)
    sizes = []

    class Watched(Similarities):
        __slots__ = ()

        def score(self, images: slice, sentences: slice) -> np.ndarray:  # type: ignore[override]
            block = pairs.images[images] @ pairs.sentences[sentences].T
            sizes.append(block.size)
            return block

    watched = standings_of(Watched((pairs,))).ranks("pessimistic")
    assert max(sizes) <= 150  # one photo with all 150 sentences is the least
    assert sum(sizes) == 2 * 30 * 150
    whole = ranks_of_similarities(pairs.images @ pairs.sentences.T, pairs.owners)
    np.testing.assert_array_equal(watched.image_to_text, whole.image_to_text)
    np.testing.assert_array_equal(watched.text_to_image, whole.text_to_image)


def test_stopping_between_blocks() -> None:
    token = CancellationToken()
    token.cancel()
    with pytest.raises(Cancelled):
        standings_of(Similarities((some_pairs(0, [2, 2]),)), token=token)


@pytest.mark.parametrize(("n_images", "n_folds", "says"), [(10, 3, "2, 5, 10"), (13, 5, "one fold"), (4, 5, "2, 4")])
def test_folds_that_do_not_divide_are_refused(n_images: int, n_folds: int, says: str) -> None:
    with pytest.raises(ConfigError, match=rf"{n_images} photos cannot be cut into {n_folds} folds.*{says}"):
        fold_slices(n_images, n_folds)


def test_members_of_different_data_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"same photos and sentences.*2 and 10, another 3 and 15"):
        Similarities((some_pairs(0, [5, 5]), some_pairs(0, [5, 5, 5])))
    with pytest.raises(ConfigError, match="same photos and sentences"):
        Similarities((some_pairs(0, [4, 6]), some_pairs(0, [6, 4])))
    with pytest.raises(ValueError, match="at least one"):
        Similarities(())
