"""What a trainer writes into its run's journal, and what it is told.

A trainer outlives the window that started it, so they do not speak over a pipe: the trainer appends :data:`RunEvent` to
the file ``journal`` of its run's folder and reads :data:`RunOrder` from the file ``orders`` there, both in the form of
``framing.py``. Whoever reads the journal from its beginning knows the whole run, whether it still lives or not.
"""

import msgspec

# --- a run's journal ------------------------------------------------------------------------------------------------


class RunEvent(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of what a trainer writes down; ``at_s``: seconds since the epoch, set by whoever writes it."""

    at_s: float = 0.0


class RunBegan(RunEvent, frozen=True):
    """A process took the run up, for the first time or again. ``device`` is what a person reads."""

    run: str
    pid: int
    device: str
    n_threads: int
    n_ranks: int = 1
    program_version: str = ""


class Waited(RunEvent, frozen=True):
    """The run waits until another one, ``behind``, is over."""

    behind: str


class PhaseStarted(RunEvent, frozen=True):
    """A phase began, or goes on after ``n_done`` steps: what was said of later steps of it no longer holds.

    Attributes:
        phase: its name: features, tail, network, ...
        n_done, n_steps: steps done and in all, over all epochs; passes where the phase has no steps.
        n_epochs: of the phase.
        watched: the metric by which epochs are compared, larger is better; empty where none is.
        ships: whether the package can be made of this phase's best epoch.
    """

    phase: str
    n_done: int
    n_steps: int
    n_epochs: int
    watched: str = ""
    ships: bool = True


class Progressed(RunEvent, frozen=True):
    """How far work is that takes no optimizer steps: features, teachers, words."""

    message: str
    n_done: int
    n_total: int
    rate_per_s: float = 0.0
    remaining_s: float | None = None


class Stepped(RunEvent, frozen=True):
    """Some optimizer steps were made; at most two a second are told.

    Attributes:
        step, n_steps: steps done of this phase, and in all.
        losses: of the last step by name; ``"loss"`` is what was descended, the others are its terms, weighted.
        learning_rate: the highest of the optimizer's groups in the last step.
        items_per_s: photos or clips a second, since the last time.
        remaining_s: of this phase; None while it cannot be told.
        memory_mb: resident memory of the process; ``device_memory_mb``: reserved on the accelerator, 0 on a CPU.
    """

    phase: str
    epoch: int
    step: int
    n_steps: int
    losses: dict[str, float]
    learning_rate: float
    items_per_s: float
    remaining_s: float | None = None
    memory_mb: float = 0.0
    device_memory_mb: float = 0.0


class EpochFinished(RunEvent, frozen=True):
    """An epoch, from 1, ended; ``metrics`` of the validation split by name; ``best``: none before was better."""

    phase: str
    epoch: int
    metrics: dict[str, float]
    best: bool = False


class TopPicture(msgspec.Struct, frozen=True, kw_only=True):
    """One result of a fixed query. ``picture``: name of a small JPEG in the run's folder ``pictures``."""

    picture: str
    own: bool
    score: float


class AnsweredQuery(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence of the validation split and what the network now finds for it, best first.

    ``rank``: of its own picture among all of the split, from 1.
    """

    text: str
    rank: int
    n_ranked: int
    top: tuple[TopPicture, ...]


class QueriesAnswered(RunEvent, frozen=True):
    """What the fixed queries find after this epoch."""

    phase: str
    epoch: int
    queries: tuple[AnsweredQuery, ...]


class BitsMeasured(RunEvent, frozen=True):
    """For each bit of the codes, the share of training items that have it set, in [0, 1]; 0 and 1 say nothing."""

    phase: str
    epoch: int
    shares: tuple[float, ...]


class Saved(RunEvent, frozen=True):
    """A checkpoint was written: everything up to this step of this phase is kept."""

    phase: str
    step: int


class Noted(RunEvent, frozen=True):
    """Something that whoever started the run should know, a sentence."""

    text: str


class Paused(RunEvent, frozen=True):
    """The run waits for :class:`ResumeRun`; a checkpoint was written where there are steps to keep."""


class Resumed(RunEvent, frozen=True):
    """The run goes on after a pause."""


class Estimated(RunEvent, frozen=True):
    """What the whole run will take, from a few real steps.

    Attributes:
        seconds: of all phases together, features that lie there already not counted.
        by_phase: seconds by phase.
        memory_mb: highest resident memory; ``device_memory_mb``: on the accelerator.
        disk_mb: what features, checkpoints and the package will take, what lies there already not counted.
        n_steps: optimizer steps that were measured.
    """

    seconds: float
    by_phase: dict[str, float]
    memory_mb: float
    device_memory_mb: float
    disk_mb: float
    n_steps: int


class Finished(RunEvent, frozen=True):
    """The run is over. ``path``: what it made, a package's folder (``os.fsencode``); ``epoch``: which one is in it,
    0 where there are none; ``early``: it was stopped, by hand or by its patience.
    """

    path: bytes
    metrics: dict[str, float]
    epoch: int = 0
    early: bool = False


class RunStopped(RunEvent, frozen=True):
    """The run was stopped as asked; its checkpoint is kept and it can be gone on with."""


class RunFailed(RunEvent, frozen=True):
    """The run cannot go on: a sentence, what to change, and details only where it was a bug."""

    message: str
    remedy: str = ""
    kind: str = "Bug"
    details: str = ""


AnyRunEvent = (
    RunBegan | Waited | PhaseStarted | Progressed | Stepped | EpochFinished | QueriesAnswered | BitsMeasured | Saved
    | Noted | Paused | Resumed | Estimated | Finished | RunStopped | RunFailed
)


# --- orders to a trainer --------------------------------------------------------------------------------------------


class RunOrder(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Base of what a trainer is told."""


class PauseRun(RunOrder, frozen=True):
    """Wait at the next step, memory kept."""


class ResumeRun(RunOrder, frozen=True):
    """Go on after a pause."""


class StopRun(RunOrder, frozen=True):
    """Keep a checkpoint and end."""


class KeepBest(RunOrder, frozen=True):
    """End now, with a package of the best epoch so far."""


AnyRunOrder = PauseRun | ResumeRun | StopRun | KeepBest
