"""What is seen of one result: the viewer is told what to show, and asks for what it shows."""

from PySide6.QtCore import Signal, Slot

from explorer.engine.requests import Kind
from explorer.engine.sentence_requests import has_many_words
from explorer.gui.controller import Controller
from explorer.gui.item_actions import ItemActions
from explorer.gui.item_ids import ITEM_ID
from explorer.gui.results_pane import ResultsPane
from explorer.gui.viewer import Viewer
from explorer.protocol import Explanation, Failed, ItemDescription, ModelSummary, Picture, Shots
from explorer.session import Received


class ItemViewing(ItemActions):
    """Joins grid, viewer and controller for the result that is current.

    Signals:
        opened(): a result was opened; the viewer shall be seen.
    """

    opened = Signal()

    def __init__(self, controller: Controller, pane: ResultsPane, viewer: Viewer) -> None:
        super().__init__(controller, pane, viewer)
        self._current: tuple[int, int] | None = None
        self._words_come_later = False
        grid = pane.grid
        grid.current_changed.connect(self._select)
        grid.activated.connect(self._open)
        pane.arrived.connect(self._ranking_changed)
        controller.descriptions_came.connect(self._learn)
        controller.models_changed.connect(self._viewer.explain_again)
        controller.picture_came.connect(self._show_picture)
        controller.explanation_came.connect(self._show_explanation)
        controller.models_changed.connect(self._offer_comparisons)
        controller.received.connect(self._show_comparison)
        viewer.comparison_wanted.connect(controller.session.explain)
        controller.viewing_failed.connect(viewer.show_problem)
        controller.received.connect(self._show_shots)
        viewer.picture_wanted.connect(self._get_picture)
        viewer.frame_wanted.connect(self._get_picture)
        viewer.shots_wanted.connect(self._get_shots)
        viewer.shot_chosen.connect(self.go_to_shot)
        viewer.explanation_wanted.connect(self._explain)
        viewer.previous_requested.connect(grid.select_previous)
        viewer.next_requested.connect(grid.select_next)

    @property
    def current(self) -> int | None:
        """The selected item."""
        return None if self._current is None else self._current[0]

    # --- showing ------------------------------------------------------------------------------------------------------

    @Slot(ITEM_ID, int)
    def _select(self, item_id: int, row: int) -> None:
        self._current = (item_id, row)
        self.show_current()

    @Slot(ITEM_ID, int)
    def _open(self, item_id: int, row: int) -> None:
        self._current = (item_id, row)
        self.opened.emit()
        self.show_current()
        self._viewer.canvas.setFocus()

    @Slot(ITEM_ID)
    def open_item(self, item_id: int) -> None:
        """Show an item in its place among the results, or by itself if it has none."""
        row = self._pane.grid.row_of(item_id)
        self._pane.grid.select_row(row)
        self._select(item_id, row)

    @Slot()
    def _ranking_changed(self) -> None:
        found = self._pane.grid.current_item()
        if found is not None:
            self._select(*found)
            self._viewer.explain_again()
        else:
            self._current = self._shown = None
            self._viewer.clear()

    def show_current(self) -> None:
        """Draw the selected item, if the viewer is seen."""
        if self._current is None or not self._viewer.isVisible():
            return
        item_id, row = self._current
        item = self._known.get(item_id)
        if item is None:
            self._controller.session.line.describe_items([item_id])
            return
        self._shown = item_id
        score = self._pane.score_of(row)
        self._viewer.show_item(item, score, None if score is None else row + 1)
        preview = self._pane.grid.thumbnail(item_id)
        if preview is not None:
            self._viewer.show_preview(preview)

    @Slot(tuple)
    def _learn(self, items: tuple[ItemDescription, ...]) -> None:
        self.learn(items)
        if self.current is not None and self.current != self._shown and self.current in self._known:
            self.show_current()

    @Slot(Picture)
    def _show_picture(self, picture: Picture) -> None:
        if picture.item_id == self._shown:
            self._viewer.show_picture(picture)

    @Slot(Explanation)
    def _show_explanation(self, explanation: Explanation) -> None:
        if explanation.item_id == self._shown:
            self._viewer.show_explanation(explanation)
            if self._words_come_later:
                self._words_come_later = False
                self._viewer.words.show_waiting()
                self._controller.session.explain(explanation.item_id)

    @Slot(ITEM_ID)
    def _explain(self, item_id: int) -> None:
        """Ask for everything at once, or, where its many words take long, for the rest first."""
        session = self._controller.session
        self._words_come_later = has_many_words(session.sentences.explaining(session.query))
        session.explain(item_id, words=not self._words_come_later)

    @Slot(ITEM_ID)
    @Slot(ITEM_ID, float)
    def _get_picture(self, item_id: int, time_s: float | None = None) -> None:
        self._controller.session.line.get_picture(item_id, time_s)

    @Slot(ITEM_ID)
    def _get_shots(self, item_id: int) -> None:
        session = self._controller.session
        session.line.get_shots(item_id, session.query, session.model)

    @Slot(object)
    def _show_shots(self, received: Received) -> None:
        if received.kind is Kind.SHOTS and isinstance(received.answer, Shots):
            self._viewer.video.show_shots(received.answer)

    @Slot(ItemDescription)
    def go_to_shot(self, shot: ItemDescription) -> None:
        """Show another shot of a video; what is selected among the results stays, unless the shot is there, too."""
        self.learn((shot,))
        self.open_item(shot.item_id)

    @Slot()
    def describe_again(self) -> None:
        """The library knows more of its items now: ask anew for the one that is shown."""
        self._known.clear()
        self._shown = None
        self.show_current()

    @Slot(tuple, str)
    def _offer_comparisons(self, models: tuple[ModelSummary, ...], name: str) -> None:
        parts = next((model.overlays for model in models if model.name == name), ())
        self._viewer.pictures.set_offered(parts)

    @Slot(object)
    def _show_comparison(self, received: Received) -> None:
        if received.kind is not Kind.COMPARISON:
            return
        if isinstance(received.answer, Failed):
            self._viewer.pictures.show_problem(received.answer.message)
        elif isinstance(received.answer, Explanation) and received.answer.item_id == self._shown:
            self._viewer.pictures.show_comparison(received.answer)

    def forget_items(self) -> None:
        """Another library is opened: its items have the same numbers and are others."""
        self._known.clear()
        self._current = self._shown = None
        self._viewer.clear()
