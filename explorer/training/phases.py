"""The training loop of one phase: a generator of events that knows a token and a run folder, and nothing of any family.

Every random draw of a step comes from a generator seeded by (seed, epoch, step). A run that was cancelled, killed or
resumed anywhere therefore takes the very steps that an undisturbed run takes.

Checkpoints are written after each epoch, before the run stops or rests, and after every minute of steps.
"""

import math
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from explorer.cancellation import CancellationToken, Cancelled
from explorer.protocol.runs import BitsMeasured, EpochFinished, Noted, PhaseStarted, RunEvent, Saved
from explorer.training.answering import queries_answered
from explorer.training.checkpoints import Checkpoints, Mark, TrainingDivergedError, check_numbers
from explorer.training.compute import Compute
from explorer.training.control import RunToken, run_token
from explorer.training.reporting import Reporter
from explorer.training.run_directory import RunDirectory
from explorer.training.stopping import StoppingSection

_SAVE_EVERY_S = 60.0
_N_QUERIES, _N_TOP = 5, 5


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
        compute: where it computes; its ranks take the same steps.
    """

    name: str
    n_epochs: int
    n_steps: int
    batch_size: int
    seed: int
    watched: str
    learning_rate: float
    compute: Compute

    @property
    def model(self) -> nn.Module:
        """What is trained."""
        ...

    def step(self, epoch: int, step: int) -> dict[str, float]:
        """Take one optimizer step; ``"loss"`` and its weighted terms by name.

        Uses torch's global generator for every random draw. If it is left by an exception before the optimizer's step,
        nothing of what :meth:`state` gives has changed but the model's buffers.
        """
        ...

    def measure(self) -> dict[str, float]:
        """Metrics on the validation split, the same on all ranks.

        It leaves what :meth:`state` gives as it was if it is left by an exception, as when the run is stopped then.
        """
        ...

    def state(self) -> dict[str, Any]:
        """All that a resumed run needs: tensors and plain values."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """The inverse of :meth:`state`."""
        ...


@runtime_checkable
class AnswersQueries(Protocol):
    """A phase that can show what it finds; only rank 0 is asked."""

    def answer_queries(self, n_queries: int, n_top: int) -> Sequence["QueryAnswer"]:
        """What fixed sentences of the validation split, evenly taken, find among its photos."""
        ...


@runtime_checkable
class HasBits(Protocol):
    """A phase whose network makes codes; only rank 0 is asked."""

    def bit_shares(self) -> Sequence[float]:
        """For each bit, the share of training items that have it set, in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True)
class PhaseEnd:
    """How a phase ended.

    Attributes:
        epoch: whose state the phase has now, from 1.
        early: whether it ended before its last epoch, or ships another one than that.
        kept: whether somebody asked for it; the package is then made without further phases.
    """

    epoch: int
    early: bool = False
    kept: bool = False


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


def run_phase(
    phase: Phase,
    run: RunDirectory,
    *,
    token: CancellationToken,
    stopping: StoppingSection | None = None,
    save_every_s: float = _SAVE_EVERY_S,
) -> Generator[RunEvent, None, PhaseEnd]:
    """Train one phase to its end, from its last checkpoint if it has one; what is returned says how it ended.

    Parameters
    ----------
    phase
        it has the state that is to be shipped when this returns: of the last epoch, or of the best one where
        ``stopping`` has patience, or where whoever watches asked to keep that.
    run
        where checkpoints are.
    token
        asks for a stop, a pause, or the best epoch.
    stopping
        given where the package is made of this phase: its best epoch is then kept.
    save_every_s
        seconds of training after which a checkpoint is written within an epoch.

    Raises
    ------
    Cancelled
        a stop was asked for; the checkpoint holds everything up to the last step.
    TrainingDivergedError
        the loss, or a weight, is no number any more.
    StorageFullError, ConfigError
        a checkpoint cannot be written or read.
    """
    loop = _Loop(phase, run, run_token(token), stopping, save_every_s)
    try:
        return (yield from loop.events())
    finally:
        loop.leave()


class _Loop:
    """One phase at work.

    A stop is raised at once where the work can be left where it is: within a step until its update, and while something
    is measured. All else is held.
    """

    def __init__(
        self, phase: Phase, run: RunDirectory, token: RunToken, stopping: StoppingSection | None, save_every_s: float
    ) -> None:
        self._phase, self._run, self._token = phase, run, token
        self._ships, self._patience = stopping is not None, stopping.patience if stopping else 0
        self._save_every_s = save_every_s
        self._compute = phase.compute
        self._checkpoints = Checkpoints(run, phase.name, keep_best=self._ships)
        self._mark = Mark()
        self._measured_from: dict[str, Any] | None = None
        self._saved_at = self._now()

    def events(self) -> Generator[RunEvent, None, PhaseEnd]:
        phase, token = self._phase, self._token
        if (found := self._checkpoints.restore()) is not None:
            self._mark = found[0]
            phase.restore(found[1])
        if self._checkpoints.note:
            yield Noted(text=self._checkpoints.note)
        yield PhaseStarted(
            phase=phase.name,
            n_done=self._n_done,
            n_steps=phase.n_epochs * phase.n_steps,
            n_epochs=phase.n_epochs,
            watched=phase.watched,
            ships=self._ships,
        )
        token.before_rest = self._save
        token.can_keep = self._ships and self._mark.best_epoch > 0
        reporter = Reporter(phase, token, self._n_done)
        try:
            while not self._is_over:
                yield from self._take_steps(reporter)
                if not self._mark.kept:
                    yield from self._finish_epoch()
        except Cancelled:
            with token.held():
                if (saved := self._save()) is not None:
                    yield saved
            raise
        return self._end()

    def leave(self) -> None:
        """Let the token forget this phase."""
        self._token.before_rest = lambda: None
        if self._token.can_keep:
            self._token.can_keep = False
            self._token.nothing_to_keep = "The package is being made already."

    def _take_steps(self, reporter: "Reporter") -> Iterator[RunEvent]:
        """Those of an epoch that are still to be taken; fewer where the best epoch is wanted."""
        phase = self._phase
        while self._mark.step < phase.n_steps:
            yield from self._heed()
            if self._mark.kept:
                return
            epoch, step = self._mark.epoch, self._mark.step
            losses = self._take_step(epoch, step)
            if (event := reporter.event(epoch, step + 1, losses)) is not None:
                yield event
            if self._now() - self._saved_at >= self._save_every_s and (saved := self._save()) is not None:
                yield saved

    def _take_step(self, epoch: int, step: int) -> dict[str, float]:
        """One step. It can be left until the optimizer begins to change weights; from then on it is held to its end."""
        phase, token = self._phase, self._token
        # A pass through the network changes the running statistics of its batches, and nothing else that is kept.
        statistics = [(buffer, buffer.clone()) for buffer in phase.model.buffers()]
        with ExitStack() as held:
            changing = register_optimizer_step_pre_hook(lambda *_: held.enter_context(token.held()))
            held.callback(changing.remove)
            seed_step(phase.seed, epoch, step)
            try:
                losses = phase.step(epoch, step)
            except Cancelled:
                for buffer, before in statistics:
                    buffer.copy_(before)
                raise
            if not math.isfinite(losses["loss"]):
                raise TrainingDivergedError(
                    f"The loss became {losses['loss']} in step {step + 1} of epoch {epoch + 1}.",
                    f"Lower the learning rate in the recipe (it was {phase.learning_rate:g} in this step), to a "
                    "tenth say, and begin again.",
                )
            self._mark = replace(self._mark, step=step + 1)
        return losses

    def _heed(self) -> Iterator[RunEvent]:
        """Do what was asked for meanwhile; all ranks come here before each step."""
        token, compute = self._token, self._compute
        if not compute.agree(token.cancelled or token.wants_best):
            return
        if compute.agree(token.cancelled):
            raise Cancelled
        self._mark = replace(self._mark, kept=True)
        if (saved := self._save()) is not None:
            yield saved

    def _finish_epoch(self) -> Iterator[RunEvent]:
        """Measure, compare, show, keep."""
        phase, compute = self._phase, self._compute
        # What is kept if the run is stopped or killed while it measures: all steps of the epoch, none of it measured.
        self._measured_from = phase.state()
        check_numbers(self._measured_from)
        if compute.agree(self._token.cancelled):
            raise Cancelled
        metrics = phase.measure()
        epoch = self._mark.epoch + 1
        value = metrics.get(phase.watched, math.nan) if phase.watched else float(epoch)
        value = -math.inf if math.isnan(value) else value
        best = self._mark.best_epoch == 0 or value > self._mark.best_value
        shown = list(self._shown(epoch)) if compute.leads else []
        with self._token.held():
            self._measured_from = None
            self._mark = Mark(epoch, 0, epoch, value) if best else replace(self._mark, epoch=epoch, step=0)
        yield EpochFinished(phase=phase.name, epoch=epoch, metrics=metrics, best=best and bool(phase.watched))
        yield from shown
        if (saved := self._save()) is not None:
            yield saved
        self._token.can_keep = self._ships

    def _shown(self, epoch: int) -> Iterator[RunEvent]:
        """What one sees it learn by, after this epoch."""
        phase = self._phase
        if isinstance(phase, AnswersQueries):
            answers = phase.answer_queries(_N_QUERIES, _N_TOP)
            yield queries_answered(phase.name, epoch, answers, self._run.pictures_path)
        if isinstance(phase, HasBits):
            yield BitsMeasured(phase=phase.name, epoch=epoch, shares=tuple(phase.bit_shares()))

    @property
    def _is_over(self) -> bool:
        mark = self._mark
        waited = mark.epoch - mark.best_epoch
        out_of_patience = self._patience > 0 and mark.step == 0 and mark.best_epoch > 0 and waited >= self._patience
        return mark.epoch >= self._phase.n_epochs or mark.kept or out_of_patience

    def _end(self) -> PhaseEnd:
        """Give the phase the state that is shipped."""
        mark = self._mark
        if not (mark.kept or self._patience):
            return PhaseEnd(mark.epoch)
        early = mark.kept or mark.epoch < self._phase.n_epochs or not mark.is_best
        if not mark.is_best:
            # Only rank 0 has the file; the others' copies were never written.
            state = self._compute.told(lambda: self._checkpoints.best_state(mark))
            self._phase.restore(state)
        return PhaseEnd(mark.best_epoch, early, mark.kept)

    def _save(self) -> Saved | None:
        """Write down how far the phase is; None where that was done already, or is another rank's task."""
        self._saved_at = self._now()
        if not self._compute.leads:
            return None
        with self._token.held():
            state = self._measured_from
            if state is None:
                state = self._phase.state()
                check_numbers(state)
            written = self._checkpoints.save(self._mark, state)
        return Saved(phase=self._phase.name, step=self._n_done) if written else None

    @property
    def _n_done(self) -> int:
        return self._mark.epoch * self._phase.n_steps + self._mark.step

    def _now(self) -> float:
        """Seconds of work; pauses do not count."""
        return time.monotonic() - self._token.rested_s
