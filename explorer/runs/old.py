"""Runs of before there were journals: what their log tells, as events."""

import json
from typing import Any

from explorer.protocol.runs import AnyRunEvent, EpochFinished, Noted, PhaseStarted, RunStopped
from explorer.runs.layout import RunFolder

_LOG = "log.jsonl"


def old_events(run: RunFolder) -> list[AnyRunEvent]:
    """What the log of an older version says: epochs and their metrics; nothing if the run has a journal or no log."""
    if run.journal_path.exists():
        return []
    try:
        lines = (run.path / _LOG).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    events: list[AnyRunEvent] = [Noted(text="An older version made this run; only its epochs were written down.")]
    phases: dict[str, list[dict[str, float]]] = {}
    for line in lines:
        entry = _entry(line)
        if entry is not None:
            phases.setdefault(str(entry.pop("phase")), []).append(entry)
    for phase, epochs in phases.items():
        events.append(PhaseStarted(phase=phase, n_done=0, n_steps=0, n_epochs=len(epochs)))
        for entry in epochs:
            epoch = int(entry.pop("epoch")) + 1
            events.append(EpochFinished(phase=phase, epoch=epoch, metrics=entry))
    return [*events, RunStopped()]


def _entry(line: str) -> dict[str, Any] | None:
    """One line; None if it is torn."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    if not isinstance(entry, dict) or not {"phase", "epoch"} <= entry.keys():
        return None
    numbers = {name: value for name, value in entry.items() if name == "phase" or isinstance(value, int | float)}
    return numbers if isinstance(numbers.get("epoch"), int) else None
