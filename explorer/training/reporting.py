"""How fast a phase is, and what it takes."""

import time
from typing import TYPE_CHECKING

from explorer.protocol.runs import Stepped
from explorer.training.control import RunToken
from explorer.training.memory import device_mb, resident_mb

if TYPE_CHECKING:
    from explorer.training.phases import Phase

_REPORT_EVERY_S = 0.5


class Reporter:
    """Turns steps into at most two events a second, and one at the end of each epoch."""

    def __init__(self, phase: "Phase", token: RunToken, n_done: int) -> None:
        """``n_done``: steps of the phase that were taken before."""
        self._phase, self._token = phase, token
        self._first_step, self._began_at = n_done, self._now()
        self._last_time, self._steps_since = self._began_at, 0

    def event(self, epoch: int, step: int, losses: dict[str, float]) -> Stepped | None:
        """step: done of this epoch, the latest with these losses."""
        self._steps_since += 1
        now = self._now()
        phase = self._phase
        if now - self._last_time < _REPORT_EVERY_S and step < phase.n_steps:
            return None
        rate = self._steps_since * phase.batch_size / max(now - self._last_time, 1e-6)
        self._last_time, self._steps_since = now, 0
        n_done, n_steps = epoch * phase.n_steps + step, phase.n_epochs * phase.n_steps
        # Measuring after an epoch is part of what a step costs on average.
        step_s = (now - self._began_at) / (n_done - self._first_step)
        return Stepped(
            phase=phase.name,
            epoch=epoch + 1,
            step=n_done,
            n_steps=n_steps,
            losses=losses,
            learning_rate=phase.learning_rate,
            items_per_s=rate,
            remaining_s=(n_steps - n_done) * step_s,
            memory_mb=resident_mb(),
            device_memory_mb=device_mb(phase.compute.device),
        )

    def _now(self) -> float:
        return time.monotonic() - self._token.rested_s
