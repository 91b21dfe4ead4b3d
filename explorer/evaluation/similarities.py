"""Similarities of photos and sentences as one model, or the mean of several, gives them: a block at a time.

An ensemble is the mean of its members' similarity matrices (papers.md 3.9); a hybrid is the ensemble of a region and a
grid model. Neither needs embeddings of one width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError
from explorer.evaluation.image_text import Ranks, Standing, Standings, image_text_ranks, standings_in_blocks


@dataclass(frozen=True, slots=True)
class EncodedPairs:
    """A data set as one model sees it.

    Attributes:
        images: float32 (n, dim); or, with ``firsts``, a row for each shot of n clips.
        sentences: float32 (m, dim).
        owners: int64 (m,), photo or clip that each sentence belongs to.
        firsts: int64 (n + 1,): the rows of clip i are ``firsts[i]`` to ``firsts[i + 1]``, at least one, and its
            similarity to a sentence is that of the best of them. None where each has one row.
    """

    images: np.ndarray
    sentences: np.ndarray
    owners: np.ndarray
    firsts: np.ndarray | None = None

    @property
    def n_images(self) -> int:
        """Photos or clips."""
        return len(self.images) if self.firsts is None else len(self.firsts) - 1

    def score(self, images: slice | np.ndarray, sentences: slice | np.ndarray) -> np.ndarray:
        """Similarities of these photos or clips and sentences, float32 (b, c)."""
        if self.firsts is None:
            return np.asarray(self.images[images] @ self.sentences[sentences].T)
        rows, starts = self._rows_of(self.firsts, images)
        return np.maximum.reduceat(self.images[rows] @ self.sentences[sentences].T, starts, axis=0)

    def of(self, images: slice, sentences: np.ndarray) -> "EncodedPairs":
        """Consecutive photos or clips, and sentences that belong to them."""
        owners = self.owners[sentences] - images.start
        if self.firsts is None:
            return EncodedPairs(self.images[images], self.sentences[sentences], owners)
        rows, starts = self._rows_of(self.firsts, images)
        return EncodedPairs(self.images[rows], self.sentences[sentences], owners, np.append(starts, len(rows)))

    def ranks(self) -> Ranks:
        """Ranks both ways, ties pessimistic."""
        if self.firsts is None:
            return image_text_ranks(self.images, self.sentences, self.owners)
        return standings_in_blocks(self.score, self.owners).ranks("pessimistic")

    def _rows_of(self, firsts: np.ndarray, images: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows of some clips, one clip after the other, and where each clip's begin among them."""
        chosen = np.arange(self.n_images)[images]
        counts = firsts[chosen + 1] - firsts[chosen]
        starts = np.cumsum(counts) - counts
        return np.repeat(firsts[chosen] - starts, counts) + np.arange(counts.sum()), starts


@dataclass(frozen=True, slots=True)
class Similarities:
    """The mean of one or more models' similarity matrices (n images, m sentences), never held as a whole.

    Attributes:
        members: the same photos and sentences as each model sees them.
    """

    members: tuple[EncodedPairs, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("expected at least one model's embeddings, got none")
        for member in self.members[1:]:
            if member.n_images != self.n_images or not np.array_equal(member.owners, self.owners):
                raise ConfigError(
                    f"The models of an ensemble must be measured on the same photos and sentences, but one has "
                    f"{self.n_images} and {len(self.owners)}, another {member.n_images} and "
                    f"{len(member.owners)}.",
                    "Give both the same data set and split.",
                )

    @property
    def owners(self) -> np.ndarray:
        """Owner of each sentence, int64 (m,)."""
        return self.members[0].owners

    @property
    def n_images(self) -> int:
        """Photos or clips."""
        return self.members[0].n_images

    def score(self, images: slice | np.ndarray, sentences: slice | np.ndarray) -> np.ndarray:
        """Similarities of these photos and sentences (their rows), float32 (b, c)."""
        total = self.members[0].score(images, sentences)
        for member in self.members[1:]:
            total += member.score(images, sentences)
        if len(self.members) > 1:
            total /= len(self.members)
        return total

    def of_fold(self, images: slice) -> tuple["Similarities", np.ndarray]:
        """The photos of a fold with their sentences alone, and which sentences those are, int64 (c,)."""
        kept = np.flatnonzero((self.owners >= images.start) & (self.owners < images.stop))
        return Similarities(tuple(member.of(images, kept) for member in self.members)), kept


def standings_of(
    similarities: Similarities, *, n_folds: int = 1, token: CancellationToken | None = None
) -> Standings:
    """Where each query's match stands among the items of its own fold, in the order of the whole data set.

    Folds are consecutive photos in file order, as COCO 1K has them (papers.md 3.9, 4.1): no shuffling, no best fold.

    Raises
    ------
    ConfigError
        the photos cannot be cut into so many folds of one size.
    ValueError
        an embedding is not finite.
    Cancelled
        a stop was asked for.
    """
    folds = fold_slices(similarities.n_images, n_folds)
    if len(folds) == 1:
        return standings_in_blocks(similarities.score, similarities.owners, token=token)
    i2t, t2i = _empty(similarities.n_images), _empty(len(similarities.owners))
    for fold in folds:
        part, sentences = similarities.of_fold(fold)
        found = standings_in_blocks(part.score, part.owners, token=token)
        _put(i2t, fold, found.image_to_text)
        _put(t2i, sentences, found.text_to_image)
    return Standings(i2t, t2i)


def fold_slices(n_images: int, n_folds: int) -> Sequence[slice]:
    """Consecutive folds of one size.

    Raises
    ------
    ConfigError
        ``n_images`` is not a multiple of ``n_folds``.
    """
    if n_folds < 1 or n_images % n_folds:
        divisors = [str(n) for n in range(2, 11) if n_images % n == 0]
        raise ConfigError(
            f"{n_images:,} photos cannot be cut into {n_folds} folds of one size.",
            f"Numbers that do: {', '.join(divisors)}." if divisors else "Measure them as one fold.",
        )
    size = n_images // n_folds
    return [slice(start, start + size) for start in range(0, n_images, size)]


def _empty(n: int) -> Standing:
    return Standing(*(np.empty(n, np.int64) for _ in range(3)))


def _put(whole: Standing, where: slice | np.ndarray, part: Standing) -> None:
    whole.n_above[where], whole.n_level[where], whole.n_own[where] = part.n_above, part.n_level, part.n_own
