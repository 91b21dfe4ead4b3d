"""Rendered scenes: what they share between splits, what one frame says of them, and whether all that is said is so."""

import functools
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from explorer.datasets.scenes import (
    Look,
    Pose,
    RenderedFrame,
    Scene,
    Thing,
    draw_scenes,
    frame_shape,
    label_names,
    labels_of,
    looks,
    render_frame,
    rendering,
    sentences_of,
    world,
)
from explorer.datasets.scenes import backdrops as backdrops_module
from explorer.datasets.scenes.scene import LARGE_ABOVE, SMALL_BELOW
from explorer.datasets.scenes.wording import MOTION_PHRASES, phrases_of
from explorer.datasets.scenes.world import SPLITS, Split

_WORDS = {
    "left": {"left"}, "right": {"right"}, "up": {"up"}, "down": {"down"}, "growing": {"grows", "growing"},
    "shrinking": {"shrinks", "shrinking"}, "turning": {"turns", "turning"}, "crossing": {"crosses", "crossing"},
    "stopping": {"stops", "stop", "stopping"},
}  # fmt: skip


def still(look: Look, pose: Pose) -> Thing:
    return Thing(look, pose, pose)


def one_thing(
    kind: str, silhouette: str, *, colour: str = "red", texture: str = "plain", radius: float = 0.35
) -> Scene:
    look = Look(kind, silhouette, colour, texture, variation=5)
    return Scene("train", "studio", 3, (still(look, Pose(0.5, 0.5, radius)),))


def forget_drawings() -> None:
    for kept in (looks.sprite_of, looks._relief, rendering._still_layer, backdrops_module.backdrop_pixels):
        kept.cache_clear()


# --- drawing scenes -------------------------------------------------------------------------------------------------


def test_the_same_seed_draws_the_same_scenes_and_more_of_them_begin_alike() -> None:
    first = draw_scenes(30, seed=4, split="train", moving=True)
    assert draw_scenes(30, seed=4, split="train", moving=True) == first
    assert draw_scenes(12, seed=4, split="train", moving=True) == first[:12]
    assert draw_scenes(30, seed=5, split="train", moving=True) != first
    assert len(set(first)) == 30


def test_no_split_draws_what_another_draws() -> None:
    drawn = [set(draw_scenes(60, seed=0, split=split, moving=moving)) for split in SPLITS for moving in (True, False)]
    assert len(set().union(*drawn)) == sum(len(scenes) for scenes in drawn)
    looks_of = {
        split: {thing.look for scene in draw_scenes(200, seed=0, split=split, moving=True) for thing in scene.things}
        for split in SPLITS
    }
    assert not looks_of["train"] & looks_of["val"]


@pytest.mark.parametrize("moving", [True, False])
def test_scenes_show_what_their_split_has_and_test_shares_none_of_it(moving: bool) -> None:
    shown: dict[Split, dict[str, set[str]]] = {}
    for split in SPLITS:
        scenes = draw_scenes(400, seed=1, split=split, moving=moving)
        things = [thing for scene in scenes for thing in scene.things]
        shown[split] = {
            "silhouettes": {f"{thing.look.kind}: {thing.look.silhouette}" for thing in things},
            "textures": {thing.look.texture for thing in things},
            "backdrops": {scene.backdrop for scene in scenes},
        }
        assert {thing.look.kind for thing in things} == set(world.KINDS)
        assert {thing.look.colour for thing in things} == set(world.COLOURS)
        assert shown[split]["textures"] == set(world.textures_of(split))
        assert shown[split]["backdrops"] == set(world.backdrops_of(split))
        known = {f"{kind}: {name}" for kind in world.KINDS for name in world.silhouettes_of(kind, split)}
        assert shown[split]["silhouettes"] == known
    assert shown["train"] == shown["val"]
    for what in ("silhouettes", "textures", "backdrops"):
        assert not shown["train"][what] & shown["test"][what]


def test_motions_come_equally_often_and_kinds_and_colours_with_each() -> None:
    scenes = draw_scenes(1800, seed=2, split="train", moving=True)
    assert set(Counter(scene.motion for scene in scenes).values()) == {200}
    for motion in world.MOTIONS:
        mine = [scene.subject.look for scene in scenes if scene.motion == motion]
        assert {look.kind for look in mine} == set(world.KINDS)
        assert {look.colour for look in mine} == set(world.COLOURS)
    assert {scene.motion for scene in draw_scenes(20, seed=2, split="train", moving=False)} == {""}


def test_no_colour_is_lost_before_its_backdrop_and_no_two_things_are_called_alike() -> None:
    for moving in (True, False):
        for scene in draw_scenes(400, seed=3, split="test", moving=moving):
            assert not {t.look.colour for t in scene.things} & world.AVOIDED_COLOURS[scene.backdrop]
            assert len({thing.look.kind for thing in scene.things}) == len(scene.things)
            assert len({thing.look.colour for thing in scene.things}) == len(scene.things)


def test_labels_are_of_the_subject() -> None:
    for moving in (True, False):
        for scene in draw_scenes(40, seed=3, split="val", moving=moving):
            look = scene.subject.look
            wanted = [f"kind:{look.kind}", f"colour:{look.colour}"] + [f"motion:{scene.motion}"] * moving
            assert list(labels_of(scene)) == wanted
            assert set(wanted) <= set(label_names())
    assert len(set(label_names())) == len(label_names())


# --- what frames say of motion --------------------------------------------------------------------------------------


def traces(scene: Scene, side_px: int = 72, n: int = 9) -> np.ndarray:
    """Boxes along time, (n, things, 4)."""
    return np.stack([render_frame(scene, phase, side_px).boxes for phase in np.linspace(0, 1, n)])


def seen_motion(scene: Scene) -> str:
    """What moves how, told from boxes along time, and from pixels where the box stays."""
    boxes = traces(scene)
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    ways = centres[-1] - centres[0]
    sizes = np.hypot(*(boxes[:, 0, 2:] - boxes[:, 0, :2]).T)
    if sizes[-1] > 1.5 * sizes[0]:
        return "growing"
    if sizes[0] > 1.5 * sizes[-1]:
        return "shrinking"
    lengths = np.hypot(*ways.T)
    if lengths[0] < 0.13:
        first, last = (render_frame(scene, phase, 72).pixels.astype(int) for phase in (0, 0.5))
        return "turning" if np.abs(first - last).max() > 40 else "still"
    if len(lengths) > 1 and lengths[1] > 0.13:
        return "crossing" if ways[0] @ ways[1] < 0 else "together"
    late = np.hypot(*(centres[-1, 0] - centres[6, 0]))
    if late < 0.01:
        return "stopping"
    dx, dy = ways[0]
    if abs(dx) > abs(dy):
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"


@pytest.mark.parametrize("split", ["train", "test"])
def test_boxes_along_time_tell_each_motion(split: Split) -> None:
    for scene in draw_scenes(18, seed=8, split=split, moving=True):
        assert seen_motion(scene) == scene.motion


def test_who_crosses_is_in_front_and_stays_in_the_picture() -> None:
    scenes = [scene for scene in draw_scenes(90, seed=8, split="val", moving=True) if scene.motion == "crossing"]
    least = []
    for scene in scenes:
        frames = [render_frame(scene, phase, 72) for phase in np.linspace(0, 1, 9)]
        areas = [np.array([np.count_nonzero(frame.mask == place) for place in (1, 2)]) for frame in frames]
        assert all(first > 0.85 * areas[0][0] for first, _ in areas)
        least.append(min(second for _, second in areas) / areas[0][1])
    assert len(scenes) == 10
    assert max(least) < 0.97
    assert np.median(least) < 0.6


def test_all_of_every_thing_is_in_the_picture_all_the_time() -> None:
    for moving in (True, False):
        for scene in draw_scenes(18, seed=9, split="train", moving=moving):
            for phase in (0.0, 1.0):
                boxes = render_frame(scene, phase, 96).boxes
                assert (boxes[:, 2:] > boxes[:, :2]).all()
                assert (boxes > 0).all()
                assert (boxes < 1).all()


def test_what_stands_still_does_and_nothing_passes_over_it() -> None:
    for scene in draw_scenes(60, seed=10, split="train", moving=True):
        for thing in scene.things[1:] if scene.motion != "crossing" else ():
            assert not thing.moves
    scenes = [scene for scene in draw_scenes(18, seed=10, split="train", moving=True) if scene.motion != "crossing"]
    for scene in scenes:
        whole = [
            np.count_nonzero(render_frame(scene, 0.0, 72).mask == place + 2) for place in range(len(scene.things) - 1)
        ]
        for phase in (0.3, 0.7, 1.0):
            mask = render_frame(scene, phase, 72).mask
            assert [np.count_nonzero(mask == place + 2) for place in range(len(whole))] == pytest.approx(
                whole, rel=0.04
            )


@functools.cache
def many_scenes() -> list[Scene]:
    return draw_scenes(9 * 900, seed=11, split="train", moving=True)


def features_of(scene: Scene, phases: tuple[float, ...]) -> np.ndarray:
    """Where things are at these moments, how large, and which way they face."""
    poses = [scene.subject.pose_at(phase) for phase in phases]
    numbers = [n for pose in poses for n in (pose.x, pose.y, np.log(pose.radius), pose.angle_rad)]
    other = scene.things[1].start if len(scene.things) > 1 else Pose(0.5, 0.5, 0.15)
    return np.array([*numbers, scene.subject.look.mirrored, len(scene.things), other.x, other.y, other.radius])


def accuracy(scenes: list[Scene], first: str, second: str, phases: np.ndarray) -> float:
    """How often least squares on squares and products tells two motions apart, in scenes it was not fitted to."""
    chosen = [(scene, when) for scene, when in zip(scenes, phases, strict=True) if scene.motion in (first, second)]
    features = np.stack([features_of(scene, tuple(when)) for scene, when in chosen])
    features = (features - features.mean(0)) / (features.std(0) + 1e-9)
    i, j = np.triu_indices(features.shape[1])
    features = np.column_stack([np.ones(len(features)), features, features[:, i] * features[:, j]])
    wanted = np.array([1.0 if scene.motion == first else -1.0 for scene, _ in chosen])
    half = len(wanted) // 2
    gram = features[:half].T @ features[:half] + 3 * np.eye(features.shape[1])
    weights = np.linalg.solve(gram, features[:half].T @ wanted[:half])
    return float(np.mean(np.sign(features[half:] @ weights) == wanted[half:]))


@pytest.mark.parametrize(("first", "second"), [("left", "right"), ("up", "down"), ("growing", "shrinking")])
def test_one_frame_does_not_tell_a_motion_from_its_opposite_and_two_do(first: str, second: str) -> None:
    scenes = many_scenes()
    rng = np.random.default_rng(0)
    one = rng.random((len(scenes), 1))
    assert 0.44 < accuracy(scenes, first, second, one) < 0.56  # chance is 0.5 +- 0.017
    two = np.tile([0.2, 0.8], (len(scenes), 1))
    assert accuracy(scenes, first, second, two) > 0.95


def test_frames_without_their_order_do_not_tell_either() -> None:
    """Three frames a shot is what an image model sees, and it takes their mean."""
    scenes = many_scenes()
    backwards = np.random.default_rng(1).random(len(scenes)) < 0.5
    shuffled = np.where(backwards[:, None], [5 / 6, 0.5, 1 / 6], [1 / 6, 0.5, 5 / 6])
    assert 0.44 < accuracy(scenes, "left", "right", shuffled) < 0.56


# --- pixels ---------------------------------------------------------------------------------------------------------


def test_the_same_scene_gives_the_same_arrays_whatever_was_drawn_before() -> None:
    scenes = draw_scenes(4, seed=6, split="train", moving=True)
    first = [render_frame(scene, 0.4, 80) for scene in scenes]
    forget_drawings()
    for scene in reversed(scenes):
        render_frame(scene, 0.9, 80)
        render_frame(scene, 0.4, 56)
    for scene, frame in zip(scenes, first, strict=True):
        again = render_frame(scene, 0.4, 80)
        np.testing.assert_array_equal(again.pixels, frame.pixels)
        np.testing.assert_array_equal(again.mask, frame.mask)
        np.testing.assert_array_equal(again.boxes, frame.boxes)
        assert again.names == frame.names


def test_frames_have_the_shape_and_types_they_say() -> None:
    scene = draw_scenes(2, seed=6, split="val", moving=True)[1]
    frame = render_frame(scene, 0.5, 90)
    assert (frame.pixels.shape, frame.pixels.dtype) == ((90, 90, 3), np.uint8)
    assert (frame.mask.shape, frame.mask.dtype) == ((90, 90), np.uint8)
    assert (frame.boxes.shape, frame.boxes.dtype) == ((len(scene.things), 4), np.float32)
    assert frame.names == tuple(f"{thing.look.colour} {thing.look.kind}" for thing in scene.things)
    for aspect, shape in ((4 / 3, (90, 120)), (3 / 4, (120, 90)), (16 / 9, (68, 120))):
        assert frame_shape(120, aspect) == shape
        assert render_frame(scene, 0.5, 120, aspect=aspect).pixels.shape == (*shape, 3)


@pytest.mark.parametrize("aspect", [1.0, 4 / 3, 3 / 4])
def test_masks_boxes_and_pixels_agree(aspect: float) -> None:
    for scene in draw_scenes(6, seed=7, split="test", moving=False):
        frame = render_frame(scene, 0.0, 120, aspect=aspect)
        bare = render_frame(replace(scene, things=()), 0.0, 120, aspect=aspect)
        height, width = frame.mask.shape
        changed = (frame.pixels != bare.pixels).any(axis=-1)
        near = np.zeros_like(changed)
        for place in range(len(scene.things)):
            mask = frame.mask == place + 1
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            tight = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
            np.testing.assert_allclose(frame.boxes[place], tight, atol=1e-6)
            assert changed[mask].mean() > 0.97
            reach = 0.6 * max(rows[-1] - rows[0], columns[-1] - columns[0])
            top, left = max(0, int(rows[0] - reach)), max(0, int(columns[0] - reach))
            near[top : int(rows[-1] + reach), left : int(columns[-1] + reach)] = True
        assert not changed[~near].any()
        assert set(np.unique(frame.mask)) == set(range(len(scene.things) + 1))


def test_a_frame_is_the_same_picture_at_any_size() -> None:
    for scene in draw_scenes(6, seed=7, split="train", moving=True):
        small, large = render_frame(scene, 0.3, 60), render_frame(scene, 0.3, 180)
        np.testing.assert_allclose(small.boxes, large.boxes, atol=0.025)
        shrunk = large.pixels.reshape(60, 3, 60, 3, 3).mean(axis=(1, 3))
        assert np.abs(shrunk - small.pixels).mean() < 9


def test_mirrored_things_are_mirror_images_but_for_the_light() -> None:
    scene = one_thing("car", "saloon")
    look = scene.subject.look
    other = replace(scene, things=(still(replace(look, mirrored=True), scene.subject.start),))
    frame, mirror = render_frame(scene, 0, 96), render_frame(other, 0, 96)
    assert (frame.mask != mirror.mask).any()
    assert np.mean(frame.mask != mirror.mask[:, ::-1]) < 0.01
    # Light comes from the left all the same.
    assert frame.pixels[:, :48][frame.mask[:, :48] > 0].mean() != mirror.pixels[:, 48:][mirror.mask[:, 48:] > 0].mean()


@pytest.mark.parametrize("kind", world.KINDS)
def test_every_silhouette_is_whole_and_shows_its_colour(kind: str) -> None:
    names = [*world.silhouettes_of(kind, "train"), *world.silhouettes_of(kind, "test")]
    assert len(set(names)) == len(names) >= 5
    assert {silhouette for of, silhouette in looks.DRAWINGS if of == kind} == set(names)
    for name in names:
        look = Look(kind, name, "purple", "plain", variation=1)
        full = looks.sprite_of(look, 256).pixels
        edge = np.concatenate([full[0], full[-1], full[:, 0], full[:, -1]])
        assert not edge[:, looks.ALPHA].any()
        solid = full[..., looks.ALPHA] > 0.9
        assert 0.1 < solid.mean() < 0.75
        red, green, blue = np.moveaxis(full[solid][:, looks.COLOUR], -1, 0)
        purple = (blue > red + 0.05) & (red > green + 0.03)
        assert purple.mean() > 0.3


def test_silhouettes_of_a_kind_differ() -> None:
    for kind in world.KINDS:
        masks = [
            render_frame(one_thing(kind, name), 0, 64).pixels.astype(int)
            for name in (*world.silhouettes_of(kind, "train"), *world.silhouettes_of(kind, "test"))
        ]
        for first in range(len(masks)):
            for second in range(first):
                assert np.abs(masks[first] - masks[second]).mean() > 1.5


def test_a_turned_ball_looks_turned() -> None:
    for split in ("train", "test"):
        for name in world.silhouettes_of("ball", split):
            scene = one_thing("ball", name)
            thing = scene.subject
            turned = replace(scene, things=(still(thing.look, replace(thing.start, angle_rad=1.1)),))
            frames = [render_frame(each, 0, 96) for each in (scene, turned)]
            assert np.mean(frames[0].mask != frames[1].mask) < 0.01
            assert np.abs(frames[0].pixels.astype(int) - frames[1].pixels)[frames[0].mask > 0].max() > 60


def test_every_backdrop_and_texture_can_be_drawn() -> None:
    names = [*world.backdrops_of("train"), *world.backdrops_of("test")]
    for name in names:
        for shape in ((48, 64), (61, 45)):
            pixels = backdrops_module.backdrop_pixels(name, *shape, 7)
            assert (pixels.shape, pixels.dtype) == ((*shape, 3), np.uint8)
            assert not pixels.flags.writeable
        assert (
            backdrops_module.backdrop_pixels(name, 48, 64, 8) != backdrops_module.backdrop_pixels(name, 48, 64, 7)
        ).any()
    plain = mean_colour(render_frame(one_thing("heart", "full"), 0, 64))
    for texture in (*world.textures_of("train"), *world.textures_of("test")):
        frame = render_frame(one_thing("heart", "full", texture=texture), 0, 64)
        red, green, blue = mean_colour(frame)
        assert red > 1.6 * max(green, blue)  # still a red heart
        if texture != "plain":
            assert np.abs(np.array((red, green, blue)) - plain).max() > 2


def mean_colour(frame: RenderedFrame) -> np.ndarray:
    return np.asarray(frame.pixels[frame.mask > 0].mean(axis=0))


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("moving", [True, False])
def test_sentences_say_kind_colour_and_motion(split: Split, moving: bool) -> None:
    for scene in draw_scenes(180, seed=13, split=split, moving=moving):
        said = sentences_of(scene)
        assert len(set(said)) == len(said) == 5
        assert sentences_of(scene) == said
        for sentence in said:
            words = re.findall(r"[a-z]+", sentence)
            assert not set("{}") & set(sentence)
            assert "  " not in sentence
            assert f"{scene.subject.look.colour} {scene.subject.look.kind}" in sentence
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]", sentence)
            if moving:
                assert _WORDS[scene.motion] & set(words)
            if scene.motion == "crossing":
                other = scene.things[1].look
                assert f"{other.colour} {other.kind}" in sentence
            opposite = {"left": "right", "right": "left", "up": "down", "down": "up"}.get(scene.motion)
            assert opposite not in words


def test_some_sentences_say_size_place_and_what_is_beside_and_only_what_is_so() -> None:
    scenes = draw_scenes(300, seed=14, split="train", moving=True)
    counts: Counter[str] = Counter()
    for scene in scenes:
        radii = {scene.subject.start.radius, scene.subject.end.radius}
        for sentence in sentences_of(scene):
            words = set(sentence.split())
            counts["small"] += "small" in words
            counts["large"] += "large" in words
            counts["sky"] += "sky" in words or "clouds" in words
            beside = scene.motion != "crossing" and any(
                f"{other.look.colour} {other.look.kind}" in sentence for other in scene.things[1:]
            )
            counts["beside"] += beside
            if "small" in words:
                assert max(radii) < SMALL_BELOW
            if "large" in words:
                assert min(radii) > LARGE_ABOVE
    assert min(counts.values()) > 20
    assert set(counts) == {"small", "large", "sky", "beside"}


def test_phrases_of_test_are_unknown_and_words_of_motions_are_shared() -> None:
    assert phrases_of("train") == phrases_of("val")
    assert not phrases_of("train") & phrases_of("test")
    assert set(MOTION_PHRASES) == set(world.MOTIONS)
    for motion, splits in MOTION_PHRASES.items():
        assert not set(splits[0]) & set(splits[1])
        for phrases in splits:
            assert len(set(phrases)) == 5
            said = {word for phrase in phrases for word in re.findall(r"[a-z]+", phrase)}
            assert said & _WORDS[motion]


def test_sentences_of_test_are_not_said_in_train() -> None:
    said = {
        split: {
            sentence
            for scene in draw_scenes(300, seed=15, split=split, moving=True)
            for sentence in sentences_of(scene)
        }
        for split in SPLITS
    }
    assert not said["train"] & said["test"]
