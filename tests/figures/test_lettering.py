"""Lines of text: never wider than there is room, and nothing lost that there was room for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.figures.lettering import (
    one_line,
    reads_from_the_right,
    shorten,
    shorten_in_the_middle,
    width_mm,
    wrap,
)

WORDS = st.lists(st.text("abcWil .-é", min_size=1, max_size=30), min_size=1, max_size=30).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(WORDS, st.floats(8, 80), st.integers(1, 4))
def test_wrapped_lines_fit_and_say_the_beginning(text, room, most_lines):
    lines = wrap(text, 8.0, room, most_lines=most_lines)
    assert len(lines) <= most_lines
    assert all(width_mm(line, 8.0) <= room for line in lines)
    whole = one_line(text).replace(" ", "")
    said = "".join(lines).replace(" ", "")
    if lines and lines[-1].endswith("…"):
        assert whole.startswith(said[:-1])
    else:
        assert said == whole


@settings(deadline=None, max_examples=60)
@given(WORDS, st.floats(5, 80))
def test_shortened_texts_fit_and_are_as_long_as_they_can_be(text, room):
    text = one_line(text)
    short = shorten(text, 8.0, room)
    assert width_mm(short, 8.0) <= room
    assert text.startswith(short.removesuffix("…").rstrip())
    if short != text:
        n = len(short.removesuffix("…").rstrip())
        longer = next(text[:end] for end in range(n + 1, len(text) + 1) if text[:end].strip() != text[:n].strip())
        assert width_mm(longer.rstrip() + " …", 8.0) > room
    middle = shorten_in_the_middle(text, 8.0, room)
    assert width_mm(middle, 8.0) <= room or middle == "…"
    if "…" in middle:
        begin, _, end = middle.partition("…")
        assert text.startswith(begin)
        assert text.endswith(end)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a\nb\tc\x00d", "a b c d"),
        ("a\u202eb", "a b"),  # what turns the direction of all that follows
        ("half \ud800", "half ?"),
        ("👩\u200d🚀", "👩\u200d🚀"),
        ("  ", ""),
    ],
)
def test_one_line_has_only_letters_that_can_be_seen(given, expected):
    assert one_line(given) == expected


def test_direction_is_that_of_the_first_letter_with_one():
    assert reads_from_the_right("12, كلب dog")
    assert not reads_from_the_right("dog كلب")
    assert not reads_from_the_right("12")


def test_letters_of_all_scripts_have_a_width_without_a_warning():
    for text in ("dog", "日本語", "😀", "עברית", "\u200d", "\U0010ffff"):
        for bold in (True, False):
            assert width_mm(text, 8.0, bold) >= 0
    assert width_mm("", 8.0) == 0
    assert width_mm("dogs", 8.0) > width_mm("dog", 8.0)
    assert width_mm("dog", 16.0) == pytest.approx(2 * width_mm("dog", 8.0), rel=0.05)
