"""The three panes side by side: their widths, and which of the outer two are folded away."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSplitter, QSplitterHandle, QWidget

from explorer.gui.icons import hairline
from explorer.gui.library_panel import LibraryPanel
from explorer.gui.pages import Page
from explorer.gui.results_pane import ResultsPane
from explorer.settings import WindowSettings

if TYPE_CHECKING:  # the viewer comes after the first paint, and numpy with it
    from explorer.gui.viewer import Viewer

_GRASP_PX = 5
_VIEWER_LEAST_PX = 272


class FineHandle(QSplitterHandle):
    """Five pixels to grasp, one to see; the accent colour under the pointer."""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        palette = self.palette()
        colour = palette.color(QPalette.ColorRole.Highlight) if self.underMouse() else hairline(palette)
        painter.fillRect(QRectF(self.width() // 2, 0, 1, self.height()), colour)
        painter.end()


class FineSplitter(QSplitter):
    """Parts beside each other, none of which can be folded away by its handle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setHandleWidth(_GRASP_PX)
        self.setChildrenCollapsible(False)

    def createHandle(self) -> QSplitterHandle:
        """Qt asks for one between two parts."""
        return FineHandle(self.orientation(), self)


class Panes(FineSplitter):
    """Library, results, viewer.

    The viewer is seen if it is wanted and there are results; with nothing to view the page gets its room.

    Signals:
        folded(bool, bool): whether the library is seen, and whether the viewer is wanted.
        viewer_shown(): the viewer came into sight.
    """

    folded = Signal(bool, bool)
    viewer_shown = Signal()

    def __init__(self, panel: LibraryPanel, pane: ResultsPane, left: WindowSettings) -> None:
        super().__init__()
        self.panel, self.pane = panel, pane
        self.viewer: Viewer | None = None
        self._widths = left.pane_widths_px
        self.viewer_wanted = left.viewer_shown
        for number, part in enumerate((panel, pane)):
            self.addWidget(part)
            self.setStretchFactor(number, number)
        self.setSizes(list(left.pane_widths_px))
        panel.setVisible(left.library_shown)

    def add_viewer(self, viewer: "Viewer") -> None:
        """Take the viewer in, folded until there is something to view."""
        viewer.setMinimumWidth(_VIEWER_LEAST_PX)
        viewer.hide()
        viewer.setFocusProxy(None)  # type: ignore[arg-type]  # with one, Tab went from the grid to the picture, past the buttons above it
        self.viewer = viewer
        self.addWidget(viewer)
        self._place_viewer()

    def widths_px(self) -> tuple[int, ...]:
        """The widths; of a folded pane, the one it had before."""
        sizes = [*self.sizes(), 0][:3]
        return tuple(now or then for now, then in zip(sizes, self._widths, strict=True))

    @property
    def library_shown(self) -> bool:
        """Whether the left pane is unfolded."""
        return not self.panel.isHidden()

    @Slot()
    def fold_library(self) -> None:
        """Fold or unfold the left pane."""
        self._show(self.panel, self.panel.isHidden())
        self.folded.emit(self.library_shown, self.viewer_wanted)

    @Slot()
    def fold_viewer(self) -> None:
        """Fold or unfold the right pane."""
        self._want_viewer(not self.viewer_wanted)

    @Slot()
    def show_viewer(self) -> None:
        """Unfold the right pane."""
        self._want_viewer(True)

    @Slot()
    def close_viewer(self) -> None:
        """Fold the right pane and go back to the results."""
        self._want_viewer(False)
        self.pane.focus_results()

    @Slot(object)
    def show_page(self, page: Page | None) -> None:
        """Results, or why there are none; then there is nothing to view either."""
        self.pane.show_page(page)
        self._place_viewer()

    def _want_viewer(self, wanted: bool) -> None:
        self.viewer_wanted = wanted
        self._place_viewer()

    def _place_viewer(self) -> None:
        seen = self.viewer_wanted and self.pane.shows_results
        if self.viewer is not None and seen is self.viewer.isHidden():
            self._show(self.viewer, seen)
            if seen:
                self.viewer_shown.emit()
        self.folded.emit(self.library_shown, self.viewer_wanted)

    def _show(self, part: QWidget, shown: bool) -> None:
        """Fold or unfold an outer pane with the width it had; the results take or give the room."""
        self._widths = self.widths_px()
        part.setVisible(shown)
        left = self._widths[0] if self.library_shown else 0
        right = self._widths[2] if self.viewer is not None and not self.viewer.isHidden() else 0
        self.setSizes([left, max(1, self.width() - left - right), right])
