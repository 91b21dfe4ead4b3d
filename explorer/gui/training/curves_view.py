"""The curves of a run as it goes: losses above, what the validation split says below, then the learning rate."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QPalette, QShowEvent
from PySide6.QtWidgets import QFileDialog, QVBoxLayout, QWidget

from explorer.gui.icons import hairline, quiet_text
from explorer.gui.training.curve_artist import CurveArtist, Drawn, MakeSpec
from explorer.gui.training.curve_controls import CurveControls
from explorer.gui.training.plot_view import PlotView
from explorer.gui.training.run_sentences import metric_title
from explorer.gui.worker import Job
from explorer.runs.series import Series
from explorer.runs.state import PhaseState, RunState
from explorer.settings import TrainingSettings

if TYPE_CHECKING:
    from explorer.figures.curve_spec import CurvesSpec

DRAW_MS = 500
"""Between two drawings of curves that grow; what a person changes is drawn at once."""

LEARNING_RATE = "learning rate"
_TO_COME = "Losses appear here once the first steps are made."
_TO_MEASURE = "After each epoch the validation split is measured."
_EXPORT_PX = (482, 300)
"""170 by 106 mm, in points."""


@dataclass(slots=True)
class _Plot:
    """One picture: its widget, and what was last asked to be drawn in it."""

    view: PlotView
    curves: dict[str, Series] = field(default_factory=dict)


class CurvesView(QWidget):
    """Draws one phase of a run, at most twice a second and only while it is seen.

    Signals:
        said(str): a figure was written, or why not.
    """

    said = Signal(str)

    def __init__(self, artist: CurveArtist, settings: TrainingSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Curves")
        self._artist, self._state = artist, RunState()
        self._key = f"{id(self):x}"
        self.controls = CurveControls(settings, self)
        self.plots = {
            "losses": _Plot(PlotView("Losses", self)),
            "metrics": _Plot(PlotView("Validation", self)),
            LEARNING_RATE: _Plot(PlotView("Learning rate", self)),
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 16, 8)
        column.setSpacing(8)
        column.addWidget(self.controls)
        for plot, stretch in zip(self.plots.values(), (3, 2, 1), strict=True):
            column.addWidget(plot.view, stretch)
            plot.view.wanted.connect(self.draw_soon)
        self._pace = QTimer(self, singleShot=True, interval=DRAW_MS)
        self._pace.timeout.connect(self._draw_again)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._draw)
        self._behind = False
        self.controls.changed.connect(self.draw_soon)
        self.controls.export_asked.connect(self._choose_file)
        artist.drawn.connect(self._take)

    def show_state(self, state: RunState, *, grown: bool) -> None:
        """Draw this run; ``grown``: it is the one that is shown, with more to draw."""
        self._state = state
        self.controls.show_state(state)
        self.plots["losses"].view.say_empty(_TO_COME if state.live else "No step was made.")
        self.plots["metrics"].view.say_empty(_TO_MEASURE if state.live else "No epoch was measured.")
        if not grown:
            for plot in self.plots.values():
                plot.view.show_drawn(None)
            self.draw_soon()
        elif self._pace.isActive():
            self._behind = True
        else:
            self._draw()

    @property
    def phase(self) -> PhaseState:
        """The phase that is drawn: the chosen one, or the latest that has curves."""
        return self._state.phases.get(self.controls.phase) or self._state.drawn

    # --- drawing ------------------------------------------------------------------------------------------------------

    @Slot()
    def draw_soon(self) -> None:
        """Draw as soon as the present events are done."""
        self._soon.start()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: D102
        super().showEvent(event)
        self.draw_soon()

    @Slot()
    def _draw_again(self) -> None:
        if self._behind:
            self._draw()

    @Slot()
    def _draw(self) -> None:
        if not self.isVisible():
            return
        self._behind = False
        self._pace.start()
        self._choose_curves()
        for name, plot in self.plots.items():
            if plot.curves and plot.view.isVisible():
                size = plot.view.size()
                self._artist.draw(f"{self._key} {name}", self._spec_of(name, size.width(), size.height()))
            else:
                plot.view.show_drawn(None)

    def _choose_curves(self) -> None:
        phase, hidden = self.phase, self.controls.hidden
        some: dict[str, dict[str, Series]] = {
            "losses": phase.losses, "metrics": phase.metrics, LEARNING_RATE: {LEARNING_RATE: phase.learning_rate},
        }  # fmt: skip
        for name, plot in self.plots.items():
            plot.curves = {
                term: series for term, series in some[name].items() if term not in hidden and len(series)
            }  # fmt: skip
        self.plots["metrics"].view.setVisible(bool(phase.metrics) or bool(phase.watched))
        self.plots[LEARNING_RATE].view.setVisible(self.controls.learning_rate and len(phase.learning_rate) > 0)

    def _spec_of(self, name: str, width: int, height: int, *, paper: bool = False) -> MakeSpec:
        """How to make the specification, in whatever thread; what grows meanwhile is not seen by it."""
        curves = [(term, series.steps, series.values) for term, series in self.plots[name].curves.items()]
        palette = self.palette()
        colours = (
            quiet_text(palette).name(), palette.color(QPalette.ColorRole.Window).name(), hairline(palette).name(),
        )  # fmt: skip
        return _maker(
            curves, colours=None if paper else colours, size=(width, height), ratio=self.devicePixelRatioF(),
            log=self.controls.logarithmic and name == "losses",
            smoothing=self.controls.span if name == "losses" else 1.0,
            marks=self._best() if name == "metrics" else (),
            text_px=float(max(9, self.fontInfo().pixelSize() - 2)),
        )  # fmt: skip

    def _best(self) -> tuple[tuple[float, str], ...]:
        phase = self.phase
        return ((float(phase.last_step_of(phase.best_epochs[-1][0])), "best"),) if phase.best_epochs else ()

    @Slot(object)
    def _take(self, drawn: Drawn) -> None:
        key, _, name = drawn.key.partition(" ")
        if key == self._key and self.plots[name].curves:
            self.plots[name].view.show_drawn(drawn)

    # --- a figure of them ---------------------------------------------------------------------------------------------

    @Slot(str)
    def _choose_file(self, name: str) -> None:
        self._choose_curves()
        if not self.plots[name].curves:
            self.said.emit("There is nothing to draw yet.")
            return
        dialog = QFileDialog(self.window(), "Export the curves as")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(["PNG (*.png)", "SVG (*.svg)", "PDF (*.pdf)"])
        dialog.setDefaultSuffix("png")
        dialog.selectFile(f"{name}.png")
        make = self._spec_of(name, *_EXPORT_PX, paper=True)
        dialog.fileSelected.connect(lambda path: self.export(Path(path), make))
        dialog.open()

    def export(self, path: Path, make: MakeSpec) -> None:
        """Write a figure, in a thread."""

        def write() -> Path:
            from explorer.figures.curves import write_curves  # here, because importing it takes most of a second

            write_curves(path, make())
            return path

        job = Job(write)
        job.done.connect(self._wrote)
        job.failed.connect(self._not_written)
        job.start()

    @Slot(object)
    def _wrote(self, path: Path) -> None:
        self.said.emit(f"The figure was saved as {path}.")

    @Slot(BaseException)
    def _not_written(self, error: BaseException) -> None:
        self.said.emit(str(error))


def _maker(
    curves: list[tuple[str, np.ndarray, np.ndarray]], *, colours: tuple[str, str, str] | None, size: tuple[int, int],
    ratio: float, **looks: object,
) -> Callable[[], "CurvesSpec"]:  # fmt: skip
    def make() -> "CurvesSpec":
        from explorer.figures.curve_spec import PAPER, Curve, CurvesSpec, CurveTheme

        theme = PAPER if colours is None else CurveTheme(*colours)
        lines = (Curve(name=metric_title(term), steps=steps, values=values) for term, steps, values in curves)
        return CurvesSpec(
            curves=tuple(lines),
            width_px=size[0], height_px=size[1], ratio=ratio, theme=theme, **looks,  # type: ignore[arg-type]
        )  # fmt: skip

    return make
