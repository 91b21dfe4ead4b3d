"""What a training run says while it works; the command line and the window show these."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Started:
    """A phase of the run began, or was resumed after ``n_done`` of its epochs."""

    run_dir: Path
    n_done: int
    n_epochs: int
    phase: str = ""


@dataclass(frozen=True, slots=True)
class Progressed:
    """Some steps were made.

    Attributes:
        step: steps done of this phase.
        n_steps: steps in all of this phase.
        loss: of the last step; None or nan in phases that have no loss (caching features, asking teachers).
        rate_per_s: photos (or pairs) a second.
        message: what the phase is, in words.
    """

    step: int
    n_steps: int
    loss: float | None
    rate_per_s: float
    message: str


@dataclass(frozen=True, slots=True)
class EpochFinished:
    """An epoch ended; epochs count from 1. ``metrics`` hold what was measured, by name."""

    epoch: int
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint was written."""

    path: Path


@dataclass(frozen=True, slots=True)
class Finished:
    """The run ended; ``path`` is what it made, a model package or the run's folder."""

    path: Path
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that whoever started the run should know, a sentence."""

    text: str


TrainingEvent = Started | Progressed | EpochFinished | Saved | Noted | Finished
