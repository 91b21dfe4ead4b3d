"""Where the cells of the results grid lie: arithmetic only, no state of any item, so that ten million cost nothing."""

from dataclasses import dataclass
from functools import cached_property

MAX_SCROLL = 1 << 30
"""A scroll bar counts in 32 bits; taller contents are scrolled in steps of several pixels."""

CELL_ASPECT = 0.84
"""Height of a cell to its width."""


@dataclass(frozen=True)
class CellLayout:
    """Equal cells in rows that fill the width.

    Attributes:
        n_items: how many cells there are.
        width_px: width of the viewport.
        wanted_px: the smallest width of a cell; cells grow until the row is full.
        gap_px: between cells, and around all of them.
    """

    n_items: int
    width_px: int
    wanted_px: int
    gap_px: int = 8

    @cached_property
    def n_columns(self) -> int:
        """Cells in a full row."""
        return max(1, (self.width_px - self.gap_px) // (self.wanted_px + self.gap_px))

    @cached_property
    def cell_width_px(self) -> int:
        """Width of one cell."""
        columns = self.n_columns
        return max(1, (self.width_px - self.gap_px * (columns + 1)) // columns)

    @cached_property
    def cell_height_px(self) -> int:
        """Height of one cell: between a landscape photo's and a portrait's, so that neither gets too small."""
        return max(1, round(self.cell_width_px * CELL_ASPECT))

    @cached_property
    def pitch_px(self) -> int:
        """From one row of cells to the next."""
        return self.cell_height_px + self.gap_px

    @cached_property
    def n_rows(self) -> int:
        """Rows of cells."""
        return -(-self.n_items // self.n_columns)

    @cached_property
    def height_px(self) -> int:
        """Height of everything; a Python integer, it may pass 32 bits."""
        return self.n_rows * self.pitch_px + self.gap_px if self.n_items else 0

    @cached_property
    def scroll_unit_px(self) -> int:
        """Pixels that one step of the scroll bar stands for; 1 but for enormous contents."""
        return 1 + self.height_px // MAX_SCROLL

    @cached_property
    def left_px(self) -> int:
        """Left of the first column: what a division leaves over is shared by both sides."""
        spare = self.width_px - self.gap_px - self.n_columns * (self.cell_width_px + self.gap_px)
        return self.gap_px + max(0, spare) // 2

    def cell_origin(self, index: int) -> tuple[int, int]:
        """Left and top of a cell, from the top of the contents."""
        row, column = divmod(index, self.n_columns)
        across = self.cell_width_px + self.gap_px
        return self.left_px + column * across, self.gap_px + row * self.pitch_px

    def index_at(self, x_px: int, y_px: int) -> int | None:
        """Which cell is at this place of the contents; none between cells and after the last."""
        left, top = self.cell_origin(0)
        column, x_inside = divmod(x_px - left, self.cell_width_px + self.gap_px)
        row, y_inside = divmod(y_px - top, self.pitch_px)
        if not (0 <= column < self.n_columns and row >= 0):
            return None
        if x_inside >= self.cell_width_px or y_inside >= self.cell_height_px:
            return None
        index = row * self.n_columns + column
        return index if index < self.n_items else None

    def visible(self, top_px: int, view_px: int, *, margin_rows: int = 0) -> range:
        """Cells that a view of ``view_px`` height sees at ``top_px``, in whole rows."""
        first = max(0, (top_px - self.gap_px) // self.pitch_px - margin_rows)
        last = max(first, (top_px + view_px - 1) // self.pitch_px + 1 + margin_rows)
        return range(min(self.n_items, first * self.n_columns), min(self.n_items, last * self.n_columns))
