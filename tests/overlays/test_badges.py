"""Numbers of boxes: in sight, at their boxes, and not over each other while there is room."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.overlays import place_badges

VIEW = (0.0, 0.0, 400.0, 300.0)
SIZE = (18.0, 14.0)
corner = st.tuples(st.floats(0, 380), st.floats(0, 280))
box = st.tuples(corner, st.floats(4, 300), st.floats(4, 300)).map(
    lambda b: (b[0][0], b[0][1], min(400.0, b[0][0] + b[1]), min(300.0, b[0][1] + b[2]))
)


def _overlap(first, second):
    return abs(first[0] - second[0]) < SIZE[0] - 1e-6 and abs(first[1] - second[1]) < SIZE[1] - 1e-6


@given(st.lists(box, max_size=40))
def test_every_badge_is_in_the_view_and_touches_its_box(boxes):
    spots = place_badges(boxes, [SIZE] * len(boxes), VIEW)
    assert len(spots) == len(boxes)
    for (x, y), (left, top, right, bottom) in zip(spots, boxes, strict=True):
        assert 0 <= x <= 400 - SIZE[0]
        assert 0 <= y <= 300 - SIZE[1]
        assert x <= right
        assert y <= bottom
        assert x + SIZE[0] >= left
        assert y + SIZE[1] >= top


@given(box)
def test_one_alone_stands_in_the_corner(only):
    [(x, y)] = place_badges([only], [SIZE], VIEW)
    assert (x, y) == (min(only[0], 400 - SIZE[0]), min(only[1], 300 - SIZE[1]))


@pytest.mark.parametrize("n", [2, 7, 20])
def test_the_same_box_many_times_has_room_for_many_numbers(n):
    spots = place_badges([(50.0, 50.0, 350.0, 250.0)] * n, [SIZE] * n, VIEW)
    assert spots[0] == (50.0, 50.0)
    assert not any(_overlap(a, b) for a, b in itertools.combinations(spots, 2))


def test_where_there_is_no_room_the_first_keep_their_places():
    spots = place_badges([(10.0, 10.0, 12.0, 12.0)] * 5, [SIZE] * 5, VIEW)
    assert set(spots) == {(10.0, 10.0)}
