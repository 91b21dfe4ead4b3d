"""From evidence to what is drawn over a picture: small maps in image coordinates, colours and legends.

::

    protocol.Explanation | evidence.Evidence
        -> overlays_from_...            HeatOverlay, ClassOverlay: what is shown, and how (visible, opacity, threshold)
        -> heat_rgba, class_rgba        a small premultiplied RGBA image over the whole picture
        -> legend_rows, heat_range      what the colours mean

Every map covers the whole picture: row r of h covers y in [r/h, (r+1)/h], so whoever draws a map stretches it over the
picture independently in x and y, as the photo was squashed for the network. Pure numpy: no Qt, no matplotlib, no torch.
"""

from explorer.overlays.class_colours import class_colours
from explorer.overlays.classes import LegendRow, class_rgba, index_map, legend_rows
from explorer.overlays.colour_maps import ColourMap, colour_table
from explorer.overlays.heat import heat_range, heat_rgba, heat_values
from explorer.overlays.overlay import ClassOverlay, HeatOverlay, Overlay, OverlayKind, composed
from explorer.overlays.reading import overlays_from_evidence, overlays_from_explanation

__all__ = [
    "ClassOverlay", "ColourMap", "HeatOverlay", "LegendRow", "Overlay", "OverlayKind", "class_colours", "class_rgba",
    "colour_table", "composed", "heat_range", "heat_rgba", "heat_values", "index_map", "legend_rows",
    "overlays_from_evidence", "overlays_from_explanation",
]
