"""Reports as Markdown and as CSV: the numbers of ``EvaluationReport.to_dict``, for reading and for a spreadsheet."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from explorer.evaluation.image_text import Recall
from explorer.evaluation.judging import JudgedRecall, RecallScores
from explorer.evaluation.report import EvaluationReport, Margin, OtherTies, Scores

_RECALL_COLUMNS = ("r1", "r5", "r10", "median_rank", "mean_rank")
_RELEVANCE_COLUMNS = ("map_at_r", "r_precision", "r1", "n_queries")
_JUDGED_RECALL_COLUMNS = ("r1", "r5", "r10", "n_queries")
_MARGIN_COLUMNS = ("over", "difference", "low", "high", "confidence", "share_above_zero")
_TIMING_COLUMNS = (
    "n_items", "dim", "n_queries", "encode_ms", "score_ms", "sort_ms", "product_ms", "kpps", "kpps_search",
    *(f"best_{name}" for name in ("encode_ms", "score_ms", "sort_ms", "product_ms", "kpps", "kpps_search")),
)  # fmt: skip
_SIDES = ("image_to_text", "text_to_image")

CSV_COLUMNS = (
    "model", "dataset", "split", "protocol", "part", "ties",
    *(f"{side}_{name}" for side in _SIDES for name in _RECALL_COLUMNS),
    "rsum", "items", "n_images", "n_sentences", "n_tied", "trained_on", "members",
    *(f"margin_{name}" for name in _MARGIN_COLUMNS),
    *(f"eccv_{side}_{name}" for side in _SIDES for name in _RELEVANCE_COLUMNS),
    *(f"cxc_{side}_{name}" for side in _SIDES for name in _JUDGED_RECALL_COLUMNS),
    *(f"equivalents_{side}_{name}" for side in _SIDES for name in _JUDGED_RECALL_COLUMNS),
    *(f"timing_{name}" for name in _TIMING_COLUMNS),
    "notes",
)  # fmt: skip
"""Columns of the CSV, always these in this order; ``part`` is ``all``, ``mean of folds``, ``fold 1``, ..., ``chance``.

``items`` says whether an image is a photo or a clip.
"""


def to_csv(reports: Sequence[EvaluationReport]) -> str:
    """A header, then a row for each report, one for the other rule about ties, and one for each fold."""
    written = io.StringIO()
    writer = csv.DictWriter(written, CSV_COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for report in reports:
        writer.writerows(_csv_rows(report))
    return written.getvalue()


def to_markdown(reports: Sequence[EvaluationReport]) -> str:
    """A section for each data set, split and protocol, in the order of the reports."""
    sections: dict[tuple[str, str, str], list[EvaluationReport]] = {}
    for report in reports:
        sections.setdefault((report.dataset, report.split, report.protocol), []).append(report)
    return "\n\n".join("\n\n".join(_section(of_one)) for of_one in sections.values())


def _csv_rows(report: EvaluationReport) -> Iterator[dict[str, Any]]:
    known = {name: getattr(report, name) for name in ("model", "dataset", "split", "protocol")}
    extras: dict[str, Any] = {
        "items": report.visual.plural,
        "n_images": report.n_images,
        "n_sentences": report.n_sentences,
        "n_tied": report.other_ties.n_tied if report.other_ties else 0,
        "trained_on": report.trained_on,
        "members": " + ".join(report.members),
        "notes": " ".join(report.notes),
    }
    for name, part in (("margin", report.margin), ("timing", report.timing)):
        if part is not None:
            extras |= _flattened(asdict(part), before=f"{name}_")
    for name, judged in (("eccv", report.eccv), ("cxc", report.cxc), ("equivalents", report.equivalents)):
        if judged is not None:
            extras |= _flattened(asdict(judged), before=f"{name}_")
    whole = "mean of folds" if report.folds else "all"
    yield {**known, "part": whole, "ties": report.ties, **_flat(report), **extras}
    if report.other_ties is not None:
        yield {**known, "part": whole, "ties": report.other_ties.ties, **_flat(report.other_ties)}
    for number, fold in enumerate(report.folds, start=1):
        yield {**known, "part": f"fold {number}", "ties": report.ties, **_flat(fold)}
    if report.chance is not None:
        expected = {name: value for name, value in _flattened(asdict(report.chance)).items() if name in CSV_COLUMNS}
        if report.equivalents_chance is not None:
            expected |= _flattened(asdict(report.equivalents_chance), before="equivalents_")
        yield {**known, "part": "chance", **expected}


def _flat(scores: EvaluationReport | OtherTies | Scores) -> dict[str, Any]:
    return _flattened({side: asdict(getattr(scores, side)) for side in _SIDES} | {"rsum": scores.rsum})


def _flattened(nested: Mapping[str, Any], *, before: str = "") -> dict[str, Any]:
    """One level, inner keys behind outer ones: ``{"best": {"sort_ms": 1}}`` to ``{"best_sort_ms": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in nested.items():
        flat |= _flattened(value, before=f"{before}{key}_") if isinstance(value, Mapping) else {before + key: value}
    return flat


def _section(reports: Sequence[EvaluationReport]) -> Iterator[str]:
    first = reports[0]
    yield f"{first.dataset} {first.split}, {first.protocol}"
    yield (
        f"{first.n_images:,} {first.visual.plural}, {first.n_sentences:,} sentences. Recall in percent, median and "
        "mean rank; "
        f"{'; '.join(dict.fromkeys(_ties_said(report) for report in reports))}."
    )
    yield _recall_table(reports)
    for extra in (_margins(reports), _judged(reports), _timings(reports), _trained(reports)):
        if extra:
            yield extra
    if notes := dict.fromkeys(note for report in reports for note in report.notes):
        yield "\n".join(notes)


def _ties_said(report: EvaluationReport) -> str:
    if report.other_ties is None:
        return "nothing is tied" if report.n_images else f"ties {report.ties}"
    return f"ties {report.ties}, and {report.other_ties.ties} beside them where scores are equal"


def _recall_table(reports: Sequence[EvaluationReport]) -> str:
    seen = reports[0].visual.value
    lines = [
        f"| model | {seen} to text R@1 / 5 / 10 | median, mean | text to {seen} R@1 / 5 / 10 | median, mean | rSum |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for report in reports:
        over = f", mean of {len(report.folds)} folds" if report.folds else ""
        lines.append(_recall_line(f"{report.model}{over}", report))
        if report.other_ties is not None:
            lines.append(_recall_line(f"{report.model}{over}, ties {report.other_ties.ties}", report.other_ties))
        lines += [
            _recall_line(f"{report.model}, fold {number}", fold) for number, fold in enumerate(report.folds, start=1)
        ]
    if reports[0].chance is not None:
        lines.append(_chance_line(reports[0].chance))
    return "\n".join(lines)


def _chance_line(chance: JudgedRecall) -> str:
    sides = [_recalls(side) for side in (chance.image_to_text, chance.text_to_image)]
    total = sum(side.r1 + side.r5 + side.r10 for side in (chance.image_to_text, chance.text_to_image))
    return f"| chance | {sides[0]} | - | {sides[1]} | - | {total:.1f} |"


def _recall_line(name: str, scores: EvaluationReport | OtherTies | Scores) -> str:
    sides = (f"{_recalls(side)} | {_ranks(side)}" for side in (scores.image_to_text, scores.text_to_image))
    return f"| {name} | {' | '.join(sides)} | {scores.rsum:.1f} |"


def _recalls(side: Recall | RecallScores) -> str:
    return f"{side.r1:.1f} / {side.r5:.1f} / {side.r10:.1f}"


def _ranks(side: Recall) -> str:
    return f"{side.median_rank:g}, {side.mean_rank:.1f}"


def _margins(reports: Sequence[EvaluationReport]) -> str:
    return "\n".join(_margin_said(report.model, report.margin) for report in reports if report.margin is not None)


def _margin_said(model: str, margin: Margin) -> str:
    return (
        f"{model} less {margin.over}: {margin.difference:+.1f} rSum "
        f"({100 * margin.confidence:.0f} % over photos, paired: {margin.low:+.1f} to {margin.high:+.1f})."
    )


def _judged(reports: Sequence[EvaluationReport]) -> str:
    tables = []
    if any(report.eccv for report in reports):
        rows = [
            f"| {report.model} | {side.replace('_', ' ')} | {scores.map_at_r:.2f} | {scores.r_precision:.2f} "
            f"| {scores.r1:.2f} | {scores.n_queries:,} |"
            for report in reports
            if report.eccv is not None
            for side, scores in zip(_SIDES, (report.eccv.image_to_text, report.eccv.text_to_image), strict=True)
        ]
        header = "| ECCV Caption | | mAP@R | R-Precision | R@1 | queries |\n| --- | --- | --- | --- | --- | --- |"
        tables.append("\n".join([header, *rows]))
    if any(report.cxc for report in reports):
        rows = [
            f"| {report.model} | {side.replace('_', ' ')} | {scores.r1:.2f} | {scores.r5:.2f} | {scores.r10:.2f} "
            f"| {scores.n_queries:,} |"
            for report in reports
            if report.cxc is not None
            for side, scores in zip(_SIDES, (report.cxc.image_to_text, report.cxc.text_to_image), strict=True)
        ]
        header = "| CrissCrossed Captions | | R@1 | R@5 | R@10 | queries |\n| --- | --- | --- | --- | --- | --- |"
        tables.append("\n".join([header, *rows]))
    if any(report.equivalents for report in reports):
        tables.append(_equivalents(reports))
    return "\n\n".join(tables)


def _equivalents(reports: Sequence[EvaluationReport]) -> str:
    seen = reports[0].visual.value
    rows = [(report.model, report.equivalents) for report in reports] + [("chance", reports[0].equivalents_chance)]
    lines = [
        f"| what fits equally counts | {seen} to text R@1 / 5 / 10 | text to {seen} R@1 / 5 / 10 |",
        "| --- | --- | --- |",
        *(
            f"| {name} | {_recalls(scores.image_to_text)} | {_recalls(scores.text_to_image)} |"
            for name, scores in rows
            if scores is not None
        ),
    ]
    return "\n".join(lines)


def _timings(reports: Sequence[EvaluationReport]) -> str:
    rows = [
        f"| {report.model} | {timing.n_items:,} x {timing.dim} | {timing.encode_ms:.3f} | {timing.score_ms:.3f} "
        f"| {timing.sort_ms:.3f} | {timing.kpps:.3f} | {timing.kpps_search:.3f} |"
        for report in reports
        if (timing := report.timing) is not None
    ]
    header = (
        "| one sentence at a time | photos | encode ms | score ms | sort ms | Kpps | Kpps without encoding |\n"
        "| --- | --- | --- | --- | --- | --- | --- |"
    )
    return "\n".join([header, *rows]) if rows else ""


def _trained(reports: Sequence[EvaluationReport]) -> str:
    return "\n".join(
        f"{report.model} was trained on: {report.trained_on}" for report in reports if report.trained_on
    )
