"""Between the session's sentences and the widgets that show them."""

import os

from PySide6.QtCore import QObject, Signal, Slot

from explorer import protocol
from explorer.engine.requests import Kind
from explorer.engine.sentence_requests import has_sentences, is_picture
from explorer.gui.controller import Controller
from explorer.gui.notices import READ_ONLY, SENTENCES_STOPPED, Topic, notice_of_captions
from explorer.session import Received


class SentenceControl(QObject):
    """What a person does with sentences is a method; what is then so is a signal.

    Signals:
        ranked_changed(bool, RankedSentences | None): whether sentences can be ranked for what is searched with, and
            the best of them, if they were asked for.
        bringing_changed(Bringing | None): the file that is being read.
        chosen_changed(str): results are explained with this sentence; empty: with the query.
        added(): the library has new sentences.
    """

    ranked_changed = Signal(bool, object)
    bringing_changed = Signal(object)
    chosen_changed = Signal(str)
    added = Signal()

    def __init__(self, controller: Controller) -> None:
        super().__init__(controller)
        self._controller, self._session = controller, controller.session
        self._told: tuple[object, object, str] = ((False, None), None, "")
        controller.received.connect(self._receive)
        controller.told.connect(self._tell)

    @property
    def applies(self) -> bool:
        """Whether a picture is searched with in a library that has sentences."""
        return is_picture(self._session.query) and has_sentences(self._session.library)

    @Slot(str)
    def add_file(self, path: str) -> None:
        """Bring the sentences of this file into the library."""
        self._controller.notice_over.emit(Topic.SENTENCES)
        library = self._session.library
        if library is not None and library.read_only:
            self._controller.notify(READ_ONLY)
            return
        self._session.sentences.bring(os.fsencode(path), self._session.model)
        self._controller.tell()

    @Slot()
    def stop_adding(self) -> None:
        """Stop reading the file, within two seconds."""
        self._session.sentences.stop_bringing()
        self._controller.await_stop()

    @Slot(bool)
    def want_ranking(self, wanted: bool) -> None:
        """The panel was unfolded or folded."""
        sentences = self._session.sentences
        sentences.wanted = wanted
        if wanted and (sentences.ranked is None or sentences.ranked.ranking is None):
            self.rank_again()

    @Slot()
    def rank_again(self) -> None:
        """Ask once more, after a failure or a stop."""
        self._session.rank_sentences()
        self._controller.tell()

    @Slot()
    def stop_ranking(self) -> None:
        """Do not wait for the sentences."""
        self._session.sentences.stop_ranking()
        self._controller.tell()

    @Slot(str)
    def choose(self, sentence: str) -> None:
        """Explain results with this sentence; empty: with the query again."""
        self._session.sentences.chosen = sentence
        self._controller.tell()

    @Slot(object)
    def _receive(self, received: Received) -> None:
        match received.kind, received.answer:
            case Kind.CAPTIONS, protocol.CaptionsAdded() as added:
                self._controller.notify(notice_of_captions(added, self._session.library))
                self.added.emit()
            case Kind.CAPTIONS, protocol.Cancelled():
                self._controller.notify(SENTENCES_STOPPED)
                self.added.emit()

    @Slot()
    def _tell(self) -> None:
        sentences = self._session.sentences
        ranked = (True, sentences.ranked) if self.applies else (False, None)
        before, self._told = self._told, (ranked, sentences.bringing, sentences.chosen)
        if before[0] != ranked:
            self.ranked_changed.emit(*ranked)
        if before[1] != sentences.bringing:
            self.bringing_changed.emit(sentences.bringing)
        if before[2] != sentences.chosen:
            self.chosen_changed.emit(sentences.chosen)
