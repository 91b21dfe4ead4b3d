"""``sample`` from the command line and from the engine."""

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from explorer import protocol
from explorer.__main__ import window_call
from explorer.cancellation import CancellationToken
from explorer.cli import run_command, sampling
from explorer.datasets.captions import read_captions
from explorer.datasets.scenes import writing
from explorer.datasets.scenes.collection import CollectionPlan
from explorer.engine import sample as engine_sample
from explorer.engine.engine import Engine
from explorer.errors import ConfigError, DatasetError, UserFacingError

SMALL = ("--images", "2", "--clips", "1", "--side", "64")


@pytest.fixture
def call(tmp_path: Path) -> Callable[..., int]:
    return lambda *arguments: run_command(["--data-dir", str(tmp_path / "data"), "sample", *map(str, arguments)])


def test_it_is_a_command_and_no_folder_of_a_library() -> None:
    assert window_call(["sample", "x"]) is None


def test_a_collection_is_rendered_and_the_next_step_is_said(
    call: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "here"
    assert call(folder, *SMALL, "--seed", 7, "--split", "test", "--json") == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == {
        "folder": str(folder), "captions": str(folder / "captions.json"), "n_images": 2, "n_clips": 1,
    }  # fmt: skip
    assert f"index {folder} --captions {folder / 'captions.json'}" in said.err
    names = [photo.name for photo in read_captions(folder / "captions.json")]
    assert len(names) == 3
    assert all((folder / name).is_file() for name in names)
    assert json.loads((folder / "collection.json").read_text())["split"] == "test"
    assert call(folder, *SMALL, "--seed", 7, "--split", "test") == 0
    assert capsys.readouterr().out == ""


def test_what_cannot_be_is_said(call: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(DatasetError, match="holds other files"):
        call(tmp_path, *SMALL)
    with pytest.raises(ConfigError, match="no split"):
        call(tmp_path / "new", *SMALL, "--split", "dev")
    with pytest.raises(ConfigError, match="seed"):
        call(tmp_path / "new", *SMALL, "--seed", -1)
    assert call() == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_stopped_rendering_says_how_to_go_on(
    call: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = CancellationToken()
    token.cancel()

    class Stopped:
        def __enter__(self) -> CancellationToken:
            return token

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(sampling, "stoppable", Stopped)
    with pytest.raises(UserFacingError, match="Run the same command again"):
        call(tmp_path / "new", *SMALL)


def test_the_engine_renders_it_with_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_sample, "CollectionPlan", partial(CollectionPlan, n_images=2, n_clips=1, side_px=64))
    folder = os.fsencode(tmp_path / "here")
    *steps, last = Engine([]).answer(protocol.RenderSample(id=5, folder=folder, seed=2))
    assert last == protocol.SampleRendered(
        id=5,
        folder=folder,
        display=str(tmp_path / "here"),
        captions=os.fsencode(tmp_path / "here" / "captions.json"),
        n_images=2,
        n_clips=1,
    )
    assert all(isinstance(step, protocol.Progress) and step.stage == "rendering" for step in steps)
    assert isinstance(steps[-1], protocol.Progress)
    assert steps[-1].n_done == steps[-1].n_total == 4
    assert os.path.isfile(last.captions)


def test_the_engine_stops_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancellationToken()
    render = writing.render_frame

    def render_one(*arguments: object, **options: object) -> object:
        token.cancel()
        return render(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(writing, "render_frame", render_one)
    request = protocol.RenderSample(id=6, folder=os.fsencode(tmp_path / "here"))
    *_, last = Engine([]).answer(request, token)
    assert last == protocol.Cancelled(id=6)
    assert len(list((tmp_path / "here" / "images").iterdir())) == 1


def test_the_engine_refuses_a_folder_of_others(tmp_path: Path) -> None:
    (tmp_path / "mine.jpg").write_bytes(b"mine")
    (answer,) = Engine([]).answer(protocol.RenderSample(id=7, folder=os.fsencode(tmp_path)))
    assert isinstance(answer, protocol.Failed)
    assert answer.kind == "DatasetError"
    assert not answer.details
