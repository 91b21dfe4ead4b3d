"""What an evaluation says, as JSON and as a table."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from explorer.evaluation.image_text import Ranks, Recall, recall, rsum


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Recall of one model on one split, in percent.

    Attributes:
        model: the package's name.
        dataset: the data set's name.
        split: for example ``"val"``.
        protocol: ``"image-sentence"``.
        image_to_text: an image asks for its sentences.
        text_to_image: a sentence asks for its image.
        rsum: sum of the six recalls.
    """

    model: str
    dataset: str
    split: str
    protocol: str
    image_to_text: Recall
    text_to_image: Recall
    rsum: float

    @classmethod
    def from_ranks(cls, ranks: Ranks, *, model: str, dataset: str, split: str, protocol: str) -> "EvaluationReport":
        """Report on the ranks of one model."""
        both = recall(ranks.image_to_text), recall(ranks.text_to_image)
        return cls(model, dataset, split, protocol, *both, rsum(ranks))

    def to_dict(self) -> dict[str, Any]:
        """What ``evaluate --json`` prints; the order of the keys is fixed."""
        return asdict(self)

    def to_markdown(self) -> str:
        """A table of one row, with a line of what was measured on what."""
        return f"{self.dataset} {self.split}, {self.protocol}\n\n{to_markdown([self])}"


def to_markdown(reports: Sequence[EvaluationReport]) -> str:
    """One table, a row a model."""
    lines = [
        "| model | image to text R@1 / 5 / 10 | median | text to image R@1 / 5 / 10 | median | rSum |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {report.model} | {_recalls(report.image_to_text)} | {report.image_to_text.median_rank} "
        f"| {_recalls(report.text_to_image)} | {report.text_to_image.median_rank} | {report.rsum:.1f} |"
        for report in reports
    ]
    return "\n".join(lines)


def _recalls(side: Recall) -> str:
    return f"{side.r1:.1f} / {side.r5:.1f} / {side.r10:.1f}"
