"""What is said of a run in the list, above its curves and in the main window; no Qt."""

import math
import os
import time
from dataclasses import dataclass

from explorer.gui.phrases import count, duration, quoted
from explorer.protocol.runs import RunFailed
from explorer.runs import wording
from explorer.runs.folder import RunDescription
from explorer.runs.state import RunState, RunStatus

FAMILIES = {
    "image-sentence": "3SHNet", "tvdb": "TVDB", "dsmhn": "DSMHN", "scenes": "DSMHN for clips",
    "pooled": "Pooled features", "distillation": "Regions and classes",
}  # fmt: skip
"""What tasks are called where a person reads them."""

_STATUS_WORDS = {
    RunStatus.WAITING: "Waiting", RunStatus.RUNNING: "Training", RunStatus.PAUSED: "Paused",
    RunStatus.STOPPED: "Stopped", RunStatus.FINISHED: "Finished", RunStatus.FAILED: "Failed", RunStatus.DIED: "Ended",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What is so, and what to do about it; ``serious``: something went wrong."""

    text: str
    remedy: str = ""
    serious: bool = False


def headline(state: RunState, doing: str = "", problem: str = "") -> Headline:
    """The state of a run in one sentence; ``doing``: what was asked of it and has not happened yet."""
    if problem:
        return Headline(text=problem, serious=True)
    if doing:
        return Headline(text=doing)
    match state.status:
        case RunStatus.WAITING:
            return Headline(text=f"Waits until {state.waits_for} is over." if state.waits_for else "Starting…")
        case RunStatus.RUNNING:
            return Headline(text=work_text(state))
        case RunStatus.PAUSED:
            return Headline(text=f"Paused{_at(state)}. It keeps its memory until it is resumed or stopped.")
        case RunStatus.STOPPED:
            return Headline(text=f"Stopped{_at(state)}.", remedy="A checkpoint is kept: it can go on from there.")
        case RunStatus.FINISHED:
            return Headline(text=_finished(state))
    failed = state.failed or RunFailed(message="The run failed.")
    message = f"Something went wrong in the program: {failed.message}" if failed.kind == "Bug" else failed.message
    return Headline(text=message, remedy=failed.remedy, serious=True)


def work_text(state: RunState) -> str:
    """``"Training the tail, epoch 3 of 30"``, ``"Looking at photos for features"``."""
    if state.message:
        return f"{state.message[:1].upper()}{state.message[1:]}"
    if not state.phase:
        return "Reading the recipe and the data…"
    return f"Training, phase {quoted(state.phase)}{_epochs(state, ', ')}"


def _epochs(state: RunState, before: str) -> str:
    phase = state.phases.get(state.phase)
    n_epochs = phase.n_epochs if phase is not None else 0
    return f"{before}epoch {state.epoch} of {n_epochs}" if state.epoch and n_epochs > 1 else ""


def _at(state: RunState) -> str:
    where = _epochs(state, " in ")
    if not where and state.phase:
        where = f" in phase {quoted(state.phase)}"
    return where


def _finished(state: RunState) -> str:
    assert state.finished is not None
    name = model_name(state)
    epoch = f" with epoch {state.finished.epoch}" if state.finished.epoch else ""
    how = "Ended early" if state.finished.early else "Finished"
    return f"{how}: the model {name} was written{epoch}."


def model_name(state: RunState) -> str:
    """The package that a finished run wrote; empty for others."""
    if state.finished is None:
        return ""
    return os.path.basename(os.fsdecode(state.finished.path).replace("\\", "/").rstrip("/"))


def part_done(state: RunState) -> float | None:
    """The present phase's share that is done; None where the whole is not known."""
    return min(1.0, state.n_done / state.n_total) if state.n_total else None


def progress_text(state: RunState) -> str:
    """``"4,340 of 7,000 · 31 a second · 1 min left · 1.2 GB"``; empty of what is over."""
    if not state.live:
        return ""
    parts = [f"{state.n_done:,} of {state.n_total:,}"] if state.n_total else []
    rate = state.items_per_s
    if rate > 0 and state.status is RunStatus.RUNNING:
        parts.append(f"{rate:,.0f} a second" if rate >= 10 else f"{rate:.1f} a second")
    if state.remaining_s is not None and state.status is RunStatus.RUNNING:
        parts.append(f"{duration(state.remaining_s)} left")
    if state.memory_mb:
        parts.append(f"{megabytes(state.memory_mb)} of memory")
    if state.device_memory_mb:
        parts.append(f"{megabytes(state.device_memory_mb)} on {state.device or 'the device'}")
    return " · ".join(part.replace(" ", "\u00a0") for part in parts)


def megabytes(mb: float) -> str:
    """``"640 MB"``, ``"1.2 GB"``."""
    return f"{mb:,.0f} MB" if mb < 1000 else f"{mb / 1000:,.1f} GB"


def number(value: float) -> str:
    """A measure as a person reads it: ``"41.2"``, ``"0.0123"``."""
    if not math.isfinite(value):
        return "no number"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:.3g}"


def best_text(state: RunState) -> str:
    """``"best 41.2"``; empty where no epoch was measured."""
    return f"best {number(state.best.value)}" if state.best is not None else ""


def best_sentence(state: RunState) -> str:
    """``"best so far: mean average precision 41.2, in epoch 3"``; empty where no epoch was measured."""
    best = state.best
    if best is None:
        return ""
    phase = state.phases.get(best.phase)
    watched = f"{metric_title(phase.watched)} " if phase is not None and phase.watched else ""
    return f"best{' so far' if state.live else ''}: {watched}{number(best.value)}, in epoch {best.epoch}"


def metric_title(name: str) -> str:
    """``"recall_at_1"`` as words."""
    return wording.metric_title(name)


def family_text(description: RunDescription | None) -> str:
    """What is trained: ``"3SHNet"``."""
    if description is None:
        return ""
    return FAMILIES.get(description.task, description.title or description.task)


def when_text(made_at: float, now: float | None = None) -> str:
    """``"14:02"`` of today, ``"21 Nov"`` of this year, ``"2025-11-21"`` of others."""
    if not made_at:
        return ""
    at, today = time.localtime(made_at), time.localtime(now)
    if at[:3] == today[:3]:
        return time.strftime("%H:%M", at)
    return f"{at.tm_mday} {time.strftime('%b', at)}" if at.tm_year == today.tm_year else time.strftime("%Y-%m-%d", at)


def status_text(state: RunState, doing: str = "", problem: str = "") -> str:
    """The second line in the list: what is so in a word or two."""
    if problem:
        return "Cannot be read"
    if doing:
        return doing
    if state.status is RunStatus.WAITING:
        return "Waits for its turn" if state.waits_for else "Starting…"
    if state.status is RunStatus.RUNNING:
        part = part_done(state)
        if state.message or not state.phase:
            return work_text(state)
        return f"Training{_epochs(state, ', ')}" + ("" if part is None else f", {int(100 * part)} %")
    return _STATUS_WORDS[state.status] + (_epochs(state, " in ") if state.status is RunStatus.STOPPED else "")


def activity_text(state: RunState, doing: str = "") -> str:
    """The line in the main window, beside the share that is done: ``"epoch 3 of 30 · 4 min left"``."""
    if doing:
        return doing
    if state.status is RunStatus.WAITING:
        return "Waits for its turn" if state.waits_for else "Starting…"
    words = [_epochs(state, "") or (work_text(state) if state.message or not state.phase else f"phase {state.phase}")]
    if state.status is RunStatus.PAUSED:
        words.append("paused")
    elif state.remaining_s is not None:
        words.append(f"{duration(state.remaining_s)} left")
    return " · ".join(word.replace(" ", "\u00a0") if len(word) < 24 else word for word in words if word)


def runs_text(n: int) -> str:
    """``"1 training run"``."""
    return count(n, "training run")
