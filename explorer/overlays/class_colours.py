"""Colours for classes that stay apart for people who see red and green alike.

The first seven are Okabe and Ito's (2008) without black, blue first because it stands out from magma; the next are from
Paul Tol's "muted" scheme (2021). More than seven hues cannot all be told apart without red-green vision, so colours are
given out within one picture: a class keeps its usual colour from picture to picture unless another class of the same
picture, larger in it, has it already.
"""

from collections.abc import Iterable

PALETTE: tuple[tuple[int, int, int], ...] = (
    (86, 180, 233), (230, 159, 0), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0), (204, 121, 167),
    (51, 34, 136), (136, 34, 85), (153, 153, 51), (68, 170, 153), (221, 204, 119), (204, 102, 119), (221, 221, 221),
)
"""RGB; the first :data:`N_SAFE` differ for every kind of colour vision."""

N_SAFE = 7


def class_colours(class_ids: Iterable[int]) -> dict[int, tuple[int, int, int]]:
    """A colour for each class of one picture, the most important class first.

    No two classes share a colour while there are at most ``len(PALETTE)`` of them.
    """
    given: dict[int, tuple[int, int, int]] = {}
    free = list(PALETTE)
    for class_id in class_ids:
        if class_id in given:
            continue
        if not free:
            free = list(PALETTE)
        usual = PALETTE[(class_id - 1) % N_SAFE]
        colour = usual if usual in free else free[0]
        free.remove(colour)
        given[class_id] = colour
    return given
