"""Outlines of what is seen outside: fish, trees, houses and mushrooms.

Each function draws one silhouette on a plane on which the thing has the radius 1.
"""

from collections.abc import Mapping

import numpy as np

from explorer.datasets.scenes import distances as d
from explorer.datasets.scenes.distances import Plane
from explorer.datasets.scenes.part import Drawing, Part


def _fish(
    plane: Plane, body: np.ndarray, fins: np.ndarray, tail: np.ndarray, eye: tuple[float, float]
) -> tuple[Part, ...]:
    gill = d.within(
        np.abs(d.circle(plane, eye[0] + 0.34, 0.02, 0.5)) - np.float32(0.02),
        d.box(plane, eye[0] - 0.16, 0.02, (0.2, 0.26)),
    )
    return (
        Part(tail, "deep", 0.12), Part(fins, "deep", 0.12), Part(body, "main", 0.4),
        Part(d.within(gill, body), "deep", 0), Part(d.circle(plane, *eye, 0.1), "cream", 0.06),
        Part(d.circle(plane, eye[0] + 0.02, eye[1], 0.055), "ink", 0.05),
    )  # fmt: skip


def _round_fish(plane: Plane) -> tuple[Part, ...]:
    tail = d.polygon(plane, d.smooth_outline([(-0.4, 0), (-0.86, -0.42), (-0.76, 0), (-0.86, 0.42)], 6), 0.04)
    fins = d.join(
        d.polygon(plane, d.smooth_outline([(-0.1, -0.45), (0.05, -0.74), (0.45, -0.4)], 6), 0.02),
        d.polygon(plane, d.smooth_outline([(0, 0.45), (0.0, 0.72), (0.3, 0.4)], 6), 0.02),
    )
    return _fish(plane, d.ellipse(plane, 0.2, 0, 0.7, 0.52), fins, tail, (0.56, -0.12))


def _long_fish(plane: Plane) -> tuple[Part, ...]:
    body = d.polygon(
        plane, d.smooth_outline([(-0.6, 0), (-0.1, -0.32), (0.5, -0.3), (0.95, 0.02), (0.5, 0.28), (-0.1, 0.3)], 6)
    )
    tail = d.polygon(plane, [(-0.5, 0), (-0.92, -0.38), (-0.8, 0), (-0.92, 0.38)], 0.03)
    fins = d.join(
        d.polygon(plane, [(-0.15, -0.24), (0.05, -0.52), (0.35, -0.28)], 0.03),
        d.polygon(plane, [(-0.1, 0.24), (-0.12, 0.46), (0.2, 0.26)], 0.03),
    )
    return _fish(plane, body, fins, tail, (0.66, -0.06))


def _fan_tail(plane: Plane) -> tuple[Part, ...]:
    tail = d.polygon(
        plane,
        d.smooth_outline([(0.1, 0), (-0.5, -0.62), (-0.95, -0.55), (-0.78, 0), (-0.95, 0.55), (-0.5, 0.62)], 6),
    )
    fins = d.polygon(plane, d.smooth_outline([(0, -0.36), (0.1, -0.8), (0.55, -0.34)], 6), 0.02)
    return _fish(plane, d.ellipse(plane, 0.38, 0, 0.54, 0.44), fins, tail, (0.64, -0.1))


def _angelfish(plane: Plane) -> tuple[Part, ...]:
    fins = d.join(
        d.polygon(plane, d.smooth_outline([(0.3, -0.3), (-0.25, -0.98), (-0.3, -0.2)], 6), 0.02),
        d.polygon(plane, d.smooth_outline([(0.3, 0.3), (-0.25, 0.98), (-0.3, 0.2)], 6), 0.02),
    )
    tail = d.polygon(plane, [(-0.35, 0), (-0.8, -0.28), (-0.74, 0), (-0.8, 0.28)], 0.03)
    body = d.polygon(plane, d.smooth_outline([(-0.46, 0), (0.1, -0.56), (0.82, 0), (0.1, 0.56)], 8))
    return _fish(plane, body, fins, tail, (0.5, -0.06))


def _puffer(plane: Plane) -> tuple[Part, ...]:
    spikes = d.polygon(plane.moved(0.12, 0), d.star_points(14, 0.84, 0.6))
    tail = d.polygon(plane, [(-0.5, 0), (-0.92, -0.26), (-0.92, 0.26)], 0.04)
    body = d.circle(plane, 0.12, 0, 0.64)
    return _fish(plane, body, spikes, tail, (0.46, -0.16))


def _trunk(plane: Plane, top: float, width: float) -> Part:
    points = [(0, top), (-width * 0.6, top), (-width * 0.7, 0.7), (-width * 1.5, 0.93), (0, 0.9)]
    return Part(d.polygon(plane, d.mirrored(points), 0.02), "wood", width)


def _leafy(plane: Plane) -> tuple[Part, ...]:
    low = d.join(d.circle(plane, -0.42, 0.06, 0.38), d.circle(plane, 0.42, 0.06, 0.38), d.circle(plane, 0, 0.1, 0.4))
    mid = d.join(d.circle(plane, -0.28, -0.32, 0.4), d.circle(plane, 0.3, -0.3, 0.38))
    return (
        _trunk(plane, 0.2, 0.14),
        Part(low, "deep", 0.36),
        Part(mid, "main", 0.38),
        Part(d.circle(plane, 0.0, -0.56, 0.38), "main", 0.38),
    )


def _fir(plane: Plane) -> tuple[Part, ...]:
    parts = [_trunk(plane, 0.5, 0.11)]
    for y, width, height in ((0.62, 0.68, 0.62), (0.22, 0.56, 0.58), (-0.18, 0.42, 0.72)):
        outline = [(0, y - height), (-width, y), (-width * 0.5, y - 0.05), (0, y + 0.06)]
        parts.append(Part(d.polygon(plane, d.mirrored(outline), 0.04), "main", 0.2))
    return tuple(parts)


def _poplar(plane: Plane) -> tuple[Part, ...]:
    upper = [(0, -0.95), (-0.22, -0.62), (-0.17, -0.54), (-0.36, -0.2)]
    left = [*upper, (-0.29, -0.11), (-0.46, 0.24), (-0.4, 0.52), (0, 0.64)]
    crown = d.polygon(plane, d.smooth_outline(d.mirrored(left), 5))
    return (_trunk(plane, 0.5, 0.12), Part(crown, "main", 0.36))


def _cloud_tree(plane: Plane) -> tuple[Part, ...]:
    branches = d.join(d.stroke(plane, [(0, 0.5), (-0.5, -0.02)], 0.06), d.stroke(plane, [(0, 0.35), (0.5, 0.12)], 0.06))
    crowns = [
        d.ellipse(plane, x, y, rx, ry)
        for x, y, rx, ry in ((-0.5, -0.1, 0.42, 0.26), (0.52, 0.04, 0.38, 0.24), (0.04, -0.52, 0.56, 0.38))
    ]
    return (_trunk(plane, -0.3, 0.1), Part(branches, "wood", 0.06), *(Part(crown, "main", 0.26) for crown in crowns))


def _palm(plane: Plane) -> tuple[Part, ...]:
    trunk = d.stroke(plane, [(0.12, 0.88), (0.0, 0.5), (-0.04, 0.1), (0.0, -0.3)], 0.09)
    leaves = []
    for side in (-1, 1):
        for tip, rise in ((0.92, 0.06), (0.82, -0.42), (0.46, 0.34)):
            leaf = [
                (0, -0.42),
                (side * tip * 0.55, -0.5 + rise * 0.5 - 0.22),
                (side * tip, rise - 0.08),
                (side * tip * 0.5, -0.34 + rise * 0.5),
            ]
            leaves.append(Part(d.polygon(plane, d.smooth_outline(leaf, 6), 0.02), "main", 0.1))
    crown = d.polygon(plane, d.smooth_outline([(-0.05, -0.4), (0.06, -0.72), (0.32, -0.9), (0.2, -0.6)], 6), 0.03)
    nuts = d.join(d.circle(plane, -0.08, -0.3, 0.09), d.circle(plane, 0.09, -0.28, 0.09))
    return (Part(trunk, "wood", 0.09), *leaves, Part(crown, "main", 0.1), Part(nuts, "wood", 0.08))


def _panes(plane: Plane, places: tuple[tuple[float, float], ...], half: float) -> tuple[Part, ...]:
    frames = d.join(*(d.box(plane, x, y, (half, half), 0.02) for x, y in places))
    glass = d.join(*(d.box(plane, x + dx, y + dy, (half * 0.38, half * 0.38)) for x, y in places
                     for dx in (-half * 0.44, half * 0.44) for dy in (-half * 0.44, half * 0.44)))  # fmt: skip
    return (Part(frames, "cream", 0.02), Part(glass, "glass", 0))


def _door(plane: Plane, x: float, y: float, half: tuple[float, float]) -> tuple[Part, ...]:
    return (
        Part(d.box(plane, x, y, half, 0.03), "wood", 0.04),
        Part(d.circle(plane, x + half[0] * 0.55, y, 0.03), "gold", 0.03),
    )


def _cottage(plane: Plane) -> tuple[Part, ...]:
    chimney = d.box(plane, 0.42, -0.56, (0.1, 0.26), 0.01)
    walls = d.box(plane, 0, 0.34, (0.66, 0.46), 0.02)
    roof = d.polygon(plane, [(0, -0.86), (0.86, -0.06), (-0.86, -0.06)], 0.05)
    return (
        Part(chimney, "brick", 0.04), Part(walls, "main", 0.1), Part(roof, "deep", 0.12),
        *_panes(plane, ((-0.34, 0.28), (0.36, 0.28)), 0.15), *_door(plane, 0.0, 0.52, (0.13, 0.28)),
    )  # fmt: skip


def _tower_house(plane: Plane) -> tuple[Part, ...]:
    walls = d.box(plane, 0, 0.34, (0.4, 0.56), 0.02)
    roof = d.polygon(plane, [(0, -0.95), (0.56, -0.16), (-0.56, -0.16)], 0.04)
    return (
        Part(walls, "main", 0.3), Part(roof, "deep", 0.25), *_panes(plane, ((0, 0.1),), 0.14),
        *_door(plane, 0, 0.66, (0.13, 0.24)),
    )  # fmt: skip


def _barn(plane: Plane) -> tuple[Part, ...]:
    outline = [(-0.74, 0.82), (-0.74, 0.0), (-0.5, -0.44), (0, -0.72), (0.5, -0.44), (0.74, 0.0), (0.74, 0.82)]
    walls = d.polygon(plane, outline, 0.03)
    eaves = d.within(np.abs(walls) - np.float32(0.06), plane.y - np.float32(0.06))
    gate = d.box(plane, 0, 0.5, (0.34, 0.32), 0.01)
    cross = d.within(
        d.join(d.stroke(plane, [(-0.34, 0.18), (0.34, 0.82)], 0.035),
               d.stroke(plane, [(0.34, 0.18), (-0.34, 0.82)], 0.035),
               np.abs(gate) - np.float32(0.035)), gate - np.float32(0.03),
    )  # fmt: skip
    return (
        Part(walls, "main", 0.1), Part(eaves, "cream", 0.05), Part(gate, "deep", 0.03), Part(cross, "cream", 0.03),
        *_panes(plane, ((0, -0.2),), 0.13),
    )  # fmt: skip


def _round_hut(plane: Plane) -> tuple[Part, ...]:
    walls = d.box(plane, 0, 0.4, (0.6, 0.42), 0.1)
    roof = d.within(d.ellipse(plane, 0, 0.1, 0.88, 0.86), plane.y - np.float32(0.1))
    knob = d.circle(plane, 0, -0.8, 0.1)
    return (
        Part(knob, "gold", 0.1), Part(walls, "main", 0.5), Part(roof, "deep", 0.7), *_door(plane, 0, 0.5, (0.16, 0.3)),
        *_panes(plane, ((0.38, 0.4),), 0.11),
    )  # fmt: skip


def _villa(plane: Plane) -> tuple[Part, ...]:
    wing = d.box(plane, 0.36, 0.4, (0.52, 0.42), 0.02)
    main = d.box(plane, -0.3, 0.16, (0.5, 0.66), 0.02)
    roofs = d.join(
        d.polygon(plane, [(-0.86, -0.46), (0.26, -0.46), (0.1, -0.74), (-0.7, -0.74)], 0.03),
        d.polygon(plane, [(0.16, 0.0), (0.94, 0.0), (0.8, -0.22), (0.16, -0.22)], 0.03),
    )
    return (
        Part(wing, "light", 0.08), Part(main, "main", 0.1), Part(roofs, "deep", 0.08),
        *_panes(plane, ((-0.54, -0.16), (-0.06, -0.16), (-0.54, 0.3), (0.55, 0.36)), 0.13),
        *_door(plane, -0.06, 0.52, (0.13, 0.3)),
    )  # fmt: skip


def _stem(plane: Plane, top: float, half: float) -> Part:
    outline = [(0, top), (-half * 0.8, top), (-half * 0.75, 0.4), (-half * 1.2, 0.8), (0, 0.88)]
    return Part(d.polygon(plane, d.smooth_outline(d.mirrored(outline), 4), 0.02), "cream", half)


def _toadstool(plane: Plane) -> tuple[Part, ...]:
    cap = d.within(d.ellipse(plane, 0, 0.08, 0.9, 0.95), plane.y - np.float32(0.08))
    spots = d.join(*(d.ellipse(plane, x, y, r, r * 0.85) for x, y, r in (
        (-0.42, -0.2, 0.13), (0.05, -0.5, 0.16), (0.48, -0.16, 0.14), (0.02, -0.08, 0.1),
        (-0.2, -0.66, 0.08), (0.72, 0.0, 0.08),
        (-0.72, 0.0, 0.08))))  # fmt: skip
    return (
        _stem(plane, 0.0, 0.26),
        Part(cap, "main", 0.6),
        Part(d.within(spots, cap + np.float32(0.02)), "cream", 0.05),
    )


def _bonnet(plane: Plane) -> tuple[Part, ...]:
    outline = [(0, -0.92), (-0.22, -0.66), (-0.46, -0.1), (-0.78, 0.16), (-0.4, 0.24), (0, 0.2)]
    cap = d.polygon(plane, d.smooth_outline(d.mirrored(outline), 5))
    ribs = d.join(
        *(d.stroke(plane, [(x * 0.15, -0.7), (x * 0.6, -0.1), (x, 0.2)], 0.014) for x in (-0.5, -0.18, 0.18, 0.5))
    )
    return (_stem(plane, 0.1, 0.16), Part(cap, "main", 0.4), Part(d.within(ribs, cap), "deep", 0))


def _flat_cap(plane: Plane) -> tuple[Part, ...]:
    gills = d.ellipse(plane, 0, -0.02, 0.82, 0.16)
    cap = d.within(d.ellipse(plane, 0, 0.0, 0.94, 0.58), plane.y - np.float32(0.02))
    ring = d.ellipse(plane, 0, 0.24, 0.3, 0.07)
    return (Part(gills, "light", 0.1), _stem(plane, 0.0, 0.2), Part(ring, "cream", 0.06), Part(cap, "main", 0.45))


def _twin_mushrooms(plane: Plane) -> tuple[Part, ...]:
    small, large = plane.moved(0.46, 0.3), plane.moved(-0.2, 0)
    caps = [
        d.within(d.ellipse(p, 0, y, rx, ry), p.y - np.float32(y))
        for p, y, rx, ry in ((large, -0.12, 0.66, 0.7), (small, -0.06, 0.42, 0.44))
    ]  # fmt: skip
    stems = (_stem(large, -0.2, 0.2), Part(d.box(small, 0, 0.24, (0.13, 0.32), 0.08), "cream", 0.13))
    return (stems[0], Part(caps[0], "main", 0.5), stems[1], Part(caps[1], "main", 0.34))


def _morel(plane: Plane) -> tuple[Part, ...]:
    cap = d.polygon(
        plane, d.smooth_outline(d.mirrored([(0, -0.95), (-0.36, -0.66), (-0.56, -0.1), (-0.36, 0.3), (0, 0.36)]), 5)
    )
    pits = d.join(*(d.ellipse(plane, 0.24 * column + 0.12 * (row % 2), -0.7 + 0.23 * row, 0.075, 0.085)
                    for row in range(5) for column in range(-2, 3)))  # fmt: skip
    return (
        _stem(plane, 0.2, 0.24),
        Part(cap, "main", 0.45),
        Part(d.within(pits, cap + np.float32(0.06)), "deep", 0.05),
    )


OUTDOORS: Mapping[tuple[str, str], Drawing] = {
    ("fish", "round fish"): _round_fish,
    ("fish", "long fish"): _long_fish,
    ("fish", "fan-tail"): _fan_tail,
    ("fish", "angelfish"): _angelfish,
    ("fish", "puffer"): _puffer,
    ("tree", "leafy"): _leafy,
    ("tree", "fir"): _fir,
    ("tree", "poplar"): _poplar,
    ("tree", "cloud tree"): _cloud_tree,
    ("tree", "palm"): _palm,
    ("house", "cottage"): _cottage,
    ("house", "tower"): _tower_house,
    ("house", "barn"): _barn,
    ("house", "round hut"): _round_hut,
    ("house", "villa"): _villa,
    ("mushroom", "toadstool"): _toadstool,
    ("mushroom", "bonnet"): _bonnet,
    ("mushroom", "flat cap"): _flat_cap,
    ("mushroom", "twin"): _twin_mushrooms,
    ("mushroom", "morel"): _morel,
}
