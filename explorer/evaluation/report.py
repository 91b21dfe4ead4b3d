"""What an evaluation says; ``to_dict`` is its JSON, ``tables.py`` writes the same numbers as Markdown and CSV."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from explorer.evaluation.comparison import PairedDifference
from explorer.evaluation.image_text import Ranks, Recall, Ties, recall, rsum
from explorer.evaluation.judging import JudgedRecall, JudgedRelevance
from explorer.evaluation.timing import QueryTiming
from explorer.evaluation.visual import Visual


@dataclass(frozen=True, slots=True)
class Scores:
    """Recall both ways under one rule about ties, in percent.

    Attributes:
        image_to_text: an image asks for its sentences.
        text_to_image: a sentence asks for its image.
        rsum: sum of the six recalls.
    """

    image_to_text: Recall
    text_to_image: Recall
    rsum: float

    @classmethod
    def from_ranks(cls, ranks: Ranks) -> "Scores":
        """Scores of one fold."""
        return cls(recall(ranks.image_to_text), recall(ranks.text_to_image), rsum(ranks))

    @classmethod
    def mean_of(cls, folds: Sequence["Scores"]) -> "Scores":
        """The mean of every number over the folds, medians included, as vsepp and its heirs have it."""
        if len(folds) == 1:
            return folds[0]
        return cls(
            _mean_recall([fold.image_to_text for fold in folds]),
            _mean_recall([fold.text_to_image for fold in folds]),
            float(np.mean([fold.rsum for fold in folds])),
        )


@dataclass(frozen=True, slots=True)
class OtherTies:
    """The numbers under the other rule about ties.

    Attributes:
        ties: the rule.
        n_tied: queries, of both directions, whose rank depends on the rule.
        image_to_text: as in :class:`Scores`.
        text_to_image: as in :class:`Scores`.
        rsum: as in :class:`Scores`.
    """

    ties: Ties
    n_tied: int
    image_to_text: Recall
    text_to_image: Recall
    rsum: float


@dataclass(frozen=True, slots=True)
class Margin:
    """RSum of an ensemble less that of its better member, photos paired."""

    over: str
    difference: float
    low: float
    high: float
    confidence: float
    share_above_zero: float

    @classmethod
    def over_member(cls, name: str, paired: PairedDifference) -> "Margin":
        """Name whom the difference is to."""
        return cls(name, paired.difference, paired.low, paired.high, paired.confidence, paired.share_above_zero)


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Recall of one model, or ensemble, on one split, in percent.

    Attributes:
        model: the package's name; of an ensemble the names joined by " + ".
        dataset: the data set's name.
        split: for example ``"val"``.
        protocol: ``"image-sentence"``, ``"coco-1k"``, ...
        image_to_text: an image asks for its sentences; over folds: the mean.
        text_to_image: a sentence asks for its image; over folds: the mean.
        rsum: sum of the six recalls.
        ties: the rule about equal scores that all numbers above follow.
        n_images: photos, of all folds together.
        n_sentences: sentences.
        trained_on: what the model's card says it was trained on; empty where it does not say.
        other_ties: the other rule's numbers, where they can differ.
        folds: each fold's numbers, where there are several.
        members: names of an ensemble's members.
        margin: of an ensemble, over its better member.
        eccv: ECCV Caption, where asked for.
        cxc: CrissCrossed Captions between images and sentences, where its files lie beside ECCV Caption's.
        timing: times of a query, where asked for.
        visual: what sentences are about; where it is not photos, the keys of :meth:`to_dict` say so.
        chance: of clips, what a blind order gets on average.
        equivalents: where asked for, recall if what fits equally well counts, too.
        equivalents_chance: what a blind order gets then.
        notes: what a reader of the numbers must know.
    """

    model: str
    dataset: str
    split: str
    protocol: str
    image_to_text: Recall
    text_to_image: Recall
    rsum: float
    ties: Ties = "pessimistic"
    n_images: int = 0
    n_sentences: int = 0
    trained_on: str = ""
    other_ties: OtherTies | None = None
    folds: tuple[Scores, ...] = ()
    members: tuple[str, ...] = ()
    margin: Margin | None = None
    eccv: JudgedRelevance | None = None
    cxc: JudgedRecall | None = None
    timing: QueryTiming | None = None
    visual: Visual = Visual.IMAGE
    chance: JudgedRecall | None = None
    equivalents: JudgedRecall | None = None
    equivalents_chance: JudgedRecall | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def from_ranks(cls, ranks: Ranks, *, model: str, dataset: str, split: str, protocol: str) -> "EvaluationReport":
        """Report on the ranks of one model, all photos being one fold."""
        scores = Scores.from_ranks(ranks)
        return cls(
            model,
            dataset,
            split,
            protocol,
            scores.image_to_text,
            scores.text_to_image,
            scores.rsum,
            n_images=len(ranks.image_to_text),
            n_sentences=len(ranks.text_to_image),
        )

    def to_dict(self) -> dict[str, Any]:
        """What ``evaluate --json`` prints: keys in this order, those left out that nobody asked for."""
        given = {key: value for key, value in asdict(self).items() if key not in _OPTIONAL or value not in (None, ())}
        del given["visual"]
        named: dict[str, Any] = _renamed(given, _KEYS[self.visual])
        return named


_OPTIONAL = frozenset({
    "other_ties", "folds", "members", "margin", "eccv", "cxc", "timing", "chance", "equivalents", "equivalents_chance",
    "notes",
})  # fmt: skip

_KEYS: dict[Visual, dict[str, str]] = {
    visual: {
        "image_to_text": f"{visual.value}_to_text",
        "text_to_image": f"text_to_{visual.value}",
        "n_images": f"n_{visual.value}s",
    }
    for visual in Visual
}


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_renamed(inner, names) for inner in value)
    return value


def _mean_recall(folds: Sequence[Recall]) -> Recall:
    return Recall(*(float(np.mean([getattr(fold, name) for fold in folds])) for name in Recall.__slots__))
