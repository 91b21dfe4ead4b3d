"""The training loop: reproducible, resumable, stoppable."""

import pytest
import torch

from explorer.cancellation import CancellationToken, Cancelled
from explorer.protocol.runs import EpochFinished, PhaseStarted, QueriesAnswered, Saved, Stepped
from explorer.training.phases import TrainingDivergedError, run_phase
from explorer.training.run_directory import RunDirectory


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
