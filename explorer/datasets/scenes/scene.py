"""A scene as a value: everything that decides its pixels, its sentences and its labels.

What moves goes from one pose to another; a motion is a way of choosing the two. The pairs left and right, up and down,
growing and shrinking are each other's films run backwards, drawn from one distribution of paths: a single frame, or any
set of frames without their order, is as likely in the one as in the other. Which way a thing faces is drawn apart from
where it goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from explorer.datasets.scenes.world import (
    AVOIDED_COLOURS,
    COLOURS,
    KINDS,
    MOTIONS,
    SPLITS,
    Split,
    backdrops_of,
    silhouettes_of,
    textures_of,
)

SMALL_BELOW, LARGE_ABOVE = 0.125, 0.19
"""Radii from which on a thing is called small or large, as a share of the picture's short edge."""

_MIN_RADIUS, _MAX_RADIUS = 0.10, 0.25
_GAP = 0.03
_COMPANION_SHARE = 0.6
_N_TRIES = 40


@dataclass(frozen=True, slots=True)
class Look:
    """How a thing looks, wherever it is.

    Attributes:
        kind, silhouette, colour, texture: names of ``world``.
        variation: seed of its exact shade and of how its texture lies.
        mirrored: faces the other way.
    """

    kind: str
    silhouette: str
    colour: str
    texture: str
    variation: int
    mirrored: bool = False


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a thing is.

    Attributes:
        x, y: its middle, as shares of the picture's width and height.
        radius: half its size, as a share of the short edge.
        angle_rad: clockwise.
    """

    x: float
    y: float
    radius: float
    angle_rad: float = 0.0


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing and its way: from ``start`` evenly to ``end``, where it is from phase ``arrives`` on."""

    look: Look
    start: Pose
    end: Pose
    arrives: float = 1.0

    @property
    def moves(self) -> bool:
        """Whether it is ever anywhere else, larger, smaller or turned."""
        return self.start != self.end

    def pose_at(self, phase: float) -> Pose:
        """Where it is at a phase in 0..1; sizes grow by equal factors in equal times."""
        t = min(max(phase / self.arrives, 0.0), 1.0)
        if not self.moves or t == 0.0:
            return self.start
        a, b = self.start, self.end
        return Pose(
            a.x + (b.x - a.x) * t,
            a.y + (b.y - a.y) * t,
            a.radius * (b.radius / a.radius) ** t,
            a.angle_rad + (b.angle_rad - a.angle_rad) * t,
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """All that determines a scene.

    Attributes:
        split: whose lists it was drawn from.
        backdrop: name of what is behind.
        variation: seed of the backdrop's details, and of the choice of words.
        things: the subject first, which is in front and which sentences and labels speak of; then others.
        motion: what the subject does, one of ``world.MOTIONS``; empty of a still picture. Who crosses another's way
            has the other as ``things[1]``.
    """

    split: Split
    backdrop: str
    variation: int
    things: tuple[Thing, ...]
    motion: str = ""

    @property
    def subject(self) -> Thing:
        """What the scene is about."""
        return self.things[0]


def draw_scenes(n: int, *, seed: int, split: Split, moving: bool) -> list[Scene]:
    """Draw scenes; the first m of n are those that m alone would give.

    Moving scenes have all motions equally often: each run of nine has each once. No scene of a split is drawn for
    another, whatever the seeds.
    """
    return [_draw(np.random.default_rng([seed, SPLITS.index(split), int(moving), i]), i, seed, split, moving)
            for i in range(n)]  # fmt: skip


def labels_of(scene: Scene) -> tuple[str, ...]:
    """Kind and colour of the subject, and its motion if it moves: ``kind:ball``, ``colour:red``, ``motion:left``."""
    look = scene.subject.look
    labels = (f"kind:{look.kind}", f"colour:{look.colour}")
    return (*labels, f"motion:{scene.motion}") if scene.motion else labels


def label_names() -> tuple[str, ...]:
    """All labels there can be: kinds, colours, motions."""
    return tuple(
        [f"kind:{kind}" for kind in KINDS]
        + [f"colour:{colour}" for colour in COLOURS]
        + [f"motion:{motion}" for motion in MOTIONS]
    )


def _draw(rng: np.random.Generator, index: int, seed: int, split: Split, moving: bool) -> Scene:
    block, place = divmod(index, len(MOTIONS))
    order = np.random.default_rng([seed, SPLITS.index(split), block]).permutation(len(MOTIONS))
    motion = MOTIONS[order[place]] if moving else ""
    backdrop = _pick(rng, backdrops_of(split))
    colours = [colour for colour in COLOURS if colour not in AVOIDED_COLOURS[backdrop]]
    first = _draw_look(rng, split, list(KINDS), colours)
    kinds = [kind for kind in KINDS if kind != first.kind]
    others = [colour for colour in colours if colour != first.colour]
    companion = _draw_look(rng, split, kinds, others)
    variation = int(rng.integers(2**31))
    if motion == "crossing":
        things: tuple[Thing, ...] = _crossing(rng, first, companion)
    elif moving:
        subject = _MOVES[motion](rng, first)
        beside = _beside(rng, companion, [subject]) if rng.random() < _COMPANION_SHARE else None
        things = (subject,) if beside is None else (subject, beside)
    else:
        third = _draw_look(
            rng, split, [kind for kind in kinds if kind != companion.kind], [c for c in others if c != companion.colour]
        )
        things = _group(rng, first, (companion, third)[: int(rng.choice(3, p=(0.3, 0.4, 0.3)))])
    return Scene(split, backdrop, variation, things, motion)


def _draw_look(rng: np.random.Generator, split: Split, kinds: Sequence[str], colours: Sequence[str]) -> Look:
    kind = _pick(rng, kinds)
    return Look(
        kind=kind,
        silhouette=_pick(rng, silhouettes_of(kind, split)),
        colour=_pick(rng, colours),
        texture=_pick(rng, textures_of(split)),
        variation=int(rng.integers(2**31)),
        mirrored=bool(rng.integers(2)),
    )


def _pick(rng: np.random.Generator, names: Sequence[str]) -> str:
    return names[int(rng.integers(len(names)))]


def _draw_radius(rng: np.random.Generator, low: float = _MIN_RADIUS, high: float = _MAX_RADIUS) -> float:
    return float(low * (high / low) ** rng.random())


def _place(rng: np.random.Generator, radius: float) -> float:
    """A coordinate at which the thing is wholly in the picture."""
    return float(rng.uniform(radius + _GAP, 1 - radius - _GAP))


def _tilt(rng: np.random.Generator) -> float:
    return float(rng.uniform(-0.16, 0.16))


def _straight(rng: np.random.Generator, look: Look, *, upright: bool, backwards: bool) -> Thing:
    """From side to side, or from above to below; a little slant keeps paths from being alike."""
    radius = _draw_radius(rng)
    room = 1 - 2 * (radius + _GAP)
    way = float(rng.uniform(0.45, 0.85)) * room
    low = radius + _GAP + float(rng.random()) * (room - way)
    across = _place(rng, radius)
    slant = float(rng.uniform(-0.12, 0.12)) * way
    end = min(max(across + slant, radius + _GAP), 1 - radius - _GAP)
    tilt = _tilt(rng)
    ends = [(across, low), (end, low + way)] if upright else [(low, across), (low + way, end)]
    first, last = (Pose(x, y, radius, tilt) for x, y in (reversed(ends) if backwards else ends))
    return Thing(look, first, last)


def _resized(rng: np.random.Generator, look: Look, *, backwards: bool) -> Thing:
    factor = float(rng.uniform(1.8, 2.4))
    small = _draw_radius(rng, _MIN_RADIUS * 0.9, _MAX_RADIUS * 1.08 / factor)
    x, y, tilt = _place(rng, small * factor), _place(rng, small * factor), _tilt(rng)
    poses = [Pose(x, y, small, tilt), Pose(x, y, small * factor, tilt)]
    return Thing(look, *(reversed(poses) if backwards else poses))


def _turning(rng: np.random.Generator, look: Look) -> Thing:
    radius = _draw_radius(rng)
    start = Pose(_place(rng, radius), _place(rng, radius), radius, _tilt(rng))
    turn = float(rng.uniform(0.8, 1.5)) * np.pi * (1 if rng.integers(2) else -1)
    return Thing(look, start, replace(start, angle_rad=start.angle_rad + turn))


def _stopping(rng: np.random.Generator, look: Look) -> Thing:
    """Straight in any of four directions for half the time, then at rest."""
    moved = _straight(rng, look, upright=bool(rng.integers(2)), backwards=bool(rng.integers(2)))
    return replace(moved, arrives=float(rng.uniform(0.42, 0.58)))


def _crossing(rng: np.random.Generator, look: Look, partner: Look) -> tuple[Thing, Thing]:
    """Two things change places and meet on the way, the subject in front."""
    upright = bool(rng.integers(2))
    radius = _draw_radius(rng, 0.11, 0.19)
    other = radius * float(rng.uniform(0.8, 1.1))
    margin = max(radius, other) + _GAP
    room = 1 - 2 * margin
    way = float(rng.uniform(0.75, 1.0)) * room
    low = margin + float(rng.random()) * (room - way)
    lanes = np.clip(rng.uniform(margin, 1 - margin) + np.array([-0.5, 0.5]) * rng.uniform(0.1, 0.7) * radius,
                    margin, 1 - margin)  # fmt: skip
    ends = [low, low + way] if rng.integers(2) else [low + way, low]
    things = []
    for thing_look, size, lane, (first, last) in (
        (look, radius, float(lanes[0]), ends), (partner, other, float(lanes[1]), ends[::-1]),
    ):  # fmt: skip
        tilt = _tilt(rng)
        start, end = [(lane, first), (lane, last)] if upright else [(first, lane), (last, lane)]
        things.append(Thing(thing_look, Pose(*start, size, tilt), Pose(*end, size, tilt)))
    return things[0], things[1]


_MOVES = {
    "left": lambda rng, look: _straight(rng, look, upright=False, backwards=True),
    "right": lambda rng, look: _straight(rng, look, upright=False, backwards=False),
    "up": lambda rng, look: _straight(rng, look, upright=True, backwards=True),
    "down": lambda rng, look: _straight(rng, look, upright=True, backwards=False),
    "growing": lambda rng, look: _resized(rng, look, backwards=False),
    "shrinking": lambda rng, look: _resized(rng, look, backwards=True),
    "turning": _turning,
    "stopping": _stopping,
}


def _beside(
    rng: np.random.Generator, look: Look, others: Sequence[Thing], low: float = _MIN_RADIUS, high: float = 0.2
) -> Thing | None:
    """A still thing that nothing passes over; None if no place was found for it."""
    for n_tried in range(_N_TRIES):
        radius = _draw_radius(rng, low, high * (1 - 0.5 * n_tried / _N_TRIES))
        x, y = _place(rng, radius), _place(rng, radius)
        if all(_distance_to_way(x, y, other) > radius + _reach(other) + 0.01 for other in others):
            pose = Pose(x, y, radius, _tilt(rng))
            return Thing(look, pose, pose)
    return None


def _reach(thing: Thing) -> float:
    """What it covers around its way; silhouettes keep within 0.95 of the corners of their square but for turning."""
    return max(thing.start.radius, thing.end.radius) * 1.05


def _distance_to_way(x: float, y: float, thing: Thing) -> float:
    a, b = np.array([thing.start.x, thing.start.y]), np.array([thing.end.x, thing.end.y])
    way, point = b - a, np.array([x, y])
    length = float(way @ way)
    t = min(max(float((point - a) @ way) / length, 0.0), 1.0) if length else 0.0
    return float(np.hypot(*(point - a - t * way)))


def _group(rng: np.random.Generator, first: Look, others: Sequence[Look]) -> tuple[Thing, ...]:
    """A still picture: the subject largest and near a third, the others beside it."""
    radius = _draw_radius(rng, 0.13 if others else 0.17, 0.27 if others else 0.33)
    x, y = (min(max(float(rng.choice((0.36, 0.5, 0.64)) + rng.normal(0, 0.06)), radius + _GAP), 1 - radius - _GAP)
            for _ in range(2))  # fmt: skip
    pose = Pose(x, y, radius, _tilt(rng))
    things = [Thing(first, pose, pose)]
    for look in others:
        beside = _beside(rng, look, things, low=0.08, high=min(0.2, radius))
        if beside is not None:
            things.append(beside)
    return tuple(things)
