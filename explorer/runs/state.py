"""What a run's journal adds up to: the one thing that the window draws a run from.

Pure: events in, attributes out. The same journal gives the same state, read at once or bit by bit.
"""

import enum
import time
from dataclasses import dataclass, field

from explorer.protocol import runs as said
from explorer.runs import wording
from explorer.runs.series import Series

_LOG_LINES = 2_000


class RunStatus(enum.Enum):
    """How it is with a run."""

    WAITING = "waiting"
    """It is starting, or another run is before it."""
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    """As asked, with a checkpoint; it can be gone on with."""
    FINISHED = "finished"
    """Its package is written."""
    FAILED = "failed"
    """It said why it cannot go on."""
    DIED = "died"
    """Its process ended without a word; it can be gone on with from its last checkpoint."""


LIVE = frozenset({RunStatus.WAITING, RunStatus.RUNNING, RunStatus.PAUSED})
"""Those in which a process should be there."""


@dataclass(frozen=True, slots=True)
class BestEpoch:
    """The best epoch so far. ``value``: of the phase's watched metric."""

    phase: str
    epoch: int
    value: float


@dataclass(slots=True)
class PhaseState:
    """What one phase did. The steps of all its series count from the phase's beginning, over all epochs.

    Attributes:
        n_done, n_steps, n_epochs: steps done, and in all; epochs in all.
        watched: the metric by which epochs are compared; empty where there is none.
        losses: ``"loss"`` and its weighted terms, by name.
        metrics: of the validation split by name, a point at each epoch's last step.
        best_epochs: epochs that were better than all before, and their watched metric.
    """

    name: str
    n_done: int = 0
    n_steps: int = 0
    n_epochs: int = 0
    watched: str = ""
    ships: bool = True
    losses: dict[str, Series] = field(default_factory=dict)
    metrics: dict[str, Series] = field(default_factory=dict)
    learning_rate: Series = field(default_factory=Series)
    best_epochs: list[tuple[int, float]] = field(default_factory=list)

    @property
    def has_curves(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.losses or self.metrics)

    def last_step_of(self, epoch: int) -> int:
        """Where an epoch's metrics stand; epochs themselves where the phase has no steps."""
        return epoch * self.n_steps // self.n_epochs if self.n_steps and self.n_epochs else epoch

    def go_on_from(self, n_done: int) -> None:
        """Forget what was said of later steps: they are done again."""
        self.n_done = n_done
        for series in (*self.losses.values(), *self.metrics.values(), self.learning_rate):
            series.drop_after(n_done)
        self.best_epochs = [best for best in self.best_epochs if self.last_step_of(best[0]) <= n_done]


class RunState:
    """A run as its journal tells it.

    Attributes:
        status: how it is with the run.
        phases: what was done in each phase, by name, in the order in which they began.
        phase: the present one's name; empty before the first.
        message: what work without steps is at, in words; empty otherwise.
        n_done, n_total: steps of the present phase, or what :class:`Progressed` counts.
        epoch: the present one, from 1; 0 where there is none.
        items_per_s, remaining_s, memory_mb, device_memory_mb: as last told.
        device, pid, n_threads, n_ranks: of the process that last took the run up.
        waits_for: name of the run before it; empty unless it waits.
        queries: what the fixed queries found last; ``answered``: after each epoch, oldest first.
        bit_shares: share of training items that have each bit set, as last told; empty where there are none.
        saved_at_s: when the last checkpoint was written; None before.
        log: sentences with their time, oldest first; of long runs the newest.
        finished, failed, estimated: how it ended, why it cannot go on, what it will take; None otherwise.
    """

    def __init__(self) -> None:
        self.status = RunStatus.WAITING
        self.phases: dict[str, PhaseState] = {}
        self.phase = ""
        self.message = ""
        self.n_done = 0
        self.n_total = 0
        self.epoch = 0
        self.items_per_s = 0.0
        self.remaining_s: float | None = None
        self.memory_mb = 0.0
        self.device_memory_mb = 0.0
        self.device = ""
        self.pid = 0
        self.n_threads = 0
        self.n_ranks = 1
        self.waits_for = ""
        self.queries: said.QueriesAnswered | None = None
        self.answered: list[said.QueriesAnswered] = []
        self.bit_shares: tuple[float, ...] = ()
        self.saved_at_s: float | None = None
        self.log: list[tuple[float, str]] = []
        self.finished: said.Finished | None = None
        self.failed: said.RunFailed | None = None
        self.estimated: said.Estimated | None = None

    @property
    def drawn(self) -> PhaseState:
        """The latest phase that has curves; an empty one where none has."""
        return next((phase for phase in reversed(self.phases.values()) if phase.has_curves), PhaseState(self.phase))

    @property
    def losses(self) -> dict[str, Series]:
        """Loss and its terms of the latest phase that has any curves, by name."""
        return self.drawn.losses

    @property
    def metrics(self) -> dict[str, Series]:
        """Validation metrics of the latest phase that has any curves, by name."""
        return self.drawn.metrics

    @property
    def learning_rate(self) -> Series:
        """Of the latest phase that has any curves."""
        return self.drawn.learning_rate

    @property
    def best(self) -> BestEpoch | None:
        """The best epoch of the latest phase that compares its epochs."""
        for phase in reversed(self.phases.values()):
            if phase.best_epochs:
                return BestEpoch(phase.name, *phase.best_epochs[-1])
        return None

    @property
    def can_keep(self) -> bool:
        """Whether the run can be ended with a package of the best epoch so far."""
        phase = self.phases.get(self.phase)
        working = self.status in (RunStatus.RUNNING, RunStatus.PAUSED)
        return working and phase is not None and phase.ships and bool(phase.best_epochs)

    @property
    def live(self) -> bool:
        """Whether a process should be there."""
        return self.status in LIVE

    @property
    def can_go_on(self) -> bool:
        """Whether starting a trainer again leads anywhere."""
        return self.status in (RunStatus.STOPPED, RunStatus.DIED, RunStatus.FAILED)

    def take(self, event: said.RunEvent) -> None:
        """Take one event in; events of a newer version's kinds are passed over."""
        self._take_work(event)
        self._take_measures(event)
        self._take_fate(event)
        sentence = wording.sentence(event)
        if sentence and not (self.log and self.log[-1][1] == sentence):
            self.log.append((event.at_s, sentence))
            del self.log[:-_LOG_LINES]

    def died(self, log_tail: str) -> None:
        """The process is gone without having said how it ended; ``log_tail``: what it printed last."""
        if self.live:
            self.status = RunStatus.DIED
            self.failed = wording.silent_death(log_tail, checkpoint=self.saved_at_s is not None)
            self.remaining_s = None
            self.log.append((time.time(), self.failed.message))

    def _take_work(self, event: said.RunEvent) -> None:
        match event:
            case said.PhaseStarted():
                phase = self.phases.pop(event.phase, None) or PhaseState(event.phase)
                if phase.n_steps != event.n_steps:  # it was told of by an older version, or without steps
                    phase = PhaseState(event.phase)
                self.phases[event.phase] = phase  # in the order in which they were last begun
                phase.n_steps, phase.n_epochs = event.n_steps, event.n_epochs
                phase.watched, phase.ships = event.watched, event.ships
                phase.go_on_from(event.n_done)
                self.answered = [answer for answer in self.answered if self._holds(answer.phase, answer.epoch)]
                self.queries = self.answered[-1] if self.answered else None
                self.phase, self.message, self.remaining_s, self.items_per_s = event.phase, "", None, 0.0
                self.n_done, self.n_total, self.epoch = event.n_done, event.n_steps, 0
            case said.Progressed():
                self.message, self.n_done, self.n_total = event.message, event.n_done, event.n_total
                self.items_per_s, self.remaining_s = event.rate_per_s, event.remaining_s
            case said.Stepped():
                phase = self._phase(event.phase)
                phase.n_done, phase.n_steps = event.step, event.n_steps
                for name, value in event.losses.items():
                    phase.losses.setdefault(name, Series()).append(event.step, value)
                phase.learning_rate.append(event.step, event.learning_rate)
                self.phase, self.message, self.epoch = event.phase, "", event.epoch
                self.n_done, self.n_total = event.step, event.n_steps
                self.items_per_s, self.remaining_s = event.items_per_s, event.remaining_s
                self.memory_mb, self.device_memory_mb = event.memory_mb, event.device_memory_mb

    def _take_measures(self, event: said.RunEvent) -> None:
        match event:
            case said.EpochFinished():
                phase = self._phase(event.phase)
                for name, value in event.metrics.items():
                    phase.metrics.setdefault(name, Series()).append(phase.last_step_of(event.epoch), value)
                if event.best and phase.watched in event.metrics:
                    phase.best_epochs = [best for best in phase.best_epochs if best[0] < event.epoch]
                    phase.best_epochs.append((event.epoch, event.metrics[phase.watched]))
            case said.QueriesAnswered():
                self.queries = event
                self.answered.append(event)
            case said.BitsMeasured():
                self.bit_shares = event.shares
            case said.Saved():
                self.saved_at_s = event.at_s
            case said.Estimated():
                self.estimated = event

    def _take_fate(self, event: said.RunEvent) -> None:
        match event:
            case said.RunBegan():
                self.status = RunStatus.RUNNING
                self.device, self.pid = event.device, event.pid
                self.n_threads, self.n_ranks = event.n_threads, event.n_ranks
                self.finished = self.failed = None
                self.waits_for = ""
            case said.Waited():
                self.status = RunStatus.WAITING
                self.waits_for = event.behind
                self.finished = self.failed = None
            case said.Paused():
                self.status = RunStatus.PAUSED
            case said.Resumed():
                self.status = RunStatus.RUNNING
            case said.RunStopped():
                self._end(RunStatus.STOPPED)
            case said.Finished():
                self._end(RunStatus.FINISHED)
                self.finished = event
            case said.RunFailed():
                self._end(RunStatus.FAILED)
                self.failed = event

    def _end(self, status: RunStatus) -> None:
        self.status = status
        self.waits_for, self.message, self.remaining_s = "", "", None

    def _phase(self, name: str) -> PhaseState:
        return self.phases.setdefault(name, PhaseState(name))

    def _holds(self, phase: str, epoch: int) -> bool:
        known = self.phases.get(phase)
        return known is None or known.last_step_of(epoch) <= known.n_done
