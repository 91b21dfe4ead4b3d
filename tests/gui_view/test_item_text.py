import pytest

from explorer.gui.item_text import (
    date_text,
    moment_badges,
    one_line,
    score_text,
    shot_name,
    size_text,
    span_text,
    tooltip_text,
    video_text,
)
from explorer.segment_ids import segment_id


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


def shot(description, position=2, **changes):
    known = {"kind": "video", "name": "clip.mp4", "duration_s": 151.0, "start_s": 12.4, "end_s": 15.9, "n_shots": 12}
    return description(segment_id(7, position), **{**known, **changes})


def test_a_shot_says_when_it_is_and_which_of_how_many(description):
    item = shot(description)
    assert span_text(item) == "0:12–0:15"
    assert shot_name(item) == "clip.mp4 0:12"
    assert video_text(item) == "Shot 3 of 12, 0:12–0:15 of 2:31"
    assert video_text(item, whole=True) == "2:31 long, 12 shots"
    assert "Shot 3 of 12, 0:12–0:15 of 2:31" in tooltip_text(item, 0, 9, 0.5)
    assert "2:31 long, 12 shots" in tooltip_text(item, 0, 9, None)


def test_a_clip_of_one_shot_is_just_so_long(description):
    item = shot(description, 0, start_s=0.0, end_s=3.2, duration_s=3.2, n_shots=1)
    assert video_text(item) == video_text(item, whole=True) == "0:03 long"
    assert shot_name(item) == "clip.mp4"


def test_a_photo_and_a_video_that_was_not_read_say_nothing_of_time(description):
    assert video_text(description(1)) == span_text(description(1)) == ""
    assert moment_badges(description(1), whole=True) == moment_badges(None, whole=False) == ()
    unread = shot(description, 0, start_s=0.0, end_s=0.0, duration_s=0.0, n_shots=0)
    assert video_text(unread) == ""
    assert moment_badges(unread, whole=True) == moment_badges(unread, whole=False) == ("",)


def test_the_mark_of_a_video_has_shorter_forms(description):
    item = shot(description)
    assert moment_badges(item, whole=False) == ("0:12–0:15", "0:12", "")
    assert moment_badges(item, whole=True) == ("2:31", "")
    assert moment_badges(shot(description, end_s=12.8), whole=False) == ("0:12", "")
