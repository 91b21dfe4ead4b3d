"""What stands above the pictures: the query - its words with their weights, or its picture - and what was asked."""

from dataclasses import dataclass

import numpy as np

from explorer.evidence import Evidence, WordWeights
from explorer.figures.content import FigureContent
from explorer.figures.legends import number
from explorer.figures.lettering import (
    ELLIPSIS,
    line_height_mm,
    one_line,
    reads_from_the_right,
    shorten,
    width_mm,
    wrap,
)
from explorer.figures.page import Box, Page

QUERY_PT = 8.0
NOTE_PT = 6.5
WEIGHT_PT = 6.0

GREY = (0.35, 0.35, 0.35)
_MOST_QUERY_LINES = 3
_MOST_WORD_LINES = 8
_MOST_NOTE_LINES = 3
_QUERY_PICTURE_MM = 16.0
_GAP_MM = 2.0
_FOR = np.array([230, 159, 0]) / 255
_AGAINST = np.array([86, 180, 233]) / 255
"""Okabe and Ito's orange and sky blue, which differ for every kind of colour vision."""


def draw_heading(
    page: Page, content: FigureContent, box: Box, notes: tuple[str, ...], *, words: WordWeights | None,
    whose: str,
) -> float:
    """Write the query and the notes below it into a box of this place and width; gives the lower edge of all.

    ``whose``: what the words' weights are about.
    """
    scale = page.scale
    x, y, width, bottom = box.x, box.y, box.width, box.y
    if content.query_picture is not None:
        side = min(_QUERY_PICTURE_MM * scale, width / 3)
        height, across = content.query_picture.shape[:2]
        frame = Box(x, y, side, side).fitted(across / height)
        frame = frame._replace(x=x, y=y)
        page.image(frame, content.query_picture, name="query-picture")
        x, width = frame.right + _GAP_MM * scale, width - frame.width - _GAP_MM * scale
        bottom = frame.bottom
    if words is not None and words.words:
        y = _draw_words(page, words, Box(x, y, width, 0.0), whose)
    elif content.query:
        y = _draw_lines(page, f"“{one_line(content.query)}”", Box(x, y, width, 0.0), _MOST_QUERY_LINES, query=True)
    elif content.query_picture is not None:
        y = _draw_lines(page, "Query", Box(x, y, width, 0.0), 1, query=True)
    if content.not_query:
        y = _draw_lines(page, f"not “{one_line(content.not_query)}”", Box(x, y, width, 0.0), 2, query=False)
    note = " · ".join(filter(None, notes))
    if note:
        y = _draw_lines(page, note, Box(x, y, width, 0.0), _MOST_NOTE_LINES, query=False)
    return max(y, bottom) + (_GAP_MM * scale if max(y, bottom) > box.y else 0.0)


def weighed_by(evidence: Evidence | None) -> str:
    """What the weights of words are about: the score, or what codes, whose bits a word seldom flips, come from."""
    return "the score" if evidence is None or evidence.bits is None else "the similarity before rounding to bits"


def _draw_lines(page: Page, text: str, box: Box, most_lines: int, *, query: bool) -> float:
    size = (QUERY_PT if query else NOTE_PT) * page.scale
    line_height = line_height_mm(size)
    lines = wrap(text, size, box.width, most_lines=most_lines, bold=query)
    for place, line in enumerate(lines):
        page.text(
            box.x, box.y + (place + 0.8) * line_height, line, size, bold=query, colour="black" if query else GREY,
            name=f"{'query' if query else 'note'}-{place}",
        )  # fmt: skip
    return box.y + len(lines) * line_height


# --- words -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Chip:
    """A word on its ground; ``x`` from the beginning of its line, ``line`` from 0."""

    place: int
    text: str
    weight: str
    x: float
    line: int
    width: float


def _draw_words(page: Page, words: WordWeights, box: Box, whose: str) -> float:
    """Each word on a ground the more tinted the more the score falls without it, and by how much it falls below it."""
    scale = page.scale
    size, weight_size = QUERY_PT * scale, WEIGHT_PT * scale
    high, low = line_height_mm(size) * 1.15, line_height_mm(weight_size)
    step = high + low + 0.6 * scale
    chips, n_left_out = _chips(words, box.width, scale)
    from_the_right = reads_from_the_right(" ".join(words.words))
    strongest = max(float(np.abs(np.nan_to_num(words.weights)).max()), 1e-9)
    for chip in chips:
        x = box.x + (box.width - chip.x - chip.width if from_the_right else chip.x)
        ground = Box(x, box.y + chip.line * step, chip.width, high)
        tint = _tint(float(np.nan_to_num(words.weights[chip.place])) / strongest)
        page.rectangle(ground, face=tint, name=f"word{chip.place}-ground")
        middle = ground.x + ground.width / 2
        page.text(middle, ground.y + 0.72 * high, chip.text, size, side="center", name=f"word{chip.place}")
        page.text(
            middle, ground.bottom + 0.8 * low, chip.weight, weight_size, colour=GREY, side="center",
            name=f"word{chip.place}-weight",
        )  # fmt: skip
    bottom = box.y + (max((chip.line for chip in chips), default=-1) + 1) * step
    explained = f"Below each word: how far {whose} falls without it."
    if n_left_out:
        explained += f" {n_left_out} more words are not shown."
    return _draw_lines(page, explained, Box(box.x, bottom + 0.3 * scale, box.width, 0.0), 2, query=False)


def _chips(words: WordWeights, room: float, scale: float) -> tuple[list[_Chip], int]:
    """Where each word goes, and how many words found no place."""
    gap, inset = 0.7 * scale, 0.5 * scale
    chips: list[_Chip] = []
    x, line = 0.0, 0
    for place, (word, weight) in enumerate(zip(words.words, words.weights.tolist(), strict=True)):
        text = shorten(one_line(word) or ELLIPSIS.strip(), QUERY_PT * scale, room - 2 * inset)
        value = number(weight, 2, plus="+")
        width = max(width_mm(text, QUERY_PT * scale), width_mm(value, WEIGHT_PT * scale)) + 2 * inset
        if x and x + width > room:
            x, line = 0.0, line + 1
            if line == _MOST_WORD_LINES:
                return chips, sum(len(rest.split()) for rest in words.words[place:])
        chips.append(_Chip(place, text, value, x, line, width))
        x += width + gap
    return chips, 0


def _tint(strength: float) -> tuple[float, float, float]:
    """White for nothing, orange for what speaks for the picture, blue for what speaks against it; in [-1, 1]."""
    full = _FOR if strength >= 0 else _AGAINST
    share = min(abs(strength), 1.0) * 0.85
    red, green, blue = (1 - share + share * full).tolist()
    return red, green, blue
