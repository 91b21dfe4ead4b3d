"""From evidence to what is drawn over a picture: small maps in image coordinates, colours and legends.

::

    protocol.Explanation | evidence.Evidence
        -> overlays_from_...            HeatOverlay, PointedOverlay, RegionOverlay, ClassOverlay: what is shown, and how
        -> heat_rgba, class_rgba        a small premultiplied RGBA image over the whole picture
        -> region_strokes               boxes to draw as lines; region_cover_rgba for the cover style
        -> legend_rows, heat_range      what the colours mean
        -> place_at, place_box, ...     cells and boxes that can be pointed at
        -> moving_overlays              of a shot: the layers of all its frames
            -> overlays_at              what is shown at a time
    BitAgreement
        -> agreement_text, undecided    what two codes have in common

Every map covers the whole picture: row r of h covers y in [r/h, (r+1)/h], so whoever draws a map stretches it over the
picture independently in x and y, as the photo was squashed for the network. Pure numpy: no Qt, no matplotlib, no torch.
"""

from explorer.overlays.badges import place_badges
from explorer.overlays.bits import UNDECIDED, agreement_text, bits_from_message, cells_in_line, undecided
from explorer.overlays.class_colours import class_colours
from explorer.overlays.classes import LegendRow, class_rgba, index_map, legend_rows
from explorer.overlays.colour_maps import ColourMap, colour_table
from explorer.overlays.heat import COVER_CAP, bar_colours, has_sign, heat_range, heat_rgba, heat_values, strengths
from explorer.overlays.moving import MovingOverlays, moving_overlays, overlays_at
from explorer.overlays.overlay import (
    AnyOverlay,
    ClassOverlay,
    HeatOverlay,
    Overlay,
    OverlayKind,
    PointedOverlay,
    RegionOverlay,
    Style,
    composed,
)
from explorer.overlays.places import (
    NOWHERE,
    PlacedOverlay,
    at_place,
    has_places,
    next_place,
    place_at,
    place_box,
    place_name,
    place_value,
    same_places,
    with_values,
)
from explorer.overlays.reading import names_of_places, overlays_from_evidence, overlays_from_explanation
from explorer.overlays.regions import (
    RegionStroke,
    bar_range,
    region_cover_range,
    region_cover_rgba,
    region_saliency,
    region_strokes,
    seen_regions,
)

__all__ = [
    "COVER_CAP", "NOWHERE", "UNDECIDED", "AnyOverlay", "ClassOverlay", "ColourMap", "HeatOverlay", "LegendRow",
    "MovingOverlays", "Overlay", "OverlayKind", "PlacedOverlay", "PointedOverlay", "RegionOverlay", "RegionStroke",
    "Style", "agreement_text", "at_place", "bar_colours", "bar_range", "bits_from_message", "cells_in_line",
    "class_colours", "class_rgba", "colour_table", "composed", "has_places", "has_sign", "heat_range", "heat_rgba",
    "heat_values", "index_map", "legend_rows", "moving_overlays", "names_of_places", "next_place", "overlays_at",
    "overlays_from_evidence", "overlays_from_explanation", "place_at", "place_badges", "place_box", "place_name",
    "place_value", "region_cover_range", "region_cover_rgba", "region_saliency", "region_strokes", "same_places",
    "seen_regions", "strengths", "undecided", "with_values",
]
