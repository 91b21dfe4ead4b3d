"""The sample collection, from the button to its sentences: rendered, added as a folder, indexed, captioned."""

import os
from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal, Slot

from explorer import protocol
from explorer.engine.requests import Kind
from explorer.engine.sample_requests import Rendering
from explorer.gui.controller import Controller
from explorer.gui.notices import (
    NO_MODEL_TO_INDEX,
    READ_ONLY,
    SAMPLE_IS_HERE,
    SAMPLE_STOPPED,
    Topic,
    notice_of_own_model,
    notice_of_sample_model,
)
from explorer.gui.sentence_control import SentenceControl
from explorer.session import Received

SENTENCES = ("a red ball moves to the left", "a blue boat at the sea", "a yellow star keeps turning")
"""What can be searched for in it, in the words that its own sentences use."""


class SampleControl(QObject):
    """What a person does with the sample collection is a method; what is then so is a signal.

    Signals:
        rendering_changed(Rendering | None): how far rendering is.
        ready(): it was rendered and indexed, and can be searched now.
    """

    rendering_changed = Signal(object)
    ready = Signal()

    def __init__(self, controller: Controller, sentences: SentenceControl) -> None:
        super().__init__(controller)
        self._controller, self._session, self._sentences = controller, controller.session, sentences
        self._awaited: protocol.SampleRendered | None = None
        self._told: Rendering | None = None
        controller.received.connect(self._receive)
        controller.told.connect(self._tell)
        controller.library_changed.connect(self._library_changed)

    @Slot()
    def start(self) -> None:
        """Render it and take it into the library; what is there already is not rendered again."""
        controller, session = self._controller, self._session
        controller.notice_over.emit(Topic.SAMPLE)
        library = session.library
        if library is None or session.sample.rendering is not None or not session.sample.folder:
            return
        if library.read_only:
            controller.notify(READ_ONLY)
        elif session.models_known and not session.model:
            controller.notify(NO_MODEL_TO_INDEX)
        elif has_folder(library, session.sample.folder):
            controller.notify(SAMPLE_IS_HERE)
        else:
            self._take_its_model(library)
            session.sample.render()
            controller.tell()

    def _take_its_model(self, library: protocol.LibraryState) -> None:
        """Search the sample collection with the model that sees what moves in it, if nothing else is searched."""
        model = model_made_for_it(self._session.models)
        if model is not None and not library.n_items and self._session.model != model.name:
            self._controller.load_model(model.name)
            self._controller.notify(notice_of_sample_model(model))

    def make_way(self) -> None:
        """Folders of the person's own come to the sample collection: what was made for that alone is not for them."""
        session, library = self._session, self._session.library
        made, usual = model_made_for_it(session.models), next((m for m in session.models if not m.problem), None)
        if made is None or usual is None or library is None or session.model != made.name or made == usual:
            return
        if library.sources and all(is_folder(source, session.sample.folder) for source in library.sources):
            self._controller.load_model(usual.name)
            self._controller.notify(notice_of_own_model(usual, made))

    @Slot()
    def stop(self) -> None:
        """Stop rendering, within two seconds."""
        self._session.sample.stop()
        self._controller.await_stop()

    @Slot(object)
    def _receive(self, received: Received) -> None:
        match received.kind, received.answer:
            case Kind.SAMPLE, protocol.SampleRendered() as rendered:
                self._awaited = rendered
                self._controller.add_folders((rendered.folder,))
            case Kind.SAMPLE, protocol.Cancelled():
                self._controller.notify(SAMPLE_STOPPED)
            case Kind.INDEX, protocol.IndexFinished(state=state):
                self._indexed(state)
            case Kind.INDEX, protocol.Cancelled() | protocol.Failed():
                self._awaited = None

    def _indexed(self, library: protocol.LibraryState) -> None:
        awaited = self._awaited
        if awaited is not None and has_folder(library, awaited.folder):
            self._awaited = None
            self._sentences.add_file(os.fsdecode(awaited.captions))
            self.ready.emit()

    @Slot(object)
    def _library_changed(self, library: protocol.LibraryState | None) -> None:
        if library is None:  # another one is opened
            self._awaited = None

    @Slot()
    def _tell(self) -> None:
        rendering = self._session.sample.rendering
        if rendering != self._told:
            self._told = rendering
            self.rendering_changed.emit(rendering)


def model_made_for_it(models: Sequence[protocol.ModelSummary]) -> protocol.ModelSummary | None:
    """The first model that sees motion; those that are shipped learned it on the scenes of the sample collection."""
    return next((model for model in models if not model.problem and {"text", "video"} <= {*model.modalities}), None)


def is_folder(source: protocol.Source, folder: bytes) -> bool:
    """Whether a source of the library is this folder."""
    return os.path.realpath(source.path) == os.path.realpath(folder)


def has_folder(library: protocol.LibraryState, folder: bytes) -> bool:
    """Whether the library holds something of this folder; the engine keeps folders by their real path."""
    return any(source.n_items and is_folder(source, folder) for source in library.sources)
