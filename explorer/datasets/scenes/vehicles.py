"""Outlines of cars and boats.

Each function draws one silhouette on a plane on which the thing has the radius 1.
"""

from collections.abc import Mapping

import numpy as np

from explorer.datasets.scenes import distances as d
from explorer.datasets.scenes.distances import Plane
from explorer.datasets.scenes.part import Drawing, Part


def _wheels(plane: Plane, places: tuple[float, float], y: float, radius: float) -> tuple[Part, ...]:
    tyres = d.join(*(d.circle(plane, x, y, radius) for x in places))
    hubs = d.join(*(d.circle(plane, x, y, radius * 0.52) for x in places))
    caps = d.join(*(d.circle(plane, x, y, radius * 0.16) for x in places))
    return (Part(tyres, "ink", 0.08), Part(hubs, "metal", 0.06), Part(caps, "ink", 0))


def _lamps(plane: Plane, front: float, back: float, y: float) -> tuple[Part, ...]:
    return (
        Part(d.ellipse(plane, front, y, 0.05, 0.075), "lamp", 0.05),
        Part(d.ellipse(plane, back, y, 0.035, 0.07), "tail light", 0.04),
    )


def _saloon(plane: Plane) -> tuple[Part, ...]:
    cabin = d.polygon(plane, [(-0.56, -0.1), (-0.34, -0.46), (0.2, -0.46), (0.5, -0.1)], 0.06)
    body = d.box(plane, 0, 0.12, (0.94, 0.24), 0.16)
    panes = d.join(
        d.polygon(plane, [(-0.42, -0.1), (-0.27, -0.36), (-0.08, -0.36), (-0.08, -0.1)], 0.02),
        d.polygon(plane, [(0.02, -0.1), (0.02, -0.36), (0.16, -0.36), (0.36, -0.1)], 0.02),
    )
    return (
        Part(d.join(cabin, body), "main", 0.2), Part(panes, "glass", 0.03),
        Part(d.stroke(plane, [(-0.02, 0.04), (0.1, 0.04)], 0.018), "deep", 0),
        *_lamps(plane, 0.86, -0.9, 0.08), *_wheels(plane, (-0.52, 0.52), 0.34, 0.22),
    )  # fmt: skip


def _van(plane: Plane) -> tuple[Part, ...]:
    body = d.polygon(plane, [(-0.84, -0.48), (0.5, -0.48), (0.84, 0.0), (0.84, 0.3), (-0.84, 0.3)], 0.09)
    panes = d.join(
        d.polygon(plane, [(0.34, -0.06), (0.34, -0.36), (0.5, -0.36), (0.7, -0.06)], 0.02),
        *(d.box(plane, x, -0.21, (0.19, 0.15), 0.03) for x in (-0.58, -0.12)),
    )
    band = d.within(d.box(plane, 0, 0.14, (1, 0.05)), body)
    return (
        Part(body, "main", 0.16), Part(band, "light", 0.04), Part(panes, "glass", 0.03),
        *_lamps(plane, 0.86, -0.9, 0.2), *_wheels(plane, (-0.48, 0.52), 0.4, 0.21),
    )  # fmt: skip


def _beetle(plane: Plane) -> tuple[Part, ...]:
    dome = d.within(d.ellipse(plane, -0.04, 0.16, 0.6, 0.66), plane.y - np.float32(0.2))
    skirts = [d.within(d.ellipse(plane, x, 0.28, 0.38, 0.34), plane.y - np.float32(0.32)) for x in (-0.53, 0.55)]
    sill = d.box(plane, 0, 0.24, (0.7, 0.1), 0.05)
    panes = d.within(
        d.without(d.ellipse(plane, -0.04, 0.0, 0.44, 0.38), d.box(plane, -0.04, -0.2, (0.035, 0.5))),
        plane.y + np.float32(0.06),
    )
    return (
        Part(d.join(dome, sill), "main", 0.35), Part(panes, "glass", 0.03), *(Part(s, "main", 0.2) for s in skirts),
        *_lamps(plane, 0.8, -0.84, 0.12), *_wheels(plane, (-0.53, 0.55), 0.34, 0.21),
    )  # fmt: skip


def _pickup(plane: Plane) -> tuple[Part, ...]:
    cabin = d.polygon(plane, [(-0.08, 0.0), (-0.05, -0.46), (0.3, -0.46), (0.52, 0.0)], 0.05)
    body = d.box(plane, 0, 0.12, (0.94, 0.2), 0.08)
    load = d.box(plane, -0.54, -0.1, (0.4, 0.1), 0.02)
    pane = d.polygon(plane, [(0.04, -0.08), (0.05, -0.36), (0.26, -0.36), (0.4, -0.08)], 0.02)
    return (
        Part(load, "wood", 0.05), Part(d.join(cabin, body), "main", 0.16), Part(pane, "glass", 0.03),
        *_lamps(plane, 0.88, -0.9, 0.08), *_wheels(plane, (-0.52, 0.54), 0.32, 0.24),
    )  # fmt: skip


def _roadster(plane: Plane) -> tuple[Part, ...]:
    outline = [
        (-0.9, 0.22),
        (-0.92, 0.0),
        (-0.6, -0.12),
        (-0.2, -0.08),
        (0.3, -0.08),
        (0.8, 0.02),
        (0.95, 0.2),
        (0.6, 0.3),
        (-0.6, 0.3),
    ]
    screen = d.stroke(plane, [(0.1, -0.08), (-0.02, -0.36)], 0.035)
    seat = d.box(plane, -0.36, -0.14, (0.13, 0.16), 0.07)
    return (
        Part(seat, "ink", 0.1), Part(screen, "glass", 0.03),
        Part(d.polygon(plane, d.smooth_outline(outline, 4), 0.03), "main", 0.2),
        Part(d.stroke(plane, [(-0.5, 0.1), (0.5, 0.1)], 0.022), "light", 0),
        *_lamps(plane, 0.86, -0.88, 0.1), *_wheels(plane, (-0.54, 0.56), 0.3, 0.23),
    )  # fmt: skip


def _hull(plane: Plane, y: float, half_width: float, height: float) -> np.ndarray:
    return d.polygon(
        plane,
        [(-half_width, y), (half_width, y), (half_width * 0.7, y + height), (-half_width * 0.66, y + height)],
        0.05,
    )


def _sailing_boat(plane: Plane) -> tuple[Part, ...]:
    sail = d.polygon(plane, d.smooth_outline([(-0.04, -0.9), (-0.04, 0.3), (-0.62, 0.28), (-0.3, -0.3)], 5))
    jib = d.polygon(plane, d.smooth_outline([(0.06, -0.76), (0.36, -0.2), (0.7, 0.28), (0.06, 0.28)], 5))
    mast = d.stroke(plane, [(0, -0.95), (0, 0.5)], 0.035)
    hull = _hull(plane, 0.48, 0.84, 0.32)
    return (
        Part(mast, "wood", 0.03), Part(sail, "cream", 0.1), Part(jib, "light", 0.1), Part(hull, "main", 0.2),
        Part(d.within(d.box(plane, 0, 0.5, (1, 0.045)), hull), "cream", 0.03),
    )  # fmt: skip


def _steamer(plane: Plane) -> tuple[Part, ...]:
    funnels = [d.box(plane, x, -0.4, (0.11, 0.36), 0.03) for x in (-0.22, 0.18)]
    bands = [d.box(plane, x, -0.66, (0.11, 0.07)) for x in (-0.22, 0.18)]
    cabin = d.box(plane, -0.02, 0.12, (0.52, 0.2), 0.04)
    holes = d.join(*(d.circle(plane, x, 0.1, 0.075) for x in (-0.32, -0.02, 0.28)))
    return (
        Part(d.join(*funnels), "main", 0.12), Part(d.join(*bands), "ink", 0.1), Part(cabin, "cream", 0.1),
        Part(holes, "glass", 0.03), Part(_hull(plane, 0.36, 0.86, 0.36), "main", 0.22),
    )  # fmt: skip


def _paper_boat(plane: Plane) -> tuple[Part, ...]:
    sail = d.polygon(plane, [(0, -0.66), (0.46, 0.3), (-0.46, 0.3)], 0.02)
    half = d.within(sail, -plane.x)
    hull = d.polygon(plane, [(-0.92, 0.04), (0, 0.34), (0.92, 0.04), (0.54, 0.66), (-0.54, 0.66)], 0.02)
    return (Part(sail, "light", 0.03), Part(half, "main", 0.03), Part(hull, "main", 0.06))


def _junk(plane: Plane) -> tuple[Part, ...]:
    mast = d.stroke(plane, [(0.05, -0.95), (0.05, 0.5)], 0.035)
    sail = d.polygon(
        plane, d.smooth_outline([(-0.1, -0.9), (0.36, -0.66), (0.6, -0.1), (0.5, 0.3), (-0.42, 0.3), (-0.3, -0.3)], 4)
    )
    battens = d.within(d.join(*(d.stroke(plane, [(-0.6, y + 0.1), (0.7, y)], 0.02) for y in (-0.55, -0.28, 0.0))), sail)
    hull = d.polygon(
        plane,
        d.smooth_outline(
            [(-0.9, 0.3), (-0.5, 0.5), (0.5, 0.5), (0.95, 0.26), (0.7, 0.76), (0, 0.82), (-0.66, 0.76)], 4
        ),
        0.02,
    )
    return (Part(mast, "wood", 0.03), Part(sail, "main", 0.12), Part(battens, "wood", 0.02), Part(hull, "wood", 0.2))


def _tug(plane: Plane) -> tuple[Part, ...]:
    funnel = d.polygon(plane, [(-0.36, -0.62), (-0.12, -0.62), (-0.1, 0), (-0.4, 0)], 0.02)
    cabin = d.box(plane, 0.16, -0.06, (0.28, 0.34), 0.05)
    pane = d.box(plane, 0.2, -0.16, (0.15, 0.12), 0.03)
    hull = d.polygon(
        plane,
        d.smooth_outline(
            [(-0.86, 0.3), (0, 0.34), (0.7, 0.2), (0.95, 0.06), (0.76, 0.6), (0.3, 0.76), (-0.6, 0.74)], 4
        ),
        0.02,
    )
    rings = d.join(*(np.abs(d.circle(plane, x, 0.52, 0.1)) - np.float32(0.04) for x in (-0.5, -0.1, 0.3)))
    return (
        Part(funnel, "deep", 0.1), Part(cabin, "cream", 0.1), Part(pane, "glass", 0.03), Part(hull, "main", 0.25),
        Part(rings, "ink", 0.05),
    )  # fmt: skip


VEHICLES: Mapping[tuple[str, str], Drawing] = {
    ("car", "saloon"): _saloon,
    ("car", "van"): _van,
    ("car", "beetle"): _beetle,
    ("car", "pickup"): _pickup,
    ("car", "roadster"): _roadster,
    ("boat", "sailing boat"): _sailing_boat,
    ("boat", "steamer"): _steamer,
    ("boat", "paper boat"): _paper_boat,
    ("boat", "junk"): _junk,
    ("boat", "tug"): _tug,
}
