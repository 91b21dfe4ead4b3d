"""Where a run computes: one device, alone or as one of several ranks that share every batch.

A batch is drawn whole on every rank, from the same seed; each rank encodes its part, and the parts are gathered before
the loss, so that negatives come from all ranks and the gradients are those of one process with the whole batch. For
that, a step

1. draws what the whole batch is, then calls :meth:`Compute.part_ways`, so that dropout differs between the ranks;
2. encodes the rows of :meth:`Compute.part` in one call of the module that :meth:`Compute.shared` gave;
3. gives :meth:`Compute.gather` everything that a loss reads, and takes the loss of all rows; a term that is a mean over
   rows which know nothing of each other may be taken of a rank's own and go through :meth:`Compute.mean`.

What only rank 0 does (caching features, measuring, writing checkpoints and packages) goes through :meth:`Compute.told`
or :meth:`Compute.led`: the others wait, and end where rank 0 ends. Whether to stop is asked with :meth:`Compute.agree`
before each step, so that all ranks stop at the same one. Ranks must come to all of these in the same order: no
condition around them may look at what only one rank knows, such as which files are there already.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from explorer.cancellation import Cancelled
from explorer.errors import ConfigError
from explorer.training.shared_norms import share_norms

_LONGEST_WAIT = timedelta(days=30)
"""Rank 0 may cache features for days, or be paused."""

ToldT = TypeVar("ToldT")


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
        """Which rows of a batch of n are this rank's; parts differ by one row at most, in the order of the ranks.

        Raises
        ------
        ConfigError
            there are fewer rows than ranks.
        """
        if n < self.n_ranks:
            raise ConfigError(
                f"A batch of {n} cannot be shared by {self.n_ranks} processes.",
                "Raise batch_size, or start fewer processes.",
            )
        ends = [n * rank // self.n_ranks for rank in range(self.n_ranks + 1)]
        return slice(ends[self.rank], ends[self.rank + 1])

    def part_ways(self) -> None:
        """Let the random draws of each rank be its own until the next seed; with one rank nothing changes."""
        if self.n_ranks > 1:
            torch.manual_seed(int(torch.randint(2**48, ())) + self.rank)

    def gather(self, part: Tensor) -> Tensor:
        """The rows of all ranks, in their order; gradients flow back to each.

        Parts may differ in their number of rows. With one rank it is ``part`` itself.
        """
        if self.n_ranks == 1:
            return part
        gathered: Tensor = _Gathered.apply(part, self.rank, self.n_ranks)
        return gathered

    def mean(self, part: Tensor, n: int) -> Tensor:
        """The mean over the ranks of a scalar, the mean of n values on this one; gradients flow back to each."""
        if self.n_ranks == 1:
            return part
        counts = self.gather(part.new_tensor([n]))
        return (self.gather(part[None]) * counts).sum() / counts.sum()

    def shared(self, module: nn.Module) -> nn.Module:
        """The module, which is moved to this device, with its gradients averaged over the ranks.

        Every rank computes the same loss of all gathered rows, and the way back through :meth:`gather` sums what the
        ranks send: the average is the gradient of one process with the whole batch. Batch normalisation takes its
        statistics over all ranks, for the same reason; the layers within ``module`` are changed in place for it.
        Call what is returned once a step, with all that the step encodes; let it return no tensor of a parameter that
        the loss does not read. Make the optimizer afterwards.
        """
        module = module.to(self.device)
        if self.n_ranks == 1:
            return module
        share_norms(module)
        # Some published layers are never called (see networks/common/mlp.py).
        return DistributedDataParallel(module, find_unused_parameters=True)

    def autocast(self) -> AbstractContextManager[Any]:
        """Context in which networks compute in half precision on an accelerator; nothing on a CPU."""
        if self.amp is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.amp)

    def agree(self, flag: bool) -> bool:
        """Whether any rank says so; the same on all."""
        if self.n_ranks == 1:
            return flag
        said = torch.tensor(int(flag), device=self.device)
        torch.distributed.all_reduce(said, torch.distributed.ReduceOp.MAX)
        return bool(said)

    def told(self, work: Callable[[], ToldT]) -> ToldT:
        """What rank 0 finds by this work, told to all; the others do not work.

        Raises
        ------
        Cancelled
            on the other ranks, where the work failed on rank 0.
        """
        if self.n_ranks == 1:
            return work()
        word: list[Any] = [False, None]
        try:
            if self.leads:
                word = [True, work()]
        finally:
            torch.distributed.broadcast_object_list(word, 0)
        if not word[0]:
            raise Cancelled
        found: ToldT = word[1]
        return found

    def led(self, work: Iterator[ToldT]) -> Iterator[ToldT]:
        """Let rank 0 do some work, and say how far it is, while the others wait.

        Raises
        ------
        Cancelled
            on the other ranks, where the work ended before its end on rank 0.
        """
        if self.n_ranks == 1:
            yield from work
            return
        done = False
        try:
            if self.leads:
                yield from work
                done = True
        finally:
            done = not self.agree(self.leads and not done)
        if not done:
            raise Cancelled


class _Gathered(torch.autograd.Function):
    """Rows of all ranks; the way back adds what each rank's loss asks of a row."""

    @staticmethod
    def forward(ctx: Any, part: Tensor, rank: int, n_ranks: int) -> Tensor:
        """Parts of unlike length travel padded."""
        counts = [torch.zeros((), dtype=torch.int64, device=part.device) for _ in range(n_ranks)]
        torch.distributed.all_gather(counts, torch.tensor(len(part), device=part.device))
        lengths = [int(count) for count in counts]
        ctx.rows = slice(sum(lengths[:rank]), sum(lengths[: rank + 1]))
        padded = torch.cat([part, part.new_zeros(max(lengths) - len(part), *part.shape[1:])])
        everyone = [torch.empty_like(padded) for _ in lengths]
        torch.distributed.all_gather(everyone, padded)
        return torch.cat([rows[:length] for rows, length in zip(everyone, lengths, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """The sum over the ranks, of this rank's rows."""
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(total)
        return total[ctx.rows], None, None


def choose_compute(name: str = "auto") -> Compute:
    """The device of this name: "auto", "cpu", "cuda", "cuda:1", "mps"; with ``torchrun``, this process's own.

    Raises
    ------
    ConfigError
        there is no such device.
    """
    rank, n_ranks = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    # Ranks cannot speak with each other from Apple's devices.
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available() and n_ranks == 1, "cpu": True}
    kind, _, number = name.partition(":")
    if kind == "auto":
        kind = next(kind for kind, found in there.items() if found)
    n_devices = torch.cuda.device_count() if kind == "cuda" else 1
    place = int(number) if number.isdigit() else int(os.environ.get("LOCAL_RANK", "0")) if kind == "cuda" else 0
    if not there.get(kind, False) or place >= n_devices:
        whose = f" for process {rank + 1} of {n_ranks}" if n_ranks > 1 else ""
        remedy = "Choose cpu, or auto for the best one that is there."
        raise ConfigError(f"There is no device {name} here{whose}.", remedy)
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
    on_cuda = compute.device.type == "cuda"
    torch.distributed.init_process_group(
        "nccl" if on_cuda else "gloo", timeout=_LONGEST_WAIT, device_id=compute.device if on_cuda else None
    )
    try:
        yield
    finally:
        torch.distributed.destroy_process_group()
