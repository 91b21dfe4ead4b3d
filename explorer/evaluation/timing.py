"""How long one query takes, taken apart: encoding the sentence, scoring the gallery, sorting the scores.

After VSE-infinity (papers.md 3.10): everything that does not depend on the query is computed beforehand, then one
sentence at a time is asked of n items. Kpps is thousands of queries completed in a second.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.networks.encoder import Encoder
from explorer.representations import Embeddings
from explorer.retrieval import InnerProductIndex

JITTER = 0.1
"""Length of the noise on a repeated embedding, beside its own length; its cosine to the original is about 0.995."""

N_WARM_UP = 3

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class BestTimes:
    """The shortest time of each step over all queries: what it takes where nothing else wants the processor.

    Attributes:
        encode_ms: of encoding.
        score_ms: of scoring.
        sort_ms: of sorting.
        product_ms: of the bare product.
        kpps: thousands of queries in a second if every step always took so long.
        kpps_search: the same without encoding.
    """

    encode_ms: float
    score_ms: float
    sort_ms: float
    product_ms: float
    kpps: float
    kpps_search: float

    @classmethod
    def of_seconds(cls, seconds: np.ndarray) -> "BestTimes":
        """From seconds of encoding, scoring, sorting and the product, (q, 4)."""
        encode, score, sort, product = (1e3 * seconds.min(axis=0)).tolist()
        return cls(encode, score, sort, product, 1 / (encode + score + sort), 1 / (score + sort))

    @property
    def query_ms(self) -> float:
        """A whole query: encoding, scoring and sorting."""
        return self.encode_ms + self.score_ms + self.sort_ms


@dataclass(frozen=True, slots=True)
class QueryTiming:
    """Times of one sentence against a gallery of embeddings.

    Attributes:
        n_items: size of the gallery.
        dim: width of an embedding.
        n_queries: sentences asked, one at a time.
        encode_ms: median time of encoding one sentence.
        score_ms: median time of its similarities with all items.
        sort_ms: median time of ranking all of them.
        product_ms: median time of the bare matrix product, the floor of ``score_ms``.
        kpps: thousands of queries in a second, all three steps (queries / seconds / 1000).
        kpps_search: the same without encoding: scoring and sorting.
        best: the shortest times, which other work on the machine disturbs least.
    """

    n_items: int
    dim: int
    n_queries: int
    encode_ms: float
    score_ms: float
    sort_ms: float
    product_ms: float
    kpps: float
    kpps_search: float
    best: BestTimes


@dataclass(frozen=True, slots=True)
class Growth:
    """Best times at one size beside those at the smallest.

    Attributes:
        n_items: this size.
        items: how many times the items of the smallest.
        score: how many times its time to score.
        sort: how many times its time to sort.
        product: how many times its bare product.
        query: how many times its time for encoding, scoring and sorting.
    """

    n_items: int
    items: float
    score: float
    sort: float
    product: float
    query: float


def time_queries(
    encoder: Encoder,
    texts: Sequence[str],
    galleries: Sequence[np.ndarray],
    *,
    token: CancellationToken | None = None,
    clock: Clock = time.perf_counter,
) -> list[QueryTiming]:
    """Ask every sentence of every gallery, one at a time.

    The sizes take turns with each sentence, so that other work on the machine hits all of them alike; the median keeps
    single interruptions out of the milliseconds, while Kpps counts every second.

    Parameters
    ----------
    encoder
        turns the sentences into embeddings.
    texts
        at least one; the first few are asked once more beforehand, untimed.
    galleries
        float32 (n, dim) each.
    token
        looked at between queries.
    clock
        seconds.

    Raises
    ------
    ValueError
        there is no sentence.
    Cancelled
        a stop was asked for.
    """
    if not texts:
        raise ValueError("expected at least one sentence to time, got none")
    indexes = [InnerProductIndex(np.arange(len(gallery)), gallery) for gallery in galleries]
    for text in texts[:N_WARM_UP]:
        for index in indexes:
            _ask(encoder, text, index, clock)
    seconds = np.empty((len(texts), len(galleries), 4))
    for row, text in zip(seconds, texts, strict=True):
        for place, index in enumerate(indexes):
            if token is not None:
                token.check()
            row[place, :3], query = _ask(encoder, text, index, clock)
        # A turn of its own: right after the search the gallery would still be in the cache.
        for place, gallery in enumerate(galleries):
            row[place, 3] = _time_product(query, gallery, clock)
    return [_summary(seconds[:, place], gallery) for place, gallery in enumerate(galleries)]


def some_sentences(sentences: Sequence[Sequence[str]], n: int) -> list[str]:
    """At most n sentences, evenly spread over the photos."""
    every = [sentence for own in sentences for sentence in own]
    return [every[place * len(every) // n] for place in range(n)] if len(every) > n else every


def tile_gallery(embeddings: np.ndarray, n_items: int, *, seed: int = 0) -> np.ndarray:
    """A gallery of n items from fewer: the embeddings repeated, each copy moved by :data:`JITTER` and scaled back.

    The first copy is as it is, so a gallery that is large enough is cut, not changed. float32 (n_items, dim).
    """
    rows = np.arange(n_items) % len(embeddings)
    tiled: np.ndarray = embeddings[rows]
    first = min(len(embeddings), n_items)
    noise = np.random.default_rng(seed).standard_normal((n_items - first, embeddings.shape[1]), dtype=np.float32)
    lengths = np.linalg.norm(tiled[first:], axis=1, keepdims=True)
    tiled[first:] += noise * (JITTER * lengths / np.sqrt(embeddings.shape[1]))
    tiled[first:] *= lengths / np.maximum(np.linalg.norm(tiled[first:], axis=1, keepdims=True), 1e-12)
    return tiled


def growth(timings: Sequence[QueryTiming]) -> list[Growth]:
    """How each size compares with the smallest, in the given order."""
    small = min(timings, key=lambda timing: timing.n_items)
    return [
        Growth(
            n_items=timing.n_items,
            items=timing.n_items / small.n_items,
            score=timing.best.score_ms / small.best.score_ms,
            sort=timing.best.sort_ms / small.best.sort_ms,
            product=timing.best.product_ms / small.best.product_ms,
            query=timing.best.query_ms / small.best.query_ms,
        )
        for timing in timings
    ]


def to_dict(timings: Sequence[QueryTiming]) -> dict[str, Any]:
    """JSON of several sizes and how they grow."""
    return {
        "sizes": [asdict(timing) for timing in timings],
        "growth": [asdict(step) for step in growth(timings)],
    }


def _ask(
    encoder: Encoder, text: str, index: InnerProductIndex, clock: Clock
) -> tuple[tuple[float, float, float], np.ndarray]:
    """Seconds of encoding, scoring and sorting; and the query, float32 (1, dim)."""
    started = clock()
    query = encoder.encode_texts([text])
    encoded = clock()
    assert isinstance(query, Embeddings), "checked when the gallery was encoded"
    scores = index.score_all(query)[0]
    scored = clock()
    index.rank(scores)
    return (encoded - started, scored - encoded, clock() - scored), query.values


def _time_product(query: np.ndarray, gallery: np.ndarray, clock: Clock) -> float:
    started = clock()
    query @ gallery.T
    return clock() - started


def _summary(seconds: np.ndarray, gallery: np.ndarray) -> QueryTiming:
    """From seconds (q, 4)."""
    encode, score, sort, product = (1e3 * np.median(seconds, axis=0)).tolist()
    total = seconds.sum(axis=0)
    return QueryTiming(
        n_items=len(gallery),
        dim=gallery.shape[1],
        n_queries=len(seconds),
        encode_ms=encode,
        score_ms=score,
        sort_ms=sort,
        product_ms=product,
        kpps=float(len(seconds) / total[:3].sum() / 1e3),
        kpps_search=float(len(seconds) / total[1:3].sum() / 1e3),
        best=BestTimes.of_seconds(seconds),
    )
