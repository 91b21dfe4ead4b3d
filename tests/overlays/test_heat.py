from dataclasses import replace

import numpy as np
import pytest

from explorer.overlays import ColourMap, HeatOverlay, colour_table, composed, heat_range, heat_rgba, heat_values
from explorer.overlays.heat import heat_alpha


def _overlay(values, **look):
    return HeatOverlay(name="vsem", title="Saliency", values=np.asarray(values, np.float32), **look)


@pytest.mark.parametrize("name", list(ColourMap))
def test_tables_are_those_of_matplotlib(name):
    matplotlib = pytest.importorskip("matplotlib")
    expected = np.rint(matplotlib.colormaps[name.value](np.arange(256))[:, :3] * 255)
    np.testing.assert_array_equal(colour_table(name), expected)


def _lightness(name):
    return (colour_table(name) / 255.0) ** 2.2 @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("name", [name for name in ColourMap if not name.has_sign])
def test_lightness_grows_with_the_value(name):
    lightness = _lightness(name)
    assert np.all(np.diff(lightness) > -1e-3)
    assert lightness[-1] > 0.6 > 0.05 > lightness[0]


def test_values_are_stretched_by_the_maps_own_range():
    overlay = _overlay([[0.2, 0.4], [0.6, 0.3]])
    assert heat_range(overlay) == (pytest.approx(0.2), pytest.approx(0.6))
    np.testing.assert_allclose(heat_values(overlay), [[0, 0.5], [1, 0.25]], atol=1e-6)


@pytest.mark.parametrize("values", [np.full((3, 3), 0.7), np.zeros((2, 5)), np.full((2, 2), -3.0)])
def test_a_flat_map_paints_nothing(values):
    assert heat_rgba(_overlay(values)).max() == 0


def test_what_is_not_finite_counts_as_low():
    overlay = _overlay([[np.nan, 0.0], [1.0, np.inf]])
    np.testing.assert_array_equal(heat_values(overlay), [[0, 0], [1, 1]])
    assert heat_range(_overlay([[np.nan]])) == (0.0, 0.0)


def test_image_has_table_colours_times_alpha():
    values = np.linspace(0, 1, 49, dtype=np.float32).reshape(7, 7)
    rgba = heat_rgba(_overlay(values), edge=7)
    alpha = heat_alpha(values, 0.0)
    expected = colour_table(ColourMap.MAGMA)[np.rint(values * 255).astype(int)] * alpha[..., None]
    np.testing.assert_allclose(rgba[..., :3], expected, atol=0.51)
    np.testing.assert_allclose(rgba[..., 3], alpha * 255, atol=0.51)


def test_alpha_grows_with_the_value_and_leaves_the_lowest_clear():
    alpha = heat_alpha(np.linspace(0, 1, 50, dtype=np.float32), 0.0)
    assert alpha[0] == 0
    assert alpha[-1] == 1
    assert np.all(np.diff(alpha) > 0)


@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.9])
def test_nothing_is_painted_below_the_threshold_and_all_above_as_before(threshold):
    values = np.linspace(0, 1, 100, dtype=np.float32).reshape(10, 10)
    free, cut = heat_rgba(_overlay(values), edge=10), heat_rgba(_overlay(values, threshold=threshold), edge=10)
    below = values < threshold
    assert cut[below].max() == 0
    np.testing.assert_array_equal(cut[~below], free[~below])


def test_premultiplied_colours_never_exceed_alpha():
    values = np.random.default_rng(1).random((7, 7), np.float32)
    rgba = heat_rgba(_overlay(values, colour_map=ColourMap.VIRIDIS))
    assert np.all(rgba[..., :3] <= rgba[..., 3:])
    assert rgba.shape == (112, 112, 4)


@pytest.mark.parametrize("look", [{"opacity": 1.1}, {"threshold": -0.1}])
def test_looks_outside_of_their_range_are_refused(look):
    with pytest.raises(ValueError, match=r"must be in \[0, 1\], got"):
        _overlay([[0.0]], **look)


def test_only_two_dimensional_float32_is_a_heat_map():
    with pytest.raises(ValueError, match=r"float32 of shape \(h, w\), got float64 of shape \(3,\)"):
        HeatOverlay(name="a", title="A", values=np.zeros(3))


def test_composition_leaves_heat_maps_alone():
    overlay = _overlay([[0.0, 1.0]])
    assert composed((overlay, replace(overlay, name="b"))) == (overlay, replace(overlay, name="b"))


def test_where_the_sign_changes_there_is_no_bright_line():
    values = np.linspace(-1, 1, 201, dtype=np.float32)[None]
    alpha = heat_rgba(_overlay(values, colour_map=ColourMap.MANAGUA), edge=201)[0, :, 3].astype(float)
    # Beside zero it grows no faster than further out: there is no notch.
    assert alpha[100] == 0
    assert alpha[105] - alpha[100] <= alpha[200] - alpha[195]
    assert alpha[95] - alpha[100] <= alpha[0] - alpha[5]
