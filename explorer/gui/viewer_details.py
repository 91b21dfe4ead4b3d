"""What is known of the shown item, in words."""

import os

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.gui.elided_label import ElidedLabel
from explorer.gui.item_text import date_text, is_video, one_line, score_text, size_text, video_text
from explorer.protocol import ItemDescription

_LEAST_PRESENCE = 0.3
_MOST_PRESENT = 8


class DetailsPanel(QWidget):
    """Name, size, date and what the model believes to be in the picture."""

    search_clicked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = ElidedLabel()
        bold = self.name.font()
        bold.setBold(True)
        self.name.setFont(bold)
        self._what = "picture"
        self.facts = QLabel()
        self.presence = QLabel()
        for label in (self.facts, self.presence):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.captions = QLabel()
        self.captions.setTextFormat(Qt.TextFormat.PlainText)
        self.captions.setWordWrap(True)
        self.captions.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.captions.setMinimumWidth(1)  # a long word must not widen the pane
        self.search = QPushButton("Search with this image")
        self.search.clicked.connect(self.search_clicked)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 8, 8)
        column.setSpacing(6)
        for widget in (self.name, self.facts, self.presence, self.captions):
            column.addWidget(widget)
        column.addSpacing(2)
        column.addWidget(self.search)
        self.setAccessibleName("Details")
        self.set_presence(())

    def set_item(self, item: ItemDescription) -> None:
        """Show what is known of this item."""
        self.name.set_line(one_line(item.name))
        self.name.setAccessibleName(f"Name: {one_line(item.name)}")
        facts = " · ".join(part for part in (_container(item), size_text(item)) if part)
        lines = [video_text(item), facts, date_text(item), item.error]
        self.facts.setText("\n".join(line for line in lines if line))
        self.captions.setText("\n".join(f"“{one_line(caption)}”" for caption in item.captions))
        self.captions.setVisible(bool(item.captions))
        kind, what = ("video", "shot") if is_video(item) else ("photo", "image")
        self.captions.setAccessibleName(f"Sentences of this {kind}")
        self.captions.setToolTip(f"Sentences the library has for this {kind}")
        self._what = what if is_video(item) else "picture"
        self.search.setText(f"Search with this {what}")
        self.search.setToolTip(f"Find what is nearest to this {what}")

    def controls(self) -> list[QWidget]:
        """What takes the focus, from top to bottom."""
        return [self.captions, self.search]

    def set_presence(self, presence: tuple[tuple[str, float], ...]) -> None:
        """Name what the model believes to be in the picture, most certain first."""
        likely = [pair for pair in presence if pair[1] >= _LEAST_PRESENCE][:_MOST_PRESENT]
        named = ", ".join(f"{name} {score_text(sure)}" for name, sure in likely)
        self.presence.setText(f"In the {self._what}: {named}")
        self.presence.setVisible(bool(likely))


def _container(item: ItemDescription) -> str:
    """What a video file is by its name: ``MP4``; nothing of a photo."""
    suffix = os.path.splitext(item.name)[1][1:]
    return suffix.upper() if is_video(item) and suffix.isalnum() and len(suffix) <= 4 else ""
