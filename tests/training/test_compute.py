"""Devices and ranks: parts, gathering, what only rank 0 does, and when all stop."""

import itertools
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from explorer.cancellation import Cancelled
from explorer.errors import ConfigError
from explorer.training.compute import Compute, choose_compute

HELPERS = Path(__file__).resolve().parents[1] / "helpers"


def _network():
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3))


def _batch(n):
    return torch.randn(n, 4, generator=torch.Generator().manual_seed(n))


def _step(compute, n):
    """Gradients and statistics after one step whose loss compares all rows with each other."""
    network = _network().train()
    shared = compute.shared(network)
    rows = compute.gather(shared(_batch(n)[compute.part(n)]))
    functional.cross_entropy(rows @ rows.T, torch.arange(n).flip(0)).backward()
    gradients = {name: value.grad for name, value in network.named_parameters()}
    return gradients | {name: value for name, value in network.named_buffers() if value.is_floating_point()}


def _own_draw(compute):
    torch.manual_seed(5)
    shared = torch.rand(3)
    compute.part_ways()
    return shared, torch.rand(3)


def _led(compute, work):
    """What a rank saw of work that rank 0 does, and how it ended there."""
    seen = []
    try:
        seen.extend(compute.led(work))
    except (Cancelled, OSError) as error:
        seen.append(type(error).__name__)
    return seen


def _failing():
    yield 1
    raise OSError("disk full")


def _told_of_failure(compute):
    try:
        compute.told(lambda: next(iter(())))
    except (Cancelled, StopIteration) as error:
        return type(error).__name__


def ranks_do_all(compute, folder):
    """Everything that ranks do with each other; one start of two processes for all of it."""
    numbers = torch.arange(10.0).view(5, 2)
    return {
        "steps": [_step(compute, n) for n in (6, 7)],
        "gathered": compute.gather(numbers[compute.part(5)]),
        "draws": _own_draw(compute),
        "agreed": [compute.agree(bool(flag >> compute.rank & 1)) for flag in range(4)],
        "told": compute.told(lambda: {"rsum": 12.5, "rank": compute.rank}),
        "failed": _told_of_failure(compute),
        "led": _led(compute, iter([1, 2])),
        "led to a failure": _led(compute, _failing()),
    }


def test_two_ranks_are_one_process_with_the_whole_batch(tmp_path):
    sys.path.insert(0, str(HELPERS))
    try:
        from ranks import run_ranks
    finally:
        sys.path.remove(str(HELPERS))
    first, second = run_ranks(__file__, "ranks_do_all", tmp_path)
    for n, ours, theirs in zip((6, 7), first["steps"], second["steps"], strict=True):
        alone = _step(Compute(), n)
        assert alone.keys() == ours.keys()
        for name, value in alone.items():
            torch.testing.assert_close(ours[name], value, rtol=0, atol=1e-6)
            assert torch.equal(ours[name], theirs[name]), name
    for ours in (first, second):
        assert torch.equal(ours["gathered"], torch.arange(10.0).view(5, 2))
        assert ours["agreed"] == [False, True, True, True]
        assert ours["told"] == {"rsum": 12.5, "rank": 0}
    assert torch.equal(first["draws"][0], second["draws"][0])
    assert not torch.equal(first["draws"][1], second["draws"][1])
    assert (first["failed"], second["failed"]) == ("StopIteration", "Cancelled")
    assert (first["led"], second["led"]) == ([1, 2], [])
    assert (first["led to a failure"], second["led to a failure"]) == ([1, "OSError"], ["Cancelled"])


@pytest.mark.parametrize("n", [3, 7, 8, 64])
def test_parts_are_the_whole_batch_in_order(n):
    parts = [Compute(rank=rank, n_ranks=3).part(n) for rank in range(3)]
    assert list(itertools.chain.from_iterable(range(n)[part] for part in parts)) == list(range(n))
    sizes = [len(range(n)[part]) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_a_batch_smaller_than_the_ranks_is_refused_with_a_remedy():
    with pytest.raises(ConfigError, match="batch_size"):
        Compute(n_ranks=3).part(2)


def test_one_rank_changes_nothing():
    compute = Compute()
    network, rows = _network(), torch.rand(5, 4)
    assert compute.shared(network) is network
    assert compute.gather(rows) is rows
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    compute.part_ways()
    assert torch.equal(torch.rand(3), expected)
    assert list(compute.led(iter([1, 2]))) == [1, 2]
    assert compute.told(lambda: 3) == 3
    assert [compute.agree(flag) for flag in (False, True)] == [False, True]


def test_devices_that_are_not_there_are_refused(monkeypatch):
    assert choose_compute("cpu") == Compute(torch.device("cpu"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose_compute("auto").device.type == "cpu"
    for name in ("cuda", "cuda:1", "mps", "toaster"):
        with pytest.raises(ConfigError, match=f"no device {name}"):
            choose_compute(name)


def test_ranks_take_a_graphics_card_each(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: None)
    for name, value in {"RANK": "1", "LOCAL_RANK": "1", "WORLD_SIZE": "3"}.items():
        monkeypatch.setenv(name, value)
    compute = choose_compute()
    assert (compute.device, compute.rank, compute.n_ranks) == (torch.device("cuda", 1), 1, 3)
    assert compute.amp is torch.bfloat16
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ConfigError, match="process 2 of 3"):
        choose_compute("cuda")


def test_autocast_is_of_accelerators_only():
    values = torch.ones(2, 2)
    with Compute().autocast():
        assert (values @ values).dtype == torch.float32
    with Compute(amp=torch.bfloat16).autocast():
        assert (values @ values).dtype == torch.bfloat16
