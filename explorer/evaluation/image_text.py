"""Image-text recall as the field measures it (VSE++, SCAN, VSE-infinity, 3SHNet).

Image to text: the rank of an image is the best rank among its own sentences. Text to image: the rank of a sentence is
that of its image. R@K is the share of queries whose rank is below K, counting from 0; rSum is the sum of six recalls.
Who owns a sentence is said by an array, never by index arithmetic, so images may have any number of sentences.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.cancellation import CancellationToken

RECALL_AT = (1, 5, 10)

Ties = Literal["pessimistic", "mean"]
"""Where an item stands among others of exactly its score: after all of them, or in their middle.

The papers' code leaves this to an unstable sort. A collapsed model, whose scores are all equal, gets nearly nothing
from the pessimistic rule.
"""

ScoreBlock = Callable[[slice, slice], np.ndarray]
"""Similarities of some images (first slice, b) with some sentences (second slice, c), (b, c); larger is nearer."""

_CHUNK_SCORES = 1 << 24


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall in one direction.

    Attributes:
        r1: percentage of queries whose match comes first.
        r5: among the first five.
        r10: among the first ten.
        median_rank: floor of the median rank, plus 1 (papers.md 4.1: medr); a mean of several may lie between.
        mean_rank: mean rank, plus 1 (meanr).
    """

    r1: float
    r5: float
    r10: float
    median_rank: float
    mean_rank: float


@dataclass(frozen=True, slots=True)
class Ranks:
    """Rank of each query's match, from 0; float64, because mean ranks may be halves.

    Attributes:
        image_to_text: (n images,), the best among an image's sentences.
        text_to_image: (m sentences,).
    """

    image_to_text: np.ndarray
    text_to_image: np.ndarray

    def of_images(self, images: slice, owners: np.ndarray) -> "Ranks":
        """Those of some consecutive images and of the sentences that they own."""
        own = (owners >= images.start) & (owners < images.stop)
        return Ranks(self.image_to_text[images], self.text_to_image[own])


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the matches of one direction stand, before a rule about ties is chosen.

    Attributes:
        n_above: int64 (q,), items of a higher score than the query's match.
        n_level: int64 (q,), items of exactly its score that are no match.
        n_own: int64 (q,), matches of exactly its score, itself included.
    """

    n_above: np.ndarray
    n_level: np.ndarray
    n_own: np.ndarray

    def ranks(self, ties: Ties) -> np.ndarray:
        """Rank of each match from 0, float64 (q,)."""
        if ties == "pessimistic":
            return np.asarray(self.n_above + self.n_level, np.float64)
        # The first of a own among r rivals in random order stands behind r / (a + 1) of them on average.
        return np.asarray(self.n_above + self.n_level / (self.n_own + 1))


@dataclass(frozen=True, slots=True)
class Standings:
    """Both directions, image to text (n images,) and text to image (m sentences,)."""

    image_to_text: Standing
    text_to_image: Standing

    def ranks(self, ties: Ties) -> Ranks:
        """Ranks under one rule."""
        return Ranks(self.image_to_text.ranks(ties), self.text_to_image.ranks(ties))

    @property
    def n_tied(self) -> int:
        """Queries whose rank depends on the rule, because something else has exactly their match's score."""
        return int(np.count_nonzero(self.image_to_text.n_level) + np.count_nonzero(self.text_to_image.n_level))


def image_text_ranks(
    images: np.ndarray, sentences: np.ndarray, owners: np.ndarray, *, ties: Ties = "pessimistic"
) -> Ranks:
    """Ranks from embeddings, a chunk of similarities at a time, so that 5,000 x 25,000 never lies in memory at once.

    Parameters
    ----------
    images
        float32 (n, dim).
    sentences
        float32 (m, dim).
    owners
        (m,), the row in ``images`` that each sentence belongs to; every image owns at least one.

    Raises
    ------
    ValueError
        shapes do not fit, an image owns nothing, or an embedding is not finite.
    """
    if images.ndim != 2 or sentences.ndim != 2 or images.shape[1] != sentences.shape[1]:
        raise ValueError(f"expected embeddings of one width, got {images.shape} and {sentences.shape}")
    _check_owners(owners, len(images), len(sentences))
    _require_finite(images)
    _require_finite(sentences)
    return standings_in_blocks(lambda rows, columns: images[rows] @ sentences[columns].T, owners).ranks(ties)


def ranks_of_similarities(similarities: np.ndarray, owners: np.ndarray, *, ties: Ties = "pessimistic") -> Ranks:
    """Ranks from a whole similarity matrix (n images, m sentences), larger is nearer.

    Raises
    ------
    ValueError
        shapes do not fit, an image owns nothing, or a similarity is not finite.
    """
    if similarities.ndim != 2:
        raise ValueError(f"similarities must be (n images, m sentences), got shape {similarities.shape}")
    _check_owners(owners, *similarities.shape)
    return standings_in_blocks(lambda rows, columns: similarities[rows, columns], owners).ranks(ties)


def standings_in_blocks(
    score: ScoreBlock, owners: np.ndarray, *, token: CancellationToken | None = None
) -> Standings:
    """Standings both ways from similarities that are computed a block at a time.

    Parameters
    ----------
    score
        gives a block; it is asked for every similarity twice, once for each direction.
    owners
        (m,), the image that each sentence belongs to; every image from 0 to the largest owns at least one.
    token
        looked at between blocks.

    Raises
    ------
    ValueError
        an image owns nothing, or a similarity is not finite.
    Cancelled
        a stop was asked for.
    """
    n_images, n_sentences = int(owners.max(initial=-1)) + 1, len(owners)
    _check_owners(owners, n_images, n_sentences)
    everything = slice(None)
    i2t: list[Standing] = []
    for rows in _blocks(n_images, n_sentences, token):
        own = owners[None, :] == np.arange(rows.start, rows.stop)[:, None]
        i2t.append(best_standing(_finite(score(rows, everything)), own))
    t2i = [
        _only_own(_finite(score(everything, columns)).T, owners[columns])
        for columns in _blocks(n_sentences, n_images, token)
    ]
    return Standings(_joined(i2t), _joined(t2i))


def best_standing(scores: np.ndarray, own: np.ndarray) -> Standing:
    """Of each query (row of ``scores``, (b, m)) the standing of the nearest of its own items, bool (b, m), >= 1 a row.

    An own item as near as the nearest one is no rival: whichever of them stands first, the query is answered there.
    """
    best = np.where(own, scores, -np.inf).max(axis=1, keepdims=True)
    level = scores == best
    return Standing((scores > best).sum(axis=1), (level & ~own).sum(axis=1), (level & own).sum(axis=1))


def recall(ranks: np.ndarray) -> Recall:
    """Recalls, median and mean rank of one direction from ranks that count from 0."""
    if not len(ranks):
        raise ValueError("recall of no queries is not defined")
    r1, r5, r10 = (recall_at(ranks, k) for k in RECALL_AT)
    return Recall(r1, r5, r10, int(np.floor(np.median(ranks))) + 1, float(np.mean(ranks)) + 1)


def recall_at(ranks: np.ndarray, k: int) -> float:
    """Percentage of ranks (from 0) below k."""
    return 100.0 * float(np.mean(ranks < k))


def chance_recall(n_right: np.ndarray, n_items: int, k: int) -> float:
    """Percentage of queries with a right answer among k of n items drawn blindly.

    Parameters
    ----------
    n_right
        right answers of each query, int (q,), at least one.
    n_items
        items in the gallery.
    k
        places that count.
    """
    drawn = np.arange(min(k, n_items))
    # Nothing right among k: the first is wrong, and the second of those left, and so on.
    wrong = np.clip(n_items - n_right[:, None] - drawn, 0, None) / (n_items - drawn)
    return 100.0 * float(np.mean(1.0 - wrong.prod(axis=1)))


def rsum(ranks: Ranks) -> float:
    """Sum of R@1, R@5 and R@10 both ways, at most 600."""
    return sum(recall_at(side, k) for side in (ranks.image_to_text, ranks.text_to_image) for k in RECALL_AT)


def owners_of(n_sentences: Sequence[int]) -> np.ndarray:
    """Owner of each sentence, int64 (m,), from the number of sentences of each image."""
    return np.repeat(np.arange(len(n_sentences)), n_sentences)


def _blocks(n: int, width: int, token: CancellationToken | None) -> Iterator[slice]:
    """Rows 0 to n in blocks whose similarities with ``width`` others fit the memory."""
    step = max(1, _CHUNK_SCORES // max(width, 1))
    for start in range(0, n, step):
        if token is not None:
            token.check()
        yield slice(start, min(start + step, n))


def _only_own(scores: np.ndarray, targets: np.ndarray) -> Standing:
    """Of each query (row of ``scores``, (b, n)) the standing of its one target column."""
    target = np.take_along_axis(scores, targets[:, None], axis=1)
    n_level = (scores == target).sum(axis=1) - 1
    return Standing((scores > target).sum(axis=1), n_level, np.ones_like(n_level))


def _joined(parts: Sequence[Standing]) -> Standing:
    return Standing(
        np.concatenate([part.n_above for part in parts]),
        np.concatenate([part.n_level for part in parts]),
        np.concatenate([part.n_own for part in parts]),
    )


def _check_owners(owners: np.ndarray, n_images: int, n_sentences: int) -> None:
    if owners.shape != (n_sentences,) or not np.issubdtype(owners.dtype, np.integer):
        raise ValueError(f"expected an integer owner for each of {n_sentences} sentences, got {owners.shape}")
    if not np.array_equal(np.unique(owners), np.arange(n_images)):
        raise ValueError(f"every one of {n_images} images must own a sentence, and no other may be named")


def _finite(values: np.ndarray) -> np.ndarray:
    _require_finite(values)
    return values


def _require_finite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise ValueError("an embedding or similarity is not finite, so nothing can be ranked")
