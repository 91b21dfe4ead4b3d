"""Where the numbers of boxes are written: each at its own box, and none over another as long as there is room."""

from collections.abc import Sequence

Corners = tuple[float, float, float, float]
_STEPS = 6


def place_badges(
    boxes: Sequence[Corners], sizes: Sequence[tuple[float, float]], view: Corners
) -> tuple[tuple[float, float], ...]:
    """Upper left corners of the badges, in the boxes' own unit.

    A badge stands in the upper left corner of its box or, where another one is there already, further along the edges.
    Earlier ones choose first; one that finds no room lies where it covers least of others.

    Args:
        boxes: xyxy of each, in the order of their numbers.
        sizes: width and height of each badge.
        view: xyxy; badges are moved into it.
    """
    placed: list[Corners] = []
    for box, size in zip(boxes, sizes, strict=True):
        best, least = None, float("inf")
        for x, y in _candidates(box, size):
            spot = _moved_into((x, y, x + size[0], y + size[1]), view)
            covered = sum(_shared(spot, other) for other in placed)
            if covered < least:
                best, least = spot, covered
            if not covered:
                break
        assert best is not None
        placed.append(best)
    return tuple(spot[:2] for spot in placed)


def _candidates(box: Corners, size: tuple[float, float]) -> list[tuple[float, float]]:
    """Along the upper edge, then the left, the right and the lower one; all of them inside of the box."""
    left, top = box[0], box[1]
    right, bottom = max(left, box[2] - size[0]), max(top, box[3] - size[1])
    steps = [step / _STEPS for step in range(_STEPS + 1)]
    across = [left + (right - left) * step for step in steps]
    down = [top + (bottom - top) * step for step in steps]
    return [
        *((x, top) for x in across), *((left, y) for y in down), *((right, y) for y in down),
        *((x, bottom) for x in across),
    ]


def _moved_into(spot: Corners, view: Corners) -> Corners:
    width, height = spot[2] - spot[0], spot[3] - spot[1]
    x = max(view[0], min(spot[0], view[2] - width))
    y = max(view[1], min(spot[1], view[3] - height))
    return x, y, x + width, y + height


def _shared(first: Corners, second: Corners) -> float:
    """The area that both cover."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    return width * height if width > 0 and height > 0 else 0.0
