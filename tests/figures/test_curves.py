"""Curves of runs, as pixels and as files."""

import io
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.errors import ConfigError
from explorer.figures.curve_scales import Scale, linear_ticks, tick_text, value_limits, value_scale, value_ticks
from explorer.figures.curves import PAPER, Curve, CurvesSpec, CurveTheme, curves_bytes, draw_curves, write_curves

_STEPS = np.arange(1, 101)
_LIGHT = CurveTheme(text="#202020", background="#ffffff", grid="#dddddd")
_DARK = CurveTheme(text="#e6e6e6", background="#1e1f22", grid="#3c3d41")


def falling(start: float = 3.0) -> np.ndarray:
    return start * np.exp(-_STEPS / 30.0) + 0.1


def spec(*curves: Curve, **changes: object) -> CurvesSpec:
    curves = curves or (Curve("loss", _STEPS, falling()), Curve("term", _STEPS, falling(1.0)))
    return replace(CurvesSpec(curves=curves, width_px=300, height_px=160, theme=_LIGHT), **changes)  # type: ignore[arg-type]


def n_of_colour(pixels: np.ndarray, colour: str) -> int:
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    return int((np.abs(pixels[..., :3].astype(int) - wanted).max(axis=-1) <= 6).sum())


def test_pixels_have_the_size_that_was_asked_for() -> None:
    assert draw_curves(spec()).shape == (160, 300, 4)
    pixels = draw_curves(spec(ratio=2.0))
    assert pixels.shape == (320, 600, 4)
    assert pixels.dtype == np.uint8


@pytest.mark.parametrize("theme", [_LIGHT, _DARK])
def test_the_ground_is_the_themes_and_lines_stand_out_from_it(theme: CurveTheme) -> None:
    pixels = draw_curves(spec(theme=theme))
    assert n_of_colour(pixels, theme.background) > 0.7 * 300 * 160
    blue, orange = ("#0072B2", "#D55E00") if theme is _LIGHT else ("#56B4E9", "#F0803C")
    assert n_of_colour(pixels, blue) > 50
    assert n_of_colour(pixels, orange) > 50


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_every_colour_can_be_seen_on_its_ground() -> None:
    from explorer.figures.curve_board import _ON_DARK, _ON_LIGHT

    for colours, ground in ((_ON_LIGHT, _LIGHT.background), (_ON_DARK, _DARK.background)):
        for colour in colours:
            lighter, darker = sorted((luminance(colour), luminance(ground)), reverse=True)
            assert (lighter + 0.05) / (darker + 0.05) >= 2.9, colour


def test_a_board_used_again_draws_what_a_new_one_does() -> None:
    grown = spec(Curve("loss", _STEPS, falling(5.0)), Curve("term", _STEPS, falling(2.0)), log=True, smoothing=9.0)
    draw_curves(spec(Curve("loss", _STEPS[:20], falling()[:20]), Curve("term", _STEPS[:9], falling()[:9]), log=True))
    drawn_again = draw_curves(grown)
    fresh: list[np.ndarray] = []
    thread = threading.Thread(target=lambda: fresh.append(draw_curves(grown)))  # has boards of its own
    thread.start()
    thread.join()
    np.testing.assert_array_equal(drawn_again, fresh[0])


def test_smoothing_shows_the_raw_curve_pale_behind() -> None:
    noisy = falling() * np.exp(np.random.default_rng(0).normal(0.0, 0.3, len(_STEPS)))
    plain = draw_curves(spec(Curve("loss", _STEPS, noisy), ratio=4.0))
    smooth = draw_curves(spec(Curve("loss", _STEPS, noisy), smoothing=15.0, ratio=4.0))
    pale = "#b8d8e9"  # the line's blue with 0.28 of its strength, on white
    assert n_of_colour(smooth, pale) > 5 * n_of_colour(plain, pale)


def test_runs_are_compared_by_colour_and_of_several_terms_by_dash() -> None:
    one_name = draw_curves(spec(Curve("loss", _STEPS, falling(), "a"), Curve("loss", _STEPS, falling(1.0), "b")))
    assert n_of_colour(one_name, "#0072B2") > 50
    assert n_of_colour(one_name, "#D55E00") > 50
    whole = [Curve(name, _STEPS, falling(start), "a") for name, start in (("loss", 3.0), ("term", 2.0))]
    again = [Curve(name, _STEPS, falling(start), "b") for name, start in (("loss", 1.0), ("term", 0.5))]
    both = draw_curves(spec(*whole, *again))
    assert n_of_colour(both, "#009E73") == 0  # a third colour would be a third name
    assert n_of_colour(both, "#0072B2") > 50


def test_nothing_to_draw_is_an_empty_board() -> None:
    nowhere = (Curve("loss", np.empty(0, np.int64), np.empty(0)), Curve("term", _STEPS, np.full(100, np.nan)))
    for empty in (spec(*nowhere, log=True), replace(spec(), curves=())):
        assert draw_curves(empty).shape == (160, 300, 4)


def test_what_is_not_finite_is_a_gap() -> None:
    values = falling()
    values[40:60] = np.inf
    pixels = draw_curves(spec(Curve("loss", _STEPS, values), legend=False))
    whole = draw_curves(spec(Curve("loss", _STEPS, falling()), legend=False))
    assert 0 < n_of_colour(pixels, "#0072B2") < n_of_colour(whole, "#0072B2")


def test_more_curves_than_colours_and_names_longer_than_the_picture() -> None:
    long = "a term with a name that is long and longer still"
    curves = [Curve(f"{long} {long} {n}", _STEPS, falling(n + 1.0)) for n in range(9)]
    assert draw_curves(spec(*curves, height_px=400)).shape == (400, 300, 4)


def test_marks_are_drawn_and_move() -> None:
    first, second = (draw_curves(spec(marks=((step, "best"),))) for step in (20, 80))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize(
    ("values", "log", "kind"),
    [
        ([0.1, 2.0], False, "linear"),
        ([0.1, 2.0], True, "log"),
        ([-0.1, 2.0], True, "linear"),
        ([-0.001, 2.0], True, "symlog"),
        ([0.0, 0.0], True, "linear"),
        ([np.nan, np.inf], True, "linear"),
        ([np.nan, 3.0], True, "log"),
    ],
)
def test_the_scale_fits_the_values(values: list[float], log: bool, kind: str) -> None:
    assert value_scale(spec(Curve("loss", np.arange(2), np.array(values)), log=log)).kind == kind


@pytest.mark.parametrize("low_high", [(0.3, 0.33), (0.04, 5.0), (1e-6, 1e4), (2.0, 2.0)])
def test_an_axis_always_has_numbers(low_high: tuple[float, float]) -> None:
    for kind in ("log", "linear"):
        low, high = value_limits([np.array(low_high)], Scale(kind))
        assert low < min(low_high) <= max(low_high) < high
        ticks = value_ticks(low, high, Scale(kind), 6)
        assert 2 <= len(ticks) <= 14
        assert all(low <= tick <= high for tick in ticks)


def test_a_scale_with_both_signs_shows_zero() -> None:
    assert 0.0 in value_ticks(-2.0, 3.0, Scale("symlog", 0.01), 6)


def test_steps_are_whole_numbers() -> None:
    assert linear_ticks(0.0, 3.0, 6, whole=True) == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.3, "0.3"), (0.1 + 0.2, "0.3"), (12_000.0, "12,000"), (1.5e6, "1.5M"), (2e-4, "2e-4"),
     (-0.01, "-0.01"), (2_500.5, "2,500.5")],
)  # fmt: skip
def test_numbers_on_axes_are_short(value: float, text: str) -> None:
    assert tick_text(value) == text


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_a_figure_for_a_paper_is_the_same_each_time(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"loss.{ending}"
    write_curves(path, spec(theme=PAPER), dpi=144)
    assert path.read_bytes() == curves_bytes(spec(theme=PAPER), ending, 144)
    if ending == "png":
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            assert picture.size == (600, 320)


def test_an_ending_that_is_no_figure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not say what kind of file"):
        write_curves(tmp_path / "loss.gif", spec())
    with pytest.raises(ConfigError, match="megapixels"):
        draw_curves(spec(width_px=100_000, height_px=100_000))


def test_a_logarithmic_board_with_marks_begins_empty() -> None:
    nothing = Curve("loss", np.empty(0, np.int64), np.empty(0))
    grown = Curve("loss", _STEPS, falling())
    for curve in (nothing, grown):
        assert draw_curves(spec(curve, log=True, marks=((50, "best"),))).shape == (160, 300, 4)
