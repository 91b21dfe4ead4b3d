"""Codes ranked by Hamming distance, measured a block of queries at a time, beside random codes of the same length."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.evaluation.hashing_metrics import (
    Normaliser,
    average_precision,
    average_precision_at,
    count_by_radius,
    mean_over_all,
    mean_over_answerable,
    precision_and_recall_by_radius,
    precision_at,
    ranked_relevance,
    tie_aware_average_precision,
)
from explorer.representations import BinaryCodes

Relevance = Callable[[slice], np.ndarray]
"""Which items of the gallery (n) answer some consecutive queries (b): bool (b, n)."""

OnProgress = Callable[[int, int], None]
"""Hears how many queries are measured, and how many there are."""

_PAIRS_AT_ONCE = 1 << 20
"""Pairs of a query and an item in one block; about 100 bytes each while it is measured."""


@dataclass(frozen=True, slots=True)
class Cutoffs:
    """Where rankings are cut.

    Attributes:
        map_at: the k of mAP@k.
        precision_at: the n of precision@n.
        normaliser: what AP@k is divided by.
    """

    map_at: tuple[int, ...] = (50, 500)
    precision_at: tuple[int, ...] = (100,)
    normaliser: Normaliser = "found"


@dataclass(frozen=True, slots=True)
class RankingScores:
    """Means over the queries that have a relevant item, in [0, 1]; not a number where no query has one.

    Attributes:
        map: mAP over all positions, ties in the order of the items.
        map_tie_aware: the expectation of it over all orders of items at equal distance.
        map_all_queries: as ``map``, queries without a relevant item counting as 0 (DCMH, WangGodder's code).
        map_at: mAP of the first k places, by k.
        precision_at: share of relevant items among the first n places, by n.
    """

    map: float
    map_tie_aware: float
    map_all_queries: float
    map_at: Mapping[int, float]
    precision_at: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class RadiusCurve:
    """Precision and recall of everything within radius 0, 1, ..., n_bits, over all pairs of a query and an item.

    Queries without a relevant item are left out here, too.

    Attributes:
        precision: float64 (n_bits + 1,); not a number where nothing lies within the radius. The last is the share of
            relevant pairs: what random codes get at any radius.
        recall: float64 (n_bits + 1,), rising to 1.
    """

    precision: np.ndarray
    recall: np.ndarray


@dataclass(frozen=True, slots=True)
class DirectionScores(RankingScores):
    """What codes get where one kind of query searches one kind of gallery.

    Attributes:
        n_queries: all of them.
        n_skipped: those without a relevant item, over which no mean is taken.
        random_codes: what random codes of the same length get on the same queries and gallery.
        curve: precision and recall by radius.
    """

    n_queries: int
    n_skipped: int
    random_codes: RankingScores
    curve: RadiusCurve

    @property
    def random(self) -> float:
        """Tie-aware mAP of random codes of the same length."""
        return self.random_codes.map_tie_aware


def measure_codes(
    queries: BinaryCodes,
    gallery: BinaryCodes,
    relevant: Relevance,
    *,
    own_rows: np.ndarray | None = None,
    cutoffs: Cutoffs | None = None,
    seed: int = 0,
    token: CancellationToken | None = None,
    on_progress: OnProgress | None = None,
) -> DirectionScores:
    """Rank the whole gallery for every query and measure; needs some 100 MB beside the codes, whatever their number.

    Parameters
    ----------
    queries
        q codes.
    gallery
        n codes of the same length; their order decides ties where a metric is not tie-aware.
    relevant
        what answers what; see :func:`sharing_a_label`.
    own_rows
        int64 (q,): where the query itself stands in the gallery, which is then searched without it; -1: nowhere.
    cutoffs
        k and n of the metrics.
    seed
        of the random codes.
    token, on_progress
        looked at between blocks; hears how far it is.

    Raises
    ------
    ValueError
        there is no query or no item, or codes are of different lengths.
    Cancelled
        a stop was asked for.
    """
    if not len(queries) or not len(gallery) or queries.n_bits != gallery.n_bits:
        raise ValueError(
            f"expected queries and a gallery of the same number of bits, got {len(queries)} of {queries.n_bits} and "
            f"{len(gallery)} of {gallery.n_bits}"
        )
    random = np.random.default_rng(seed)
    by_chance = [
        BinaryCodes(random.integers(0, 256, side.packed.shape, np.uint8)) for side in (queries, gallery)
    ]
    contests = [
        _Contest(_words(asking), _words(asked), _Tally(queries.n_bits, cutoffs or Cutoffs()))
        for asking, asked in ((queries, gallery), by_chance)
    ]
    step = max(1, _PAIRS_AT_ONCE // len(gallery))
    for start in range(0, len(queries), step):
        if token is not None:
            token.check()
        rows = slice(start, min(start + step, len(queries)))
        _measure_block(contests, rows, relevant(rows), None if own_rows is None else own_rows[rows])
        if on_progress is not None:
            on_progress(rows.stop, len(queries))
    ours, chance = (contest.tally for contest in contests)
    return ours.direction_scores(len(queries), chance.scores())


def sharing_a_label(query_labels: np.ndarray, gallery_labels: np.ndarray) -> Relevance:
    """Relevant is what shares at least one label (papers.md 1.9).

    Parameters
    ----------
    query_labels
        bool (q, n_classes).
    gallery_labels
        bool (n, n_classes).
    """
    ours, theirs = query_labels.astype(np.float32), gallery_labels.astype(np.float32).T
    return lambda rows: ours[rows] @ theirs > 0


@dataclass(frozen=True, slots=True)
class _Contest:
    """Queries (q, words) and a gallery (n, words), uint64, and what they got so far."""

    queries: np.ndarray
    gallery: np.ndarray
    tally: "_Tally"


def _measure_block(
    contests: Sequence[_Contest], rows: slice, relevant: np.ndarray, own_rows: np.ndarray | None
) -> None:
    """Add some queries, whose relevance is bool (b, n), to all tallies."""
    own = None
    if own_rows is not None:
        there = np.flatnonzero(own_rows >= 0)
        own = there, own_rows[there]
        relevant = relevant.copy()
        relevant[own] = False
    for contest in contests:
        distances = _distances(contest.queries[rows], contest.gallery)
        if own is not None:
            distances[own] = contest.tally.beyond
        contest.tally.add(distances, relevant)


class _Tally:
    """Metrics of each query as blocks come in."""

    def __init__(self, n_bits: int, cutoffs: Cutoffs) -> None:
        self._n_bits, self._cutoffs = n_bits, cutoffs
        self._values: list[np.ndarray] = []
        self._counts = np.zeros((2, n_bits + 1), np.int64)

    @property
    def beyond(self) -> int:
        """The distance of what is no part of the gallery: behind everything, and in no radius."""
        return self._n_bits + 1

    def add(self, distances: np.ndarray, relevant: np.ndarray) -> None:
        """Distances uint16 (b, n) and relevance bool (b, n)."""
        ranked = ranked_relevance(distances, relevant)
        cutoffs = self._cutoffs
        values = [
            average_precision(ranked),
            tie_aware_average_precision(distances, relevant, self.beyond),
            *(average_precision_at(ranked, k, cutoffs.normaliser) for k in cutoffs.map_at),
            *(precision_at(ranked, n) for n in cutoffs.precision_at),
        ]
        self._values.append(np.stack(values))
        asked = np.flatnonzero(~np.isnan(values[0]))
        if len(asked) < len(distances):
            distances, relevant = distances[asked], relevant[asked]
        self._counts += count_by_radius(distances, relevant, self._n_bits)

    def scores(self) -> RankingScores:
        """Means over all queries that came in."""
        values = np.concatenate(self._values, axis=1)
        means = [mean_over_answerable(each) for each in values]
        n_map_at = len(self._cutoffs.map_at)
        return RankingScores(
            map=means[0],
            map_tie_aware=means[1],
            map_all_queries=mean_over_all(values[0]),
            map_at=dict(zip(self._cutoffs.map_at, means[2 : 2 + n_map_at], strict=True)),
            precision_at=dict(zip(self._cutoffs.precision_at, means[2 + n_map_at :], strict=True)),
        )

    def direction_scores(self, n_queries: int, random_codes: RankingScores) -> DirectionScores:
        """The same with how many queries were skipped and with the curve."""
        scores = self.scores()
        return DirectionScores(
            scores.map,
            scores.map_tie_aware,
            scores.map_all_queries,
            scores.map_at,
            scores.precision_at,
            n_queries=n_queries,
            n_skipped=sum(int(np.isnan(values[0]).sum()) for values in self._values),
            random_codes=random_codes,
            curve=RadiusCurve(*precision_and_recall_by_radius(self._counts)),
        )


def _words(codes: BinaryCodes) -> np.ndarray:
    """Codes as uint64 (n, words), filled up with zeros, which all codes share."""
    n_missing = -codes.packed.shape[1] % 8
    return np.ascontiguousarray(np.pad(codes.packed, ((0, 0), (0, n_missing)))).view(np.uint64)


def _distances(queries: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Differing bits of all pairs of words (b, w) and (n, w), uint16 (b, n)."""
    found = np.zeros((len(queries), len(gallery)), np.uint16)
    for ours, theirs in zip(queries.T, gallery.T, strict=True):
        found += np.bitwise_count(ours[:, None] ^ theirs)
    return found

