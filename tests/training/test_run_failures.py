"""What goes wrong outside: data that vanishes, a full disk, too little data, a stop at an awkward moment."""

import json
import signal
import sys

import pytest

from explorer.errors import ConfigError
from explorer.protocol.runs import (
    EpochFinished,
    Finished,
    Paused,
    PauseRun,
    PhaseStarted,
    Progressed,
    RunFailed,
    RunStopped,
    Saved,
    Stepped,
    StopRun,
)
from explorer.runs.journal import JournalReader
from explorer.runs.orders import give
from explorer.training.running import RunCall, run_trainer
from explorer.training.trainer import begin_run
from tests.helpers.killable import MODELS, end, start, start_stuck, wait_until
from tests.helpers.photo_data import write_karpathy

pytestmark = pytest.mark.timeout(300)
forks = pytest.mark.skipif(sys.platform == "win32", reason="needs a fork server")

RECIPE = """
task = "dsmhn"
name = "tiny"
[dataset]
annotations = "photos.json"
[network]
n_bits = 16
[image]
hidden_dim = 8
[text]
readers = ["bow"]
hidden_dim = 8
min_word_count = 1
[training]
epochs = 2
batch_size = 4
"""


@pytest.fixture
def make_run(tmp_path):
    """A run of the recipe, changed, on photos of these splits."""

    def make(*changes, splits=("train",) * 8 + ("val",) * 4):
        write_karpathy(tmp_path / "data", splits)
        content = RECIPE
        for old, new in changes:
            content = content.replace(old, new)
        recipe = tmp_path / "data" / "tiny.toml"
        recipe.write_text(content)
        return begin_run(recipe, tmp_path / "home" / "runs", recipe_folder=recipe.parent)

    return make


def begin(run, show=lambda event: None):
    return run_trainer(
        RunCall(run=run, runs_folder=run.path.parent, search_folders=[MODELS], own_process=False, show=show)
    )


def journal(run):
    return JournalReader(run.journal_path).read()


def test_data_that_vanishes_ends_the_run_in_a_sentence_and_it_goes_on_once_it_is_back(make_run, tmp_path):
    run = make_run()
    photo = tmp_path / "data" / "images" / "photo-03.jpg"
    content = photo.read_bytes()

    def lose(event):
        if isinstance(event, PhaseStarted) and event.phase == "features":
            photo.unlink(missing_ok=True)

    outcome = begin(run, lose)
    assert isinstance(outcome, RunFailed)
    assert "photo-03.jpg" in outcome.message
    assert (outcome.kind, outcome.details) == ("DatasetError", "")
    photo.write_bytes(content)
    assert isinstance(begin(run), Finished)


def test_photos_are_no_longer_needed_once_their_features_are_there(make_run, tmp_path):
    run = make_run()

    def lose(event):
        if isinstance(event, PhaseStarted) and event.phase == "network":
            for photo in (tmp_path / "data" / "images").iterdir():
                photo.unlink()

    assert isinstance(begin(run, lose), Finished)


def test_a_full_disk_ends_the_run_in_a_sentence_and_the_last_checkpoint_holds(make_run):
    resource = pytest.importorskip("resource")
    run = make_run()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

    def fill(event):
        if isinstance(event, Saved):
            # The journal still has room; the next checkpoint has none.
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))

    try:
        outcome = begin(run, fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert isinstance(outcome, RunFailed)
    assert outcome.kind == "StorageFullError"
    assert "Free some space" in outcome.remedy
    assert journal(run)[-1].message == outcome.message
    shown = []
    assert isinstance(begin(run, shown.append), Finished)
    begun = next(event for event in shown if isinstance(event, PhaseStarted) and event.phase == "network")
    assert begun.n_done == 2  # the first epoch is not trained again


def test_a_batch_larger_than_the_data_is_all_of_it(make_run):
    shown = []
    outcome = begin(make_run(("batch_size = 4", "batch_size = 5000")), shown.append)
    assert isinstance(outcome, Finished)
    assert {event.n_steps for event in shown if isinstance(event, Stepped)} == {2}


@pytest.mark.parametrize("splits", [("train", "val"), ("train",), ("val",), ()], ids=str)
def test_too_little_data_is_refused_in_a_sentence(make_run, splits):
    outcome = begin(make_run(splits=splits))
    assert isinstance(outcome, RunFailed)
    assert outcome.kind == "DatasetError"
    assert outcome.details == ""


def test_sentences_that_are_all_equal_are_refused_or_learnt_without_harm(make_run, tmp_path):
    run = make_run()
    path = tmp_path / "data" / "photos.json"
    table = json.loads(path.read_text())
    for image in table["images"]:
        image["sentences"] = [{"raw": "the same"}] * 2
    path.write_text(json.dumps(table))
    outcome = begin(run)
    assert isinstance(outcome, Finished) or (isinstance(outcome, RunFailed) and outcome.kind != "Bug")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("epochs = 2", "epochs = 2\nlearning_rate = 1e6", "learning_rate"),
        ("epochs = 2", "epochz = 2", "epochz"),
        ("[training]", "[stopping]\npatience = -1\n[training]", "patience"),
    ],
)
def test_a_recipe_that_makes_no_sense_leaves_no_run(make_run, tmp_path, old, new, words):
    with pytest.raises(ConfigError, match=words):
        make_run((old, new))
    assert not (tmp_path / "home").exists()


# --- a stop at an awkward moment ------------------------------------------------------------------------------------


@forks
def test_a_stop_among_features_ends_the_process_and_keeps_them(make_run):
    run = make_run(splits=("train",) * 60 + ("val",) * 4)
    process = start(run.path)
    assert wait_until(lambda: any(isinstance(event, PhaseStarted) for event in journal(run)), process)
    give(run, StopRun())
    process.join()
    assert isinstance(journal(run)[-1], RunStopped)
    assert isinstance(begin(run), Finished)


@forks
@pytest.mark.parametrize("measure", ["in Python", "in native code"])
def test_a_stop_within_a_measurement_that_does_not_end_ends_the_process(make_run, measure):
    run = make_run()
    process = start_stuck(run.path, measure)
    assert wait_until((run.path / "measuring").exists, process)
    give(run, StopRun())
    process.join()
    kinds = [type(event) for event in journal(run)]
    assert kinds[-1] is RunStopped
    # What can be left is left with a checkpoint of all steps; what cannot be is ended with the one before.
    assert (Saved in kinds) == (measure == "in Python")


@forks
def test_a_paused_process_that_is_killed_goes_on_where_it_rested(make_run):
    run = make_run(("epochs = 2", "epochs = 400"))
    process = start(run.path)
    assert wait_until(lambda: any(isinstance(event, EpochFinished) for event in journal(run)), process)
    give(run, PauseRun())
    assert wait_until(lambda: isinstance(journal(run)[-1], Paused), process)
    saved = [event for event in journal(run) if isinstance(event, Saved)][-1]
    n_stepped = [event for event in journal(run) if isinstance(event, Stepped)][-1].step
    end(process)
    assert saved.step >= n_stepped
    shown = []

    def stop(event):
        shown.append(event)
        if isinstance(event, EpochFinished):
            give(run, StopRun())

    assert isinstance(begin(run, stop), RunStopped)
    begun = next(event for event in shown if isinstance(event, PhaseStarted) and event.phase == "network")
    assert begun.n_done == saved.step
    assert not [event for event in shown if isinstance(event, Progressed) and event.message.startswith("features")]
