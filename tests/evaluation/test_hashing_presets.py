"""The published divisions: sizes, what is part of what, and the very rows that the published code draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ConfigError, DatasetError
from explorer.evaluation.hashing_presets import PRESETS, preset_named

SIZES = {
    "coco-5000": (123_287, 5_000, 10_000, 118_287),
    "iapr-tc12": (20_000, 2_000, 10_000, 18_000),
    "mirflickr-25k": (20_015, 2_000, 10_000, 18_015),
    "mirflickr-25k-dcmh": (20_015, 2_000, 10_000, 18_015),
    "nus-wide-21": (195_834, 2_100, 10_500, 193_734),
}


@pytest.mark.parametrize("name", PRESETS)
def test_published_sizes(name: str) -> None:
    n_items, *sizes = SIZES[name]
    division = preset_named(name).divide(n_items)
    assert [len(part) for part in (division.queries, division.training, division.database)] == sizes
    assert all(part.dtype == np.int64 for part in (division.queries, division.training, division.database))


@given(st.sampled_from(sorted(PRESETS)), st.integers(0, 5_000))
def test_the_database_is_everything_but_the_queries_and_training_is_part_of_it(name: str, n_more: int) -> None:
    preset = preset_named(name)
    n_items = preset.n_queries + preset.n_training + n_more
    division = preset.divide(n_items)
    assert sorted([*division.queries, *division.database]) == list(range(n_items))
    np.testing.assert_array_equal(division.training, division.database[: preset.n_training])


def test_rows_are_drawn_as_the_published_code_draws_them() -> None:
    np.random.seed(6)  # noqa: NPY002 - what WangGodder's split_data does
    order = np.random.permutation(range(20_015))  # noqa: NPY002
    division = preset_named("mirflickr-25k").divide(20_015)
    np.testing.assert_array_equal(division.queries, order[:2_000])
    np.testing.assert_array_equal(division.training, order[2_000:12_000])
    np.testing.assert_array_equal(division.database, order[2_000:])
    assert {name: preset.seed for name, preset in PRESETS.items()} == {
        "coco-5000": 8, "iapr-tc12": 8, "mirflickr-25k": 6, "mirflickr-25k-dcmh": None, "nus-wide-21": 7,
    }  # fmt: skip
    in_order = preset_named("mirflickr-25k-dcmh").divide(20_015)
    np.testing.assert_array_equal(in_order.queries, np.arange(2_000))


def test_too_small_a_data_set_is_refused_in_a_sentence() -> None:
    with pytest.raises(DatasetError, match=r"coco-5000 needs at least 15,000 items.*has 8,000"):
        preset_named("coco-5000").divide(8_000)
    with pytest.raises(ConfigError, match=r"no preset 'coco'\. Presets: coco-5000, iapr-tc12"):
        preset_named("coco")


def test_numbers_on_other_data_are_marked() -> None:
    preset = preset_named("iapr-tc12")
    assert preset.notes_on("IAPR TC-12", 20_000) == ()
    other, size = preset.notes_on("flickr30k", 31_014)
    assert other == "iapr-tc12 divides iapr, and this data set is called flickr30k."
    assert size.startswith("iapr-tc12 has 20,000 items and this data set 31,014")
    assert preset_named("coco-5000").notes_on("coco", 123_287) == ()
