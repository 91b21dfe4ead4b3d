"""Where a run computes: one device, alone or as one of several ranks that share every batch.

A batch is drawn whole on every rank, from the same seed; each rank encodes its part, and the parts are gathered before
the loss, so that negatives come from all ranks and the gradients are those of one process with the whole batch.
"""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.distributed
from torch import Tensor, nn
from torch.distributed.nn import functional as differentiable
from torch.nn.parallel import DistributedDataParallel

from explorer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Compute:
    """A device and a rank.

    Attributes:
        device: that tensors are moved to before they are encoded.
        rank: of this process, from 0; only rank 0 writes anything.
        n_ranks: how many processes share the batches.
        amp: the type of autocast while encoding on an accelerator; None computes as the recipe says.
    """

    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    rank: int = 0
    n_ranks: int = 1
    amp: torch.dtype | None = None

    @property
    def leads(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    def part(self, n: int) -> slice:
        """Which rows of a batch of n are this rank's; parts differ by one row at most, in the order of the ranks."""
        ends = [n * rank // self.n_ranks for rank in range(self.n_ranks + 1)]
        return slice(ends[self.rank], ends[self.rank + 1])

    def gather(self, part: Tensor) -> Tensor:
        """The rows of all ranks, in their order; gradients flow back to each.

        Parts may differ in their number of rows. With one rank it is ``part`` itself.
        """
        if self.n_ranks == 1:
            return part
        counts = [torch.zeros((), dtype=torch.int64, device=part.device) for _ in range(self.n_ranks)]
        torch.distributed.all_gather(counts, torch.tensor(len(part), device=part.device))
        longest = max(int(count) for count in counts)
        padded = torch.cat([part, part.new_zeros(longest - len(part), *part.shape[1:])])
        gathered = differentiable.all_gather(padded)
        return torch.cat([rows[: int(count)] for rows, count in zip(gathered, counts, strict=True)])

    def shared(self, module: nn.Module) -> nn.Module:
        """The module on this device, its gradients averaged over the ranks.

        Every rank computes the same loss of all gathered rows, and the way back through :meth:`gather` sums what the
        ranks send: the average is the gradient of one process with the whole batch. Call it once a step, with all
        that the step encodes.
        """
        module = module.to(self.device)
        return module if self.n_ranks == 1 else DistributedDataParallel(module)

    def autocast(self) -> AbstractContextManager[Any]:
        """Context in which networks compute in half precision on an accelerator; nothing on a CPU."""
        if self.amp is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.amp)

    def wait(self) -> None:
        """Until all ranks are here."""
        if self.n_ranks > 1:
            torch.distributed.barrier()


def choose_compute(name: str = "auto") -> Compute:
    """The device of this name: "auto", "cpu", "cuda", "cuda:1", "mps"; with ``torchrun``, this process's own.

    Raises
    ------
    ConfigError
        there is no such device.
    """
    rank, n_ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind, _, number = name.partition(":")
    if kind == "auto":
        kind = next(kind for kind, found in there.items() if found and (kind != "mps" or n_ranks == 1))
    n_devices = torch.cuda.device_count() if kind == "cuda" else 1
    place = int(number) if number.isdigit() else int(os.environ.get("LOCAL_RANK", "0")) if kind == "cuda" else 0
    if not there.get(kind, False) or place >= n_devices:
        raise ConfigError(f"There is no device {name} here.", "Choose cpu, or auto for the best one that is there.")
    device = torch.device(kind, place) if kind == "cuda" else torch.device(kind)
    amp = None
    if kind == "cuda":
        torch.cuda.set_device(device)
        amp = torch.bfloat16  # as wide as float32: no loss has to be scaled
    return Compute(device, rank, n_ranks, amp)


@contextmanager
def joined_ranks(compute: Compute) -> Iterator[None]:
    """While the ranks of a ``torchrun`` speak with each other: nccl on CUDA, else gloo. With one rank, nothing."""
    if compute.n_ranks == 1:
        yield
        return
    torch.distributed.init_process_group("nccl" if compute.device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()
