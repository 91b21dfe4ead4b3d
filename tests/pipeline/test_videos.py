"""Videos from files to vectors in the library, with models that know colours."""

import importlib.util
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from explorer import pipeline
from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import MediaError, QueryError
from explorer.library import Library, ScanSummary, open_library
from explorer.media.writing import write_video
from explorer.pipeline import reading
from explorer.pipeline.indexing import BATCH_SIZE, CLIPS_PER_BATCH, IndexingStep
from explorer.protocol import Query
from explorer.representations import Modality
from explorer.segment_ids import item_of, segment_id

_HELPER = Path(__file__).resolve().parent.parent / "helpers" / "colour_model.py"
RGB = {"red": (220, 20, 20), "green": (20, 200, 20), "blue": (20, 20, 220)}


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("colour_model_of_videos", _HELPER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def encoders() -> dict[str, object]:
    return dict(_load().ColourModels().encoders)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    return tmp_path / "media"


@pytest.fixture
def library(tmp_path: Path, folder: Path) -> Iterator[Library]:
    with open_library(tmp_path / "library") as opened:
        opened.add_source(folder)
        yield opened


def clip(path: Path, *colours: str, seconds: float = 2.0, rate_fps: float = 10.0) -> Path:
    frames = [np.full((48, 64, 3), RGB[colour], np.uint8) for colour in colours for _ in range(int(seconds * rate_fps))]
    write_video(path, frames, rate_fps)
    return path


def photo(path: Path, colour: str) -> None:
    Image.fromarray(np.full((40, 60, 3), RGB[colour], np.uint8)).save(path)


def index(library: Library, encoder: object, token: CancellationToken | None = None) -> list[IndexingStep]:
    *_, summary = library.scan(token=CancellationToken())
    assert isinstance(summary, ScanSummary)
    kinds = pipeline.kinds_read_by(encoder.modalities)  # type: ignore[attr-defined]
    pending = library.pending(encoder.model_id, kinds)  # type: ignore[attr-defined]
    return list(pipeline.index_items(library, pending, encoder, token=token or CancellationToken()))  # type: ignore[arg-type]


def vectors(library: Library, encoder: object) -> dict[int, np.ndarray]:
    table = library.vector_table(encoder.model_id)  # type: ignore[attr-defined]
    return dict(zip(table.item_ids.tolist(), np.asarray(table.vectors), strict=True))


def item_named(library: Library, name: str) -> int:
    return next(row.item_id for row in library.describe(library.item_ids()) if row.name == name)


def problems(library: Library) -> dict[str, str]:
    return {os.path.basename(problem.display): problem.error for problem in library.problems().rows}


def test_every_shot_has_its_span_thumbnail_and_vector(library, folder, encoders):
    clip(folder / "three.mp4", "red", "green", "blue")
    photo(folder / "green.png", "green")
    [step] = index(library, encoders["colours"])
    assert (step.n_done, step.n_total, step.n_failed, step.seen_s) == (2, 2, 0, 0)
    item = item_named(library, "three.mp4")
    np.testing.assert_allclose(library.shots(item), [(0, 2), (2, 4), (4, 6)], atol=0.1)
    found = vectors(library, encoders["colours"])
    own = encoders["colours"].encode_texts(["red", "green", "blue"]).values
    shots = np.stack([found[segment_id(item, position)] for position in range(3)])
    assert np.argmax(shots @ own.T, axis=1).tolist() == [0, 1, 2]
    assert len(library.thumbnails([segment_id(item, position) for position in range(3)])) == 3
    row = library.describe([segment_id(item, 2)])[0]
    assert (row.kind, row.width_px, row.height_px, row.n_shots) == ("video", 64, 48, 3)
    assert row.duration_s == pytest.approx(6, abs=0.1)


def test_the_network_works_on_full_batches_across_shots_and_files(library, folder, encoders):
    for number in range(3):
        clip(folder / f"{number}.mp4", "red", "green", "blue", "red", "green", seconds=1)
        for other in range(5):
            photo(folder / f"{number}-{other}.png", "blue")
    steps = index(library, encoders["colours"])
    batches = encoders["colours"].batches
    assert sum(batches) == 3 * 5 * pipeline.FRAMES_PER_SHOT + 15
    assert all(BATCH_SIZE <= size < BATCH_SIZE + pipeline.FRAMES_PER_SHOT for size in batches[:-1])
    assert steps[-1].n_done == 18
    assert len(vectors(library, encoders["colours"])) == 15 + 15


def test_a_model_of_motion_gets_clips_and_tells_what_came_first(library, folder, encoders):
    clip(folder / "fades.mp4", "red", seconds=1)
    halves = [np.full((48, 64, 3), RGB[c], np.uint8) for c in ("red", "blue") for _ in range(5)]
    # One shot: half a second each is too short for a cut to be a shot of its own.
    write_video(folder / "red-blue.mkv", halves, 10.0)
    write_video(folder / "blue-red.avi", halves[::-1], 10.0)
    photo(folder / "red.png", "red")
    encoder = encoders["colour-motion"]
    index(library, encoder)
    assert sum(encoder.batches) == sum(row.n_shots for row in library.describe(library.item_ids()))
    found = vectors(library, encoder)
    if len(library.shots(item_named(library, "red-blue.mkv"))) == 1:
        query = encoder.encode_texts(["red then blue"]).values[0]
        best = max(found, key=lambda segment: found[segment] @ query)
        assert item_of(best) == item_named(library, "red-blue.mkv")
    assert item_named(library, "red.png") in found


def test_clips_go_through_the_network_together(library, folder, encoders):
    for number in range(5):
        clip(folder / f"{number}.mp4", "red", "green", "blue", seconds=1)
    index(library, encoders["colour-clips"])
    assert encoders["colour-clips"].batches == [CLIPS_PER_BATCH] * 3 + [3]


def test_what_a_model_can_read():
    both = frozenset({"image", "video"})
    assert pipeline.kinds_read_by(frozenset({Modality.TEXT, Modality.IMAGE})) == both
    assert pipeline.kinds_read_by(frozenset(Modality)) == both
    assert pipeline.kinds_read_by(frozenset({Modality.TEXT, Modality.VIDEO})) == {"video"}
    assert pipeline.kinds_read_by(frozenset({Modality.TEXT})) == frozenset()


def test_a_second_model_sees_the_shots_that_are_known(library, folder, encoders, monkeypatch):
    clip(folder / "two.mp4", "red", "green")
    index(library, encoders["colours"])
    item = item_named(library, "two.mp4")
    spans, asked = library.shots(item), []
    real = reading.read_shots

    def noting(path, samplings, *, spans=(), token):
        asked.append(tuple(spans))
        return real(path, samplings, spans=spans, token=token)

    monkeypatch.setattr(reading, "read_shots", noting)
    index(library, encoders["colour-motion"])
    assert asked == [spans]
    assert library.shots(item) == spans
    assert len(vectors(library, encoders["colours"])) == len(vectors(library, encoders["colour-motion"])) == 2


def test_known_shots_are_not_believed_of_another_content(library, folder, encoders):
    clip(folder / "two.mp4", "red", "green")
    index(library, encoders["colours"])
    library_scan = list(library.scan(token=CancellationToken()))
    assert library_scan
    pending = library.pending(encoders["colour-motion"].model_id)
    clip(folder / "two.mp4", "red", "green", "blue", "red")  # after the scan, before it is read
    list(pipeline.index_items(library, pending, encoders["colour-motion"], token=CancellationToken()))
    assert len(library.shots(item_named(library, "two.mp4"))) == 4
    assert vectors(library, encoders["colours"]) == {}


def test_what_cannot_be_read_has_an_error_and_the_rest_goes_on(library, folder, encoders):
    (folder / "text.mp4").write_text("this is no video")
    (folder / "empty.avi").write_bytes(b"")
    (folder / "broken.png").write_bytes(b"no png")
    clip(folder / "gone.mkv", "red")
    clip(folder / "good.mp4", "blue")
    list(library.scan(token=CancellationToken()))
    pending = library.pending(encoders["colours"].model_id)
    (folder / "gone.mkv").unlink()  # between scan and indexing
    *_, last = pipeline.index_items(library, pending, encoders["colours"], token=CancellationToken())
    assert (last.n_done, last.n_failed) == (5, 4)
    errors = problems(library)
    assert set(errors) == {"text.mp4", "empty.avi", "broken.png", "gone.mkv"}
    assert all(error.endswith(".") for error in errors.values())
    assert "no longer there" in errors["gone.mkv"]
    assert list(vectors(library, encoders["colours"])) == [item_named(library, "good.mp4")]


def test_a_video_that_fails_half_way_leaves_nothing_of_it(library, folder, encoders, monkeypatch):
    clip(folder / "a.mp4", *["red", "green"] * 4, seconds=1)
    clip(folder / "b.mp4", "blue")
    real = reading.read_shots

    def failing(path, samplings, *, spans=(), token) -> Iterator[object]:
        for n, shot in enumerate(real(path, samplings, spans=spans, token=token)):
            if n == 6 and path.endswith(b"a.mp4"):
                raise MediaError("It is damaged.")
            yield shot

    monkeypatch.setattr(reading, "read_shots", failing)
    steps = index(library, encoders["colours"])
    assert encoders["colours"].batches[0] >= BATCH_SIZE  # some of its shots had been encoded by then
    assert (steps[-1].n_done, steps[-1].n_failed) == (2, 1)
    assert problems(library) == {"a.mp4": "It is damaged."}
    assert library.shots(item_named(library, "a.mp4")) == ()
    assert list(vectors(library, encoders["colours"])) == [item_named(library, "b.mp4")]


def test_a_file_that_changes_while_it_is_read_is_told(library, folder, encoders, monkeypatch):
    path = clip(folder / "growing.mp4", "red")
    real = reading.read_shots

    def growing(*arguments: object, **options: object) -> Iterator[object]:
        yield from real(*arguments, **options)  # type: ignore[arg-type]
        with path.open("ab") as stream:
            stream.write(b"more")

    monkeypatch.setattr(reading, "read_shots", growing)
    assert index(library, encoders["colours"])[-1].n_failed == 1
    assert "changed while it was read" in problems(library)["growing.mp4"]
    monkeypatch.setattr(reading, "read_shots", real)
    assert index(library, encoders["colours"])[-1].n_failed == 0  # the next scan sees that it changed


def test_a_bug_while_reading_reaches_who_indexes(library, folder, encoders, monkeypatch):
    clip(folder / "a.mp4", "red")

    def broken(*_: object, **__: object) -> Iterator[object]:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(reading, "read_shots", broken)
    with pytest.raises(ZeroDivisionError):
        index(library, encoders["colours"])
    assert _no_thread_is_left()


def test_progress_goes_on_within_a_long_video(library, folder, encoders):
    clip(folder / "long.mp4", *["red", "green", "blue"] * 8, seconds=1)
    steps = index(library, encoders["colours"])
    within = [step for step in steps if step.n_done == 0]
    assert len(within) >= 3
    assert [step.seen_s for step in within] == sorted(step.seen_s for step in within)
    assert all(0 < step.seen_s <= step.duration_s + 0.1 for step in within)
    assert within[0].duration_s == pytest.approx(24, abs=0.5)
    assert all(step.current.endswith(b"long.mp4") for step in within)
    assert (steps[-1].n_done, steps[-1].seen_s, steps[-1].duration_s, steps[-1].remaining_s) == (1, 0, 0, 0)


def test_a_stop_is_heeded_within_a_long_video(library, folder, encoders, monkeypatch):
    """After the batch under way nothing more is encoded, nothing of the video is kept, and no thread goes on."""
    clip(folder / "long.mp4", *["red", "green", "blue"] * 20, seconds=1)
    token, batches = CancellationToken(), []
    encoder = encoders["colours"]
    real = encoder.encode_images

    def stopping(squares: np.ndarray) -> object:
        batches.append(len(squares))
        token.cancel()
        return real(squares)

    monkeypatch.setattr(encoder, "encode_images", stopping)
    with pytest.raises(Cancelled):
        index(library, encoder, token)
    assert len(batches) == 1
    assert library.shots(item_named(library, "long.mp4")) == ()
    assert _no_thread_is_left()
    monkeypatch.setattr(encoder, "encode_images", real)
    assert index(library, encoder)[-1].n_done == 1


def test_a_stop_is_heeded_while_nothing_can_be_decoded_yet(library, folder, encoders, monkeypatch):
    """The thread that reads is asked, too: a film of hours may have no shot for minutes."""
    clip(folder / "long.mp4", "red")
    token, reached = CancellationToken(), threading.Event()

    def endless(_path: bytes, _samplings: Sequence[object], *, spans=(), token: CancellationToken) -> Iterator[object]:
        reached.set()
        while True:
            token.check()
        yield None

    monkeypatch.setattr(reading, "read_shots", endless)
    threading.Thread(target=lambda: (reached.wait(60), token.cancel())).start()
    with pytest.raises(Cancelled):
        index(library, encoders["colours"], token)
    assert reached.is_set()
    assert _no_thread_is_left()


def test_who_stops_taking_steps_leaves_no_thread(library, folder, encoders):
    clip(folder / "long.mp4", *["red", "green", "blue"] * 20, seconds=1)
    list(library.scan(token=CancellationToken()))
    pending = library.pending(encoders["colours"].model_id)
    steps = pipeline.index_items(library, pending, encoders["colours"], token=CancellationToken())
    next(steps)
    steps.close()
    assert _no_thread_is_left()


def _no_thread_is_left() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "decode"]


_INDEX_ONE = """
import importlib.util, re, sys
from pathlib import Path
from explorer import pipeline
from explorer.cancellation import CancellationToken
from explorer.library import open_library
spec = importlib.util.spec_from_file_location("colour_model", sys.argv[1])
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
encoder = module.ColourModels().encoder
encoder.side_px = 224
with open_library(Path(sys.argv[2])) as library:
    library.add_source(Path(sys.argv[3]))
    list(library.scan(token=CancellationToken()))
    steps = list(pipeline.index_items(library, library.pending(encoder.model_id), encoder, token=CancellationToken()))
    print(steps[-1].n_done - steps[-1].n_failed, len(library.vector_table(encoder.model_id).item_ids))
# Not getrusage: a child's ru_maxrss begins with the memory of the process that started it.
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_stays_flat_over_two_hours(tmp_path):
    """Two hours take little more than six minutes: a vector and a thumbnail a shot (some 800 of 2 kB), no frames."""
    peaks, n_shots = [], []
    for minutes in (6, 120):
        folder = tmp_path / str(minutes)
        folder.mkdir()
        _film(folder / "film.mp4", minutes)
        done = subprocess.run(
            [sys.executable, "-c", _INDEX_ONE, _HELPER, tmp_path / f"library {minutes}", folder],
            capture_output=True, text=True, check=True, timeout=500,
        )  # fmt: skip
        counts, peak = done.stdout.splitlines()
        assert counts.split()[0] == "1"
        n_shots.append(int(counts.split()[1]))
        peaks.append(int(peak) / 1024)
    assert n_shots[1] > 15 * n_shots[0] > 0
    assert peaks[1] - peaks[0] < 60, f"{peaks} MB"  # its frames, kept, would be 300 MB


def _film(path: Path, minutes: int) -> None:
    """A colour that wanders slowly, a frame a second: no cuts, so that it is cut into windows."""

    def frames() -> Iterator[np.ndarray]:
        for n in range(minutes * 60):
            colour = 128 + 100 * np.sin(n / 180 + np.arange(3))
            yield np.broadcast_to(colour.astype(np.uint8), (48, 64, 3)).copy()

    write_video(path, frames(), 1.0)


@pytest.mark.parametrize("model", ["colours", "colour-bits", "colour-motion", "colour-clips"])
def test_frames_of_a_query_are_encoded_as_the_model_sees_a_shot(encoders, model):
    encoder = encoders[model]
    sampling = pipeline.sampling_of(encoder)
    shape = (sampling.n_frames, sampling.side_px, sampling.side_px, 3)
    frames = np.random.default_rng(3).integers(0, 255, shape).astype(np.uint8)
    row = pipeline.encode_query(encoder, Query(video_path=b"x"), frames)
    assert len(row) == 1
    if "colour-m" in model or "clips" in model:
        np.testing.assert_allclose(row.values, encoder.encode_videos(frames[None]).values, atol=1e-6)
    both = pipeline.encode_query(encoder, Query(video_path=b"x", text="red"), frames)
    assert len(both) == 1


def test_queries_that_make_no_sense_are_refused(encoders):
    with pytest.raises(QueryError, match="one picture or one video"):
        pipeline.check_query(Query(video_path=b"x", image_path=b"y"))
    for span in ((3.0, 2.0), (-1.0, 2.0), (float("nan"), 2.0), (1.0, 1.0)):
        with pytest.raises(QueryError, match="no part of a video"):
            pipeline.check_query(Query(video_path=b"x", video_span_s=span))
    with pytest.raises(QueryError, match="no part of a video"):
        pipeline.check_query(Query(text="a dog", video_span_s=(1.0, 2.0)))
    pipeline.check_query(Query(video_path=b"x", video_span_s=(1.0, float("inf"))))
    picture = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(QueryError, match="colour-clips reads no pictures"):
        pipeline.encode_query(encoders["colour-clips"], Query(image_path=b"x"), picture)
