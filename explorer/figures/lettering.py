"""Text in figures: which fonts, how wide a line is, and where it breaks; lengths in millimetres, sizes in points."""

import functools
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import matplotlib
from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

MM_PER_POINT = 25.4 / 72
ELLIPSIS = " …"

_FIRST = "DejaVu Sans"
_WIDER = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans JP", "Noto Sans SC", "Source Han Sans", "WenQuanYi Zen Hei",
    "Hiragino Sans", "PingFang SC", "Yu Gothic", "Microsoft YaHei", "Malgun Gothic", "Noto Sans Devanagari",
    "Nirmala UI", "Arial Unicode MS", "Noto Sans Thai", "Noto Emoji", "Segoe UI Symbol", "Symbola",
)
_LAST = "Last Resort High-Efficiency"
"""Has a box for every letter there is, so that none is without a glyph."""

_SETS_ALL_SCRIPTS = (3, 11)
_MOST_LETTERS = 20_000
_WORD = re.compile(r"\S+\s*")


@functools.cache
def font_families() -> tuple[str, ...]:
    """The families text is set in, in the order in which they are asked for a letter.

    DejaVu Sans comes with matplotlib and has Latin, Greek, Cyrillic, Hebrew and Arabic; others as this machine has
    them.
    """
    here = {font.name for font in font_manager.fontManager.ttflist}
    return (_FIRST, *(family for family in _WIDER if family in here), *((_LAST,) if _LAST in here else ()))


def properties(text: str, size_pt: float, *, bold: bool = False) -> FontProperties:
    """The font of a text; bold as far as the first family goes, because others need not have it."""
    if bold and all(ord(letter) in _first_letters() for letter in text):
        return FontProperties(family=_FIRST, size=size_pt, weight="bold")
    return FontProperties(family=list(font_families()), size=size_pt)


@functools.cache
def _first_letters() -> frozenset[int]:
    """Letters that the first family has."""
    path = font_manager.findfont(FontProperties(family=_FIRST, weight="bold"))
    return frozenset(font_manager.get_font(path).get_charmap())


@contextmanager
def letters_without_glyphs() -> Iterator[None]:
    """Older matplotlib warns of letters and scripts that it cannot set; those show as boxes, and nobody need be warned.

    Filters of warnings are the whole process's: a version that does not need them is left alone.
    """
    if matplotlib.__version_info__ >= _SETS_ALL_SCRIPTS and _LAST in font_families():
        yield
        return
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        warnings.filterwarnings("ignore", message="Matplotlib currently does not support .* natively")
        yield


@functools.lru_cache(maxsize=4096)
def width_mm(text: str, size_pt: float, bold: bool = False) -> float:
    """How wide a line of text is."""
    if not text:
        return 0.0
    with letters_without_glyphs():
        width, _, _ = TextToPath().get_text_width_height_descent(text, properties(text, size_pt, bold=bold), False)
    return float(width) * MM_PER_POINT


def line_height_mm(size_pt: float) -> float:
    """From one line to the next."""
    return 1.25 * size_pt * MM_PER_POINT


def one_line(text: str) -> str:
    """The text without line breaks and control characters; broken halves of letters become the sign for that."""
    whole = text[:_MOST_LETTERS].encode("utf-8", "replace").decode("utf-8")
    return " ".join("".join(letter if _can_be_written(letter) else " " for letter in whole).split())


def _can_be_written(letter: str) -> bool:
    # Joiners have no picture of their own, but make words and emoji what they are.
    return letter.isprintable() or letter in "\u200c\u200d"


def reads_from_the_right(text: str) -> bool:
    """Whether the first letter that has a direction runs from right to left."""
    kinds = (unicodedata.bidirectional(letter) for letter in text)
    return next((kind in ("R", "AL") for kind in kinds if kind in ("L", "R", "AL")), False)


def wrap(text: str, size_pt: float, room_mm: float, *, most_lines: int, bold: bool = False) -> list[str]:
    """Break a text into lines that are no wider than there is room; what is beyond the last becomes an ellipsis."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(one_line(text), size_pt, room_mm, bold):
        if line and width_mm((line + piece).rstrip(), size_pt, bold) > room_mm:
            lines.append(line.rstrip())
            line = ""
            if len(lines) == most_lines:
                return [*lines[:-1], shorten(lines[-1] + ELLIPSIS, size_pt, room_mm, bold=bold)]
        line += piece
    return [*lines, line.rstrip()] if line else lines


def shorten(text: str, size_pt: float, room_mm: float, *, bold: bool = False) -> str:
    """The text, or as much of its beginning as there is room for, with an ellipsis."""
    if width_mm(text, size_pt, bold) <= room_mm:
        return text
    kept = text.removesuffix(ELLIPSIS)
    n = _longest(lambda n: width_mm(kept[:n].rstrip() + ELLIPSIS, size_pt, bold) <= room_mm, len(kept))
    return kept[:n].rstrip() + ELLIPSIS if n else ELLIPSIS.strip()


def shorten_in_the_middle(text: str, size_pt: float, room_mm: float) -> str:
    """As :func:`shorten`, but both ends stay: of file names the ends differ."""
    if width_mm(text, size_pt) <= room_mm:
        return text

    def cut(n: int) -> str:
        return text[: (n + 1) // 2] + "…" + text[len(text) - n // 2 :]

    return cut(_longest(lambda n: width_mm(cut(n), size_pt) <= room_mm, len(text) - 1))


def _pieces(text: str, size_pt: float, room_mm: float, bold: bool) -> Iterator[str]:
    """Words with the blank behind them; words wider than a line in parts."""
    for word in _WORD.findall(text):
        rest = word
        while len(rest.rstrip()) > 1 and width_mm(rest.rstrip(), size_pt, bold) > room_mm:
            n = max(1, _longest(lambda n: width_mm(rest[:n], size_pt, bold) <= room_mm, min(len(rest), 400)))  # noqa: B023
            yield rest[:n]
            rest = rest[n:]
        if rest:
            yield rest


def _longest(fits: Callable[[int], bool], n_most: int) -> int:
    """The largest n up to ``n_most`` that fits, 0 if none does; what is shorter than something that fits, fits."""
    low, high = 0, n_most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
