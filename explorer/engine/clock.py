"""How a place in a video is written."""

_MINUTE_S = 60


def clock(seconds: float) -> str:
    """``"0:07"``, ``"1:02:03"``; whole seconds, as players count them."""
    minutes, rest = divmod(int(max(0.0, seconds)), _MINUTE_S)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
