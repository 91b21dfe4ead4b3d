"""What is asked about the sample collection: rendering it, and stopping that."""

from dataclasses import dataclass, replace

from explorer.engine.requests import Kind, Line, Pending
from explorer.protocol import Answer, Cancelled, Failed, Progress, SampleRendered


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The sample collection being rendered.

    Attributes:
        progress: the last word of the engine; ``None`` before the first.
        stopping: a stop was asked for and not yet confirmed.
    """

    progress: Progress | None = None
    stopping: bool = False


class SampleCollection:
    """The sample collection as far as it is under way.

    Attributes:
        folder: where it is rendered to; empty: nobody said so, and it is not offered.
        rendering: ``None`` while it is not being rendered; for reading.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.folder = b""
        self.rendering: Rendering | None = None

    def render(self) -> None:
        """Render it into its folder, unless it is being rendered."""
        if self.rendering is None:
            self.rendering = Rendering()
            self._line.render_sample(self.folder)

    def stop(self) -> None:
        """Ask the engine to stop; what is rendered stays."""
        if self.rendering is not None and not self.rendering.stopping:
            self._line.stop_sample()
            self.rendering = replace(self.rendering, stopping=True)

    def engine_lost(self) -> None:
        """What was to stop has stopped."""
        if self.rendering is not None and self.rendering.stopping:
            self._line.forget({Kind.SAMPLE})
            self.rendering = None

    def forget(self) -> None:
        """Another library is opened."""
        self._line.stop_sample()
        self.rendering = None

    def take(self, pending: Pending, answer: Answer) -> None:
        """Take in an answer that still counts; others than about the sample collection change nothing."""
        match pending.kind, answer:
            case Kind.SAMPLE, Progress() if self.rendering is not None:
                self.rendering = replace(self.rendering, progress=answer)
            case Kind.SAMPLE, SampleRendered() | Failed() | Cancelled():
                self.rendering = None
