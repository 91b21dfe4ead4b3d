"""Two to five runs side by side: what they came to, in which settings they differ, and their curves in one picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QHideEvent, QPalette, QShowEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from explorer.gui.controller import Controller
from explorer.gui.icons import hairline, quiet_text
from explorer.gui.training.comparison_page import ComparisonPage
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.curve_artist import CurveArtist, Drawn, MakeSpec
from explorer.gui.training.run_differences import (
    ComparedRun,
    common_curves,
    curve_of,
    data_text,
    differing_settings,
    label_runs,
    read_settings,
    results,
)
from explorer.gui.training.run_sentences import metric_title
from explorer.gui.worker import Job
from explorer.protocol.training import RecipeForms
from explorer.session import Received

if TYPE_CHECKING:
    from explorer.figures.curve_spec import CurvesSpec

MOST = 5
_AGAIN_MS = 500
_EXPORT_PX = (482, 300)


class RunComparison(ComparisonPage):
    """Redrawn from the runs, at most twice a second while they go on, and only while it is seen."""

    def __init__(
        self, controller: Controller, training: TrainingControl, artist: CurveArtist, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._controller, self._training, self._artist = controller, training, artist
        self._paths: tuple[Path, ...] = ()
        self._n_selected = 0
        self._runs: list[ComparedRun] = []
        self._key = f"{id(self):x} comparison"
        self._again = QTimer(self, singleShot=True, interval=_AGAIN_MS)
        self._again.timeout.connect(self._show)
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self._draw)
        self._connect()

    def _connect(self) -> None:
        self._training.run_changed.connect(self._run_changed)
        self._controller.received.connect(self._answered)
        self._artist.drawn.connect(self._take)
        self.plot.wanted.connect(self._soon.start)
        self.curve.activated.connect(self._choose_curve)
        self.logarithmic.toggled.connect(self._soon.start)
        self.copy.clicked.connect(self.copy_all)
        self.copy_csv.clicked.connect(self.copy_all_csv)
        self.export.clicked.connect(self.choose_file)

    # --- what is compared ---------------------------------------------------------------------------------------------

    def show_runs(self, paths: Sequence[Path]) -> None:
        """Compare these; of more than five the first five."""
        self._n_selected, self._paths = len(paths), tuple(paths)[:MOST]
        self.said.say("")
        self._controller.session.training.get_forms()  # they know the defaults; asked only once
        self._read()
        self._show()

    def _read(self) -> None:
        self._runs = [
            ComparedRun(
                path=path, description=self._training.description(path), recipe=self._training.recipe(path),
                state=self._training.state(path),
            )
            for path in self._paths
        ]  # fmt: skip
        label_runs(self._runs)
        for run in self._runs:
            read_settings(run)

    @Slot(object)
    def _run_changed(self, path: Path) -> None:
        if path in self._paths and self.isVisible() and not self._again.isActive():
            self._again.start()

    @Slot(object)
    def _answered(self, received: Received) -> None:
        if isinstance(received.answer, RecipeForms) and self._runs:
            self._show_settings()

    def showEvent(self, event: QShowEvent) -> None:
        """Runs went on meanwhile."""
        super().showEvent(event)
        if self._runs:
            self._again.start()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: D102
        super().hideEvent(event)
        self._again.stop()

    @Slot()
    def _show(self) -> None:
        some = len(self._paths) > 1
        self.stack.setCurrentIndex(1 if some else 0)
        if not some:
            return
        for run in self._runs:
            run.state = self._training.state(run.path)
        left_out = self._n_selected - len(self._paths)
        told = f"The first {MOST} of the {self._n_selected} selected runs are shown." if left_out else ""
        unread = [run.label for run in self._runs if not run.settings]
        sentences = [told, *(f"The recipe of {label} cannot be read." for label in unread), data_text(self._runs)]
        self.note.say(" ".join(filter(None, sentences)))
        self.results.show_values("Result", [run.label for run in self._runs], results(self._runs))
        self._show_settings()
        self._offer_curves()
        self._soon.start()

    def _show_settings(self) -> None:
        rows = differing_settings(self._runs, self._controller.session.training.forms)
        self.settings.show_values("Setting", [run.label for run in self._runs], rows)
        self.settings.setVisible(bool(rows))
        self.same.setVisible(not rows)

    # --- curves -------------------------------------------------------------------------------------------------------

    def _offer_curves(self) -> None:
        names = common_curves(self._runs)
        if names != [self.curve.itemData(row) for row in range(self.curve.count())]:
            chosen = self.curve.currentData()
            self.curve.clear()
            for name in names:
                title = metric_title(name)
                self.curve.addItem(title[:1].upper() + title[1:], name)
            self.curve.setCurrentIndex(max(0, self.curve.findData(chosen)) if names else -1)
        for control in (self.curve, self.logarithmic, self.export):
            control.setEnabled(bool(names))

    @Slot()
    def _choose_curve(self) -> None:
        self.plot.show_drawn(None)
        self._soon.start()

    @Slot()
    def _draw(self) -> None:
        if not self.plot.isVisible():
            return
        if self.curve.currentData() is None:
            self.plot.show_drawn(None)
        else:
            self._artist.draw(self._key, self.spec(self.plot.width(), self.plot.height()))

    def spec(self, width: int, height: int, *, paper: bool = False) -> MakeSpec:
        """How to make the picture's specification, in whatever thread; what grows meanwhile is not seen by it."""
        name = str(self.curve.currentData())
        curves = [
            (run.label, series.steps, series.values)
            for run in self._runs if (series := curve_of(run, name)) is not None
        ]  # fmt: skip
        palette = self.palette()
        ground = palette.color(QPalette.ColorRole.Window).name()
        colours = (quiet_text(palette).name(), ground, hairline(palette).name())
        ratio, log = self.devicePixelRatioF(), self.logarithmic.isChecked()
        text_px = float(max(9, self.fontInfo().pixelSize() - 2))

        def make() -> "CurvesSpec":
            from explorer.figures.curve_spec import PAPER, Curve, CurvesSpec, CurveTheme

            return CurvesSpec(
                curves=tuple(Curve(name=label, steps=steps, values=values) for label, steps, values in curves),
                width_px=width, height_px=height, ratio=ratio, log=log, y_label=metric_title(name), text_px=text_px,
                theme=PAPER if paper else CurveTheme(*colours),
            )  # fmt: skip

        return make

    @Slot(object)
    def _take(self, drawn: Drawn) -> None:
        if drawn.key == self._key and self.curve.currentData() is not None:
            self.plot.show_drawn(drawn)

    # --- taking it away -----------------------------------------------------------------------------------------------

    @Slot()
    def copy_all(self) -> None:
        """Put both tables into the clipboard, tab-separated."""
        self._copy(csv=False)

    @Slot()
    def copy_all_csv(self) -> None:
        """Put both tables into the clipboard, with commas."""
        self._copy(csv=True)

    def _copy(self, *, csv: bool) -> None:
        tables = [self.results, self.settings] if self.settings.rowCount() else [self.results]
        texts = [table.text(csv=csv) for table in tables]
        QGuiApplication.clipboard().setText("\n".join(texts))

    @Slot()
    def choose_file(self) -> QFileDialog:
        """Ask where the picture shall be written; returns at once."""
        dialog = QFileDialog(self.window(), "Export the curves as")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(["PNG (*.png)", "SVG (*.svg)", "PDF (*.pdf)"])
        dialog.setDefaultSuffix("png")
        dialog.selectFile(f"{self.curve.currentData()}.png")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.write)
        dialog.open()
        return dialog

    @Slot(str)
    def write(self, name: str) -> None:
        """Write the picture as a figure, in a thread."""
        make, path = self.spec(*_EXPORT_PX, paper=True), Path(name)

        def work() -> Path:
            from explorer.figures.curves import write_curves  # here, because importing it takes most of a second

            write_curves(path, make())
            return path

        job = Job(work)
        job.done.connect(self._wrote)
        job.failed.connect(self._not_written)
        job.start()

    @Slot(object)
    def _wrote(self, path: Path) -> None:
        self.said.say(f"The figure was saved as {path}.", glyph="notice")

    @Slot(BaseException)
    def _not_written(self, error: BaseException) -> None:
        self.said.say(str(error), glyph="warning")
