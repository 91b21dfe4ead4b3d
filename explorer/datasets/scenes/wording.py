"""What people might say of a scene: five sentences, none like the other.

Each says kind, colour and, if the scene moves, the motion; some say size, backdrop or what else is there. Nouns,
colours and the words that name a motion (left, grows, turning, ...) are shared by all splits; the phrases around them
and the frames of the sentences of ``test`` are in none of the others.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from explorer.datasets.scenes.scene import LARGE_ABOVE, SMALL_BELOW, Scene, Thing
from explorer.datasets.scenes.world import Split

SENTENCES_PER_SCENE = 5
_N_TRIES = 200

_SIDEWAYS = (
    ("moves to the {way}", "goes {way}", "is moving {way}", "travels towards the {way}", "slides to the {way} side"),
    ("drifts {way}", "heads for the {way}", "is gliding {way}", "floats on to the {way}", "sails off {way}"),
)
_VERTICAL = (
    ("moves {way}", "goes {way}", "is moving {way}", "travels straight {way}", "slides {way} the picture"),
    ("drifts {way}", "heads {way}", "is gliding {way}", "floats {way} and {way}", "sails slowly {way}"),
)
_RESIZING = (
    ("{grows}", "is {growing}", "{grows} more and more", "keeps {growing}", "{grows} and stays where it is"),
    ("{grows} in size", "is steadily {growing}", "{grows} while one watches", "goes on {growing}", "{grows} evenly"),
)


def _filled(phrases: tuple[Sequence[str], ...], **words: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    known, unknown = (tuple(phrase.format(**words) for phrase in split) for split in phrases)
    return known, unknown


MOTION_PHRASES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "left": _filled(_SIDEWAYS, way="left"),
    "right": _filled(_SIDEWAYS, way="right"),
    "up": _filled(_VERTICAL, way="up"),
    "down": _filled(_VERTICAL, way="down"),
    "growing": _filled(_RESIZING, grows="grows", growing="growing"),
    "shrinking": _filled(_RESIZING, grows="shrinks", growing="shrinking"),
    "turning": (
        ("turns", "is turning", "turns round and round", "keeps turning", "turns on the spot"),
        ("turns about itself", "is slowly turning", "turns like a wheel", "goes on turning", "turns while one watches"),
    ),
    "crossing": (
        (
            "crosses the way of {other}", "crosses in front of {other}", "is crossing the path of {other}",
            "meets and crosses {other}", "is crossing {other} on the way",
        ),
        (
            "crosses {other} halfway", "crosses ahead of {other}", "is crossing before {other}",
            "trades places with {other}, crossing it", "crosses {other} that comes towards it",
        ),
    ),
    "stopping": (
        ("moves and stops", "is stopping", "comes to a stop", "moves at first and then stops", "stops on its way"),
        ("drifts until it stops", "is soon stopping", "glides to a stop", "sets off, then stops", "soon stops"),
    ),
}  # fmt: skip
"""Motion to what a thing does, in train and val and in test; ``{other}`` is who comes the other way."""

_PLACES: Mapping[str, tuple[str, ...]] = {
    "sky": ("in a blue sky", "among the clouds", "in front of a cloudy sky"),
    "meadow": ("in front of a green meadow", "over grassy hills", "in the country"),
    "beach": ("on a sandy beach", "at the sea", "in front of sand and sea"),
    "brick": ("in front of a brick wall", "on a wall of bricks"),
    "tiles": ("in front of a tiled wall", "on tiles"),
    "wallpaper": ("in front of striped wallpaper", "in a room with striped walls"),
    "studio": ("in a bright studio", "in front of a plain wall"),
    "boards": ("on wooden boards", "on a wooden floor"),
    "night": ("in the night sky", "under the moon", "among the stars"),
    "sunset": ("at sunset", "in the evening sun", "in front of dark hills in the evening"),
    "mountains": ("in front of mountains", "in misty mountains"),
    "snow": ("in the snow", "on a snowy day"),
    "dunes": ("in the desert", "over the dunes"),
    "ripples": ("on the water", "in clear shallow water"),
    "chequered floor": ("above a chequered floor", "in a hall with a chequered floor"),
    "polka": ("in front of dotted paper", "on a dotted cloth"),
    "lights": ("in front of city lights", "among lights out of focus"),
}

MOVING_FRAMES: tuple[tuple[str, ...], tuple[str, ...]] = (
    (
        "{a} {does}", "{a} {does} {place}", "there is {a} that {does}", "{place} {a} {does}", "{sized} {does} {place}",
        "{sized} {does}", "a clip of {a} that {does}", "{sized} that {does} {beside}", "{a} {does} {beside}",
    ),
    (
        "one sees how {a} {does}", "{a}: it {does}", "here {sized} {does}", "look, {a} {does} {place}",
        "{sized} {place}, and it {does}", "some {subject} that {does}", "in this video {a} {does}",
        "{place} someone filmed how {a} {does}", "{sized} {does}, and it is filmed {place}",
    ),
)  # fmt: skip
STILL_FRAMES: tuple[tuple[str, ...], tuple[str, ...]] = (
    (
        "{sized}", "{a} {place}", "there is {a} {beside}", "{place} there is {sized}", "a picture of {a}",
        "{sized} {beside}", "{sized} {place}",
    ),
    (
        "one sees {a}", "here is {sized}, {place}", "a photo that shows {a}", "look, {sized}", "some {subject} {place}",
        "this is {sized} {beside}", "{a}, seen {place}",
    ),
)  # fmt: skip
_BESIDE = (("beside {others}", "with {others}", "near {others}"), ("next to {others}", "together with {others}"))


def sentences_of(scene: Scene) -> tuple[str, ...]:
    """Five sentences about a scene, always the same ones, all different."""
    rng = np.random.default_rng([scene.variation, 5])
    unknown = scene.split == "test"
    frames = list((MOVING_FRAMES if scene.motion else STILL_FRAMES)[unknown])
    if len(scene.things) == 1 or scene.motion == "crossing":
        frames = [frame for frame in frames if "{beside}" not in frame]
    frames = rng.permutation(frames).tolist()
    does = rng.permutation(_does(scene)).tolist() if scene.motion else [""]
    said: dict[str, None] = {}
    for number in range(_N_TRIES):
        said[_fill(str(frames[number % len(frames)]), scene, str(does[number % len(does)]), rng)] = None
        if len(said) == SENTENCES_PER_SCENE:
            break
    return tuple(said)


def _does(scene: Scene) -> tuple[str, ...]:
    phrases = MOTION_PHRASES[scene.motion][scene.split == "test"]
    if scene.motion != "crossing":
        return phrases
    other = _a(_named(scene.things[1]))
    return tuple(phrase.format(other=other) for phrase in phrases)


def _fill(frame: str, scene: Scene, does: str, rng: np.random.Generator) -> str:
    subject = _named(scene.subject)
    places = _PLACES[scene.backdrop]
    beside = _BESIDE[scene.split == "test"]
    others = " and ".join(_a(_named(other)) for other in scene.things[1:])
    return frame.format(
        a=_a(subject),
        subject=subject,
        sized=_a(f"{_size(scene.subject)} {subject}".strip()),
        does=does,
        place=places[int(rng.integers(len(places)))],
        beside=beside[int(rng.integers(len(beside)))].format(others=others),
    )


def _named(thing: Thing) -> str:
    return f"{thing.look.colour} {thing.look.kind}"


def _size(thing: Thing) -> str:
    """Small or large, of a thing that is so all the time; else nothing."""
    low, high = sorted((thing.start.radius, thing.end.radius))
    if low != high or SMALL_BELOW <= low <= LARGE_ABOVE:
        return ""
    return "small" if low < SMALL_BELOW else "large"


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def phrases_of(split: Split) -> frozenset[str]:
    """Everything that is said around nouns, colours and backdrops in a split."""
    unknown = split == "test"
    does = {phrase for phrases in MOTION_PHRASES.values() for phrase in phrases[unknown]}
    return frozenset({*MOVING_FRAMES[unknown], *STILL_FRAMES[unknown], *_BESIDE[unknown], *does})
