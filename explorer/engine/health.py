"""Whether there is an engine to ask, and when to stop starting it again."""

from enum import StrEnum

from explorer.protocol import PROTOCOL_VERSION, Failed, Welcome

MAX_DEATHS = 4
"""So many deaths within :data:`DEATHS_WINDOW_S` and the engine is not started again by itself."""

DEATHS_WINDOW_S = 60.0


class EngineStatus(StrEnum):
    """Whether there is somebody to ask."""

    STARTING = "starting"
    READY = "ready"
    RESTARTING = "restarting"
    STOPPED = "stopped"


class EngineHealth:
    """What is known of the engine.

    Attributes:
        status: the state.
        device: what it computes on, as a person reads it; empty: not known yet.
        problem: why it is stopped.
    """

    def __init__(self) -> None:
        self.status = EngineStatus.STARTING
        self.device = ""
        self.problem: Failed | None = None
        self._deaths: list[float] = []

    def welcomed(self, answer: Welcome) -> None:
        """It is up; if it speaks another version of the protocol it counts as stopped."""
        self.device = answer.device
        self.status, self.problem = EngineStatus.READY, None
        if answer.protocol_version != PROTOCOL_VERSION:
            self.status = EngineStatus.STOPPED
            self.problem = Failed(
                id=0, kind="EngineError",
                message=f"The engine speaks version {answer.protocol_version} of the protocol, "
                f"this window version {PROTOCOL_VERSION}.",
                remedy="Install the same version of the program on both sides.",
            )

    def died(self, now_s: float, details: str) -> None:
        """It has ended by itself; afterwards ``status`` says whether it is to be started again."""
        self._deaths = [at for at in self._deaths if now_s - at < DEATHS_WINDOW_S] + [now_s]
        never_ready = self.status is not EngineStatus.READY and len(self._deaths) > 1
        if never_ready or len(self._deaths) >= MAX_DEATHS:
            self.status = EngineStatus.STOPPED
            self.problem = Failed(
                id=0, message="The engine keeps stopping.", remedy="Start it again, or copy the details for a report.",
                kind="EngineError", details=details,
            )
        else:
            self.status = EngineStatus.RESTARTING

    def forgive(self) -> None:
        """A person asked for another try."""
        self._deaths.clear()
        self.status, self.problem = EngineStatus.STARTING, None
