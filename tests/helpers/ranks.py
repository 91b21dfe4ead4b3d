"""Runs a function of a test file as several ranks: processes on this machine's CPU that speak by gloo.

A test calls :func:`run_ranks` with its own file and the name of a function at that file's top level, which takes a
``Compute`` and the folder; what the function returns (tensors and plain values) comes back, a result for each rank.
"""

import importlib.util
import os
import socket
import subprocess
import sys
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 240
TOLD_BY_TORCHRUN = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


def load_file(path):
    """A Python file as a module, wherever it lies."""
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run_ranks(path, function, folder, *, n_ranks=2):
    """What ``function`` of the file ``path`` returns in each of the ranks; fails with what a rank said, if one does."""
    import torch

    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(path), function, str(folder)],
            env=rank_environment(rank, n_ranks, port), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for port in [free_port()]
        for rank in range(n_ranks)
    ]
    said = []
    try:
        said.extend(process.communicate(timeout=_PATIENCE_S)[0] for process in processes)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    codes = [process.returncode for process in processes]
    assert codes == [0] * n_ranks, "\n".join(said)
    return [torch.load(Path(folder) / f"rank-{rank}", weights_only=True) for rank in range(n_ranks)]


def rank_environment(rank, n_ranks, port):
    """What ``torchrun`` tells a process."""
    told = zip(TOLD_BY_TORCHRUN, (rank, rank, n_ranks, "127.0.0.1", port), strict=True)
    return os.environ | {name: str(value) for name, value in told} | {
        "OMP_NUM_THREADS": "1", "PYTHONPATH": str(_CHECKOUT), "PYTHONWARNINGS": "ignore",
    }


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _main(path, function, folder):
    import torch

    from explorer.training.compute import choose_compute, joined_ranks

    compute = choose_compute("cpu")
    with joined_ranks(compute):
        result = getattr(load_file(path), function)(compute, Path(folder))
        torch.save(result, Path(folder) / f"rank-{compute.rank}")


if __name__ == "__main__":
    _main(*sys.argv[1:])
