import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.gui.results_grid_layout import MAX_SCROLL, CellLayout

layouts = st.builds(
    CellLayout, n_items=st.integers(1, 10**8), width_px=st.integers(1, 4000), wanted_px=st.integers(20, 500)
)


@given(layouts, st.data())
def test_the_middle_of_every_cell_is_that_cell(layout, data):
    index = data.draw(st.integers(0, layout.n_items - 1))
    left, top = layout.cell_origin(index)
    x, y = left + layout.cell_width_px // 2, top + layout.cell_height_px // 2
    assert layout.index_at(x, y) == index


@given(layouts, st.data())
def test_places_between_cells_belong_to_none(layout, data):
    index = data.draw(st.integers(0, layout.n_items - 1))
    left, top = layout.cell_origin(index)
    assert layout.index_at(left - 1, top + 1) is None
    assert layout.index_at(left + 1, top - 1) is None
    assert layout.index_at(left + layout.cell_width_px, top) is None


@given(layouts, st.integers(0, 10**9), st.integers(1, 3000))
def test_visible_cells_are_exactly_those_that_meet_the_view(layout, top_px, view_px):
    top_px = min(top_px, max(0, layout.height_px - view_px))
    seen = layout.visible(top_px, view_px)
    around = range(max(0, seen.start - 40), min(layout.n_items, seen.stop + 40))
    for index in around:
        top = layout.cell_origin(index)[1]
        if top < top_px + view_px and top + layout.cell_height_px > top_px:
            assert index in seen
        elif index in seen:
            # Whole rows, and a row counts from the gap above it.
            assert top - layout.gap_px - layout.pitch_px < top_px + view_px
            assert top + layout.pitch_px >= top_px


@given(layouts)
def test_rows_fill_the_width(layout):
    used = layout.n_columns * (layout.cell_width_px + layout.gap_px) + layout.gap_px
    assert used <= max(layout.width_px, 2 * layout.gap_px + 1)
    assert layout.width_px - used < layout.n_columns + 2 * layout.gap_px


@pytest.mark.parametrize(("n_items", "width"), [(10_000_000, 300), (2_000_000_000, 300), (10_000_000, 1600)])
def test_the_scroll_bar_never_overflows(n_items, width):
    layout = CellLayout(n_items, width, 280)
    assert layout.height_px // layout.scroll_unit_px <= MAX_SCROLL < 2**31


def test_one_column_of_ten_million_cells_is_taller_than_a_scroll_bar_counts():
    # The case that the scroll unit is for.
    assert CellLayout(10_000_000, 300, 280).height_px > 2**31
    assert CellLayout(10_000_000, 300, 280).scroll_unit_px > 1
    assert CellLayout(1_000_000, 300, 280).scroll_unit_px == 1


def test_nothing_has_no_height():
    assert CellLayout(0, 500, 100).height_px == 0
    assert list(CellLayout(0, 500, 100).visible(0, 500)) == []
