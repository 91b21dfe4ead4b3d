"""Sentences of the library: bringing them in, and ranking them for a picture."""

import msgspec

from explorer.protocol.base import Message, Query


class AddCaptions(Message, frozen=True):
    """Read sentences from a file (Karpathy json, COCO captions, captions.json) and give them to the items they name.

    Items are matched by file name. With a model its sentences are encoded at once; :class:`Progress` while it works,
    then :class:`CaptionsAdded`.
    """

    path: bytes
    model: str = ""


class CaptionsAdded(Message, frozen=True):
    """What was read: sentences kept, items that got some, photos of the file that the library does not have."""

    n_sentences: int
    n_items: int
    n_unmatched: int
    n_encoded: int = 0


class SearchSentences(Message, frozen=True):
    """Rank the library's sentences for a picture (or a sentence); answered by :class:`SentenceRanking`.

    Sentences without a vector of this model are encoded first, with :class:`Progress`.
    """

    query: Query
    model: str
    k: int = 20


class RankedSentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence, the item it belongs to, and its similarity to the query."""

    text: str
    item_id: int
    score: float


class SentenceRanking(Message, frozen=True):
    """The best sentences, best first; ``n_sentences`` is how many the library has.

    ``n_bits``: of the codes that were compared, 0 where embeddings were.
    """

    sentences: tuple[RankedSentence, ...]
    n_sentences: int
    query: Query | None = None
    model: str = ""
    elapsed_ms: float = 0.0
    n_bits: int = 0
