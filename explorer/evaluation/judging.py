"""Measuring by judgements that give a query several right answers, over the whole gallery."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.evaluation.image_text import RECALL_AT, Ties, best_standing, chance_recall, recall_at
from explorer.evaluation.judgements import GalleryIds, Judgements, Positives
from explorer.evaluation.relevance import top_r_of_scores
from explorer.evaluation.similarities import Similarities

_QUERIES_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class RelevanceScores:
    """Means over the queries of one direction, in percent."""

    map_at_r: float
    r_precision: float
    r1: float
    n_queries: int


@dataclass(frozen=True, slots=True)
class JudgedRelevance:
    """ECCV Caption's three numbers, both ways."""

    image_to_text: RelevanceScores
    text_to_image: RelevanceScores


@dataclass(frozen=True, slots=True)
class RecallScores:
    """Recall of the nearest right answer in one direction, in percent."""

    r1: float
    r5: float
    r10: float
    n_queries: int


@dataclass(frozen=True, slots=True)
class JudgedRecall:
    """Recall both ways where queries have several right answers."""

    image_to_text: RecallScores
    text_to_image: RecallScores


def judge_relevance(
    similarities: Similarities,
    ids: GalleryIds,
    judgements: Judgements,
    *,
    ties: Ties = "pessimistic",
    token: CancellationToken | None = None,
) -> JudgedRelevance:
    """mAP@R, R-Precision and R@1 (papers.md 4.3); all queries must be in the gallery (``require_ids``).

    Raises
    ------
    Cancelled
        a stop was asked for.
    """
    both = []
    for blocks in _both_ways(similarities, ids, judgements, token):
        tops = [
            top_r_of_scores(row, mask, n_right=int(n), ties=ties)
            for scores, relevant, n_right in blocks
            for row, mask, n in zip(scores, relevant, n_right, strict=True)
        ]
        values = np.array([(top.average_precision, top.r_precision, top.hit) for top in tops])
        map_at_r, r_precision, r1 = (100 * values.mean(axis=0)).tolist()
        both.append(RelevanceScores(map_at_r, r_precision, r1, len(tops)))
    return JudgedRelevance(*both)


def judge_recall(
    similarities: Similarities,
    ids: GalleryIds,
    judgements: Judgements,
    *,
    ties: Ties = "pessimistic",
    token: CancellationToken | None = None,
) -> JudgedRecall:
    """Share of queries with a right answer among the first 1, 5, 10; ids and errors as :func:`judge_relevance`."""
    both = []
    for blocks in _both_ways(similarities, ids, judgements, token):
        ranks = np.concatenate([best_standing(scores, relevant).ranks(ties) for scores, relevant, _ in blocks])
        r1, r5, r10 = (recall_at(ranks, k) for k in RECALL_AT)
        both.append(RecallScores(r1, r5, r10, len(ranks)))
    return JudgedRecall(*both)


def chance_of(judgements: Judgements, ids: GalleryIds) -> JudgedRecall:
    """What a blind order of the gallery gets on average."""
    both = []
    for positives, n_items in (
        (judgements.image_to_text, len(ids.sentences)),
        (judgements.text_to_image, len(ids.images)),
    ):
        n_right = np.array([len(set(answers)) for answers in positives.values()])
        both.append(_by_chance(n_right, n_items))
    return JudgedRecall(*both)


def chance_of_pairs(owners: np.ndarray) -> JudgedRecall:
    """The same where an item owns its sentences and nothing else is right; ``owners`` int64 (m,)."""
    n_own = np.bincount(owners)
    sides = ((n_own, len(owners)), (np.ones(len(owners), np.int64), len(n_own)))
    return JudgedRecall(*(_by_chance(n_right, n_items) for n_right, n_items in sides))


def _by_chance(n_right: np.ndarray, n_items: int) -> RecallScores:
    r1, r5, r10 = (chance_recall(n_right, n_items, k) for k in RECALL_AT)
    return RecallScores(r1, r5, r10, len(n_right))


_Blocks = Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]


def _both_ways(
    similarities: Similarities, ids: GalleryIds, judgements: Judgements, token: CancellationToken | None
) -> tuple[_Blocks, _Blocks]:
    """Some queries at a time, first those that are photos, then those that are sentences.

    Scores float32 (q, n), relevance bool (q, n), and right answers, in the gallery or not, int64 (q,).
    """
    everything = slice(None)
    rows = {number: row for row, number in enumerate(ids.images)}
    columns = {number: column for column, number in enumerate(ids.sentences)}

    def of_photos() -> _Blocks:
        for queries, relevant, n_right in _queries(judgements.image_to_text, rows, columns, token):
            yield similarities.score(queries, everything), relevant, n_right

    def of_sentences() -> _Blocks:
        for queries, relevant, n_right in _queries(judgements.text_to_image, columns, rows, token):
            yield similarities.score(everything, queries).T, relevant, n_right

    return of_photos(), of_sentences()


def _queries(
    positives: Positives, row_of: dict[int, int], column_of: dict[int, int], token: CancellationToken | None
) -> _Blocks:
    """Rows of some queries at a time, int64 (q,), what is right for each, bool (q, n), and how much, int64 (q,)."""
    queries = list(positives)
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        if token is not None:
            token.check()
        some = queries[start : start + _QUERIES_AT_ONCE]
        relevant = np.zeros((len(some), len(column_of)), np.bool_)
        for mask, query in zip(relevant, some, strict=True):
            mask[[column_of[answer] for answer in positives[query] if answer in column_of]] = True
        n_right = np.array([len(set(positives[query])) for query in some])
        yield np.array([row_of[query] for query in some]), relevant, n_right
