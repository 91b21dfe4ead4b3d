"""The words of the window that depend on numbers; said the same way everywhere."""

from explorer.engine.clock import clock

__all__ = ["clock", "count", "duration", "holdings", "milliseconds", "noun_of", "quoted"]

_MINUTE_S = 60
_HOUR_S = 3600


def count(n: int, one: str, many: str = "") -> str:
    """``"1 photo"``, ``"7,000 photos"``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def noun_of(n_items: int, n_videos: int) -> str:
    """What one of so many items is called, of which so many are videos: ``"photo"``, ``"video"``, ``"file"``."""
    return "photo" if not n_videos else "video" if n_videos >= n_items else "file"


def holdings(n_items: int, n_videos: int) -> str:
    """``"7,000 photos"``, ``"25 videos"``, ``"300 photos, 25 videos"``."""
    if 0 < n_videos < n_items:
        return f"{count(n_items - n_videos, 'photo')}, {count(n_videos, 'video')}"
    return count(n_items, noun_of(n_items, n_videos))


def duration(seconds: float) -> str:
    """A remaining time as a person says it: ``"a few seconds"``, ``"40 s"``, ``"3 min"``, ``"2 h 10 min"``."""
    if seconds < 5:
        return "a few seconds"
    if seconds < 2 * _MINUTE_S:
        return f"{round(seconds)} s"
    if seconds < 2 * _HOUR_S:
        return f"{round(seconds / _MINUTE_S)} min"
    hours, rest = divmod(round(seconds / _MINUTE_S), 60)
    return f"{hours} h {rest} min"


def milliseconds(ms: float) -> str:
    """``"41 ms"``, ``"1.3 s"``."""
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.1f} s"


def quoted(text: str, longest: int = 40) -> str:
    """A name inside a sentence, shortened in the middle of long ones."""
    flat = " ".join(text.split())
    if len(flat) > longest:
        flat = f"{flat[: longest - 13]}…{flat[-12:]}"
    return f"“{flat}”"
