"""The words of the window that depend on numbers; said the same way everywhere."""

_MINUTE_S = 60
_HOUR_S = 3600


def count(n: int, one: str, many: str = "") -> str:
    """``"1 photo"``, ``"7,000 photos"``."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


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
