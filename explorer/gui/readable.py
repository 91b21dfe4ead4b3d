"""Letters that can be read on a ground, and small ones beside larger ones."""

from PySide6.QtGui import QColor, QFont


def small_font(font: QFont) -> QFont:
    """Letters of the second rank beside this font: smaller, never bold."""
    small = QFont(font)
    small.setBold(False)
    small.setPointSizeF(max(6.5, font.pointSizeF() * 0.82))
    return small


def contrast(first: QColor, second: QColor) -> float:
    """Contrast ratio, WCAG 2.1: 1 to 21."""
    high, low = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable_on(ground: QColor) -> QColor:
    """Black or white, whichever is read better on this ground."""
    return max((QColor("black"), QColor("white")), key=lambda ink: contrast(ink, ground))


def _luminance(colour: QColor) -> float:
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)
