"""3SHNet on two ranks: the gradients of one process with the whole batch, and the same end."""

import sys
from pathlib import Path
from unittest import mock

import pytest
import torch

from explorer.cancellation import CancellationToken, Cancelled
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.training import tail as tail_module
from explorer.training.compute import Compute
from explorer.training.config import GateSection, TailSection
from explorer.training.gates import GatePhase
from explorer.training.phases import run_phase, seed_step
from explorer.training.run_directory import RunDirectory

_TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_TESTS / "helpers"))
from ranks import load_file, run_ranks  # noqa: E402

sys.path.pop(0)

NO_DROPOUT = {"dropout": 0.0, "token_dropout": 0.0}
REGIONS = TokenConfig(kind="regions", trunk_cells=True, n_labels=3)
CASES = {
    "hardest negatives": {"loss": "triplet", "sentences": 1, "warmup_epochs": 0},
    "all negatives": {"loss": "triplet", "sentences": 1, "warmup_epochs": 3},
    "info-nce": {"loss": "info-nce"},
    "an uneven batch": {"loss": "info-nce", "batch_size": 5},
    "gate cost": {"loss": "info-nce", "batch_size": 7, "gate_cost": 0.3, "gate_cost_epochs": 3},
    "regions": {"loss": "info-nce", "tokens": REGIONS},
    # The second rank's pictures have all of their regions, the first one's do not: other code pools them.
    "few regions": {"loss": "triplet", "sentences": 1, "tokens": REGIONS, "lengths": [1, 2, 3, 1, 4, 4, 4, 4],
                    "batch_size": 8},
}


def _tiny():
    return load_file(_TESTS / "training" / "conftest.py")


def _network(compute, case, image=NO_DROPOUT):
    return _tiny().tiny_phase(compute=compute, image=image, **case)


def _gates(compute):
    return GatePhase(_network(compute, {"batch_size": 5}), GateSection(epochs=1, weight=2.0))


def _tail(compute):
    torch.manual_seed(1)
    layers = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1), torch.nn.BatchNorm2d(6), torch.nn.ReLU()
    split = _tiny().tiny_split(8)
    config = TailSection(epochs=1, batch_size=5, embed_dim=16, dropout=0.0)
    return tail_module.TailPhase(torch.nn.Sequential(*layers).eval(), config, split, split, seed=0, compute=compute)


def _step(phase):
    """The gradients of the first step, the buffers and the losses after it."""
    seed_step(0, 0, 0)
    losses = phase.step(0, 0)
    found = {name: value.grad for name, value in phase.model.named_parameters() if value.grad is not None}
    return found | dict(phase.model.named_buffers()) | {name: torch.tensor(loss) for name, loss in losses.items()}


def all_steps(compute):
    """A step of everything that 3SHNet's training does, without dropout."""
    steps = {name: _step(_network(compute, case)) for name, case in CASES.items()}
    with mock.patch.object(tail_module, "_WORD_DROPOUT", 0.0):
        return steps | {"gates": _step(_gates(compute)), "tail": _step(_tail(compute))}


def trained(compute, folder):
    """A whole run, with dropout; every rank makes the same of it."""
    phase = _network(compute, {"epochs": 16, "batch_size": 7, "averaging": 0.5}, image={})
    run = RunDirectory(folder / f"run-of-{compute.n_ranks}")
    run.folder.mkdir(exist_ok=True)
    for _ in run_phase(phase, run, token=CancellationToken()):
        pass
    checkpoints = sorted(path.name for path in run.folder.glob("*.checkpoint"))
    return {"weights": dict(phase.finished_model().state_dict()), "metrics": phase.measure(), "kept": checkpoints}


def stopped(compute, folder):
    """Of a run that is stopped by one rank's token after two steps, and then goes on: how often each rank stepped."""
    run = RunDirectory(folder / "stopped")
    run.folder.mkdir(exist_ok=True)
    counts = []
    for stopping_rank in (1, 0, None):
        phase, token = _network(compute, {"epochs": 3}, image={}), CancellationToken()
        step, taken = phase.step, []

        def counted(epoch, number, step=step, taken=taken, token=token, stopping_rank=stopping_rank):
            taken.append((epoch, number))
            if len(taken) == 2 and compute.rank == stopping_rank:
                token.cancel()
            return step(epoch, number)

        phase.step = counted
        try:
            for _ in run_phase(phase, run, token=token):
                pass
            how = "done"
        except Cancelled:
            how = "stopped"
        counts.append((how, taken))
    return {"counts": counts, "weights": dict(phase.model.state_dict())}


def undisturbed(compute, folder):
    """The same run, never stopped."""
    phase = _network(compute, {"epochs": 3}, image={})
    run = RunDirectory(folder / "undisturbed")
    run.folder.mkdir(exist_ok=True)
    for _ in run_phase(phase, run, token=CancellationToken()):
        pass
    return dict(phase.model.state_dict())


def ranks_do_all(compute, folder):
    """Everything that two ranks do; one start of two processes for all of it."""
    return {
        "steps": all_steps(compute),
        "trained": trained(compute, folder),
        "stopped": stopped(compute, folder),
        "undisturbed": undisturbed(compute, folder),
    }


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    return run_ranks(__file__, "ranks_do_all", tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def one():
    return all_steps(Compute())


@pytest.mark.parametrize("case", [*CASES, "gates", "tail"])
def test_a_step_of_two_ranks_is_that_of_one_process_with_the_whole_batch(one, two, case):
    alone, ours, theirs = one[case], *(rank["steps"][case] for rank in two)
    assert alone.keys() == ours.keys()
    assert len(alone) > 10
    for name, value in alone.items():
        relative = 0 if value.ndim else 1e-6  # losses are sums; gradients are clipped to a length of 2
        close = torch.isclose(ours[name], value, rtol=relative, atol=1e-6)
        assert close.all(), f"{name} by {(ours[name] - value).abs().max()}"
        assert torch.equal(ours[name], theirs[name]), name


def test_two_ranks_with_dropout_end_alike_and_as_well_as_one_process(two, tmp_path):
    ours, theirs = (rank["trained"] for rank in two)
    assert ours["metrics"] == theirs["metrics"]
    for name, value in ours["weights"].items():
        assert torch.equal(value, theirs["weights"][name]), name
    assert ours["kept"] == ["network.checkpoint"]
    alone = trained(Compute(), tmp_path)
    # Eight photos: a photo more or less at the top is 25 of rSum's 600.
    assert ours["metrics"]["rsum"] == pytest.approx(alone["metrics"]["rsum"], abs=50)
    assert ours["metrics"]["rsum"] > 500


def test_ranks_stop_at_the_same_step_whoever_is_told_and_go_on_undisturbed(two):
    ours, theirs = (rank["stopped"] for rank in two)
    assert ours["counts"] == theirs["counts"]
    stops, steps = zip(*ours["counts"], strict=True)
    assert stops == ("stopped", "stopped", "done")
    assert [step for part in steps for step in part] == [(epoch, step) for epoch in range(3) for step in range(2)]
    for name, value in two[0]["undisturbed"].items():
        assert torch.equal(ours["weights"][name], value), name
