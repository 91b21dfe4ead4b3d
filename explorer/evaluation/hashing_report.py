"""What measuring codes says; ``to_dict`` is its JSON, ``hashing_tables.py`` writes it as Markdown and CSV."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.evaluation.hashing import Cutoffs, DirectionScores, RankingScores
from explorer.evaluation.label_rules import LabelRule
from explorer.evaluation.visual import Visual

HASHING = "hashing"

DIRECTIONS = ("image_to_text", "text_to_image", "image_to_image", "text_to_text")
"""Who asks whom: ``image_to_text`` are photos that search sentences; of clips it is ``video_to_text`` and so on."""


@dataclass(frozen=True, slots=True)
class HashingReport:
    """One model's codes on one split and gallery, by one source of labels; all metrics in [0, 1].

    Attributes:
        model: the package's name.
        binarised: how its embeddings became codes, ``"lsh"`` or ``"itq"``; empty for a model of codes.
        dataset: name of the queries' data set.
        split: the queries' split, for example ``"val"``.
        gallery: name of the data set that is searched.
        gallery_split: its split.
        labels: where the labels come from.
        n_bits: length of a code.
        directions: by :data:`DIRECTIONS`, or what they are called for clips.
        cutoffs: where rankings were cut.
        n_items: query photos or clips, query sentences, gallery photos or clips, gallery sentences.
        rule: which labels an answer shares.
        visual: what sentences are about.
        preset: the published division, if one was followed.
        trained_on: what the model's card says it was trained on.
        notes: what a reader of the numbers must know.
    """

    model: str
    binarised: str
    dataset: str
    split: str
    gallery: str
    gallery_split: str
    labels: str
    n_bits: int
    directions: Mapping[str, DirectionScores]
    cutoffs: Cutoffs
    n_items: tuple[int, int, int, int]
    rule: LabelRule = field(default_factory=LabelRule)
    visual: Visual = Visual.IMAGE
    preset: str = ""
    trained_on: str = ""
    notes: tuple[str, ...] = ()

    @property
    def n_queries_skipped(self) -> int:
        """Photos or clips and sentences, each counted once, that found no relevant item in at least one gallery."""
        by_kind = [
            max(scores.n_skipped for name, scores in self.directions.items() if name.startswith("text_to") == is_text)
            for is_text in (False, True)
        ]
        return sum(by_kind)

    @property
    def judged_by(self) -> str:
        """Where labels come from, and by which rule."""
        return self.labels if self.rule == LabelRule() else f"{self.labels}, {self.rule.name}"

    def to_dict(self) -> dict[str, Any]:
        """What ``evaluate --protocol hashing --json`` prints; what does not apply is left out."""
        return {
            "model": self.model,
            **({"binarised": self.binarised} if self.binarised else {}),
            "dataset": self.dataset,
            "split": self.split,
            "gallery": self.gallery,
            "gallery_split": self.gallery_split,
            "protocol": HASHING,
            **({"preset": self.preset} if self.preset else {}),
            "labels": self.labels,
            **({"relevance": self.rule.name} if self.rule != LabelRule() else {}),
            "n_bits": self.n_bits,
            "n_queries_skipped": self.n_queries_skipped,
            "map_at_normaliser": self.cutoffs.normaliser,
            **{name: _direction(scores) for name, scores in self.directions.items()},
            "trained_on": self.trained_on,
            **({"notes": self.notes} if self.notes else {}),
        }


def _direction(scores: DirectionScores) -> dict[str, Any]:
    return {
        **_ranking(scores),
        "random": _number(scores.random),
        "n_queries": scores.n_queries,
        "n_queries_skipped": scores.n_skipped,
    }


def _ranking(scores: RankingScores) -> dict[str, Any]:
    return {
        "map": _number(scores.map),
        "map_tie_aware": _number(scores.map_tie_aware),
        "map_all_queries": _number(scores.map_all_queries),
        "map_at": {str(k): _number(value) for k, value in scores.map_at.items()},
        "precision_at": {str(n): _number(value) for n, value in scores.precision_at.items()},
    }


def _number(value: float) -> float | None:
    """JSON has no word for what is not a number."""
    return None if math.isnan(value) else value


def notes_on(
    directions: Mapping[str, DirectionScores],
    cutoffs: Cutoffs,
    *,
    n_gallery: int,
    n_in_gallery: int,
    visual: Visual = Visual.IMAGE,
) -> tuple[str, ...]:
    """What a reader of these numbers must know: queries that met themselves, labels that part nothing.

    Parameters
    ----------
    directions
        what was measured.
    cutoffs
        with these.
    n_gallery
        items of the smallest gallery.
    n_in_gallery
        query photos or clips that stand in the gallery, too.
    visual
        what sentences are about.
    """
    notes = []
    if n_in_gallery:
        one = "photo" if visual is Visual.IMAGE else "clip"
        notes.append(
            f"{n_in_gallery:,} query {visual.plural} are in the gallery, too: a {one} or a sentence is never searched "
            f"for itself, but a {one}'s own sentences and a sentence's own {one} count as answers."
        )
    largest = max(cutoffs.precision_at)
    if largest > n_gallery:
        notes.append(
            f"A gallery has only {n_gallery:,} items: precision@{largest} counts the places that it lacks as wrong."
        )
    if all(scores.curve.precision[-1] == 1.0 for scores in directions.values()):
        notes.append("Every item answers every query: random codes score the same as any others, 1.")
    return tuple(notes)
