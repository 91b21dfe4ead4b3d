"""Figures for papers and for people without the window: matplotlib without its global state."""

from explorer.figures.explanation import draw_explanation, save_figure

__all__ = ["draw_explanation", "save_figure"]
