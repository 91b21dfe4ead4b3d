"""How an item's score, size and date are written, in one way everywhere."""

import html
import math
from datetime import datetime

from PySide6.QtCore import QDate, QDateTime, QLocale, QTime

from explorer.gui.phrases import clock, count
from explorer.protocol import ItemDescription
from explorer.segment_ids import position_of


def score_text(score: float) -> str:
    """Two decimals without the leading zero: ``.91``, ``−.07``, ``1.00``; a dash where there is no number."""
    if not math.isfinite(score):
        return "–"
    digits = f"{abs(score):.2f}"
    sign = "−" if score < 0 and digits != "0.00" else ""
    return sign + (digits[1:] if digits.startswith("0.") else digits)


def date_text(item: ItemDescription) -> str:
    """When the picture was taken, or else when its file was last changed; in local time."""
    if item.captured_at:
        try:
            moment = datetime.fromisoformat(item.captured_at)
        except ValueError:
            return item.captured_at
    elif item.modified_at > 0:
        moment = datetime.fromtimestamp(item.modified_at)  # local time is what the person's clock showed
    else:
        return ""
    day = QDate(moment.year, moment.month, moment.day)
    return QLocale().toString(QDateTime(day, QTime(moment.hour, moment.minute)), "d MMM yyyy, HH:mm")


def size_text(item: ItemDescription) -> str:
    """Pixels and bytes: ``640 × 480 px · 154 kB``."""
    parts = []
    if item.width_px and item.height_px:
        parts.append(f"{item.width_px} × {item.height_px} px")
    if item.size_bytes:
        form = QLocale.DataSizeFormat.DataSizeSIFormat
        parts.append(QLocale().formattedDataSize(item.size_bytes, 0 if item.size_bytes < 1_000_000 else 1, form))
    return " · ".join(parts)


def is_video(item: ItemDescription) -> bool:
    """Whether it is a video or a shot of one."""
    return item.kind == "video"


def span_text(item: ItemDescription) -> str:
    """When in its video a shot is: ``0:12–0:15``; ``0:12`` if it is over within that second; nothing of a photo."""
    if item.end_s <= item.start_s:
        return ""
    start, end = clock(item.start_s), clock(item.end_s)
    return start if start == end else f"{start}–{end}"


def shot_name(item: ItemDescription) -> str:
    """What an item or a shot is called where there is little room: ``clip.mp4 0:12``."""
    return f"{item.name} {clock(item.start_s)}" if is_video(item) and item.n_shots > 1 else item.name


def video_text(item: ItemDescription, *, whole: bool = False) -> str:
    """``Shot 3 of 12, 0:12–0:15 of 2:31``; of the ``whole`` video, or of one that is a single shot, ``2:31 long``."""
    if not is_video(item) or not item.duration_s:
        return ""
    long = f"{clock(item.duration_s)} long"
    if item.n_shots < 2 or not span_text(item):
        return long
    if whole:
        return f"{long}, {count(item.n_shots, 'shot')}"
    return f"Shot {position_of(item.item_id) + 1:,} of {item.n_shots:,}, {span_text(item)} of {clock(item.duration_s)}"


def moment_badges(item: ItemDescription | None, *, whole: bool) -> tuple[str, ...]:
    """What the mark of a video may say, the longest first; nothing of a photo. ``whole``: of the video, no shot."""
    if item is None or not is_video(item):
        return ()
    if whole or not span_text(item):
        return (clock(item.duration_s), "") if item.duration_s else ("",)
    return tuple(dict.fromkeys((span_text(item), clock(item.start_s), "")))


def one_line(name: str) -> str:
    """A name that may hold line breaks and control characters, on one line."""
    return "".join(letter if letter.isprintable() else "␤" if letter == "\n" else "�" for letter in name)


def differing_text(score: float, n_bits: int) -> str:
    """How many bits of two codes differ whose score this is; nothing where there are no codes (``n_bits`` 0)."""
    return f"{round((1 - score) * n_bits / 2)} of {n_bits} bits differ" if n_bits and math.isfinite(score) else ""


def tooltip_text(item: ItemDescription, row: int, n_items: int, score: float | None, n_bits: int = 0) -> str:
    """Name and date, then rank and score, as rich text with everything that came from outside escaped.

    ``n_bits``: of the codes that the score compares; 0 where it compares embeddings.
    """
    locale = QLocale()
    place = f"{locale.toString(row + 1)} of {locale.toString(n_items)}"
    facts = (video_text(item, whole=score is None), date_text(item), size_text(item), item.error)
    lines = [f"<b>{html.escape(one_line(item.name))}</b>", *(html.escape(line) for line in facts if line)]
    told = [place]
    if score is not None:
        told += [f"score {score_text(score)}", differing_text(score, n_bits)]
    lines.append(" · ".join(filter(None, told)))
    return "<p style='white-space:pre'>" + "<br>".join(lines) + "</p>"
