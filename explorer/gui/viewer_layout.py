"""Columns of widgets without gaps, and the scrolled one beside the picture."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget


def column_of(*widgets: QWidget, stretched: QWidget | None = None) -> QWidget:
    """Widgets below each other without gaps; ``stretched`` takes the room that is left, or nothing does."""
    column_widget = QWidget()
    column = QVBoxLayout(column_widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for widget in widgets:
        column.addWidget(widget, int(widget is stretched))
    if stretched is None:
        column.addStretch(1)
    return column_widget


def scrolled(content: QWidget) -> QScrollArea:
    """As wide as there is room, scrolled up and down only; takes no focus of its own."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(content)
    return area
