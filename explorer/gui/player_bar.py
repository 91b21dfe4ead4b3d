"""The buttons below a video: play, step from frame to frame, loop, speed, sound; and which time is shown."""

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from explorer.gui.elided_label import ElidedLabel
from explorer.gui.phrases import clock
from explorer.gui.shot_times import fine_clock
from explorer.gui.viewer_icons import line_icon

RATES = (0.25, 0.5, 1.0, 1.5, 2.0)


def rate_text(rate: float) -> str:
    """``1×``, ``0.25×``."""
    return f"{rate:g}×"


class PlayerBar(QWidget):
    """Buttons with icons in the palette's colour; emits what was wanted, does nothing itself.

    Signals:
        play_clicked(), stepped(int): next frame (1) or the one before (-1). loops_chosen(bool), rate_chosen(float),
        muted_chosen(bool): a person set it so.
    """

    play_clicked = Signal()
    stepped = Signal(int)
    loops_chosen = Signal(bool)
    rate_chosen = Signal(float)
    muted_chosen = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icons: dict[QToolButton, str] = {}
        self.play = self._button("play", "Play", "K")
        self.back = self._button("step_back", "One frame back", "Comma")
        self.on = self._button("step_on", "One frame on", "Full stop")
        self.loop = self._button("loop", "Play this shot over and over", "L")
        self.loop.setCheckable(True)
        self.rate = self._button("", "Speed", "< and >")
        self.sound = self._button("muted", "Sound", "M")
        self.sound.setCheckable(True)
        self.time = ElidedLabel()
        self.time.setAccessibleName("Time")
        self.time.setAlignment(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft)
        self._rates = self._make_rates()
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 0)
        row.setSpacing(2)
        for button in (self.play, self.back, self.on):
            row.addWidget(button)
        row.addSpacing(4)
        row.addWidget(self.time, 1)
        for button in (self.rate, self.loop, self.sound):
            row.addWidget(button)
        self.play.clicked.connect(self.play_clicked)
        self.back.clicked.connect(self._on_back)
        self.on.clicked.connect(self._on_on)
        self.loop.clicked.connect(self.loops_chosen)
        self.sound.clicked.connect(self._on_sound)
        self.set_rate(1.0)
        self._paint_icons()

    def _button(self, icon: str, name: str, key: str) -> QToolButton:
        button = QToolButton()
        button.setAutoRaise(True)
        button.setAccessibleName(name)
        button.setToolTip(f"{name} ({key})")
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if icon:
            self._icons[button] = icon
        return button

    def _make_rates(self) -> QActionGroup:
        menu, group = QMenu(self), QActionGroup(self)
        for rate in RATES:
            action = menu.addAction(rate_text(rate))
            action.setData(rate)
            action.setCheckable(True)
            group.addAction(action)
        group.triggered.connect(self._on_rate)
        self.rate.setMenu(menu)
        self.rate.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.rate.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        return group

    def controls(self) -> list[QWidget]:
        """What takes the focus, from left to right."""
        return [self.play, self.back, self.on, self.rate, self.loop, self.sound]

    # --- what is shown ------------------------------------------------------------------------------------------------

    def set_plays(self, plays: bool) -> None:
        """It plays, or stands still."""
        self._icons[self.play] = "pause" if plays else "play"
        name = "Pause" if plays else "Play"
        self.play.setAccessibleName(name)
        self.play.setToolTip(f"{name} (K)")
        self._paint_icons()

    def set_playable(self, playable: bool) -> None:
        """Whether there is anything that can be played; single frames are shown all the same."""
        for button in (self.play, self.rate, self.sound):
            button.setEnabled(playable)

    def set_loops(self, loops: bool) -> None:
        """It plays the shot over and over, or on."""
        self.loop.setChecked(loops)

    def set_audible(self, *, has_sound: bool, muted: bool) -> None:
        """Whether there is anything to hear, and whether it is heard."""
        self._icons[self.sound] = "muted" if muted or not has_sound else "sound"
        self.sound.setChecked(not muted and has_sound)
        self.sound.setEnabled(has_sound)
        self.sound.setToolTip("Sound (M)" if has_sound else "This video has no sound")
        self._paint_icons()

    def set_rate(self, rate: float) -> None:
        """How fast it plays."""
        self.rate.setText(rate_text(rate))
        self.rate.setAccessibleDescription(rate_text(rate))
        for action in self._rates.actions():
            action.setChecked(action.data() == rate)

    def set_time(self, time_s: float, duration_s: float) -> None:
        """Which time is shown, and how long the video is."""
        text = f"{fine_clock(time_s)} / {clock(duration_s)}"
        if text != self.time.text():
            self.time.set_line(text)

    def take_key(self, text: str) -> bool:
        """Press the button that this key stands for; whether there is one."""
        buttons = {"k": self.play, "p": self.play, ",": self.back, ".": self.on, "l": self.loop, "m": self.sound}
        button = buttons.get(text.lower())
        if button is not None:
            button.click()
        elif text in ("<", ">") and self.rate.isEnabled():
            rates = [action.data() for action in self._rates.actions()]
            at = rates.index(next(action.data() for action in self._rates.actions() if action.isChecked()))
            self.rate_chosen.emit(rates[min(len(rates) - 1, max(0, at + (1 if text == ">" else -1)))])
        return button is not None or text in ("<", ">")

    # --- what a person does -------------------------------------------------------------------------------------------

    @Slot()
    def _on_back(self) -> None:
        self.stepped.emit(-1)

    @Slot()
    def _on_on(self) -> None:
        self.stepped.emit(1)

    @Slot(bool)
    def _on_sound(self, audible: bool) -> None:
        self.muted_chosen.emit(not audible)

    @Slot(QAction)
    def _on_rate(self, action: QAction) -> None:
        self.rate_chosen.emit(float(action.data()))

    def _paint_icons(self) -> None:
        for button, icon in self._icons.items():
            button.setIcon(line_icon(icon, self.palette()))

    def changeEvent(self, event: QEvent) -> None:
        """Icons follow the palette into the dark and back."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._paint_icons()
