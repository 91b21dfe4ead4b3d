"""Series of numbers over steps, thinned; and their moving average."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs import series as series_module
from explorer.runs.series import MOST_POINTS, Series, smoothed


def filled(n: int) -> Series:
    series = Series()
    for step in range(1, n + 1):
        series.append(step, step / 2)
    return series


def test_points_come_back() -> None:
    series = filled(1_000)
    np.testing.assert_array_equal(series.steps, np.arange(1, 1_001))
    np.testing.assert_array_equal(series.values, np.arange(1, 1_001) / 2)
    assert series.last == 500.0
    assert Series().last is None


@given(n=st.integers(min_value=1, max_value=400))
def test_however_long_it_stays_small_even_and_ends_with_the_newest(n: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_module, "MOST_POINTS", 20)
        series = filled(n)
    assert len(series) < 20
    assert len(series) >= min(n, 9)
    assert series.steps[-1] == n
    np.testing.assert_array_equal(series.values, series.steps / 2)
    gaps = np.diff(series.steps)
    assert (gaps > 0).all()
    assert len(set(gaps[:-1].tolist())) <= 1  # even, but for the newest


def test_a_very_long_series_keeps_thousands_of_points() -> None:
    series = filled(50_000)
    assert MOST_POINTS / 2 <= len(series) < MOST_POINTS
    assert series.steps[-1] == 50_000


def test_steps_that_are_done_again_replace_what_was_said_of_them() -> None:
    series = filled(10)
    series.append(7, -1.0)
    assert series.steps.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert series.values[-1] == -1.0
    series.drop_after(3)
    assert series.steps.tolist() == [1, 2, 3]
    series.append(9, 4.0)
    assert series.steps.tolist() == [1, 2, 3, 9]
    series.drop_after(0)
    assert len(series) == 0
    series.append(1, 1.0)
    assert series.steps.tolist() == [1]


def test_dropping_in_a_thinned_series_keeps_what_is_earlier() -> None:
    series = filled(3 * MOST_POINTS)
    series.drop_after(MOST_POINTS)
    assert series.steps[-1] <= MOST_POINTS
    for step in range(MOST_POINTS + 1, 3 * MOST_POINTS + 1):
        series.append(step, step / 2)
    assert series.steps[-1] == 3 * MOST_POINTS
    assert (np.diff(series.steps) > 0).all()
    np.testing.assert_array_equal(series.values, series.steps / 2)


def test_what_was_handed_out_stays_as_it_was() -> None:
    series = filled(100)
    steps, values = series.steps, series.values
    before = steps.copy(), values.copy()
    series.append(50, 0.0)
    for step in range(51, 5_000):
        series.append(step, 0.0)
    np.testing.assert_array_equal(steps, before[0])
    np.testing.assert_array_equal(values, before[1])


def naive(values: list[float], span: float) -> list[float]:
    alpha = 2 / (span + 1)
    averages = []
    for end in range(1, len(values) + 1):
        weights = [alpha * (1 - alpha) ** (end - 1 - n) for n in range(end)]
        averages.append(sum(w * v for w, v in zip(weights, values, strict=False)) / sum(weights))
    return averages


@given(
    values=st.lists(st.floats(min_value=-1e3, max_value=1e3), min_size=1, max_size=30),
    span=st.floats(min_value=1, max_value=40),
)
def test_smoothing_is_the_weighted_mean_so_far(values: list[float], span: float) -> None:
    np.testing.assert_allclose(smoothed(np.array(values), span), naive(values, span), rtol=1e-9, atol=1e-9)


def test_smoothing_with_a_span_of_one_changes_nothing_and_a_constant_stays() -> None:
    values = np.array([3.0, 1.0, 2.0])
    np.testing.assert_array_equal(smoothed(values, 1.0), values)
    np.testing.assert_allclose(smoothed(np.full(50, 0.3), 20.0), 0.3)
    assert smoothed(np.empty(0), 5.0).shape == (0,)


def test_what_is_not_finite_does_not_spoil_what_follows() -> None:
    averages = smoothed(np.array([np.nan, 2.0, np.inf, 2.0]), 3.0)
    assert np.isnan(averages[0])
    np.testing.assert_allclose(averages[1:], 2.0)
