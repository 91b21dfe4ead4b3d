"""Joins viewer, results and controller for exporting a figure."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal, Slot

from explorer import protocol
from explorer.engine.requests import Kind
from explorer.engine.sentence_requests import has_sentences
from explorer.gui.controller import Controller
from explorer.gui.figure_dialog import FigureDialog, saved_sentence
from explorer.gui.figure_form import remembered
from explorer.gui.figure_offer import MOST_RESULTS, FigureChoice, FigureOffer, Format, offered_layers
from explorer.gui.figure_offer import Kind as FigureKind
from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import is_video
from explorer.gui.notices import Notice, Topic, sentence_of
from explorer.gui.pages import Step
from explorer.gui.results_pane import ResultsPane
from explorer.gui.viewing import ItemViewing
from explorer.session import Received
from explorer.settings import FigureSettings

_FIGURES = (Kind.FIGURE, Kind.FIGURE_PREVIEW)


class FigureExport(QObject):
    """Opens the dialog, asks the engine for what it wants, and says where the figure went.

    Signals:
        saved(Path): a figure was written.
    """

    saved = Signal(Path)

    def __init__(
        self, controller: Controller, pane: ResultsPane, viewing: ItemViewing, last: FigureSettings
    ) -> None:
        super().__init__(viewing)
        self._controller, self._pane, self._viewing = controller, pane, viewing
        self._last = _choice_of(last)
        self.dialog: FigureDialog | None = None
        controller.received.connect(self._receive)
        viewing.viewer.export_figure.connect(self.export_result)

    @property
    def settings(self) -> FigureSettings:
        """What the next figure begins with."""
        last = self._last
        folder = str(last.name.parent)
        try:
            folder.encode("utf-8")
        except UnicodeEncodeError:
            folder = ""  # TOML cannot hold it
        return FigureSettings(
            format=last.format, width_mm=last.width_mm, dpi=last.dpi, n_results=last.n_results, columns=last.columns,
            scores=last.scores, words=last.words, frames=last.frames, folder=folder,
        )  # fmt: skip

    @Slot()
    def export_anything(self) -> None:
        """A figure of the shown result, or else of the first results."""
        self._open("shown")

    @Slot(ITEM_ID)
    def export_result(self, item_id: int) -> None:
        """A figure of the shown result."""
        self._open("shown")

    @Slot()
    def export_grid(self) -> None:
        """A figure of the first results."""
        self._open("grid")

    def offer(self) -> FigureOffer:
        """What there is to draw now."""
        session, viewer = self._controller.session, self._viewing.viewer
        item_id = self._viewing.shown if viewer.isVisible() else None
        overlays = viewer.layers.overlays() if item_id is not None else ()
        summary = next((model for model in session.models if model.name == session.model), None)
        return FigureOffer(
            model=session.model, query=session.query, explained_by=session.sentences.explaining(session.query),
            item_id=item_id, item_ids=self._pane.first_items(MOST_RESULTS),
            layers=offered_layers(overlays, viewer.words.held), parts=summary.overlays if summary is not None else (),
            has_sentences=has_sentences(session.library), every_moment=session.every_moment,
            time_s=self._time_of(item_id),
        )  # fmt: skip

    def _time_of(self, item_id: int | None) -> float | None:
        """When in its video the frame is that is shown; ``None`` if it is not one of this shot."""
        item = None if item_id is None else self._viewing.known(item_id)
        if item is None or not is_video(item):
            return None
        time_s = self._viewing.viewer.video.time_s
        return time_s if item.start_s <= time_s <= item.end_s else None

    def _open(self, kind: FigureKind) -> None:
        offer = self.offer()
        if not offer.kinds or not offer.model:
            text = "There is nothing to draw yet: search for something, or select a result."
            self._controller.notify(Notice(topic=Topic.FILE, text=text, serious=True))
            return
        if self.dialog is not None:
            return
        line = self._controller.session.line
        dialog = self.dialog = FigureDialog(offer, replace(self._last, kind=kind), self._pane.window())
        dialog.preview_wanted.connect(line.preview_figure)
        dialog.figure_wanted.connect(line.make_figure)
        dialog.written.connect(self._written)
        dialog.left.connect(self._left)
        dialog.open()

    @Slot(object)
    def _receive(self, received: Received) -> None:
        dialog = self.dialog
        if dialog is None or received.kind not in _FIGURES:
            return
        preview = received.kind is Kind.FIGURE_PREVIEW
        match received.answer:
            case protocol.Figure() as figure:
                (dialog.show_preview if preview else dialog.take_figure)(figure)
            case protocol.Failed() as failed:
                (dialog.show_preview_problem if preview else dialog.show_problem)(sentence_of(failed))
            case protocol.Progress() as progress:
                dialog.show_progress(progress)

    @Slot(Path)
    def _written(self, path: Path) -> None:
        self._controller.notify(
            Notice(topic=Topic.FILE, text=saved_sentence(path), step=Step.SHOW_FIGURE, details=str(path))
        )
        self.saved.emit(path)

    @Slot()
    def _left(self) -> None:
        dialog, self.dialog = self.dialog, None
        if dialog is not None:
            self._last = remembered(dialog.form.choice)
            dialog.deleteLater()
        self._controller.session.line.drop_figures()


def _choice_of(last: FigureSettings) -> FigureChoice:
    formats: dict[str, Format] = {"png": "png", "svg": "svg", "pdf": "pdf"}
    return FigureChoice(
        kind="shown", chosen=(), format=formats.get(last.format, "png"), width_mm=last.width_mm, dpi=last.dpi,
        n_results=last.n_results, columns=last.columns, scores=last.scores, words=last.words, frames=last.frames,
        name=_folder(last.folder) / "figure.png",
    )  # fmt: skip


def _folder(remembered_folder: str) -> Path:
    """The folder used last if it is still there, else the person's pictures, else her home."""
    pictures = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.PicturesLocation)
    for folder in (remembered_folder, pictures):
        if folder and Path(folder).is_dir():
            return Path(folder)
    return Path.home()
