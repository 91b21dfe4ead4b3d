"""A run's events as sentences that a person reads."""

import os
import re
from collections.abc import Mapping

from explorer.protocol import runs as said

_DIRECTIONS = {
    "i2t": "image to text", "t2i": "text to image", "v2t": "video to text", "t2v": "text to video",
    "i2i": "image to image", "t2t": "text to text", "v2v": "video to video",
}  # fmt: skip
_TITLES = {"rsum": "rSum", "mean_map": "mean mAP"}
_MEMORY_WORDS = ("out of memory", "memoryerror", "bad_alloc", "cannot allocate memory", "can't allocate memory")


def sentence(event: said.RunEvent) -> str:
    """The line of the log for an event; empty for those that only move numbers."""
    return _of_work(event) or _of_fate(event)


def metric_title(name: str) -> str:
    """A metric's name as words: ``i2t_r1`` is "image to text R@1", ``recall_at_1`` is "recall at 1"."""
    direction, measure = _parts(name)
    return f"{direction} {measure}".strip()


def numbers(metrics: Mapping[str, float]) -> str:
    """Metrics in a row, a direction said once: ``image to text R@1 41.2, R@5 70.1; loss 1.2``."""
    groups: dict[str, list[str]] = {}
    for name, value in metrics.items():
        direction, measure = _parts(name)
        groups.setdefault(direction, []).append(f"{measure} {value:.4g}")
    return "; ".join(f"{direction} {', '.join(parts)}".strip() for direction, parts in groups.items())


def silent_death(log_tail: str, *, checkpoint: bool) -> said.RunFailed:
    """Why a process ended that did not say so, as far as can be told from what it printed."""
    if any(word in log_tail.lower() for word in _MEMORY_WORDS):
        message = "The training process ran out of memory."
    else:
        message = "The training process ended without saying why; the system may have ended it, for want of memory."
    kept = "Everything up to the last checkpoint is kept: go on with the run." if checkpoint else "Start the run again."
    return said.RunFailed(
        message=message,
        remedy=f"{kept} If it ends so again, lower the batch size, or close other programs.",
        kind="Died",
        details=log_tail,
    )


def _of_work(event: said.RunEvent) -> str:
    match event:
        case said.PhaseStarted():
            if event.n_done:
                return f"Phase {event.phase} goes on after step {event.n_done} of {event.n_steps}."
            epochs = f", {_count(event.n_epochs, 'epoch')}" if event.n_epochs > 1 else ""
            return f"Phase {event.phase} begins{epochs}."
        case said.Progressed():
            return f"{event.message[:1].upper()}{event.message[1:].rstrip('.')}."
        case said.EpochFinished():
            measured = f": {numbers(event.metrics)}" if event.metrics else ""
            return f"Epoch {event.epoch} of phase {event.phase} is done{measured}{', the best so far' * event.best}."
        case said.Saved():
            return f"A checkpoint was saved at step {event.step} of phase {event.phase}."
        case said.Noted():
            return event.text
        case _:
            return ""


def _of_fate(event: said.RunEvent) -> str:
    match event:
        case said.RunBegan():
            ranks = f", {event.n_ranks} processes" if event.n_ranks > 1 else ""
            return f"Training runs on {event.device}, {_count(event.n_threads, 'thread')}{ranks}."
        case said.Waited():
            return f"Waiting until {event.behind} is over."
        case said.Paused():
            return "Paused."
        case said.Resumed():
            return "Going on."
        case said.RunStopped():
            return "Stopped as asked; a checkpoint is kept."
        case said.Finished():
            name = os.fsdecode(event.path).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
            epoch = f" with epoch {event.epoch}" if event.epoch else ""
            how = "Ended early" if event.early else "Finished"
            measured = f": {numbers(event.metrics)}" if event.metrics else ""
            return f"{how}; {name} was written{epoch}{measured}."
        case said.RunFailed():
            return f"{event.message} {event.remedy}".strip()
        case _:
            return ""


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _parts(name: str) -> tuple[str, str]:
    """Direction, empty where there is none, and measure."""
    direction, _, measure = name.partition("_")
    if direction in _DIRECTIONS and measure:
        return _DIRECTIONS[direction], re.sub(r"^r(\d+)$", r"R@\1", _words(measure))
    return "", _TITLES.get(name) or _words(name)


def _words(name: str) -> str:
    return " ".join("mAP" if word == "map" else word for word in name.split("_"))
