"""``kill -9`` at any moment: the run goes on, and ends in the same bytes as one that nobody disturbed."""

import random
import shutil
import sys
import time

import pytest

from explorer.protocol.runs import EpochFinished, Finished, PhaseStarted, RunBegan, Saved, Stepped
from explorer.runs.journal import JournalReader
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunState, RunStatus
from explorer.training.trainer import begin_run
from tests.helpers.killable import end, start, wait_until
from tests.helpers.photo_data import write_karpathy

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="needs a fork server"),
    pytest.mark.timeout(300),
]

N_EPOCHS = 4
RECIPE = f"""
task = "image-sentence"
name = "tiny"
[dataset]
annotations = "photos.json"
[features]
vision = "vision-lite0"
flip = true
[tail]
epochs = 1
batch_size = 4
embed_dim = 16
[network]
embed_dim = 16
hidden_dim = 12
map_size = 7
[training]
epochs = {N_EPOCHS}
batch_size = 3
averaging = 0.9
[stopping]
patience = 2
"""


@pytest.fixture
def runs(tmp_path):
    """The same run twice, each in a data folder of its own; a package's card says the run's name."""
    write_karpathy(tmp_path / "data", ["train"] * 9 + ["val"] * 3)
    recipe = tmp_path / "data" / "tiny.toml"
    recipe.write_text(RECIPE)
    run = begin_run(recipe, tmp_path / "whole" / "runs", recipe_folder=recipe.parent)
    again = tmp_path / "killed" / "runs" / run.name
    shutil.copytree(run.path, again)
    return run, RunFolder(again)


def package_of(run: RunFolder) -> dict[str, bytes]:
    folder = run.path.parent.parent / "models" / "tiny"
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def events_of(run: RunFolder):
    return JournalReader(run.journal_path).read()


def moments(run: RunFolder, chance: random.Random):
    """What is waited for before each kill."""
    home = run.path.parent.parent
    network = run.path / "network.partial"

    def begun_anew():
        n_begun = sum(isinstance(event, RunBegan) for event in events_of(run))

        def seen() -> bool:
            return sum(isinstance(event, RunBegan) for event in events_of(run)) > n_begun

        return seen

    def in_phase(name: str):
        return lambda: any(isinstance(event, PhaseStarted) and event.phase == name for event in events_of(run))

    yield "while features are cached", lambda: any((home / "features").glob("*/trunk.npy")), 0.0
    yield "while a checkpoint is written", (run.path / "tail.partial").exists, 0.0
    yield "while a checkpoint of the network is written", network.exists, 0.0
    yield "again, some bytes later", lambda: network.exists() and network.stat().st_size > 10_000, 0.0
    for _ in range(2):
        yield "anywhere", begun_anew(), chance.uniform(0.0, 1.5)
    yield "while the package is written", lambda: any((home / "models").glob("*tiny*")), chance.uniform(0.0, 0.05)


def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bytes(runs):
    whole, killed = runs
    undisturbed = start(whole.path)
    undisturbed.join()
    assert undisturbed.exitcode == 0
    expected = package_of(whole)
    assert {"weights.safetensors", "CARD.md", "model.toml", "reference.json"} <= set(expected)

    seed = time.time_ns()
    chance, n_killed = random.Random(seed), 0
    for moment, seen, after_s in moments(killed, chance):
        process = start(killed.path, save_every_s=0.0)
        if wait_until(seen, process):
            time.sleep(after_s)
        n_killed += process.is_alive()
        end(process)
        state = RunState()
        for event in events_of(killed):
            state.take(event)
        assert state.failed is None, f"{moment}, seed {seed}: {state.failed}"
    last = start(killed.path)
    last.join()
    assert last.exitcode == 0
    assert n_killed >= 4, "the trainer was quicker than the test"
    found = package_of(killed)
    assert set(found) == set(expected)
    for name, content in expected.items():
        assert found[name] == content, f"{name} differs, seed {seed}"
    assert_tells_the_same(whole, killed)


def assert_tells_the_same(whole: RunFolder, killed: RunFolder) -> None:
    """What both journals add up to is the same: every step that counts is told once."""
    states = []
    for run in (whole, killed):
        state = RunState()
        for event in events_of(run):
            state.take(event)
        states.append(state)
    expected, found = states
    assert found.status is expected.status is RunStatus.FINISHED
    assert (found.finished.epoch, found.finished.metrics) == (expected.finished.epoch, expected.finished.metrics)
    for name, phase in expected.phases.items():
        again = found.phases[name]
        assert (again.n_done, again.n_steps, again.best_epochs) == (phase.n_done, phase.n_steps, phase.best_epochs)
        for metric, series in phase.metrics.items():
            assert again.metrics[metric].steps.tolist() == series.steps.tolist()
            assert again.metrics[metric].values.tolist() == series.values.tolist()
    # A process goes on from the last checkpoint that was told of, or from one that there was no time to tell of.
    saved, last = {}, {}
    for event in events_of(killed):
        match event:
            case Saved():
                saved[event.phase] = event.step
            case PhaseStarted():
                assert event.n_done >= saved.get(event.phase, 0)
                last[event.phase] = event.n_done
            case Stepped():
                assert event.step > last[event.phase]
                last[event.phase] = event.step
    kinds = [type(event) for event in events_of(killed)]
    assert kinds.count(Finished) == 1
    assert kinds.count(RunBegan) > 1
    assert Stepped in kinds
    assert EpochFinished in kinds
