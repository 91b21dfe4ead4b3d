"""Outlines of what lies in a playroom: balls, boxes, stars, hearts, kites and cups.

Each function draws one silhouette on a plane on which the thing has the radius 1.
"""

from collections.abc import Mapping

import numpy as np

from explorer.datasets.scenes import distances as d
from explorer.datasets.scenes.distances import Plane
from explorer.datasets.scenes.part import Drawing, Part

_R = 0.92


def _wedges(plane: Plane, n: int, radius: float, centre: tuple[float, float] = (-0.18, -0.22)) -> np.ndarray:
    """Every second one of 2 n sectors of a disc, whose lines bend as they do on a ball."""
    x, y = plane.x - np.float32(centre[0]), plane.y - np.float32(centre[1])
    far = np.hypot(x, y)
    angle = np.arctan2(y, x) + 0.35 * far
    sector = np.abs(np.mod(angle * n / (2 * np.pi), 1) - 0.5) - 0.25
    return d.within(
        np.asarray(sector * (2 * np.pi / n) * np.maximum(far, 0.05), np.float32), d.circle(plane, 0, 0, radius)
    )


def _beach_ball(plane: Plane) -> tuple[Part, ...]:
    return (
        Part(d.circle(plane, 0, 0, _R), "cream", _R),
        Part(_wedges(plane, 4, _R), "main", 0),
        Part(d.circle(plane, -0.18, -0.22, 0.1), "cream", 0),
    )


def _football(plane: Plane) -> tuple[Part, ...]:
    disc = d.circle(plane, 0, 0, _R)
    patches = [d.polygon(plane, d.ring_points(5, 0.3, 0.3), 0.02)]
    lines = []
    for x, y in d.ring_points(5, 1.0, 0.3):
        patches.append(d.polygon(plane.moved(0.98 * x, 0.98 * y), d.ring_points(5, 0.32, np.arctan2(y, x)), 0.02))
        lines.append(d.stroke(plane, [(0.3 * x, 0.3 * y), (0.7 * x, 0.7 * y)], 0.022))
    return (
        Part(disc, "main", _R),
        Part(d.within(d.join(*lines), disc), "cream", 0),
        Part(d.within(d.join(*patches), disc), "cream", 0),
    )


def _basketball(plane: Plane) -> tuple[Part, ...]:
    disc = d.circle(plane, 0, 0, _R)
    turned = plane.moved(0, 0, 0.4)
    seams = [
        np.abs(turned.x) - np.float32(0.028),
        np.abs(turned.y + 0.12 * turned.x**2) - np.float32(0.028),
        np.abs(d.circle(turned, -1.08, 0, 0.72)) - np.float32(0.028),
        np.abs(d.circle(turned, 1.08, 0, 0.72)) - np.float32(0.028),
    ]
    return (Part(disc, "main", _R), Part(d.within(d.join(*seams), disc), "ink", 0))


def _tennis_ball(plane: Plane) -> tuple[Part, ...]:
    disc = d.circle(plane, 0, 0, _R)
    turned = plane.moved(0, 0, -0.5)
    seams = [np.abs(d.circle(turned, side, 0, 0.86)) - np.float32(0.05) for side in (-1.15, 1.15)]
    return (Part(disc, "main", _R), Part(d.within(d.join(*seams), disc), "cream", 0))


def _striped_ball(plane: Plane) -> tuple[Part, ...]:
    disc = d.circle(plane, 0, 0, _R)
    turned = plane.moved(0, 0, 0.7)
    band = np.abs(turned.y - 0.16 * (1 - turned.x**2)) - np.float32(0.2)
    edge = np.abs(band) - np.float32(0.035)
    return (
        Part(disc, "main", _R),
        Part(d.within(band, disc), "deep", 0),
        Part(d.within(edge, disc), "cream", 0),
    )


def _cube_faces(plane: Plane, rounding: float = 0.02) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Top, left and right face of a cube seen from a corner."""
    w, h, mid, low = 0.8, 0.38, -0.5, 0.48
    top = d.polygon(plane, [(0, mid - h), (w, mid), (0, mid + h), (-w, mid)], rounding)
    left = d.polygon(plane, [(-w, mid), (0, mid + h), (0, low + h + 0.06), (-w, low)], rounding)
    right = d.polygon(plane, [(w, mid), (0, mid + h), (0, low + h + 0.06), (w, low)], rounding)
    return top, left, right


def _cube(plane: Plane) -> tuple[Part, ...]:
    top, left, right = _cube_faces(plane)
    return (Part(left, "main", 0.05), Part(right, "deep", 0.05), Part(top, "light", 0.05))


def _gift(plane: Plane) -> tuple[Part, ...]:
    body = d.box(plane, 0, 0.3, (0.68, 0.56), 0.05)
    lid = d.box(plane, 0, -0.28, (0.78, 0.19), 0.05)
    loops = [
        np.abs(d.ellipse(plane.moved(side * 0.27, -0.68, side * -0.5), 0, 0, 0.27, 0.15)) - np.float32(0.055)
        for side in (-1, 1)
    ]
    return (
        Part(d.join(*loops), "ribbon", 0.06),
        Part(body, "main", 0.1),
        Part(d.within(d.box(plane, 0, 0.3, (0.13, 0.58)), body), "ribbon", 0.08),
        Part(lid, "main", 0.1),
        Part(d.within(d.box(plane, 0, -0.28, (0.13, 0.3)), lid), "ribbon", 0.08),
        Part(d.circle(plane, 0, -0.52, 0.1), "ribbon", 0.1),
    )


def _crate(plane: Plane) -> tuple[Part, ...]:
    whole = d.box(plane, 0, 0, (0.8, 0.72), 0.03)
    planks = [d.box(plane, 0, y, (0.72, 0.15), 0.02) for y in (-0.42, -0.09, 0.24, 0.5)]
    frame = d.without(whole, d.box(plane, 0, 0, (0.6, 0.52)))
    brace = d.within(d.stroke(plane, [(-0.6, 0.5), (0.6, -0.5)], 0.1), whole)
    return (
        Part(whole, "deep", 0.02),
        Part(d.join(*planks), "main", 0.05),
        Part(brace, "main", 0.06),
        Part(frame, "light", 0.06),
    )


def _parcel(plane: Plane) -> tuple[Part, ...]:
    body = d.box(plane, 0, 0.06, (0.86, 0.6), 0.04)
    return (
        Part(body, "main", 0.14),
        Part(d.within(d.box(plane, -0.25, 0.06, (0.035, 0.7)), body), "cream", 0.04),
        Part(d.within(d.box(plane, 0, 0.0, (0.9, 0.035)), body), "cream", 0.04),
        Part(d.box(plane, 0.36, 0.36, (0.28, 0.17), 0.03), "cream", 0.02),
        Part(d.join(d.box(plane, 0.3, 0.31, (0.17, 0.02)), d.box(plane, 0.34, 0.4, (0.21, 0.02))), "ink", 0),
    )


def _chest(plane: Plane) -> tuple[Part, ...]:
    lid = d.within(d.ellipse(plane, 0, 0.02, 0.85, 0.66), plane.y - np.float32(0.0))
    body = d.box(plane, 0, 0.36, (0.85, 0.34), 0.04)
    straps = [d.box(plane, x, 0.1, (0.08, 0.9)) for x in (-0.55, 0.55)]
    return (
        Part(body, "main", 0.12),
        Part(lid, "light", 0.3),
        Part(d.within(d.join(*straps), d.join(lid, body)), "gold", 0.05),
        Part(d.box(plane, 0, 0.03, (0.85, 0.05), 0.02), "gold", 0.05),
        Part(d.box(plane, 0, 0.12, (0.13, 0.16), 0.05), "gold", 0.1),
        Part(d.circle(plane, 0, 0.13, 0.045), "ink", 0),
    )


def _five_pointed(plane: Plane) -> tuple[Part, ...]:
    return (Part(d.polygon(plane.moved(0, 0.05), d.star_points(5, 0.9, 0.38), 0.06), "main", 0.34),)


def _six_pointed(plane: Plane) -> tuple[Part, ...]:
    star = d.polygon(plane, d.star_points(6, 0.9, 0.5), 0.04)
    return (Part(star, "deep", 0.1), Part(star + np.float32(0.13), "main", 0.2))


def _rounded_star(plane: Plane) -> tuple[Part, ...]:
    return (Part(d.polygon(plane.moved(0, 0.05), d.star_points(5, 0.7, 0.42), 0.22), "main", 0.5),)


def _eight_pointed(plane: Plane) -> tuple[Part, ...]:
    star = d.polygon(plane, d.star_points(8, 0.92, 0.52), 0.03)
    return (Part(star, "main", 0.3), Part(d.circle(plane, 0, 0, 0.26), "light", 0.14))


def _sparkle(plane: Plane) -> tuple[Part, ...]:
    x, y = np.abs(plane.x), np.abs(plane.y)
    curved = (np.sqrt(x) + np.sqrt(y)) ** 2 - np.float32(0.95)
    slope = 1.6 + 0.9 * np.minimum(np.sqrt((x + 0.03) / (y + 0.03)), np.sqrt((y + 0.03) / (x + 0.03)))
    star = d.within(np.asarray(curved / slope - 0.05, np.float32), d.circle(plane, 0, 0, 0.95))
    return (Part(star, "main", 0.3),)


def _heart(plane: Plane, width: float, height: float) -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    x = 16 * np.sin(t) ** 3 / 17
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 17 - 0.12
    return d.polygon(plane, [(float(a * width), float(b * height)) for a, b in zip(x, y, strict=True)], 0.03)


def _full_heart(plane: Plane) -> tuple[Part, ...]:
    return (Part(_heart(plane, 0.92, 0.92), "main", 0.5),)


def _slender_heart(plane: Plane) -> tuple[Part, ...]:
    return (Part(_heart(plane, 0.74, 1.0), "main", 0.3),)


def _framed_heart(plane: Plane) -> tuple[Part, ...]:
    heart = _heart(plane, 0.92, 0.92)
    return (Part(heart, "light", 0.12), Part(heart + np.float32(0.15), "main", 0.3))


def _broad_heart(plane: Plane) -> tuple[Part, ...]:
    heart = _heart(plane, 1.0, 0.78)
    shine = d.within(np.abs(heart + np.float32(0.24)) - np.float32(0.035), plane.x + np.float32(0.25), plane.y)
    return (Part(heart, "main", 0.42), Part(shine, "light", 0))


def _winged_heart(plane: Plane) -> tuple[Part, ...]:
    parts = []
    for side in (-1, 1):
        for y, reach, turn in ((-0.3, 0.36, 0.5), (-0.1, 0.3, 0.15), (0.07, 0.24, -0.2)):
            feather = plane.moved(side * (0.96 - reach), y, side * turn * -1)
            parts.append(d.ellipse(feather, 0, 0, reach, 0.13))
    return (*(Part(part, "cream", 0.12) for part in parts), Part(_heart(plane, 0.62, 0.72), "main", 0.32))


def _tail(plane: Plane, points: d.Points, n_bows: int) -> tuple[Part, ...]:
    line = d.smooth_outline([*points, *reversed(points[1:-1])], 4)[: 4 * (len(points) - 1) + 1]
    bows = []
    for number in range(n_bows):
        at = line[round((number + 0.8) / (n_bows + 0.2) * (len(line) - 1))]
        bows.append(d.join(*(d.ellipse(plane.moved(*at, side * 0.5), side * 0.07, 0, 0.08, 0.045) for side in (-1, 1))))
    return (Part(d.stroke(plane, line, 0.014), "ink", 0), Part(d.join(*bows), "light", 0.05))


def _diamond_kite(plane: Plane) -> tuple[Part, ...]:
    top, side, low, mid = -0.95, 0.58, 0.36, -0.36
    whole = d.polygon(plane, [(0, top), (side, mid), (0, low), (-side, mid)], 0.015)
    quarter = d.join(
        d.within(whole, plane.x, plane.y - np.float32(mid)), d.within(whole, -plane.x, -plane.y + np.float32(mid))
    )
    spars = d.join(d.stroke(plane, [(0, top), (0, low)], 0.018), d.stroke(plane, [(-side, mid), (side, mid)], 0.018))
    tail = _tail(plane, [(0, low), (0.12, 0.55), (-0.08, 0.75), (0.1, 0.95)], 3)
    return (*tail, Part(whole, "main", 0.05), Part(quarter, "light", 0.03), Part(spars, "wood", 0.02))


def _delta_kite(plane: Plane) -> tuple[Part, ...]:
    whole = d.polygon(plane, [(0, -0.82), (0.96, 0.22), (0.3, 0.1), (0, 0.34), (-0.3, 0.1), (-0.96, 0.22)], 0.015)
    keel = d.polygon(plane, [(0, -0.6), (0.2, 0.12), (0, 0.34), (-0.2, 0.12)])
    tails = [_tail(plane, [(x, 0.25), (x * 1.4, 0.5), (x * 0.6, 0.72), (x * 1.3, 0.93)], 2) for x in (-0.12, 0.12)]
    return (*tails[0], *tails[1], Part(whole, "main", 0.06), Part(keel, "deep", 0.05))


def _hexagon_kite(plane: Plane) -> tuple[Part, ...]:
    moved = plane.moved(0, -0.28)
    whole = d.polygon(moved, d.ring_points(6, 0.66), 0.015)
    rays = [d.stroke(moved, [(-x, -y), (x, y)], 0.018) for x, y in d.ring_points(6, 0.66)[:3]]
    inner = d.polygon(moved, d.ring_points(6, 0.34))
    tail = _tail(plane, [(0, 0.36), (-0.12, 0.55), (0.08, 0.75), (-0.06, 0.96)], 3)
    return (*tail, Part(whole, "main", 0.05), Part(inner, "light", 0.02), Part(d.join(*rays), "wood", 0.02))


def _box_kite(plane: Plane) -> tuple[Part, ...]:
    turned = plane.moved(0, -0.1, 0.25)
    sticks = [d.stroke(turned, [(x, -0.8), (x, 0.8)], 0.025) for x in (-0.55, -0.12, 0.55)]
    parts = [Part(d.join(*sticks), "wood", 0.03)]
    for y in (-0.5, 0.5):
        parts.append(Part(d.box(turned, -0.335, y, (0.215, 0.26), 0.01), "deep", 0.03))
        parts.append(Part(d.box(turned, 0.215, y, (0.335, 0.26), 0.01), "main", 0.03))
    return tuple(parts)


def _bird_kite(plane: Plane) -> tuple[Part, ...]:
    wing = [(0, -0.3), (-0.3, -0.5), (-0.7, -0.42), (-0.98, -0.02), (-0.6, -0.1), (-0.25, 0.12), (0, 0.1)]
    wings = d.polygon(plane, d.mirrored(wing), 0.015)
    body = d.ellipse(plane, 0, -0.12, 0.16, 0.46)
    fan = d.polygon(plane, [(0, 0.1), (0.3, 0.62), (0, 0.52), (-0.3, 0.62)], 0.02)
    eyes = d.join(d.circle(plane, -0.06, -0.42, 0.032), d.circle(plane, 0.06, -0.42, 0.032))
    tail = _tail(plane, [(0, 0.5), (0.1, 0.65), (-0.08, 0.8), (0.05, 0.95)], 2)
    return (
        *tail, Part(fan, "deep", 0.05), Part(wings, "main", 0.06), Part(body, "light", 0.12), Part(eyes, "ink", 0),
    )  # fmt: skip


def _saucer(plane: Plane) -> Part:
    return Part(d.ellipse(plane, 0, 0.7, 0.92, 0.17), "cream", 0.12)


def _mouth(plane: Plane, y: float, rx: float, ry: float) -> tuple[Part, ...]:
    """The open top with what is in it."""
    return (
        Part(d.ellipse(plane, 0, y, rx, ry), "light", 0.04),
        Part(d.ellipse(plane, 0, y + 0.02, rx - 0.07, ry - 0.05), "coffee", 0),
    )


def _mug(plane: Plane) -> tuple[Part, ...]:
    moved = plane.moved(-0.16, 0)
    handle = np.abs(d.ellipse(moved, 0.62, 0.08, 0.34, 0.36)) - np.float32(0.09)
    body = d.box(moved, 0, 0.1, (0.64, 0.74), 0.14)
    return (Part(handle, "main", 0.1), Part(body, "main", 0.5), *_mouth(moved, -0.6, 0.63, 0.16))


def _teacup(plane: Plane) -> tuple[Part, ...]:
    moved = plane.moved(-0.12, 0)
    handle = np.abs(d.ellipse(moved, 0.66, -0.05, 0.26, 0.25)) - np.float32(0.065)
    bowl = d.within(d.ellipse(moved, 0, -0.35, 0.72, 1.02), -moved.y - np.float32(0.35))
    return (_saucer(moved), Part(handle, "main", 0.07), Part(bowl, "main", 0.6), *_mouth(moved, -0.36, 0.72, 0.17))


def _beaker(plane: Plane) -> tuple[Part, ...]:
    body = d.polygon(plane, [(-0.68, -0.6), (0.68, -0.6), (0.46, 0.8), (-0.46, 0.8)], 0.08)
    band = d.within(d.box(plane, 0, 0.15, (1, 0.2)), body)
    straw = d.stroke(plane, [(0.1, -0.55), (0.3, -0.97)], 0.05)
    rim = _mouth(plane, -0.6, 0.74, 0.15)
    return (Part(body, "main", 0.5), Part(band, "light", 0.5), *rim, Part(straw, "cream", 0.05))


def _goblet(plane: Plane) -> tuple[Part, ...]:
    bowl = d.within(d.ellipse(plane, 0, -0.62, 0.6, 0.92), -plane.y - np.float32(0.62))
    stem = d.polygon(plane, d.mirrored([(0, 0.2), (-0.08, 0.25), (-0.07, 0.62), (-0.2, 0.74), (0, 0.78)]), 0.03)
    foot = d.ellipse(plane, 0, 0.8, 0.5, 0.14)
    return (
        Part(foot, "deep", 0.14),
        Part(stem, "main", 0.1),
        Part(bowl, "main", 0.5),
        *_mouth(plane, -0.63, 0.6, 0.15),
    )


def _bowl_cup(plane: Plane) -> tuple[Part, ...]:
    handles = [np.abs(d.ellipse(plane, x, -0.05, 0.2, 0.22)) - np.float32(0.06) for x in (-0.72, 0.72)]
    bowl = d.within(d.ellipse(plane, 0, -0.35, 0.74, 0.9), -plane.y - np.float32(0.35))
    foot = d.box(plane, 0, 0.6, (0.36, 0.1), 0.04)
    return (
        Part(d.join(*handles), "deep", 0.07), Part(foot, "deep", 0.1), Part(bowl, "main", 0.55),
        *_mouth(plane, -0.36, 0.74, 0.18),
    )  # fmt: skip


TOYS: Mapping[tuple[str, str], Drawing] = {
    ("ball", "beach ball"): _beach_ball,
    ("ball", "football"): _football,
    ("ball", "basketball"): _basketball,
    ("ball", "tennis ball"): _tennis_ball,
    ("ball", "striped ball"): _striped_ball,
    ("box", "cube"): _cube,
    ("box", "gift"): _gift,
    ("box", "crate"): _crate,
    ("box", "parcel"): _parcel,
    ("box", "chest"): _chest,
    ("star", "five-pointed"): _five_pointed,
    ("star", "six-pointed"): _six_pointed,
    ("star", "rounded"): _rounded_star,
    ("star", "eight-pointed"): _eight_pointed,
    ("star", "sparkle"): _sparkle,
    ("heart", "full"): _full_heart,
    ("heart", "slender"): _slender_heart,
    ("heart", "framed"): _framed_heart,
    ("heart", "broad"): _broad_heart,
    ("heart", "winged"): _winged_heart,
    ("kite", "diamond"): _diamond_kite,
    ("kite", "delta"): _delta_kite,
    ("kite", "hexagon kite"): _hexagon_kite,
    ("kite", "box kite"): _box_kite,
    ("kite", "bird kite"): _bird_kite,
    ("cup", "mug"): _mug,
    ("cup", "teacup"): _teacup,
    ("cup", "beaker"): _beaker,
    ("cup", "goblet"): _goblet,
    ("cup", "bowl cup"): _bowl_cup,
}
