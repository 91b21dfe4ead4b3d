"""Clips through models: as wholes and by their shots, photos among them, and clips that cannot be read."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from clip_collection import LevelEncoder, MotionEncoder, TextOnly, clip_frames, write_clips
from hypothesis import given
from hypothesis import strategies as st

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.clips import CaptionedClips, read_clips
from explorer.errors import ConfigError, DatasetError
from explorer.evaluation.clips import ClipReading, ClipRows
from explorer.evaluation.encoding import encode_gallery, encode_pairs, require_readable
from explorer.evaluation.image_text import owners_of, ranks_of_similarities
from explorer.evaluation.similarities import EncodedPairs, Similarities, standings_of
from explorer.evaluation.visual import Visual, chosen_items, visual_of
from explorer.media.writing import write_video

SHOTS = ClipReading(ClipRows.BEST_SHOT)


@pytest.fixture(scope="module")
def walls(tmp_path_factory: pytest.TempPathFactory) -> CaptionedClips:
    return read_clips(write_clips(tmp_path_factory.mktemp("walls"), per_kind=1, photo=True))


def test_a_model_of_pictures_sees_the_mean_of_spread_frames(walls: CaptionedClips) -> None:
    encoder = LevelEncoder()
    pairs = encode_pairs(encoder, walls, clips=ClipReading(n_frames=4))
    assert encoder.seen == [(4, 16, 16, 3)] * 6 + [(1, 16, 16, 3)]  # a photo is one frame
    assert pairs.firsts is None
    assert pairs.images.shape == (7, 4)
    assert np.allclose(np.linalg.norm(pairs.images, axis=1), 1)
    # Rising and falling have the same mean, which is the level's.
    assert np.allclose(pairs.images[0], pairs.images[1], atol=0.03)
    angles = np.degrees(np.arctan2(pairs.images[:6, 1], pairs.images[:6, 0])) / 180 * 255
    assert np.allclose(angles, [60, 60, 120, 120, 180, 180], atol=4)


def test_a_model_of_motion_sees_its_frames_together_and_in_order(walls: CaptionedClips) -> None:
    encoder = MotionEncoder("motions")
    pairs = encode_pairs(encoder, walls)
    assert encoder.seen == [(1, 5, 8, 8, 3)] * 6 + [(1, 16, 16, 3)]
    assert np.sign(pairs.images[:6, 2]).tolist() == [1, -1] * 3
    assert pairs.images[6, 2] == 0


def test_more_frames_than_go_through_the_network_at_once(walls: CaptionedClips) -> None:
    encoder = LevelEncoder()
    encode_pairs(encoder, walls.at([0], split="one"), clips=ClipReading(n_frames=40))
    assert [shape[0] for shape in encoder.seen] == [16, 16, 8]


def test_progress_counts_clips_and_sentences(walls: CaptionedClips) -> None:
    heard: list[tuple[int, int]] = []
    encode_pairs(LevelEncoder(), walls, on_progress=lambda *counts: heard.append(counts))
    n_total = 7 + 13
    assert heard[:3] == [(0, n_total), (1, n_total), (2, n_total)]
    assert heard[-1] == (n_total, n_total)


def test_a_stop_is_seen_between_clips(walls: CaptionedClips) -> None:
    token, encoder = CancellationToken(), LevelEncoder()
    with pytest.raises(Cancelled):
        encode_pairs(encoder, walls, token=token, on_progress=lambda done, _total: done == 2 and token.cancel())
    assert len(encoder.seen) == 2


def test_the_best_shot_counts(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = {}
    for level, grey in (("dark", 40), ("light", 200)):
        # Something to look at, so that the cut is one.
        texture = rng.integers(-30, 30, (60, 80, 1)).repeat(3, axis=2)
        frames[level] = [np.clip(grey + texture, 0, 255).astype(np.uint8)] * 30
    write_video(tmp_path / "both.mp4", frames["dark"] + frames["light"], 10)
    write_video(tmp_path / "light.mp4", frames["light"], 10)
    (tmp_path / "captions.json").write_text(
        '{"captions": {"both.mp4": ["a dark wall"], "light.mp4": "a light wall", "both.mp4#t=0,2.5": "a dark wall"}}'
    )
    split = read_clips(tmp_path / "captions.json")
    encoder = LevelEncoder()
    by_shot = encode_pairs(encoder, split, clips=SHOTS)
    assert by_shot.firsts is not None
    assert by_shot.firsts.tolist() == [0, 2, 3, 4]  # a part of a video is one shot
    assert {shape[0] for shape in encoder.seen} == {3}
    whole = encode_pairs(LevelEncoder(), split)
    dark = by_shot.score(slice(None), slice(0, 1))[:, 0]
    assert dark[0] == pytest.approx(dark[2], abs=0.01)
    assert dark[0] > whole.score(slice(None), slice(0, 1))[0, 0] + 0.05
    assert MotionEncoder("m").clip_frames == 5
    moving = MotionEncoder("motions")
    encode_pairs(moving, split, clips=SHOTS)
    assert moving.seen == [(1, 5, 8, 8, 3)] * 4


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6), st.integers(0, 999), st.integers(1, 2))
def test_rows_of_shots_equal_a_matrix_of_the_best(counts: list[int], seed: int, n_folds: int) -> None:
    rng = np.random.default_rng(seed)
    counts = counts * n_folds
    firsts = np.cumsum([0, *counts])
    owners = owners_of([2] * len(counts))
    rows, sentences = (rng.integers(-2, 3, (n, 3)).astype(np.float32) for n in (firsts[-1], len(owners)))
    pairs = EncodedPairs(rows, sentences, owners, firsts)
    scores = rows @ sentences.T
    best = np.stack([scores[a:b].max(axis=0) for a, b in pairwise(firsts)])
    assert pairs.n_images == len(counts)
    assert np.array_equal(pairs.score(slice(None), slice(None)), best)
    some = rng.permutation(len(counts))[: 1 + seed % len(counts)]
    assert np.array_equal(pairs.score(some, slice(0, 2)), best[some, :2])
    found = pairs.ranks()
    expected = ranks_of_similarities(best, owners)
    assert np.array_equal(found.image_to_text, expected.image_to_text)
    assert np.array_equal(found.text_to_image, expected.text_to_image)
    size = len(counts) // n_folds
    both = standings_of(Similarities((pairs, pairs)), n_folds=n_folds).ranks("pessimistic")
    for fold in range(n_folds):
        part = ranks_of_similarities(
            best[fold * size : (fold + 1) * size, 2 * fold * size : 2 * (fold + 1) * size], owners_of([2] * size)
        )
        assert np.array_equal(both.image_to_text[fold * size : (fold + 1) * size], part.image_to_text)


def test_what_a_model_cannot_see_is_said_before_anything_is_decoded(walls: CaptionedClips) -> None:
    with pytest.raises(ConfigError, match="texts sees no clips, and walls all has some"):
        require_readable(TextOnly("texts"), walls)
    motion_only = MotionEncoder("motions")
    motion_only.modalities = motion_only.modalities - {"image"}
    with pytest.raises(ConfigError, match="motions sees no photos"):
        require_readable(motion_only, walls)
    require_readable(motion_only, walls.of_kind("video"))


@pytest.mark.parametrize("reading", [ClipReading(), SHOTS])
@pytest.mark.parametrize("content", [b"", b"no video at all", b"\0" * 5000])
def test_a_clip_that_cannot_be_read_is_named(tmp_path: Path, reading: ClipReading, content: bytes) -> None:
    (tmp_path / "bad clip.mp4").write_bytes(content)
    (tmp_path / "captions.json").write_text('{"captions": {"bad clip.mp4": "a wall"}}')
    with pytest.raises(DatasetError, match=r"The clip .*bad clip\.mp4 cannot be read\..* leaving it out") as caught:
        encode_pairs(LevelEncoder(), read_clips(tmp_path / "captions.json"), clips=reading)
    assert caught.value.remedy


def test_parts_and_short_clips(tmp_path: Path) -> None:
    write_video(tmp_path / "film.mp4", clip_frames("dark", "rising", 16) + clip_frames("light", "falling", 16), 8)
    write_video(tmp_path / "one frame.mp4", clip_frames("grey", "rising", 3)[1:2], 8)
    names = ("film.mp4#t=0,2", "film.mp4#t=2", "one frame.mp4")
    said = ", ".join(f'"{name}": "a wall"' for name in names)
    (tmp_path / "captions.json").write_text(f'{{"captions": {{{said}}}}}')
    encoder = MotionEncoder("motions")
    pairs = encode_pairs(encoder, read_clips(tmp_path / "captions.json"))
    assert encoder.seen == [(1, 5, 8, 8, 3)] * 3  # a frame is repeated
    assert np.sign(pairs.images[:, 2]).tolist() == [1, -1, 0]
    by_shot = encode_pairs(MotionEncoder("motions"), read_clips(tmp_path / "captions.json"), clips=SHOTS)
    assert by_shot.firsts is not None
    assert by_shot.firsts.tolist() == [0, 1, 2, 3]
    assert np.sign(by_shot.images[:, 2]).tolist() == [1, -1, 0]


def test_gallery_of_the_first_clips(walls: CaptionedClips) -> None:
    assert encode_gallery(LevelEncoder(), walls, 3).shape == (3, 4)


def test_what_is_in_a_split_and_choosing_from_it(walls: CaptionedClips) -> None:
    assert visual_of(walls) is Visual.ITEM
    assert visual_of(chosen_items(walls, ["*.mp4"])) is Visual.VIDEO
    assert visual_of(chosen_items(walls, ["photo*"])) is Visual.IMAGE
    assert len(chosen_items(walls, ["dark clips/*", "*rising 0.*"]).sentences) == 4
    assert chosen_items(walls, []) is walls
    with pytest.raises(DatasetError, match=r"No name of walls all fits \*\.avi"):
        chosen_items(walls, ["*.avi"])
