"""The training loop of one phase: a generator of events that knows a token and a run folder, and nothing of any family.

Every random draw of a step comes from a generator seeded by (seed, epoch, step). A run that was cancelled, killed or
resumed anywhere therefore takes the very steps that an undisturbed run takes.
"""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import UserFacingError
from explorer.protocol.runs import EpochFinished, PhaseStarted, RunEvent, Saved, Stepped
from explorer.training.run_directory import RunDirectory

_REPORT_EVERY_S = 0.5


class TrainingDivergedError(UserFacingError):
    """The loss is no longer a number."""


class Phase(Protocol):
    """A piece of training: knows its network, its batches and its measure.

    Attributes:
        name: of the phase; its checkpoint is called so.
        n_epochs: how many passes.
        n_steps: steps of one pass.
        batch_size: photos of a step, of all ranks together.
        seed: of everything random.
        watched: name of the metric by which epochs are compared, larger is better; empty where none is measured.
        learning_rate: the highest of the optimizer's groups in the last step.
    """

    name: str
    n_epochs: int
    n_steps: int
    batch_size: int
    seed: int
    watched: str
    learning_rate: float

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """Take one optimizer step; ``"loss"`` and its weighted terms by name.

        Uses torch's global generator for every random draw.
        """
        ...

    def measure(self) -> dict[str, float]:
        """Metrics on the validation split."""
        ...

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs: tensors and plain values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        ...


@runtime_checkable
class AnswersQueries(Protocol):
    """A phase that can show what it finds."""

    def answer_queries(self, n_queries: int, n_top: int) -> Sequence["QueryAnswer"]:
        """What fixed sentences of the validation split, evenly taken, find among its photos."""
        ...


@runtime_checkable
class HasBits(Protocol):
    """A phase whose network makes codes."""

    def bit_shares(self) -> Sequence[float]:
        """For each bit, the share of training items that have it set, in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """A sentence and what is found for it.

    Attributes:
        text: the sentence.
        rank: of its own photo, from 1; ``n_ranked``: among so many.
        pictures: files of the best, best first; ``own``: which of them are the sentence's own; ``scores``: theirs.
    """

    text: str
    rank: int
    n_ranked: int
    pictures: tuple[Path, ...]
    own: tuple[bool, ...]
    scores: tuple[float, ...]


def seed_step(seed: int, epoch: int, step: int) -> None:
    """Seed torch for one step; distinct for every (seed, epoch, step) below a million steps and a thousand epochs."""
    torch.manual_seed((seed * 1_000 + epoch) * 1_000_000 + step)


def epoch_order(n_photos: int, seed: int, epoch: int) -> torch.Tensor:
    """The photos' order in one pass, int64 (n_photos,)."""
    generator = torch.Generator().manual_seed(seed * 1_000 + epoch + 7_777_777)
    return torch.randperm(n_photos, generator=generator)


def run_phase(phase: Phase, run: RunDirectory, *, token: CancellationToken) -> Iterator[RunEvent]:
    """Train one phase to its end, from its last checkpoint if it has one.

    Saves after every epoch, and once more when cancelled.

    Raises
    ------
    Cancelled
        a stop was asked for; the checkpoint holds everything up to the last step.
    TrainingDivergedError
        the loss is not a number.
    """
    epoch, step = _restore(phase, run)
    yield PhaseStarted(
        phase=phase.name,
        n_done=epoch * phase.n_steps + step,
        n_steps=phase.n_epochs * phase.n_steps,
        n_epochs=phase.n_epochs,
        watched=getattr(phase, "watched", ""),
    )
    reporter = _Reporter(phase)
    while epoch < phase.n_epochs:
        while step < phase.n_steps:
            if token.cancelled:
                yield _save(phase, run, epoch, step)
                raise Cancelled
            seed_step(phase.seed, epoch, step)
            losses = phase.step(epoch, step)
            loss = losses["loss"]
            if not math.isfinite(loss):
                raise TrainingDivergedError(
                    f"The loss became {loss} in step {step + 1} of epoch {epoch + 1}.",
                    "Lower the learning rate in the recipe and begin again.",
                )
            step += 1
            if (event := reporter.event(epoch, step, losses)) is not None:
                yield event
        metrics = phase.measure()
        yield EpochFinished(phase=phase.name, epoch=epoch + 1, metrics=metrics)
        epoch, step = epoch + 1, 0
        yield _save(phase, run, epoch, step)


def _restore(phase: Phase, run: RunDirectory) -> tuple[int, int]:
    saved = run.load(phase.name)
    if saved is None:
        return 0, 0
    phase.restore(saved["state"])
    return int(saved["epoch"]), int(saved["step"])


def _save(phase: Phase, run: RunDirectory, epoch: int, step: int) -> Saved:
    run.save(phase.name, {"epoch": epoch, "step": step, "state": phase.state()})
    return Saved(phase=phase.name, step=epoch * phase.n_steps + step)


class _Reporter:
    """Turns steps into at most two events a second, and one at the end of each epoch."""

    def __init__(self, phase: Phase) -> None:
        self._phase = phase
        self._last_time = time.monotonic()
        self._steps_since = 0

    def event(self, epoch: int, step: int, losses: dict[str, float]) -> Stepped | None:
        self._steps_since += 1
        now = time.monotonic()
        phase = self._phase
        if now - self._last_time < _REPORT_EVERY_S and step < phase.n_steps:
            return None
        rate = self._steps_since * phase.batch_size / max(now - self._last_time, 1e-6)
        self._last_time, self._steps_since = now, 0
        return Stepped(
            phase=phase.name,
            epoch=epoch + 1,
            step=epoch * phase.n_steps + step,
            n_steps=phase.n_epochs * phase.n_steps,
            losses=losses,
            learning_rate=getattr(phase, "learning_rate", 0.0),
            items_per_s=rate,
        )
