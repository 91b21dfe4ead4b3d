"""One result at large: the picture, where the model looked and what it saw there, and what is known of it."""

from PySide6.QtCore import QPointF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QImage, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import is_video
from explorer.gui.viewer_parts import ViewerParts
from explorer.gui.viewer_status import pointed_text
from explorer.overlays import moving_overlays, names_of_places
from explorer.protocol import Explanation, ItemDescription, Picture

_PICTURE_AFTER_MS = 40
_COMMANDS = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
_EXPLANATION_AFTER_MS = 150


class Viewer(ViewerParts):
    """Shows one item; asks for its picture and its explanation once the selection rests and the viewer is seen.

    Signals, of most the item's id is said:
        frame_wanted(id, float): the picture of a video at this time, in seconds. shots_wanted(id): all its shots.
        shot_chosen(ItemDescription): another shot of the video is to be shown.
    """

    picture_wanted = Signal(ITEM_ID)
    frame_wanted = Signal(ITEM_ID, float)
    shots_wanted = Signal(ITEM_ID)
    shot_chosen = Signal(ItemDescription)
    explanation_wanted = Signal(ITEM_ID)
    comparison_wanted = Signal(ITEM_ID, tuple)
    previous_requested = Signal()
    next_requested = Signal()
    search_with_image = Signal(ITEM_ID)
    open_file = Signal(ITEM_ID)
    show_in_folder = Signal(ITEM_ID)
    copy_picture = Signal(ITEM_ID)
    copy_path = Signal(ITEM_ID)
    export_figure = Signal(ITEM_ID)
    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._item: ItemDescription | None = None
        self._explained = self._shots_known = False
        self._layers_of = -1
        self._has_full_picture = False
        self._place: QPointF | None = None
        self._picture_timer = QTimer(self, singleShot=True, interval=_PICTURE_AFTER_MS)
        self._explanation_timer = QTimer(self, singleShot=True, interval=_EXPLANATION_AFTER_MS)
        self._connect()
        self.clear()

    def _connect(self) -> None:
        self._picture_timer.timeout.connect(self._ask_for_picture)
        self._explanation_timer.timeout.connect(self._ask_for_explanation)
        self.bar.previous_clicked.connect(self.previous_requested)
        self.bar.next_clicked.connect(self.next_requested)
        self.bar.close_clicked.connect(self.closed)
        self.bar.action_chosen.connect(self._on_action)
        self.pictures.wanted.connect(self._ask_for_comparison)
        self.details.search_clicked.connect(self._on_search)
        self.canvas.pointed.connect(self._on_pointed)
        self.layers.overlays_changed.connect(self._on_overlays_changed)
        self.video.frame_came.connect(self._show_frame)
        self.video.time_changed.connect(self._on_time)
        self.video.still_wanted.connect(self.frame_wanted)
        self.video.shot_chosen.connect(self.shot_chosen)
        self.status.retry_clicked.connect(self._on_retry)

    # --- what is shown ---------------------------------------------------------------------------------------------

    def show_item(self, item: ItemDescription, score: float | None = None, rank: int | None = None) -> None:
        """Show this item from now on; picture and explanation are asked for and come later."""
        before, self._item = self._item, item
        other_shot = self.video.shows(item) and self._has_full_picture
        self._stack.setCurrentIndex(1)
        self._tell_item(item)
        if before is not None and (before.item_id, before.modified_at) == (item.item_id, item.modified_at):
            self._say_place(rank, score)
            return
        self._explained = False
        self._layers_of = -1
        self.words.hold()
        self.bits.hold()
        self.bits.show_item(item.item_id)
        self.details.set_presence(())
        self.status.reset()
        if other_shot:
            self.pictures.forget()
        else:
            self._has_full_picture = False
            self._shots_known = self.video.shows(item) and self._shots_known
            self.canvas.expect(QSize(item.width_px, item.height_px))
            self.status.set_unplayable("")
        self.video.show_item(item, whole=score is None)
        self._say_place(rank, score)
        self._picture_timer.start()
        self._explanation_timer.start()

    def show_preview(self, jpeg: bytes) -> None:
        """Show the thumbnail of the item in the meantime; does nothing once the picture is there."""
        if self._item is not None and not self._has_full_picture:
            self.canvas.set_picture(jpeg, QSize(self._item.width_px, self._item.height_px))

    def show_picture(self, picture: Picture) -> None:
        """Take the picture of the shown item; any other is dropped."""
        if self._item is None or picture.item_id != self._item.item_id:
            return
        self.video.stills.came()
        if self.video.plays_itself:
            return
        if not self.canvas.set_picture(picture.jpeg, QSize(picture.full_width_px, picture.full_height_px)):
            self.show_problem("The picture cannot be shown.")
            return
        self._has_full_picture = True
        self.status.picture_came()

    @Slot(QImage)
    def _show_frame(self, frame: QImage) -> None:
        if self._item is not None:
            self.canvas.set_frame(frame, QSize(self._item.width_px, self._item.height_px))
            if not self._has_full_picture:
                self._has_full_picture = True
                self.status.picture_came()

    def show_explanation(self, explanation: Explanation) -> None:
        """Take the explanation of the shown item; any other is dropped."""
        if self._item is None or explanation.item_id != self._item.item_id:
            return
        self._explained = True
        self._layers_of = explanation.item_id
        moving = moving_overlays(explanation)
        shown = self.layers.set_overlays(moving.layers)
        self.overlays.set_layers(moving, shown)
        self.canvas.set_place_names(names_of_places(explanation))
        self._show_layers()
        self.video.show_moving(moving)
        self.pictures.set_score(explanation.score)
        self.words.prefer(tuple(overlay.name for overlay in shown if overlay.visible))
        self.words.show_words(explanation.words)
        self.bits.show_bits(explanation.bits, explanation.model)
        self._order_tabs()
        self.details.set_presence(explanation.presence)
        self.status.explanation_came(has_layers=bool(shown))

    def show_problem(self, sentence: str) -> None:
        """Say what went wrong with the shown item, and offer to try again."""
        self.status.show_problem(sentence)
        self.video.stills.came()
        if not self._explained:
            self.words.show_words(None)
            self.bits.show_bits(None, "")
            self.layers.set_overlays(())
            self.pictures.set_overlays(())

    def clear(self) -> None:
        """Show nothing."""
        self._item = None
        self.video.close_video()
        self.bits.show_bits(None, "")
        self._picture_timer.stop()
        self._explanation_timer.stop()
        self.canvas.expect(QSize())
        self._stack.setCurrentIndex(0)

    def explain_again(self) -> None:
        """The model or the query is another one: ask for a new explanation; the old one stays until it comes."""
        if self._item is not None:
            self._explained = self._shots_known = False
            self._explanation_timer.start()

    # --- layers ----------------------------------------------------------------------------------------------------

    @Slot(tuple)
    def _on_overlays_changed(self, overlays: tuple) -> None:  # type: ignore[type-arg]  # what Signal(tuple) carries
        # Until its explanation is here the controls still speak of the picture before.
        if self._item is not None and self._layers_of == self._item.item_id:
            self.overlays.set_looks(overlays)
            self._show_layers()
            self.words.prefer(tuple(overlay.name for overlay in overlays if overlay.visible))

    def _show_layers(self) -> None:
        """Lay over the picture what belongs to it, in a video to the time that is shown."""
        if self._item is not None and self._layers_of == self._item.item_id:
            time_s = self.video.time_s
            self.pictures.set_overlays(self.overlays.at(self._item, time_s), time_s)

    @Slot(float)
    def _on_time(self, time_s: float) -> None:
        self._show_layers()
        if self._place is not None:
            self._on_pointed(self._place)

    @Slot(object)
    def _on_pointed(self, place: QPointF | None) -> None:
        self._place = place
        self.status.set_pointed("" if place is None else pointed_text(self.canvas.pointing.shown, place.x(), place.y()))

    # --- asking ----------------------------------------------------------------------------------------------------

    @Slot()
    def _ask_for_picture(self) -> None:
        if self._item is not None and not self._has_full_picture and self.isVisible():
            self.status.picture_asked()
            if is_video(self._item):
                self.frame_wanted.emit(self._item.item_id, self.video.time_s)
            else:
                self.picture_wanted.emit(self._item.item_id)

    @Slot()
    def _ask_for_explanation(self) -> None:
        if self._item is not None and not self._explained and self.isVisible():
            self.status.explanation_asked()
            self.explanation_wanted.emit(self._item.item_id)
            self.pictures.ask()
        if self._item is not None and is_video(self._item) and not self._shots_known and self.isVisible():
            self._shots_known = True
            self.shots_wanted.emit(self._item.item_id)

    @Slot(tuple)
    def _ask_for_comparison(self, without: tuple) -> None:  # type: ignore[type-arg]  # what Signal(tuple) carries
        if self._item is not None and self.isVisible():
            self.comparison_wanted.emit(self._item.item_id, without)

    def showEvent(self, event: QShowEvent) -> None:
        """What nobody could see was not asked for."""
        super().showEvent(event)
        self._picture_timer.start()
        self._explanation_timer.start()

    @Slot()
    def _on_retry(self) -> None:
        self.status.reset()
        self.video.try_again()
        self._ask_for_picture()
        self._ask_for_explanation()

    # --- actions and keys ------------------------------------------------------------------------------------------

    @Slot(str)
    def _on_action(self, name: str) -> None:
        if self._item is not None:
            getattr(self, name).emit(self._item.item_id)

    @Slot()
    def _on_search(self) -> None:
        self._on_action("search_with_image")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Digits show and hide layers, brackets change opacity, arrows go to other results; a video hears more."""
        key, text = Qt.Key(event.key()), event.text()
        if text and text in "123456789":
            self.toggle_layer(int(text))
        elif text in ("c", "C"):
            self.pictures.toggle()
        elif text in ("[", "]"):
            self.step_opacity(1 if text == "]" else -1)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_PageUp) and not event.modifiers():
            self.previous_requested.emit()
        elif key in (Qt.Key.Key_Right, Qt.Key.Key_PageDown) and not event.modifiers():
            self.next_requested.emit()
        elif key == Qt.Key.Key_Escape:
            self.closed.emit()
        elif event.modifiers() & _COMMANDS or not self.video.take_key(text):
            event.ignore()
