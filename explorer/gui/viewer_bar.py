"""The line above the picture: back and forth, where in the ranking, fit, more, close."""

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QToolButton, QWidget

from explorer.gui.item_text import score_text
from explorer.gui.viewer_comparison import Variant
from explorer.gui.viewer_icons import line_icon

_ACTIONS = (
    ("search_with_image", "Search with this image", None),
    ("open_file", "Open file", None),
    ("show_in_folder", "Show in folder", None),
    ("copy_picture", "Copy picture", "Ctrl+C"),
    ("copy_path", "Copy path", "Ctrl+Shift+C"),
    ("export_figure", "Export figure…", "Ctrl+E"),
)


class ViewerBar(QWidget):
    """Buttons with icons in the palette's colour; emits what was wanted, does nothing itself.

    ``action_chosen`` carries the name of a signal of the viewer, ``variant_chosen`` what to compare with, or None.
    """

    previous_clicked = Signal()
    next_clicked = Signal()
    fit_clicked = Signal()
    close_clicked = Signal()
    action_chosen = Signal(str)
    variant_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons: list[tuple[QToolButton, str]] = []
        self._previous = self._button("previous", "Previous result", "Left arrow")
        self._next = self._button("next", "Next result", "Right arrow")
        self._fit = self._button("fit", "Fit the whole picture", "Double click, or 0")
        self._compare = self._button("compare", "Compare side by side", "C")
        self._more = self._button("more", "More to do with this picture", "")
        self._close = self._button("close", "Close the viewer", "Esc")
        self._place = QLabel()
        self._zoom = QLabel()
        self._zoom.setEnabled(False)
        row = QHBoxLayout(self)
        row.setContentsMargins(4, 4, 4, 4)
        row.setSpacing(2)
        row.addWidget(self._previous)
        row.addWidget(self._next)
        row.addSpacing(6)
        row.addWidget(self._place, 1)
        for widget in (self._zoom, self._compare, self._fit, self._more, self._close):
            row.addWidget(widget)
        self._more.setMenu(self._menu())
        self._compare.setCheckable(True)
        self._compare.setMenu(QMenu(self))
        self._variants = QActionGroup(self)
        self._variants.triggered.connect(self._on_variant)
        for button in (self._more, self._compare):
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._previous.clicked.connect(self.previous_clicked)
        self._next.clicked.connect(self.next_clicked)
        self._fit.clicked.connect(self.fit_clicked)
        self._close.clicked.connect(self.close_clicked)
        self._paint_icons()
        self.set_zoom(1.0)

    def _button(self, icon: str, name: str, key: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(f"{name} ({key})" if key else name)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._icons.append((button, icon))
        return button

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        for name, text, keys in _ACTIONS:
            action = QAction(text, menu)
            action.setData(name)
            if keys is not None:
                # Shown only: the window owns the keys, two owners would make them ambiguous.
                action.setText(f"{text}\t{QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)}")
            menu.addAction(action)
        menu.triggered.connect(self._on_triggered)
        return menu

    def set_variants(self, variants: tuple[Variant, ...], chosen: Variant | None) -> None:
        """Offer these to compare with."""
        menu = self._compare.menu()
        assert menu is not None
        for action in self._variants.actions():
            self._variants.removeAction(action)
        menu.clear()
        for variant in (None, *variants):
            action = menu.addAction("One picture" if variant is None else variant.title)
            action.setData(variant)
            action.setCheckable(True)
            action.setChecked(variant == chosen)
            self._variants.addAction(action)
        self._compare.setChecked(chosen is not None)

    @Slot(QAction)
    def _on_variant(self, action: QAction) -> None:
        self._compare.setChecked(action.data() is not None)
        self.variant_chosen.emit(action.data())

    @Slot(QAction)
    def _on_triggered(self, action: QAction) -> None:
        self.action_chosen.emit(str(action.data()))

    def set_kind(self, *, is_video: bool) -> None:
        """Speak of a shot, or of a photo."""
        menu = self._more.menu()
        assert menu is not None
        for action in menu.actions():
            if action.data() == "search_with_image":
                action.setText("Search with this shot" if is_video else "Search with this image")

    def set_place(self, rank: int | None, score: float | None) -> None:
        """Say where in the ranking the shown item is."""
        words = [f"Rank {self.locale().toString(rank)}"] if rank is not None else []
        words += [score_text(score)] if score is not None else []
        self._place.setText(" · ".join(words))
        self._place.setAccessibleName(f"Rank {rank}, score {score}")

    @Slot(float)
    def set_zoom(self, zoom: float) -> None:
        """Say how large the picture is shown; nothing when it is fitted."""
        self._zoom.setText("" if zoom == 1.0 else f"{zoom:.1f}×")
        self._fit.setEnabled(zoom != 1.0)

    def _paint_icons(self) -> None:
        for button, icon in self._icons:
            button.setIcon(line_icon(icon, self.palette()))

    def changeEvent(self, event: QEvent) -> None:
        """Icons follow the palette into the dark and back."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint_icons()
