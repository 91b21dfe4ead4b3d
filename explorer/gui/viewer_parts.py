"""The parts of the viewer, where they are, and what they tell each other."""

from itertools import pairwise

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QStackedLayout, QWidget

from explorer.gui.bits_panel import BitsPanel
from explorer.gui.item_text import is_video
from explorer.gui.overlay_panel import OverlayPanel
from explorer.gui.painters import AnyOverlay
from explorer.gui.playback import Playback
from explorer.gui.viewer_bar import ViewerBar
from explorer.gui.viewer_comparison import ComparedPictures
from explorer.gui.viewer_details import DetailsPanel
from explorer.gui.viewer_layout import column_of, scrolled
from explorer.gui.viewer_splitter import PaneSplitter
from explorer.gui.viewer_status import EmptyState, StatusStrip
from explorer.gui.words_panel import WordsPanel
from explorer.overlays import MovingOverlays, overlays_at
from explorer.protocol import ItemDescription

_EDGE_S = 0.05
"""A frame of the shot that begins a little before it, or the last one scrubbed to."""


class ShownOverlays:
    """The layers of what is explained, as a person set them, and what of them lies over it at a time."""

    def __init__(self) -> None:
        self._moving = MovingOverlays(layers=())
        self._layers: tuple[AnyOverlay, ...] = ()

    def set_layers(self, moving: MovingOverlays, layers: tuple[AnyOverlay, ...]) -> None:
        """Another explanation; ``layers``: its layers as they are set."""
        self._moving, self._layers = moving, layers

    def set_looks(self, layers: tuple[AnyOverlay, ...]) -> None:
        """The same layers, set otherwise."""
        self._layers = layers

    def at(self, item: ItemDescription, time_s: float) -> tuple[AnyOverlay, ...]:
        """What lies over the item; over a video at this time, and nothing outside of the shot that was explained."""
        if is_video(item) and item.end_s > item.start_s and not (
            item.start_s - _EDGE_S <= time_s <= item.end_s + _EDGE_S
        ):
            return ()
        return overlays_at(self._moving, time_s, self._layers)


class ViewerParts(QWidget):
    """The picture above or beside its controls; shows nothing by itself.

    Attributes:
        bar, pictures, video, status: the picture and what is around it; ``canvas`` is the first of the pictures.
        words, bits, layers, details: the controls, from top to bottom.
        overlays: what lies over the picture.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = ViewerBar()
        self.pictures = ComparedPictures()
        self.canvas = self.pictures.canvas
        self.video = Playback()
        self.status = StatusStrip()
        self.words = WordsPanel()
        self.bits = BitsPanel()
        self.layers = OverlayPanel()
        self.details = DetailsPanel()
        self.overlays = ShownOverlays()
        self._build()
        self._join()

    def _build(self) -> None:
        self._scroll = scrolled(column_of(self.words, self.bits, self.layers, self.details))
        self._splitter = PaneSplitter()
        self._splitter.addWidget(column_of(self.pictures, self.video, self.status, stretched=self.pictures))
        self._splitter.addWidget(self._scroll)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(EmptyState("Select a result to see it here."))
        self._stack.addWidget(column_of(self.bar, self._splitter, stretched=self._splitter))
        self.setMinimumWidth(240)
        self.setAccessibleName("Viewer")

    def _join(self) -> None:
        self.bar.fit_clicked.connect(self.canvas.fit)
        self.bar.variant_chosen.connect(self.pictures.choose)
        self.pictures.variants_changed.connect(self.bar.set_variants)
        self.pictures.zoom_changed.connect(self.bar.set_zoom)
        self.pictures.set_offered(())
        self.canvas.zoom_changed.connect(self.bar.set_zoom)
        self.canvas.bare_changed.connect(self.status.set_bare)
        self.layers.place_pointed.connect(self.canvas.point_at)
        self.layers.place_held.connect(self.canvas.hold)
        self.layers.current_changed.connect(self.canvas.set_current_layer)
        self.video.problem_told.connect(self.status.set_unplayable)
        self.video.told.connect(self.status.say)
        self.bits.controls_changed.connect(self._order_tabs)
        self.words.values_wanted.connect(self.canvas.show_values)
        self.canvas.place_pointed.connect(self.words.point)

    @Slot()
    def _order_tabs(self) -> None:
        """From top to bottom, wherever controls were made later than what is below them."""
        pictures = [self.canvas, self.pictures.beside, *self.video.controls()]
        above = [*pictures, self.status.retry, *self.words.controls(), *self.bits.controls()]
        chain = [*above, *self.layers.controls(), *self.details.controls()]
        for before, after in pairwise(chain):
            QWidget.setTabOrder(before, after)

    def _tell_item(self, item: ItemDescription) -> None:
        """Say everywhere what is shown."""
        self.details.set_item(item)
        self.bar.set_kind(is_video=is_video(item))
        self.pictures.set_moving(is_video(item))
        self.canvas.setAccessibleName(f"{'Video' if is_video(item) else 'Picture'} {item.name}")

    def _say_place(self, rank: int | None, score: float | None) -> None:
        """Where in the ranking it is; of a shot that is not in it, how well it fits."""
        self.bar.set_place(rank, self.video.score() if score is None else score)

    def toggle_layer(self, number: int) -> None:
        """Show or hide a layer by its number, from 1."""
        self.layers.toggle(number)

    def step_opacity(self, steps: int) -> None:
        """Make the current layer more or less opaque."""
        self.layers.step_opacity(steps)

    def set_bare(self, bare: bool) -> None:
        """Hold all overlays back while this is set."""
        self.canvas.set_bare(bare)
