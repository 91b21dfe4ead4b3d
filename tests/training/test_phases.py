"""The training loop: reproducible, resumable, stoppable."""

import math
import signal

import pytest
import torch

from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import StorageFullError
from explorer.protocol.runs import (
    BitsMeasured,
    EpochFinished,
    KeepBest,
    Noted,
    Paused,
    PauseRun,
    PhaseStarted,
    QueriesAnswered,
    Resumed,
    ResumeRun,
    Saved,
    Stepped,
)
from explorer.training import reporting
from explorer.training.compute import Compute
from explorer.training.control import RunToken
from explorer.training.phases import PhaseEnd, QueryAnswer, TrainingDivergedError, run_phase
from explorer.training.run_directory import RunDirectory
from explorer.training.stopping import StoppingSection
from tests.helpers.photo_data import write_photo


def losses_of(phase, run, token=None, stop_after=None):
    """Run a phase, collecting every step's loss; cancel after some steps."""
    losses, token, step = [], token or CancellationToken(), phase.step

    def recorded(epoch, number):
        losses.append(step(epoch, number)["loss"])
        if stop_after is not None and len(losses) == stop_after:
            token.cancel()
        return {"loss": losses[-1]}

    phase.step = recorded
    events = []
    try:
        events.extend(run_phase(phase, run, token=token))
    except Cancelled:
        events.append("cancelled")
    return losses, events


def tensors_of(phase):
    return {name: tensor.clone() for name, tensor in phase.model.state_dict().items()}


@pytest.fixture
def run(tmp_path):
    return RunDirectory(tmp_path)


def test_same_seed_gives_identical_losses_and_another_seed_does_not(make_phase, tmp_path):
    runs = [RunDirectory(tmp_path / str(number)) for number in range(3)]
    for each in runs:
        each.folder.mkdir()
    first, second, other = (
        losses_of(make_phase(seed=seed), each)[0] for seed, each in zip((0, 0, 1), runs, strict=True)
    )
    assert first == second
    assert first != other
    assert len(first) == 6


@pytest.mark.parametrize("averaging", [0.0, 0.9])
@pytest.mark.parametrize("stop_after", [1, 2, 5])
def test_a_cancelled_and_resumed_run_equals_an_undisturbed_one(make_phase, tmp_path, stop_after, averaging):
    whole, halves = RunDirectory(tmp_path / "whole"), RunDirectory(tmp_path / "halves")
    whole.folder.mkdir()
    halves.folder.mkdir()
    undisturbed = make_phase(averaging=averaging)
    expected, _ = losses_of(undisturbed, whole)
    before, events = losses_of(make_phase(averaging=averaging), halves, stop_after=stop_after)
    assert events[-1] == "cancelled"
    torch.manual_seed(12345)  # whatever the program did in between
    resumed = make_phase(averaging=averaging)
    after, _ = losses_of(resumed, halves)
    assert before + after == expected
    for name, tensor in tensors_of(undisturbed).items():
        assert torch.equal(tensor, tensors_of(resumed)[name]), name
    assert undisturbed.measure() == resumed.measure()


def test_cancelling_leaves_a_checkpoint_that_loads_without_pickle(make_phase, run):
    _, events = losses_of(make_phase(), run, stop_after=3)
    assert isinstance(events[-2], Saved)
    state = torch.load(run.checkpoint_path(events[-2].phase), weights_only=True)
    assert events[-2].step == 3
    assert (state["epoch"], state["step"]) == (1, 1)
    assert set(state["state"]["model"]) == set(make_phase().model.state_dict())


def test_events_come_in_order(make_phase, run):
    _, events = losses_of(make_phase(epochs=2), run)
    kinds = [type(event) for event in events if not isinstance(event, Stepped)]
    assert kinds == [PhaseStarted, EpochFinished, QueriesAnswered, Saved, EpochFinished, QueriesAnswered, Saved]
    assert [event.epoch for event in events if isinstance(event, EpochFinished)] == [1, 2]
    assert all("rsum" in event.metrics for event in events if isinstance(event, EpochFinished))
    last = [event for event in events if isinstance(event, Stepped)][-1]
    assert (last.step, last.n_steps) == (4, 4)


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(make_phase, run):
    phase = make_phase()
    phase.step = lambda epoch, step: {"loss": float("nan")}
    with pytest.raises(TrainingDivergedError, match="learning rate"):
        list(run_phase(phase, run, token=CancellationToken()))


@pytest.mark.parametrize("loss", [{"loss": "info-nce"}, {"loss": "triplet", "sentences": 1, "warmup_epochs": 5}])
def test_overfits_eight_pairs_to_full_recall(make_phase, run, loss):
    phase = make_phase(epochs=40, batch_size=8, **loss)
    losses, _ = losses_of(phase, run)
    metrics = phase.measure()
    assert metrics["i2t_r1"] == 100.0
    assert losses[-1] < losses[0] / 3
    if loss["loss"] == "info-nce":
        assert metrics["t2i_r1"] == 100.0


def test_a_damaged_checkpoint_is_named(make_phase, run):
    from explorer.errors import ConfigError

    run.checkpoint_path("network").write_bytes(b"not a checkpoint")
    with pytest.raises(ConfigError, match=r"network\.checkpoint"):
        list(run_phase(make_phase(), run, token=CancellationToken()))


# --- keeping, ending early, resting ---------------------------------------------------------------------------------


class Counting:
    """A phase that counts its steps in a weight, and measures what it is told to."""

    name, watched, batch_size, seed, compute = "network", "score", 4, 0, Compute()

    def __init__(self, scores, n_steps=2):
        self.scores, self.n_steps, self.n_epochs = scores, n_steps, len(scores)
        self.learning_rate = 0.1
        self.weight = torch.zeros(1)
        self.model = torch.nn.BatchNorm1d(1)
        self.n_steps_taken = self.n_measured = 0

    def step(self, epoch, step):
        self.n_steps_taken += 1
        self.weight += 1.0
        return {"loss": float(self.weight)}

    def measure(self):
        self.n_measured += 1
        return {"score": self.scores[int(self.weight) // self.n_steps - 1]}

    def state(self):
        return {"weight": self.weight}

    def restore(self, state):
        self.weight = state["weight"].clone()


def ending(events):
    """All events of a phase, and how it ended."""
    found = []
    while True:
        try:
            found.append(next(events))
        except StopIteration as stop:
            return found, stop.value


def follow(phase, run, token=None, **settings):
    settings = {"stopping": StoppingSection(), **settings}
    return ending(run_phase(phase, run, token=token or CancellationToken(), **settings))


def test_without_patience_the_last_epoch_is_shipped(run):
    phase = Counting([3.0, 9.0, 1.0])
    events, end = follow(phase, run)
    assert end == PhaseEnd(3)
    assert phase.weight == 6
    assert [event.best for event in events if isinstance(event, EpochFinished)] == [True, True, False]


def test_with_patience_the_best_epoch_is_shipped(run):
    phase = Counting([3.0, 9.0, 1.0, 2.0, 10.0, 11.0])
    _, end = follow(phase, run, stopping=StoppingSection(patience=2))
    assert end == PhaseEnd(2, early=True)
    assert (phase.n_steps_taken, float(phase.weight)) == (8, 4.0)
    # Who takes the run up again after that comes to the same end without a step.
    again = Counting(phase.scores)
    assert follow(again, run, stopping=StoppingSection(patience=2))[1] == end
    assert (again.n_steps_taken, float(again.weight)) == (0, 4.0)


def test_the_best_epoch_is_shipped_though_there_was_patience_to_the_end(run):
    phase = Counting([3.0, 9.0, 1.0])
    assert follow(phase, run, stopping=StoppingSection(patience=5))[1] == PhaseEnd(2, early=True)
    assert phase.weight == 4


def test_a_metric_that_is_no_number_is_never_the_best(run):
    phase = Counting([math.nan, 2.0, math.nan])
    assert follow(phase, run, stopping=StoppingSection(patience=3))[1] == PhaseEnd(2, early=True)


def test_the_best_epoch_can_be_kept_at_any_step(run):
    phase = Counting([5.0, 1.0, 1.0, 1.0])
    token = RunToken(lambda event: None)
    events = run_phase(phase, run, token=token, stopping=StoppingSection(), save_every_s=0.0)
    found = []
    for event in events:
        found.append(event)
        if isinstance(event, Stepped) and event.step == 4:
            token.take(KeepBest())
            break
    rest, end = ending(events)
    assert end == PhaseEnd(1, early=True, kept=True)
    assert phase.weight == 2
    assert not [event for event in rest if isinstance(event, Stepped)]
    assert token.can_keep is False
    # Killed before its package was written, it still knows that it was to end.
    again = Counting(phase.scores)
    assert follow(again, run)[1] == end
    assert (again.n_steps_taken, float(again.weight)) == (0, 2.0)


def test_a_phase_that_makes_no_package_has_nothing_to_keep(run):
    said = []
    token = RunToken(said.append)
    phase = Counting([5.0, 1.0])
    for event in run_phase(phase, run, token=token):
        if isinstance(event, EpochFinished):
            token.take(KeepBest())
    assert phase.n_steps_taken == 4
    assert [type(event) for event in said] == [Noted, Noted]
    assert not run.best_path("network").exists()


def test_checkpoints_are_written_within_an_epoch(run):
    events, _ = follow(Counting([1.0, 2.0], n_steps=3), run, save_every_s=0.0)
    assert [event.step for event in events if isinstance(event, Saved)] == [1, 2, 3, 3, 4, 5, 6, 6]


def test_a_stop_while_it_measures_loses_no_step_and_measures_again(run):
    phase = Counting([1.0, 2.0])
    whole = phase.measure

    def interrupted():
        whole()
        raise Cancelled

    phase.measure = interrupted
    with pytest.raises(Cancelled):
        list(run_phase(phase, run, token=CancellationToken(), stopping=StoppingSection()))
    again = Counting(phase.scores)
    events, end = follow(again, run)
    assert end == PhaseEnd(2)
    assert again.n_steps_taken == 2
    assert [event.epoch for event in events if isinstance(event, EpochFinished)] == [1, 2]


class Normalising(Counting):
    """A phase whose step is interrupted, as by a signal: before its update, or within it."""

    def __init__(self, scores, token=None, at=None):
        super().__init__(scores)
        self._optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        self._token, self._at = token, at

    def step(self, epoch, step):
        if self._at == "update" and epoch == 1:
            self._optimizer.register_step_post_hook(lambda *_: self._token.interrupt())
        loss = self.model(torch.randn(4, 1) + epoch).square().sum() + self.model.weight.sum()
        if self._at == "forward" and epoch == 1:
            self._token.interrupt()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        self.weight += 1.0
        return {"loss": float(loss.detach())}

    def state(self):
        return {"weight": self.weight, "model": self.model.state_dict()}

    def restore(self, state):
        self.weight = state["weight"].clone()
        self.model.load_state_dict(state["model"])


@pytest.mark.parametrize(("at", "n_done"), [("forward", 2), ("update", 3)])
def test_a_step_is_left_until_its_update_and_then_held(run, tmp_path, at, n_done):
    (tmp_path / "whole").mkdir()
    whole = Normalising([1.0, 2.0, 3.0])
    follow(whole, RunDirectory(tmp_path / "whole"))
    token = RunToken(lambda event: None)
    with pytest.raises(Cancelled):
        list(run_phase(Normalising([1.0, 2.0, 3.0], token, at), run, token=token))
    kept = torch.load(run.checkpoint_path("network"), weights_only=True)
    assert 2 * kept["epoch"] + kept["step"] == n_done
    again = Normalising([1.0, 2.0, 3.0])
    follow(again, run)
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(tensor, again.model.state_dict()[name]), name


def test_a_paused_phase_keeps_a_checkpoint_and_takes_no_step(run):
    said, phase = [], Counting([1.0, 2.0])
    token = RunToken(said.append)

    def rest():
        said.append(phase.n_steps_taken)
        token.take(ResumeRun())

    for event in run_phase(phase, run, token=token):
        if isinstance(event, Stepped) and event.step == 2:
            token.take(PauseRun())
            token._going.wait = rest
    assert [getattr(event, "step", type(event)) if not isinstance(event, int) else event for event in said] == [
        2, Paused, 2, Resumed]  # fmt: skip
    assert phase.n_steps_taken == 4


def test_a_damaged_checkpoint_gives_way_to_that_of_the_best_epoch(run):
    follow(Counting([5.0, 1.0, 1.0]), run)
    run.checkpoint_path("network").write_bytes(b"torn")
    again = Counting([5.0, 1.0, 1.0])
    events, end = follow(again, run)
    assert end == PhaseEnd(3)
    assert again.n_steps_taken == 4
    assert any(isinstance(event, Noted) and "epoch 1" in event.text for event in events)


def test_a_process_killed_between_two_files_goes_on_from_the_best_epoch(run):
    follow(Counting([5.0]), run)
    run.checkpoint_path("network").replace(run.best_path("network"))
    again = Counting([5.0, 7.0])
    assert follow(again, run)[1] == PhaseEnd(2)
    assert again.n_steps_taken == 2


def test_weights_that_are_no_numbers_never_reach_a_checkpoint(run):
    phase = Counting([1.0, 2.0], n_steps=1)
    step = phase.step

    def spoilt(epoch, number):
        found = step(epoch, number)
        if epoch == 1:
            phase.weight[0] = math.nan  # by its last step; its loss was still a number
        return found

    phase.step = spoilt
    with pytest.raises(TrainingDivergedError, match="no number"):
        follow(phase, run)
    assert torch.load(run.checkpoint_path("network"), weights_only=True)["state"]["weight"] == 1


def test_a_full_disk_is_said_and_leaves_the_last_checkpoint(run, monkeypatch):
    resource = pytest.importorskip("resource")
    follow(Counting([1.0]), run)
    before = run.checkpoint_path("network").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(StorageFullError, match="full"):
            follow(Counting([1.0, 2.0]), run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert run.checkpoint_path("network").exists() or run.best_path("network").read_bytes() == before
    assert not list(run.folder.glob("*.partial"))
    again = Counting([1.0, 2.0])
    assert follow(again, run)[1] == PhaseEnd(2)
    assert again.n_steps_taken == 2


def test_at_most_two_steps_a_second_are_told_and_the_last_of_each_epoch(run, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(reporting.time, "monotonic", lambda: now[0])
    phase = Counting([1.0, 2.0], n_steps=50)
    step = phase.step

    def slow(epoch, number):
        now[0] += 0.125
        return step(epoch, number)

    phase.step = slow
    events, _ = follow(phase, run)
    told = [event.step for event in events if isinstance(event, Stepped)]
    assert told == [*range(4, 49, 4), 50, *range(54, 99, 4), 100]
    last = next(event for event in events if isinstance(event, Stepped) and event.step == 50)
    assert last.items_per_s == pytest.approx(32.0)
    assert last.remaining_s == pytest.approx(6.25)
    assert last.memory_mb > 1


def test_small_pictures_of_what_is_found_are_written_once(run, tmp_path):
    photo = write_photo(tmp_path / "photos" / "a.jpg", 3)

    class Showing(Counting):
        def answer_queries(self, n_queries, n_top):
            gone = tmp_path / "gone.jpg"
            return [QueryAnswer("a dog", 1, 8, (photo, gone), (True, False), (0.9, 0.1))][:n_queries]

        def bit_shares(self):
            return [0.5, 0.25]

    events, _ = follow(Showing([1.0, 2.0]), run)
    answered = [event for event in events if isinstance(event, QueriesAnswered)]
    assert [event.epoch for event in answered] == [1, 2]
    top = answered[0].queries[0].top
    assert [(one.own, one.score) for one in top] == [(True, 0.9), (False, 0.1)]
    assert top[1].picture == ""  # it can no longer be read, which ends no run
    (written,) = run.pictures_path.iterdir()
    assert written.name == top[0].picture
    assert "dog" not in written.name
    assert [event.shares for event in events if isinstance(event, BitsMeasured)] == [(0.5, 0.25)] * 2
