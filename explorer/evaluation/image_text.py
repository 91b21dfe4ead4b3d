"""Image-text recall as the field measures it (VSE++, SCAN, VSE-infinity, 3SHNet).

Image to text: the rank of an image is the best rank among its own sentences. Text to image: the rank of a sentence is
that of its image. R@K is the share of queries whose rank is below K, counting from 0; rSum is the sum of six recalls.
Who owns a sentence is said by an array, never by index arithmetic, so images may have any number of sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

RECALL_AT = (1, 5, 10)

Ties = Literal["pessimistic", "mean"]
"""Where an item stands among others of exactly its score: after all of them, or in their middle.

The papers' code leaves this to an unstable sort. A collapsed model, whose scores are all equal, gets nearly nothing
from the pessimistic rule.
"""

_CHUNK_SCORES = 1 << 24


@dataclass(frozen=True, slots=True)
class Recall:
    """Recall in one direction.

    Attributes:
        r1: percentage of queries whose match comes first.
        r5: among the first five.
        r10: among the first ten.
        median_rank: floor of the median rank, counted from 1.
    """

    r1: float
    r5: float
    r10: float
    median_rank: int


@dataclass(frozen=True, slots=True)
class Ranks:
    """Rank of each query's match, from 0; float64, because mean ranks may be halves.

    Attributes:
        image_to_text: (n images,), the best among an image's sentences.
        text_to_image: (m sentences,).
    """

    image_to_text: np.ndarray
    text_to_image: np.ndarray


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
    _check_owners(owners, len(images), len(sentences))
    if images.ndim != 2 or sentences.ndim != 2 or images.shape[1] != sentences.shape[1]:
        raise ValueError(f"expected embeddings of one width, got {images.shape} and {sentences.shape}")
    _require_finite(images)
    _require_finite(sentences)
    n_images, n_sentences = len(images), len(sentences)
    i2t, t2i = np.empty(n_images), np.empty(n_sentences)
    step = max(1, _CHUNK_SCORES // max(n_sentences, 1))
    for start in range(0, n_images, step):
        rows = slice(start, min(start + step, n_images))
        i2t[rows] = _best_own_ranks(images[rows] @ sentences.T, np.arange(rows.start, rows.stop), owners, ties)
    step = max(1, _CHUNK_SCORES // max(n_images, 1))
    for start in range(0, n_sentences, step):
        rows = slice(start, min(start + step, n_sentences))
        t2i[rows] = _ranks_of(sentences[rows] @ images.T, owners[rows], ties)
    return Ranks(i2t, t2i)


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
    _require_finite(similarities)
    images = np.arange(len(similarities))
    return Ranks(_best_own_ranks(similarities, images, owners, ties), _ranks_of(similarities.T, owners, ties))


def recall(ranks: np.ndarray) -> Recall:
    """Recalls and median rank of one direction from ranks that count from 0."""
    if not len(ranks):
        raise ValueError("recall of no queries is not defined")
    r1, r5, r10 = (recall_at(ranks, k) for k in RECALL_AT)
    return Recall(r1, r5, r10, int(np.floor(np.median(ranks))) + 1)


def recall_at(ranks: np.ndarray, k: int) -> float:
    """Percentage of ranks (from 0) below k."""
    return 100.0 * float(np.mean(ranks < k))


def rsum(ranks: Ranks) -> float:
    """Sum of R@1, R@5 and R@10 both ways, at most 600."""
    return sum(recall_at(side, k) for side in (ranks.image_to_text, ranks.text_to_image) for k in RECALL_AT)


def owners_of(n_sentences: Sequence[int]) -> np.ndarray:
    """Owner of each sentence, int64 (m,), from the number of sentences of each image."""
    return np.repeat(np.arange(len(n_sentences)), n_sentences)


def _best_own_ranks(scores: np.ndarray, images: np.ndarray, owners: np.ndarray, ties: Ties) -> np.ndarray:
    """Of each image (row of ``scores``, (b, m)) the rank of its nearest own sentence.

    An own sentence as near as the nearest one is no rival: whichever of them stands first, the image is found there.
    """
    own = owners[None, :] == images[:, None]
    best = np.where(own, scores, -np.inf).max(axis=1, keepdims=True)
    n_above = (scores > best).sum(axis=1)
    n_rivals = ((scores == best) & ~own).sum(axis=1)
    if ties == "pessimistic":
        return np.asarray(n_above + n_rivals, np.float64)
    # The first of a own among r rivals in random order stands behind r / (a + 1) of them on average.
    n_own = ((scores == best) & own).sum(axis=1)
    return np.asarray(n_above + n_rivals / (n_own + 1))


def _ranks_of(scores: np.ndarray, targets: np.ndarray, ties: Ties) -> np.ndarray:
    """Of each query (row of ``scores``, (b, n)) the rank of its one target column."""
    target = np.take_along_axis(scores, targets[:, None], axis=1)
    n_above = (scores > target).sum(axis=1)
    n_rivals = (scores == target).sum(axis=1) - 1
    return np.asarray(n_above + (n_rivals if ties == "pessimistic" else n_rivals / 2), np.float64)


def _check_owners(owners: np.ndarray, n_images: int, n_sentences: int) -> None:
    if owners.shape != (n_sentences,) or not np.issubdtype(owners.dtype, np.integer):
        raise ValueError(f"expected an integer owner for each of {n_sentences} sentences, got {owners.shape}")
    if not np.array_equal(np.unique(owners), np.arange(n_images)):
        raise ValueError(f"every one of {n_images} images must own a sentence, and no other may be named")


def _require_finite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise ValueError("an embedding or similarity is not finite, so nothing can be ranked")
