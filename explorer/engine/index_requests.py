"""What is asked about indexing: one thing at a time; folders first, then models that the library is indexed with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from explorer.engine.requests import Kind, Line
from explorer.protocol import IndexFinished, IndexFolders, Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexing:
    """Indexing under way.

    Attributes:
        request_id: of the :class:`IndexFolders`.
        model: whose vectors are made.
        takes_over: this model is used from then on, if all are made.
        progress: the last word of the engine; ``None`` before the first.
        stopping: a stop was asked for and not yet confirmed.
    """

    request_id: int
    model: str = ""
    takes_over: bool = False
    progress: Progress | None = None
    stopping: bool = False


class IndexQueue:
    """What is being indexed, and what comes next. The attributes are for reading; the methods change them.

    Attributes:
        now: what is being indexed; ``None``: nothing.
        folders: come next, with the model in use then.
        models: come after them; each is used from then on.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.now: Indexing | None = None
        self.folders: list[bytes] = []
        self.models: list[str] = []

    def add_folders(self, folders: Sequence[bytes], model: str) -> None:
        """Index folders; after what is being indexed now, if anything is. ``model``: the one in use."""
        self.folders.extend(folder for folder in folders if folder not in self.folders)
        self.go_on(model)

    def add_model(self, new: str, model: str) -> None:
        """Index the library with another model, or one of this name that was trained again, and use it from then on.

        Until all its vectors are made, and if that is stopped, the model in use stays so, ``model``. Nothing, if it is
        under way or waits.
        """
        now = self.now
        if now is not None and not now.stopping and now.takes_over and now.model == new:
            return
        if new not in self.models:
            self.models.append(new)
        self.go_on(model)

    def rescan(self, model: str) -> None:
        """Look through every source again, unless indexing is under way."""
        if self.now is None and model:
            self._index((), model)

    def go_on(self, model: str) -> None:
        """Index what comes next, unless indexing is under way. ``model``: the one in use; empty: there is none."""
        if self.now is not None:
            return
        if self.folders and model:
            folders, self.folders = tuple(self.folders), []
            self._index(folders, model)
        elif self.models:
            self._index((), self.models.pop(0), takes_over=True)

    def stop(self) -> None:
        """Ask the engine to stop; what is finished stays, nothing comes next."""
        self._wait_for_nothing()
        if self.now is not None and not self.now.stopping:
            self._line.cancel(self.now.request_id)
            self.now = replace(self.now, stopping=True)

    def forget(self) -> None:
        """Another library is opened."""
        if self.now is not None:
            self._line.cancel(self.now.request_id)
        self._wait_for_nothing()
        self.now = None

    def chosen(self, model: str) -> None:
        """A person chose a model: what is being indexed with another one does not take its place any more."""
        if self.now is not None:
            self.now = replace(self.now, takes_over=self.now.takes_over and self.now.model == model)

    def engine_lost(self) -> bool:
        """Whether what was to stop has thereby stopped."""
        if self.now is None or not self.now.stopping:
            return False
        self._line.forget({Kind.INDEX})
        self.now = None
        return True

    def told(self, progress: Progress) -> None:
        """The engine says how far it is."""
        if self.now is not None:
            self.now = replace(self.now, progress=progress)

    def over(self) -> Indexing | None:
        """It has ended, one way or another; returns what it was."""
        ended, self.now = self.now, None
        return ended

    def _index(self, folders: tuple[bytes, ...], model: str, *, takes_over: bool = False) -> None:
        request = IndexFolders(id=self._line.next_id(), folders=folders, model=model)
        self.now = Indexing(request_id=request.id, model=model, takes_over=takes_over)
        self._line.ask(Kind.INDEX, request)

    def _wait_for_nothing(self) -> None:
        self.folders.clear()
        self.models.clear()


def has_changed(answer: IndexFinished) -> bool:
    """Whether the library holds anything else than before."""
    return any((answer.n_added, answer.n_changed, answer.n_moved, answer.n_removed, answer.n_encoded))
