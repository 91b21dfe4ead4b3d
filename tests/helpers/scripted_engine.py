"""A controller whose engine is the test, which sees what is asked and answers; and runs that nobody trains."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from explorer import protocol
from explorer.gui.controller import Controller
from explorer.protocol import LibraryState, ModelSummary
from explorer.protocol.runs import RunEvent
from explorer.runs.folder import RunDescription
from explorer.runs.state import RunState
from explorer.session import Session


class ScriptedEngine:
    """``sent``: what was asked for, oldest first; what is not answered stays open."""

    def __init__(self) -> None:
        self.session = Session(b"/library")
        self.controller = Controller(self.session, ["nothing-is-started"])
        self.sent: list[protocol.Request] = []
        self.session.attach(self.sent.append)

    def asked(self, kind: type) -> list:
        """All requests of this type."""
        return [request for request in self.sent if isinstance(request, kind)]

    def answer(self, to: type, answer: type, **parts: object) -> None:
        """Answer the latest request of this type."""
        self.controller._receive(answer(id=self.asked(to)[-1].id, **parts))

    def open_library(self, **changes: object) -> None:
        """The library is open; it has photos, and sentences unless told otherwise."""
        known = {
            "path": b"/library", "display": "/library", "sources": (), "n_items": 20, "n_errors": 0, "n_indexed": {},
            "n_sentences": 40,
        }
        self.answer(protocol.OpenLibrary, LibraryState, **{**known, **changes})

    def list_models(self, *names: str) -> None:
        """These packages are there."""
        self.session.look_for_models()
        models = tuple(
            ModelSummary(name=n, family="tvdb", title=n.upper(), output="", modalities=("image",), overlays=())
            for n in names
        )
        self.answer(protocol.ListModels, protocol.ModelList, models=models)


@dataclass
class KeptRun:
    """A run as the window knows it."""

    description: RunDescription | None
    recipe: bytes
    state: RunState


class KeptRuns(QObject):
    """What widgets ask of ``TrainingControl``, without processes; ``started`` and ``estimating`` say what was asked."""

    runs_changed = Signal()
    run_changed = Signal(object)
    estimated = Signal(object)
    refused = Signal(str)
    finished = Signal(object)

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.runs_folder = folder
        self.runs: dict[Path, KeptRun] = {}
        self.started: list[dict] = []
        self.estimating: dict | None = None
        self.refusing = ""

    def add(self, name: str, recipe: bytes, events: Sequence[RunEvent] = (), *, made_at: float = 0.0) -> Path:
        """A run with this journal."""
        path = self.runs_folder / f"{name}-{len(self.runs)}"
        state = RunState()
        for event in events:
            state.take(event)
        described = RunDescription(
            name=name, task="tiny", title=name, recipe_folder=self.runs_folder, device="auto", made_at=made_at
        )
        self.runs = {path: KeptRun(described, recipe, state), **self.runs}
        return path

    def paths(self) -> tuple[Path, ...]:
        return tuple(self.runs)

    def living(self) -> tuple[Path, ...]:
        return tuple(path for path, run in self.runs.items() if run.state.live)

    def state(self, path: Path) -> RunState:
        return self.runs[path].state

    def description(self, path: Path) -> RunDescription | None:
        return self.runs[path].description

    def recipe(self, path: Path) -> bytes:
        return self.runs[path].recipe

    def start(self, recipe: bytes, **how: object) -> Path | None:
        if self.refusing:
            self.refused.emit(self.refusing)
            return None
        self.started.append({"recipe": recipe, **how})
        self.add(str(how["name"]), recipe)
        return self.runs_folder / "new"

    def estimate(self, recipe: bytes, **how: object) -> None:
        self.estimating = {"recipe": recipe, **how}
        self.estimated.emit(None)

    def stop_estimating(self) -> None:
        self.estimating = None
