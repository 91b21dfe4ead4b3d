"""The order in which Tab walks: that of the layouts, also where rows are made later than what stands below them."""

from collections.abc import Iterator
from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLayout, QScrollArea, QTabWidget, QWidget


def focusable(widget: QWidget) -> Iterator[QWidget]:
    """What can get the focus within a widget, from top to bottom, itself included."""
    if widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget
        if widget.focusProxy() is None and widget.layout() is None:
            return
    inner = widget.widget() if isinstance(widget, QScrollArea) else None
    if isinstance(widget, QTabWidget):
        pages = [page for place in range(widget.count()) if (page := widget.widget(place)) is not None]
        for page in pages:
            yield from focusable(page)
    elif inner is not None:
        yield from focusable(inner)
    elif (layout := widget.layout()) is not None:
        yield from _within(layout)


def _within(layout: QLayout) -> Iterator[QWidget]:
    for place in range(layout.count()):
        item = layout.itemAt(place)
        if item is None:
            continue
        widget, inner = item.widget(), item.layout()
        if widget is not None:
            yield from focusable(widget)
        elif inner is not None:
            yield from _within(inner)


def chain(widget: QWidget) -> None:
    """Let Tab walk through it from top to bottom."""
    order = list(focusable(widget))
    for first, second in pairwise(order):
        QWidget.setTabOrder(first, second)
