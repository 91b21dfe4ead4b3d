"""What is asked about the library's sentences: bringing them in, ranking them for a picture, explaining with one."""

from dataclasses import dataclass, replace

from explorer.engine.requests import Kind, Line, Pending
from explorer.protocol import (
    AddCaptions,
    Answer,
    Cancelled,
    CaptionsAdded,
    DescribeLibrary,
    Failed,
    LibraryState,
    Progress,
    Query,
    SearchSentences,
    SentenceRanking,
)

N_RANKED = 20
"""Sentences that are asked for: what a person reads through."""


MANY_WORDS = 30
"""A sentence of more is explained without its words first: the weight of each costs one more sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bringing:
    """A file of sentences being read.

    Attributes:
        request_id: of the :class:`AddCaptions`.
        progress: the last word of the engine; ``None`` before the first.
        stopping: a stop was asked for and not yet confirmed.
    """

    request_id: int
    progress: Progress | None = None
    stopping: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedSentences:
    """What is known of the best sentences for a picture.

    Attributes:
        query: the picture they are ranked for.
        ranking: the answer; ``None`` until it comes.
        progress: while sentences are encoded first.
        problem: why there is no answer.
        stopped: a person stopped it.
    """

    query: Query
    ranking: SentenceRanking | None = None
    progress: Progress | None = None
    problem: Failed | None = None
    stopped: bool = False


class Sentences:
    """The library's sentences as far as they are open now. The attributes are for reading; the methods change them.

    Attributes:
        bringing: the file that is being read, if any.
        ranked: the best sentences for the picture that is searched with; ``None`` if it is no picture.
        wanted: whether anybody looks at them; if not, none are asked for.
        chosen: the sentence that results are explained with in place of the query; empty: with the query.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self.bringing: Bringing | None = None
        self.ranked: RankedSentences | None = None
        self.wanted = True
        self.chosen = ""

    def explaining(self, query: Query | None) -> Query | None:
        """What results are explained with."""
        return Query(text=self.chosen) if self.chosen else query

    def rank(self, query: Query, model: str) -> None:
        """Rank the sentences for a picture; those of the last one stay until the answer is here."""
        if not self.wanted:
            return
        shown = self.ranked.ranking if self.ranked is not None and self.ranked.query == query else None
        self.ranked = RankedSentences(query=query, ranking=shown)
        request = SearchSentences(id=self._line.next_id(), query=query, model=model, k=N_RANKED)
        self._line.ask(Kind.SENTENCES, request)

    def stop_ranking(self) -> None:
        """Sentences that are encoded already stay so."""
        for request_id in self._line.forget({Kind.SENTENCES}):
            self._line.cancel(request_id)
        if self.ranked is not None and self.ranked.ranking is None:
            self.ranked = replace(self.ranked, progress=None, stopped=True)

    def forget_ranking(self) -> None:
        """Another query: neither its sentences nor the chosen one belong to it."""
        for request_id in self._line.forget({Kind.SENTENCES}):
            self._line.cancel(request_id)
        self.ranked, self.chosen = None, ""

    def bring(self, path: bytes, model: str) -> None:
        """Read a file of sentences, unless one is being read."""
        if self.bringing is None:
            request = AddCaptions(id=self._line.next_id(), path=path, model=model)
            self.bringing = Bringing(request_id=request.id)
            self._line.ask(Kind.CAPTIONS, request)

    def stop_bringing(self) -> None:
        """Ask the engine to stop; what was brought in stays."""
        if self.bringing is not None and not self.bringing.stopping:
            self._line.cancel(self.bringing.request_id)
            self.bringing = replace(self.bringing, stopping=True)

    def engine_lost(self) -> None:
        """What was to stop has stopped."""
        if self.bringing is not None and self.bringing.stopping:
            self._line.forget({Kind.CAPTIONS})
            self._brought()

    def forget(self) -> None:
        """Another library is opened."""
        if self.bringing is not None:
            self._line.cancel(self.bringing.request_id)
        self.bringing = None
        self.forget_ranking()

    def take(self, pending: Pending, answer: Answer) -> None:
        """Take in an answer that still counts; others than about sentences change nothing."""
        match pending.kind, answer:
            case Kind.CAPTIONS, Progress() if self.bringing is not None:
                self.bringing = replace(self.bringing, progress=answer)
            case Kind.CAPTIONS, CaptionsAdded() | Failed() | Cancelled():
                self._brought()
            case Kind.SENTENCES, _ if self.ranked is not None:
                self._take_ranked(self.ranked, answer)

    def _take_ranked(self, ranked: RankedSentences, answer: Answer) -> None:
        match answer:
            case Progress():
                self.ranked = replace(ranked, progress=answer)
            case SentenceRanking():
                self.ranked = RankedSentences(query=ranked.query, ranking=answer)
            case Failed():
                self.ranked = RankedSentences(query=ranked.query, problem=answer)
            case Cancelled():
                self.ranked = replace(ranked, progress=None, stopped=ranked.ranking is None)

    def _brought(self) -> None:
        self.bringing = None
        self._line.ask(Kind.CAPTIONS_STATE, DescribeLibrary(id=self._line.next_id()))


def is_picture(query: Query | None) -> bool:
    """Whether a picture or a video is searched with, with or without words."""
    return query is not None and bool(
        query.image_path or query.image_bytes or query.image_item_id is not None or query.video_path
    )


def has_many_words(query: Query | None) -> bool:
    """Whether the weights of its words take long."""
    return query is not None and len(query.text.split()) > MANY_WORDS


def has_sentences(library: LibraryState | None) -> bool:
    """Whether there is anything to rank."""
    return library is not None and library.n_sentences > 0
