import pytest

from explorer.gui.item_text import date_text, one_line, score_text, size_text, tooltip_text


@pytest.mark.parametrize(("score", "text"), [
    (0.913, ".91"), (0.0, ".00"), (1.0, "1.00"), (0.996, "1.00"), (-0.074, "−.07"), (-0.001, ".00"), (-1.5, "−1.50"),
    (12.345, "12.35"), (float("nan"), "–"), (float("inf"), "–"),
])
def test_scores_have_two_decimals_and_no_leading_zero(score, text):
    assert score_text(score) == text


def test_the_moment_of_capture_comes_before_that_of_the_file(description):
    assert date_text(description(1)) == "14 Jul 2019, 16:02"
    assert date_text(description(1, captured_at="someday")) == "someday"
    assert "2017" in date_text(description(1, captured_at=""))
    assert date_text(description(1, captured_at="", modified_at=0.0)) == ""


def test_size_says_only_what_is_known(description):
    assert size_text(description(1)) == "400 × 300 px · 153 kB"
    assert size_text(description(1, size_bytes=2_340_000)) == "400 × 300 px · 2.3 MB"
    assert size_text(description(1, width_px=0, size_bytes=0)) == ""


def test_names_stay_on_one_line():
    assert one_line("a\nb\x07c d") == "a␤b�c d"


def test_the_tool_tip_says_the_score_and_of_codes_how_many_bits_differ(description):
    item = description(1, name="a<b>.jpg")
    assert tooltip_text(item, 2, 204, 0.8125).endswith("3 of 204 · score .81</p>")
    assert tooltip_text(item, 2, 204, 0.8125, 64).endswith("3 of 204 · score .81 · 6 of 64 bits differ</p>")
    assert tooltip_text(item, 2, 204, None, 64).endswith("3 of 204</p>")
    assert "<b>a&lt;b&gt;.jpg</b>" in tooltip_text(item, 2, 204, None)
