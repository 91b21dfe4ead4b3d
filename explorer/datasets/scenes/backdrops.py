"""What scenes take place before: skies, shores, walls and floors, at any size.

A backdrop is quieter than the things before it: paler or darker, with little contrast.
"""

import functools
from collections.abc import Callable, Mapping

import numpy as np

from explorer.datasets.scenes.distances import Plane
from explorer.datasets.scenes.drawing import cloud_noise, mix, smoothstep

Colour = tuple[float, float, float]


@functools.lru_cache(maxsize=16)
def backdrop_pixels(name: str, height: int, width: int, variation: int) -> np.ndarray:
    """Draw a backdrop, uint8 (height, width, 3), read-only; the last ones are kept."""
    y = ((np.arange(height) + 0.5) / height).astype(np.float32)
    x = ((np.arange(width) + 0.5) / height).astype(np.float32)
    plane = Plane(*np.meshgrid(x, y))
    painted = _BACKDROPS[name](plane, np.random.default_rng(variation))
    painted = np.asarray(painted * _vignette(plane, width / height)[..., None], np.float32)
    grain = np.random.default_rng(variation + 1).standard_normal((height, width), dtype=np.float32)
    pixels: np.ndarray = np.clip(painted * 255 + 1.3 * grain[..., None] + 0.5, 0, 255).astype(np.uint8)
    pixels.setflags(write=False)
    return pixels


def _vignette(plane: Plane, aspect: float) -> np.ndarray:
    """Light falls from the upper left; corners are a little darker."""
    x, y = plane.x / np.float32(aspect), plane.y
    return np.asarray(1.045 - 0.05 * (0.5 * x + y) - 0.2 * ((x - 0.5) ** 2 + (y - 0.5) ** 2))


def _flat(plane: Plane, colour: Colour) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.float32), (*plane.x.shape, 3))


def _ramp(along: np.ndarray, *stops: Colour) -> np.ndarray:
    """Colours one after the other, evenly spaced along 0..1."""
    table = np.array(stops, np.float32)
    at = np.clip(along, 0, 1) * (len(stops) - 1)
    low = np.minimum(at.astype(np.intp), len(stops) - 2)
    share = (at - low)[..., None]
    return np.asarray(table[low] * (1 - share) + table[low + 1] * share)


def _warm(rng: np.random.Generator, *colours: Colour, spread: float = 0.016) -> Colour:
    """One of the colours, a little changed."""
    chosen = np.array(colours[int(rng.integers(len(colours)))]) + rng.normal(0, spread, 3)
    return float(chosen[0]), float(chosen[1]), float(chosen[2])


def _over(below: np.ndarray, share: np.ndarray, colour: Colour | np.ndarray) -> np.ndarray:
    return mix(below, np.asarray(colour, np.float32), share[..., None])


def _noise(plane: Plane, rng: np.random.Generator, cells: tuple[float, float], n_octaves: int = 4) -> np.ndarray:
    """``cells`` a picture's height, down and across."""
    rows, columns = plane.x.shape
    aspect = columns / rows
    return cloud_noise((rows, columns), (cells[0], cells[1] * aspect), int(rng.integers(2**31)), n_octaves)


def _skyline(plane: Plane, rng: np.random.Generator, cells: float, n_octaves: int = 3) -> np.ndarray:
    """A line of hills: one number a column, in 0..1."""
    columns = plane.x.shape[1]
    n_cells = cells * columns / plane.x.shape[0]
    return cloud_noise((1, columns), (1, n_cells), int(rng.integers(2**31)), n_octaves)


def _edge(plane: Plane) -> float:
    """How soft an edge is that covers one and a half pixels."""
    return 1.5 / len(plane.x)


def _clouds(plane: Plane, rng: np.random.Generator, below: np.ndarray) -> np.ndarray:
    noise = _noise(plane, rng, (4.2, 2.2), 5)
    body = smoothstep(noise, 0.5, 0.66)
    shade = smoothstep(np.roll(noise, -max(1, plane.x.shape[0] // 40), axis=0) - noise, -0.04, 0.05)[..., None]
    lit = mix(np.array((1.0, 0.995, 0.98), np.float32), np.array((0.83, 0.87, 0.92), np.float32), shade)
    return mix(below, lit, (0.9 * body)[..., None])


def _sky(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    top = _warm(rng, (0.36, 0.60, 0.86), (0.42, 0.66, 0.88), (0.34, 0.56, 0.80))
    return _clouds(plane, rng, _ramp(plane.y, top, (0.62, 0.80, 0.93), (0.84, 0.92, 0.96)))


def _meadow(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    sky = _clouds(plane, rng, _ramp(plane.y * 1.6, (0.55, 0.77, 0.92), (0.86, 0.93, 0.95)))
    painted = sky
    horizon = rng.uniform(0.4, 0.55)
    for step, tone in enumerate(((0.60, 0.76, 0.58), (0.52, 0.71, 0.46), (0.45, 0.65, 0.36))):
        line = horizon + 0.13 * step + 0.16 * (_skyline(plane, rng, 1.5, 2) - 0.5)
        blades = _noise(plane, rng, (26, 110), 2) - 0.5
        shaded = np.array(tone, np.float32) * (1 + 0.2 * blades - 0.22 * (plane.y - line))[..., None]
        painted = mix(painted, shaded, smoothstep(plane.y - line, -_edge(plane), _edge(plane))[..., None])
    return painted


def _beach(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    horizon, shore = rng.uniform(0.28, 0.36), rng.uniform(0.56, 0.66)
    painted = _ramp(plane.y / horizon, (0.58, 0.80, 0.93), (0.90, 0.95, 0.95))
    depth = (plane.y - horizon) / (shore - horizon)
    sea = _ramp(depth, (0.22, 0.53, 0.68), (0.36, 0.70, 0.76), (0.66, 0.86, 0.83))
    sea = sea + (0.10 * smoothstep(_noise(plane, rng, (46, 7), 2), 0.6, 0.75))[..., None]
    painted = mix(painted, sea, smoothstep(plane.y - horizon, 0, _edge(plane))[..., None])
    line = shore + 0.05 * (_skyline(plane, rng, 2.5, 2) - 0.5)
    grains = _noise(plane, rng, (90, 90), 2) - 0.5
    ripples = _noise(plane, rng, (16, 5), 2) - 0.5
    sand = np.array((0.91, 0.82, 0.64), np.float32) * (1 + 0.14 * grains + 0.10 * ripples)[..., None]
    wet = mix(sand * np.float32(0.86), sand, smoothstep(plane.y - line, 0.0, 0.1)[..., None])
    painted = mix(painted, wet, smoothstep(plane.y - line, -_edge(plane), _edge(plane))[..., None])
    foam = np.exp(-(((plane.y - line + 0.008) / 0.011) ** 2))
    return _over(painted, 0.85 * foam, (0.99, 0.99, 0.98))


def _courses(plane: Plane, size: tuple[float, float], shift: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number of each brick's row and column, and the distance to its edge in heights of the picture."""
    row = np.floor(plane.y / size[0])
    across = plane.x / size[1] + shift * np.mod(row, 2)
    column = np.floor(across)
    to_edge = np.minimum(
        (0.5 - np.abs(np.mod(plane.y / size[0], 1) - 0.5)) * size[0], (0.5 - np.abs(np.mod(across, 1) - 0.5)) * size[1]
    )
    return row.astype(np.intp), column.astype(np.intp), np.asarray(to_edge, np.float32)


def _each(rows: np.ndarray, columns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One random number in 0..1 a brick."""
    return np.asarray(rng.random((64, 64), dtype=np.float32)[rows % 64, columns % 64])


def _brick(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    height = float(rng.uniform(0.075, 0.1))
    rows, columns, to_edge = _courses(plane, (height, height * 2.4), 0.5)
    tone = np.array(_warm(rng, (0.72, 0.46, 0.38), (0.66, 0.42, 0.36), (0.76, 0.55, 0.45)), np.float32)
    rough = _noise(plane, rng, (40, 40), 3) - 0.5
    bricks = tone * (0.86 + 0.24 * _each(rows, columns, rng) + 0.22 * rough)[..., None]
    lit = smoothstep(to_edge, 0.004, 0.014)[..., None]
    mortar = np.array((0.80, 0.76, 0.71), np.float32) * (1 + 0.2 * rough)[..., None]
    return mix(mortar, bricks * (0.9 + 0.1 * lit), smoothstep(to_edge, 0.003, 0.003 + 2 * _edge(plane))[..., None])


def _tiles(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    size = float(rng.uniform(0.14, 0.2))
    rows, columns, to_edge = _courses(plane, (size, size), 0.0)
    tone = np.array(_warm(rng, (0.70, 0.83, 0.82), (0.86, 0.83, 0.76), (0.77, 0.80, 0.88)), np.float32)
    glaze = 0.95 + 0.09 * _each(rows, columns, rng) + 0.05 * (_noise(plane, rng, (5, 5), 2) - 0.5)
    bevel = smoothstep(to_edge, 0.006, 0.02)
    tiles = tone * (glaze * (0.93 + 0.07 * bevel))[..., None]
    joint = np.array((0.62, 0.62, 0.60), np.float32)
    return mix(joint, tiles, smoothstep(to_edge, 0.004, 0.004 + 2 * _edge(plane))[..., None])


def _wallpaper(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    pale = np.array(
        _warm(rng, (0.93, 0.89, 0.80), (0.83, 0.90, 0.86), (0.94, 0.86, 0.84), (0.85, 0.87, 0.94)), np.float32
    )
    wave = np.abs(np.mod(plane.x * float(rng.uniform(4, 6.5)), 1) - 0.5)
    broad = smoothstep(wave, 0.25 - 6 * _edge(plane), 0.25 + 6 * _edge(plane))
    thin = np.exp(-(((wave - 0.36) / 0.025) ** 2)) * 0.5
    painted = _over(np.broadcast_to(pale, (*plane.x.shape, 3)), broad, pale * np.float32(0.9))
    painted = _over(painted, thin.astype(np.float32), pale * np.float32(0.74))
    skirting = smoothstep(plane.y, 0.9 - _edge(plane), 0.9 + _edge(plane))
    painted = _over(painted, skirting, (0.95, 0.94, 0.91))
    return _over(painted, 0.35 * np.exp(-(((plane.y - 0.9) / 0.006) ** 2)), (0.3, 0.28, 0.26))


def _studio(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    tone = np.array(
        _warm(rng, (0.80, 0.86, 0.88), (0.93, 0.86, 0.76), (0.80, 0.84, 0.74), (0.88, 0.80, 0.86)), np.float32
    )
    light = np.exp(-((plane.x - 0.55) ** 2 + (plane.y - 0.35) ** 2) * 1.7)
    wall = tone * (0.8 + 0.24 * light)[..., None]
    floor = tone * (0.72 + 0.3 * np.exp(-(((plane.x - 0.6) ** 2) + 4 * (plane.y - 0.85) ** 2) * 1.6))[..., None]
    return mix(wall, floor, smoothstep(plane.y, 0.64, 0.78)[..., None])


def _boards(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    height = float(rng.uniform(0.12, 0.17))
    rows, columns, to_edge = _courses(plane, (height, 1.1), 0.43)
    tone = np.array(_warm(rng, (0.76, 0.60, 0.43), (0.70, 0.55, 0.40), (0.80, 0.68, 0.52)), np.float32)
    own = _each(rows, columns, rng)
    grain = _noise(plane, rng, (70, 3), 3)
    rings = 0.5 + 0.5 * np.sin((grain * 6 + own * 9 + plane.y * 8) * 2 * np.pi)
    planks = tone * (0.86 + 0.17 * own + 0.05 * rings + 0.16 * (grain - 0.5))[..., None]
    return _over(planks, smoothstep(to_edge, 0.006, 0.001), tone * np.float32(0.45))


def _night(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    painted = _ramp(plane.y, (0.06, 0.08, 0.20), (0.12, 0.15, 0.34), (0.28, 0.27, 0.48))
    painted = painted + (0.10 * smoothstep(_noise(plane, rng, (3, 2), 4), 0.5, 0.8))[..., None] * np.array(
        (0.9, 0.6, 1.0), np.float32
    )
    glow = np.zeros(plane.x.shape, np.float32)
    span = float(plane.x.max())
    for _ in range(46):
        cx, cy, size = rng.random() * span, rng.random() * 0.85, 0.0022 + 0.004 * rng.random() ** 3
        glow += np.float32(rng.uniform(0.5, 1)) * np.exp(
            -((plane.x - cx) ** 2 + (plane.y - cy) ** 2) / np.float32(size**2)
        )
    moon_x, moon_y = rng.uniform(0.15, 0.85) * span, rng.uniform(0.12, 0.3)
    far = np.hypot(plane.x - np.float32(moon_x), plane.y - np.float32(moon_y))
    painted = painted + (0.22 * np.exp(-((far / np.float32(0.16)) ** 2)))[..., None]
    painted = _over(painted, np.clip(glow, 0, 1), (1.0, 0.97, 0.88))
    painted = _over(painted, smoothstep(far, 0.062 + _edge(plane), 0.062 - _edge(plane)), (0.97, 0.95, 0.86))
    line = 0.9 + 0.12 * (_skyline(plane, rng, 2.5) - 0.5)
    return _over(painted, smoothstep(plane.y - line, -_edge(plane), _edge(plane)), (0.07, 0.08, 0.16))


def _sunset(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    painted = _ramp(plane.y / 0.75, (0.40, 0.34, 0.55), (0.80, 0.50, 0.54), (0.96, 0.70, 0.48), (0.99, 0.86, 0.62))
    sun_x = rng.uniform(0.2, 0.8) * float(plane.x.max())
    far = np.hypot(plane.x - np.float32(sun_x), plane.y - np.float32(0.6))
    painted = painted + (0.2 * np.exp(-((far / np.float32(0.25)) ** 2)))[..., None]
    painted = _over(painted, smoothstep(far, 0.09 + _edge(plane), 0.09 - _edge(plane)), (1.0, 0.95, 0.78))
    streaks = smoothstep(_noise(plane, rng, (12, 2), 4), 0.55, 0.75) * smoothstep(plane.y, 0.62, 0.3)
    painted = _over(painted, 0.5 * streaks, (0.98, 0.80, 0.70))
    for step, tone in enumerate(((0.46, 0.33, 0.44), (0.28, 0.22, 0.34))):
        line = 0.7 + 0.12 * step + 0.14 * (_skyline(plane, rng, 2.0 + step) - 0.5)
        painted = _over(painted, smoothstep(plane.y - line, -_edge(plane), _edge(plane)), tone)
    return painted


def _mountains(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    painted = _ramp(plane.y * 1.3, (0.72, 0.80, 0.90), (0.93, 0.90, 0.88))
    for step, tone in enumerate(((0.68, 0.72, 0.82), (0.54, 0.60, 0.72), (0.40, 0.50, 0.60), (0.30, 0.42, 0.46))):
        line = 0.36 + 0.15 * step + (0.42 - 0.07 * step) * (_skyline(plane, rng, 2.2 + 0.6 * step, 6) - 0.5)
        haze = np.array(tone, np.float32) + (0.28 * (plane.y - line))[..., None]
        painted = mix(painted, haze, smoothstep(plane.y - line, -_edge(plane), _edge(plane))[..., None])
        if step == 1:
            cap = smoothstep(plane.y - line, 0.07, 0.0) * smoothstep(plane.y - line, -_edge(plane), _edge(plane))
            painted = _over(painted, 0.7 * cap * smoothstep(line, 0.5, 0.42), (0.97, 0.98, 1.0))
    return painted


def _snow(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    painted = _ramp(plane.y * 1.8, (0.62, 0.72, 0.84), (0.82, 0.86, 0.92))
    for step in range(3):
        line = 0.44 + 0.18 * step + 0.16 * (_skyline(plane, rng, 1.3, 2) - 0.5)
        sparkle = _noise(plane, rng, (80, 80), 1)
        drift = np.array((0.90, 0.93, 0.97), np.float32) * (1.04 - 0.26 * (plane.y - line))[..., None]
        drift = drift + (0.06 * smoothstep(sparkle, 0.8, 0.95))[..., None]
        painted = mix(painted, drift, smoothstep(plane.y - line, -_edge(plane), _edge(plane))[..., None])
    flakes = np.zeros(plane.x.shape, np.float32)
    for _ in range(60):
        cx, cy, size = rng.random() * float(plane.x.max()), rng.random(), rng.uniform(0.004, 0.011)
        far = np.hypot(plane.x - np.float32(cx), plane.y - np.float32(cy))
        np.maximum(flakes, smoothstep(far, size + _edge(plane), size * 0.3), out=flakes)
    return _over(painted, 0.85 * flakes, (1.0, 1.0, 1.0))


def _dunes(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    painted = _ramp(plane.y * 1.9, (0.60, 0.76, 0.82), (0.95, 0.89, 0.78))
    for step, tone in enumerate(((0.90, 0.76, 0.56), (0.86, 0.68, 0.47), (0.80, 0.60, 0.40))):
        line = 0.45 + 0.17 * step + 0.24 * (_skyline(plane, rng, 1.2, 2) - 0.5)
        lit = np.sin((plane.y - line) * 90 + 6 * _noise(plane, rng, (3, 4), 2))
        sand = np.array(tone, np.float32) * (1.05 + 0.022 * lit - 0.3 * (plane.y - line))[..., None]
        painted = mix(painted, sand, smoothstep(plane.y - line, -_edge(plane), _edge(plane))[..., None])
    return painted


def _ripples(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    bent = _noise(plane, rng, (4, 3), 3)
    waves = np.sin((plane.y * 11 + bent * 3.2) * 2 * np.pi) * 0.5 + 0.5
    painted = _ramp(plane.y, (0.30, 0.60, 0.68), (0.42, 0.72, 0.76), (0.56, 0.80, 0.80))
    crests = smoothstep(waves, 0.78, 1.0) * smoothstep(_noise(plane, rng, (9, 6), 2), 0.4, 0.65)
    return _over(painted * (0.94 + 0.09 * waves)[..., None], 0.6 * crests, (0.93, 0.99, 0.97))


def _chequered_floor(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    horizon = float(rng.uniform(0.4, 0.5))
    depth = 0.35 / np.maximum(plane.y - np.float32(horizon), np.float32(0.02))
    middle = float(plane.x.max()) / 2
    # In the distance a square is smaller than a pixel: there the floor is their mean.
    soft = np.clip(0.012 * depth**2, 0.06, 1)
    waves = np.sin((plane.x - middle) * depth * 5) * np.sin(depth * 5)
    light = np.clip(waves / soft, -1, 1) * 0.5 * np.clip(1.8 / depth, 0, 1) + 0.5
    tone = np.array(_warm(rng, (0.58, 0.66, 0.70), (0.70, 0.60, 0.58), (0.62, 0.66, 0.56)), np.float32)
    floor = mix(tone, np.array((0.93, 0.92, 0.88), np.float32), light[..., None])
    wall = tone * np.float32(0.55) + 0.42 + (0.08 * (horizon - plane.y))[..., None]
    painted = mix(wall, floor, smoothstep(plane.y - horizon, 0, 2 * _edge(plane))[..., None])
    return _over(painted, 0.3 * np.exp(-(((plane.y - horizon) / 0.02) ** 2)), tone * np.float32(0.5))


def _polka(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    pale = np.array(
        _warm(rng, (0.92, 0.86, 0.86), (0.84, 0.89, 0.92), (0.92, 0.90, 0.80), (0.86, 0.90, 0.84)), np.float32
    )
    size = float(rng.uniform(0.1, 0.15))
    row = np.floor(plane.y / size)
    far = np.hypot(np.mod(plane.x / size + 0.5 * np.mod(row, 2), 1) - 0.5, np.mod(plane.y / size, 1) - 0.5) * size
    dots = smoothstep(far, size * 0.22 + _edge(plane), size * 0.22 - _edge(plane))
    return _over(np.broadcast_to(pale, (*plane.x.shape, 3)), dots, pale * np.float32(0.8))


def _lights(plane: Plane, rng: np.random.Generator) -> np.ndarray:
    painted = _ramp(plane.y, (0.12, 0.12, 0.20), (0.24, 0.18, 0.26), (0.34, 0.24, 0.26))
    span = float(plane.x.max())
    for _ in range(26):
        cx, cy, size = rng.random() * span, rng.random(), rng.uniform(0.03, 0.1)
        tone = np.array(
            _warm(rng, (1.0, 0.80, 0.50), (0.96, 0.60, 0.42), (0.60, 0.74, 0.90), (0.95, 0.72, 0.76)), np.float32
        )
        far = np.hypot(plane.x - np.float32(cx), plane.y - np.float32(cy))
        disc = smoothstep(far, size + 0.012, size - 0.012) * (0.6 + 0.4 * smoothstep(far, 0.5 * size, size))
        painted = painted + (np.float32(rng.uniform(0.14, 0.4)) * disc)[..., None] * tone
    return np.asarray(np.minimum(painted, np.float32(0.92)))


_BACKDROPS: Mapping[str, Callable[[Plane, np.random.Generator], np.ndarray]] = {
    "sky": _sky,
    "meadow": _meadow,
    "beach": _beach,
    "brick": _brick,
    "tiles": _tiles,
    "wallpaper": _wallpaper,
    "studio": _studio,
    "boards": _boards,
    "night": _night,
    "sunset": _sunset,
    "mountains": _mountains,
    "snow": _snow,
    "dunes": _dunes,
    "ripples": _ripples,
    "chequered floor": _chequered_floor,
    "polka": _polka,
    "lights": _lights,
}
