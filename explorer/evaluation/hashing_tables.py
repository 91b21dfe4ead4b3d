"""Reports on codes as Markdown, and their curves by radius as CSV."""

import csv
import io
import math
from collections.abc import Iterator, Sequence

from explorer.evaluation.hashing import RankingScores
from explorer.evaluation.hashing_report import HASHING, HashingReport
from explorer.evaluation.visual import Visual

CURVE_COLUMNS = (
    "model", "binarised", "n_bits", "dataset", "split", "gallery", "gallery_split", "preset", "labels", "relevance",
    "direction", "radius", "precision", "recall",
)  # fmt: skip
"""Columns of the CSV, always these in this order; precision is empty where nothing lies within the radius."""

_NORMALISERS = {
    "found": "the relevant items among the first k",
    "possible": "the smaller of k and the number of relevant items",
}


def curves_to_csv(reports: Sequence[HashingReport]) -> str:
    """A header, then a row for each report, direction and radius."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(CURVE_COLUMNS)
    for report in reports:
        known = [*(getattr(report, name) for name in CURVE_COLUMNS[:9]), report.rule.name]
        for name, scores in report.directions.items():
            curve = scores.curve
            for radius, (precision, recall) in enumerate(zip(curve.precision, curve.recall, strict=True)):
                writer.writerow([*known, name, radius, *("" if math.isnan(x) else x for x in (precision, recall))])
    return written.getvalue()


def to_markdown(reports: Sequence[HashingReport]) -> str:
    """A section for each pair of splits and source of labels, in the order of the reports."""
    sections: dict[tuple[str, ...], list[HashingReport]] = {}
    for report in reports:
        key = (report.dataset, report.split, report.gallery, report.gallery_split, report.preset, report.judged_by)
        sections.setdefault(key, []).append(report)
    return "\n\n".join("\n\n".join(_section(of_one)) for of_one in sections.values())


def codes_named(report: HashingReport) -> str:
    """What the codes are called where several stand beside each other."""
    return f"{report.model}, {report.binarised.upper()}" if report.binarised else report.model


def _section(reports: Sequence[HashingReport]) -> Iterator[str]:
    first = reports[0]
    photos, sentences, gallery_photos, gallery_sentences = first.n_items
    protocol = f"{HASHING}, {first.preset}" if first.preset else HASHING
    yield (
        f"{first.dataset} {first.split} against {first.gallery} {first.gallery_split}, {protocol}, "
        f"labels: {first.judged_by}"
    )
    things, one = first.visual.plural, "photo" if first.visual is Visual.IMAGE else "clip"
    yield (
        f"{photos:,} {things} and {sentences:,} sentences search {gallery_photos:,} {things} and "
        f"{gallery_sentences:,} sentences. Relevant is what {first.rule.said}; a sentence has its {one}'s. Means over "
        "queries with a relevant item, from 0 to 1; mAP over all positions, ties in the order of the items or, "
        "tie-aware, over all orders; "
        f"mAP@k is divided by {_NORMALISERS[first.cutoffs.normaliser]}."
    )
    yield _table(reports)
    for extra in (*dict.fromkeys(note for report in reports for note in report.notes), _trained(reports)):
        if extra:
            yield extra


def _table(reports: Sequence[HashingReport]) -> str:
    cutoffs = reports[0].cutoffs
    any_skipped = any(scores.n_skipped for report in reports for scores in report.directions.values())
    header = [
        "", "codes", "bits", "mAP tie-aware", "mAP", *(f"mAP@{k}" for k in cutoffs.map_at),
        *(f"precision@{n}" for n in cutoffs.precision_at), *(["mAP, skipped as 0"] if any_skipped else []),
        "queries", "skipped",
    ]  # fmt: skip
    lines = [header, ["---"] * len(header)]
    # Random codes are the same for all codes of one length.
    of_length = {report.n_bits: report for report in reports}
    for name in reports[0].directions:
        rows: list[tuple[str, HashingReport, RankingScores]] = [
            *((codes_named(report), report, report.directions[name]) for report in reports),
            *(("random codes", report, report.directions[name].random_codes) for report in of_length.values()),
        ]
        for codes, report, scores in rows:
            whole = report.directions[name]
            counts = (f"{whole.n_queries:,}", f"{whole.n_skipped:,}")
            numbers = _numbers(scores, any_skipped)
            lines.append([name.replace("_", " "), codes, str(report.n_bits), *numbers, *counts])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _numbers(scores: RankingScores, any_skipped: bool) -> Iterator[str]:
    values = [scores.map_tie_aware, scores.map, *scores.map_at.values(), *scores.precision_at.values()]
    if any_skipped:
        values.append(scores.map_all_queries)
    return ("-" if math.isnan(value) else f"{value:.3f}" for value in values)


def _trained(reports: Sequence[HashingReport]) -> str:
    said = {report.model: report.trained_on for report in reports if report.trained_on}
    return "\n".join(f"{model} was trained on: {what}" for model, what in said.items())
