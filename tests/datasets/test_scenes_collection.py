"""The sample collection on disk: whole, annotated, gone on with, and never over a person's files."""

import errno
import json
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.captions import read_captions
from explorer.datasets.labels import item_names, read_labels
from explorer.datasets.scenes import labels_of, render_frame, sentences_of, writing
from explorer.datasets.scenes.annotating import run_lengths
from explorer.datasets.scenes.collection import CollectionPlan, claim_folder, planned_clips, planned_images
from explorer.datasets.scenes.writing import RenderingStep, write_collection
from explorer.errors import ConfigError, DatasetError, MediaError, StorageFullError
from explorer.media.image import decode_image
from explorer.media.sampling import Sampling, sample_frames
from explorer.media.shots import read_shots
from explorer.media.video import read_facts

PLAN = CollectionPlan(seed=3, n_images=5, n_clips=7, side_px=96)


def write(folder: Path, plan: CollectionPlan = PLAN, token: CancellationToken | None = None) -> list[RenderingStep]:
    return list(write_collection(folder, plan, token=token or CancellationToken()))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "collection"
    write(folder)
    return folder


def test_the_small_collection_has_what_these_tests_need() -> None:
    clips = list(planned_clips(PLAN))
    assert {len(clip.shots) for clip in clips} >= {1, 2}
    assert len({Path(clip.name).suffix for clip in clips}) >= 2
    assert len({image.aspect for image in planned_images(PLAN)}) >= 2


def test_steps_count_up_to_all(tmp_path: Path) -> None:
    plan = CollectionPlan(seed=1, n_images=2, n_clips=1, side_px=64)
    steps = write(tmp_path / "new" / "folder", plan)
    assert [(step.n_done, step.n_total) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [step.current for step in steps[:2]] == ["images/image-0001.jpg", "images/image-0002.jpg"]


def test_every_file_is_there_and_can_be_read(collection: Path) -> None:
    there = set(contents(collection))
    images, clips = list(planned_images(PLAN)), list(planned_clips(PLAN))
    notes = {f"annotations/clips/{Path(clip.name).stem}.json" for clip in clips}
    words = {"collection.json", "captions.json", "labels.json", "README.txt", "annotations/images.json"}
    assert there == words | notes | {image.name for image in images} | {clip.name for clip in clips}
    for image in images:
        decoded = decode_image((collection / image.name).read_bytes())
        rendered = render_frame(image.scene, 0, round(1.5 * PLAN.side_px), aspect=image.aspect)
        assert decoded.pixels.shape == rendered.pixels.shape
        assert np.abs(decoded.pixels.astype(int) - rendered.pixels).mean() < 4
    for clip in clips:
        facts = read_facts(os.fsencode(collection / clip.name))
        n_frames = sum(shot.n_frames for shot in clip.shots)
        assert facts.duration_s == pytest.approx(n_frames / clip.rate_fps, abs=0.15)
        assert facts.rate_fps == pytest.approx(clip.rate_fps, rel=0.01)
        assert facts.width_px / facts.height_px == pytest.approx(clip.aspect, rel=0.03)


def test_frames_of_clips_are_those_of_their_scenes(collection: Path) -> None:
    for clip in planned_clips(PLAN):
        shot = clip.shots[0]
        end_s = shot.n_frames / clip.rate_fps
        seen = sample_frames(os.fsencode(collection / clip.name), 0.0, end_s, Sampling(3, 72))
        for pixels, time_s in zip(seen.pixels, seen.times_s, strict=True):
            phase = int(time_s * clip.rate_fps + 0.01) / (shot.n_frames - 1)
            frame = render_frame(shot.scene, phase, 72)
            # The clip is squashed into a square, where things are narrower: most of the picture is backdrop.
            assert np.median(np.abs(pixels.astype(int) - frame.pixels)) < 16


def test_cuts_are_found_where_scenes_change(collection: Path) -> None:
    several = [clip for clip in planned_clips(PLAN) if len(clip.shots) > 1]
    assert several
    for clip in several:
        ends = np.cumsum([shot.n_frames for shot in clip.shots]) / clip.rate_fps
        shots = list(read_shots(os.fsencode(collection / clip.name), [Sampling(1, 32)]))
        assert [shot.end_s for shot in shots][:-1] == pytest.approx(ends[:-1].tolist(), abs=0.02)
        assert len(shots) == len(clip.shots)


def test_captions_name_files_that_are_there(collection: Path) -> None:
    read = {photo.name: photo.sentences for photo in read_captions(collection / "captions.json")}
    images, clips = list(planned_images(PLAN)), list(planned_clips(PLAN))
    assert list(read) == [image.name for image in images] + [clip.name for clip in clips]
    assert all((collection / name).is_file() for name in read)
    for image in images:
        assert read[image.name] == sentences_of(image.scene)
    for clip in clips:
        said = [sentences_of(shot.scene) for shot in clip.shots]
        assert set(read[clip.name]) == {sentence for sentences in said for sentence in sentences}
        # Who reads five sentences has heard of all shots.
        assert all(set(read[clip.name][:5]) & set(sentences) for sentences in said)


def test_labels_are_those_of_the_scenes(collection: Path) -> None:
    labels = read_labels(collection / "labels.json")
    images, clips = list(planned_images(PLAN)), list(planned_clips(PLAN))
    names = item_names([collection / item.name for item in (*images, *clips)])
    assert set(labels.items) == set(names)
    scenes = [(image.scene,) for image in images] + [tuple(shot.scene for shot in clip.shots) for clip in clips]
    for name, of in zip(names, scenes, strict=True):
        wanted = {label for scene in of for label in labels_of(scene)}
        assert {labels.names[number] for number in labels.items[name]} == wanted


def test_run_lengths_are_those_of_coco() -> None:
    coco = pytest.importorskip("pycocotools.mask")
    rng = np.random.default_rng(0)
    for height, width, share in ((5, 7, 0.5), (9, 4, 0.1), (3, 3, 0), (3, 3, 1.1), (1, 6, 0.5)):
        mask = rng.random((height, width)) < share
        lengths = run_lengths(mask)
        decoded = coco.decode(coco.frPyObjects(lengths, *mask.shape))
        np.testing.assert_array_equal(decoded.astype(bool), mask)


def test_annotations_of_pictures_are_coco_and_fit_the_pixels(collection: Path) -> None:
    pytest.importorskip("pycocotools")
    from pycocotools.coco import COCO

    coco = COCO(str(collection / "annotations" / "images.json"))
    for number, image in zip(coco.getImgIds(), planned_images(PLAN), strict=True):
        entry = coco.loadImgs(number)[0]
        assert f"images/{entry['file_name']}" == image.name
        frame = render_frame(image.scene, 0, round(1.5 * PLAN.side_px), aspect=image.aspect)
        assert (entry["height"], entry["width"]) == frame.mask.shape
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=number))
        assert len(annotations) == len(image.scene.things)
        for place, (annotation, thing) in enumerate(zip(annotations, image.scene.things, strict=True)):
            assert coco.loadCats(annotation["category_id"])[0]["name"] == thing.look.kind
            assert annotation["colour"] == thing.look.colour
            mask = coco.annToMask(annotation).astype(bool)
            np.testing.assert_array_equal(mask, frame.mask == place + 1)
            assert annotation["area"] == mask.sum()
            x, y, width, height = annotation["bbox"]
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            assert (x, y) == pytest.approx((columns[0], rows[0]), abs=0.02)
            assert (x + width, y + height) == pytest.approx((columns[-1] + 1, rows[-1] + 1), abs=0.02)


def test_annotations_of_clips_say_shots_and_boxes_of_every_frame(collection: Path) -> None:
    for clip in planned_clips(PLAN):
        said = json.loads((collection / "annotations" / "clips" / f"{Path(clip.name).stem}.json").read_text())
        assert said["file_name"] == Path(clip.name).name
        assert said["n_frames"] == sum(shot.n_frames for shot in clip.shots)
        end_s = 0.0
        for shot, there in zip(clip.shots, said["shots"], strict=True):
            assert there["start_s"] == end_s
            end_s = there["end_s"]
            assert end_s - there["start_s"] == pytest.approx(shot.n_frames / clip.rate_fps)
            assert tuple(there["labels"]) == labels_of(shot.scene)
            assert tuple(there["captions"]) == sentences_of(shot.scene)
            for place, thing in enumerate(there["things"]):
                assert len(thing["bboxes"]) == len(thing["segmentations"]) == shot.n_frames
                last = render_frame(shot.scene, 1.0, PLAN.side_px, aspect=clip.aspect)
                assert thing["segmentations"][-1] == run_lengths(last.mask == place + 1)
                x, y, width, height = thing["bboxes"][-1]
                box = np.array([x, y, x + width, y + height]) / np.tile([said["width"], said["height"]], 2)
                np.testing.assert_allclose(box, last.boxes[place], atol=1e-3)


def test_the_same_seed_writes_the_same_bytes(collection: Path, tmp_path: Path) -> None:
    write(tmp_path)
    assert contents(tmp_path) == contents(collection)


def test_what_is_whole_stays_and_what_is_missing_comes_back(tmp_path: Path) -> None:
    write(tmp_path)
    first = contents(tmp_path)
    clips = [clip.name for clip in planned_clips(PLAN)]
    kept = [tmp_path / clips[0], tmp_path / "images" / "image-0001.jpg"]
    for path in kept:
        path.write_bytes(b"touched by hand")
    lost = [clips[2], "images/image-0003.jpg", "annotations/clips/clip-0004.json", "captions.json"]
    for name in lost:
        (tmp_path / name).unlink()
    write(tmp_path)
    assert all(path.read_bytes() == b"touched by hand" for path in kept)
    again = contents(tmp_path)
    assert set(again) == set(first)
    assert all(again[name] == first[name] for name in lost)


def test_a_whole_collection_is_not_rendered_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path)
    monkeypatch.setattr(writing, "render_frame", lambda *_, **__: pytest.fail("rendered again"))
    assert write(tmp_path)[-1].n_done == 13


def test_a_collection_can_grow(tmp_path: Path, collection: Path) -> None:
    write(tmp_path, CollectionPlan(seed=3, n_images=2, n_clips=3, side_px=96))
    first = contents(tmp_path)
    write(tmp_path)
    grown = contents(tmp_path)
    assert grown == contents(collection)
    assert all(grown[name] == first[name] for name in first if name.startswith(("images/", "clips/")))


def test_it_stops_between_frames_and_goes_on(tmp_path: Path, collection: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancellationToken()
    n_rendered: Counter[str] = Counter()
    render = writing.render_frame

    def render_some(*arguments: object, **options: object) -> object:
        n_rendered["frames"] += 1
        if n_rendered["frames"] == 40:
            token.cancel()
        return render(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "render_frame", render_some)
    with pytest.raises(Cancelled):
        write(tmp_path, token=token)
    assert n_rendered["frames"] == 40
    assert not any(".part" in name for name in contents(tmp_path))
    assert (tmp_path / "clips").is_dir()
    assert not (tmp_path / "captions.json").exists()
    write(tmp_path)
    assert contents(tmp_path) == contents(collection)


@pytest.fixture
def others(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "mine.jpg").write_bytes(b"mine")
    return folder


def test_folders_of_others_are_refused_untouched(others: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds other files.*Name a new folder"):
        write(others)
    assert contents(others) == {"mine.jpg": b"mine"}
    with pytest.raises(DatasetError, match="is a file"):
        write(others / "mine.jpg")


@pytest.mark.parametrize(
    "other",
    [
        CollectionPlan(seed=4, n_images=5, n_clips=7, side_px=96),
        CollectionPlan(seed=3, n_images=4, n_clips=7, side_px=96),
        CollectionPlan(seed=3, n_images=5, n_clips=7, side_px=80),
        CollectionPlan(seed=3, n_images=5, n_clips=7, side_px=96, split="test"),
    ],
)
def test_another_collection_is_refused(tmp_path: Path, other: CollectionPlan) -> None:
    claim_folder(tmp_path, PLAN)
    before = contents(tmp_path)
    with pytest.raises(DatasetError, match=r"another sample collection: seed 3, split val, 96 px"):
        write(tmp_path, other)
    assert contents(tmp_path) == before


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ("no json", "is not that of a sample"),
        ('{"what": "a diary"}', "another version"),
        ('{"version": 99}', "another version"),
    ],
)
def test_manifests_of_others_are_refused(tmp_path: Path, manifest: str, said: str) -> None:
    (tmp_path / "collection.json").write_text(manifest)
    with pytest.raises(DatasetError, match=said):
        write(tmp_path)
    assert contents(tmp_path) == {"collection.json": manifest.encode()}


def test_a_person_may_keep_files_beside(collection: Path, tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "images" / "mine.jpg").write_bytes(b"mine")
    write(tmp_path)
    assert contents(tmp_path) == contents(collection) | {"images/mine.jpg": b"mine"}


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOSPC, StorageFullError, "disk is full.*goes on where it stopped"),
        (errno.EROFS, DatasetError, "cannot be written"),
    ],
)
def test_what_the_disk_refuses_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], said: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    def refuse_politely(*_: object) -> None:
        try:
            refuse()
        except OSError as error:
            raise MediaError("It cannot be written.") from error

    places = [(Path, "mkdir", refuse), (writing, "write_whole", refuse), (writing, "write_video", refuse_politely),
              (writing, "write_labels", refuse_politely)]  # fmt: skip
    for step, (owner, name, instead) in enumerate(places):
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, instead)
            with pytest.raises(kind, match=said):
                write(tmp_path / str(step), CollectionPlan(n_images=1, n_clips=1, side_px=64))


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (CollectionPlan(seed=-1), "whole number from 0"),
        (CollectionPlan(side_px=20), "64 to 1024"),
        (CollectionPlan(n_images=0, n_clips=0), "at least one"),
        (CollectionPlan(n_images=-1), "-1 pictures"),
        (CollectionPlan(n_clips=10_000), "10,000 clips"),
    ],
)
def test_collections_that_are_not_rendered(tmp_path: Path, plan: CollectionPlan, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        write(tmp_path / "new", plan)
    assert not (tmp_path / "new").exists()


def test_pictures_or_clips_alone(tmp_path: Path) -> None:
    write(tmp_path / "a", CollectionPlan(n_images=1, n_clips=0, side_px=64))
    write(tmp_path / "b", CollectionPlan(n_images=0, n_clips=1, side_px=64))
    for name, n in (("a", 1), ("b", 1)):
        assert len(read_captions(tmp_path / name / "captions.json")) == n
