"""What a run computes on."""

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer.gui.icons import GlyphButton
from explorer.gui.training.field_editors import CalmComboBox
from explorer.gui.training.form_fields import quiet_note, row_name
from explorer.protocol.training import Device

AUTOMATIC = "auto"


class DevicePicker(QWidget):
    """The devices of the engine's machine with their free memory, the preferred one first.

    Signals:
        chosen(): another one than before.
        asked(): free memory changes; it is to be told again.
    """

    chosen = Signal()
    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._devices: tuple[Device, ...] = ()
        self._wanted = AUTOMATIC
        self.box = CalmComboBox(self)
        self.box.setMinimumWidth(240)
        self.box.setAccessibleName("Device")
        self.again = GlyphButton("rescan", "Look for devices again", "Look again how much memory is free", self)
        self.note = quiet_note(self)
        name = row_name("Device", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (name, self.box, self.again):
            row.addWidget(widget)
        row.addWidget(self.note, 1)
        self.box.activated.connect(self._choose)
        self.again.clicked.connect(self.asked)
        self.show_devices(())

    @property
    def device(self) -> str:
        """As ``--device`` takes it."""
        return self._wanted

    def choose(self, device: str) -> None:
        """Choose one by its name; the best there is, if it is not there."""
        self._wanted = device
        self.show_devices(self._devices)

    @Slot(tuple)
    def show_devices(self, devices: tuple[Device, ...]) -> None:
        """Redraw; what was chosen stays chosen if it is still there."""
        self._devices = devices
        self.box.clear()
        self.box.addItem("The best there is" if not devices else f"The best there is ({devices[0].title})", AUTOMATIC)
        for device in devices:
            self.box.addItem(device_text(device), device.name)
        row = self.box.findData(self._wanted)
        self.box.setCurrentIndex(max(row, 0))
        self._wanted = str(self.box.currentData())
        self.note.setText("" if devices else "Looking for devices…")
        self._say_whole()

    def show_problem(self, sentence: str) -> None:
        """They cannot be listed; the program chooses."""
        self.note.setText(sentence)
        self.note.setToolTip(sentence)

    @Slot(int)
    def _choose(self, row: int) -> None:
        self._wanted = str(self.box.itemData(row))
        self._say_whole()
        self.chosen.emit()

    def _say_whole(self) -> None:
        self.box.setToolTip(self.box.currentText())


def device_text(device: Device) -> str:
    """``"NVIDIA H200, 120 GB of 141 GB free"``, ``"CPU, 12 GB free"``."""
    if not device.free_mb:
        return device.title
    free = memory(device.free_mb)
    of = f" of {memory(device.total_mb)}" if device.total_mb else ""
    return f"{device.title}, {free}{of} free"


def memory(mb: float) -> str:
    """``"820 MB"``, ``"1.4 GB"``, ``"141 GB"``."""
    if mb < 1000:
        return f"{mb:.0f} MB"
    return f"{mb / 1000:.1f} GB" if mb < 10_000 else f"{mb / 1000:,.0f} GB"
