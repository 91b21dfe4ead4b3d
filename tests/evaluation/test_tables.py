"""The same numbers as JSON, CSV and Markdown."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from explorer.evaluation.comparison import paired_bootstrap
from explorer.evaluation.image_text import owners_of
from explorer.evaluation.judging import JudgedRecall, JudgedRelevance, RecallScores, RelevanceScores
from explorer.evaluation.protocols import RetrievalProtocol, measure
from explorer.evaluation.report import EvaluationReport, Margin
from explorer.evaluation.similarities import EncodedPairs, Similarities
from explorer.evaluation.tables import CSV_COLUMNS, to_csv, to_markdown
from explorer.evaluation.timing import BestTimes, QueryTiming


@pytest.fixture
def full() -> EvaluationReport:
    """A report with everything that can be asked for, and ties."""
    rng = np.random.default_rng(0)
    owners = owners_of([5] * 20)
    images, sentences = (rng.integers(-1, 2, (n, 3)).astype(np.float32) for n in (20, 100))
    similarities = Similarities((EncodedPairs(images, sentences, owners),))
    measured = measure(similarities, RetrievalProtocol("image-sentence", 2), model="a + b", dataset="d", split="val")
    ranks = measured.standings.ranks("pessimistic"), measured.standings.ranks("mean")
    return replace(
        measured.report,
        trained_on='photos, "many"',
        members=("a", "b"),
        margin=Margin.over_member("a", paired_bootstrap(*ranks, owners)),
        eccv=JudgedRelevance(RelevanceScores(23.99, 33.8, 71.3, 1261), RelevanceScores(31.96, 41.8, 73.0, 1332)),
        cxc=JudgedRecall(RecallScores(58.0, 81.4, 88.6, 5000), RecallScores(38.3, 63.9, 74.3, 25000)),
        equivalents=JudgedRecall(RecallScores(7.25, 8.0, 9.0, 20), RecallScores(17.5, 18.0, 19.0, 100)),
        timing=QueryTiming(20, 3, 9, 4.5, 0.25, 0.125, 0.2, 0.2, 2.5, BestTimes(4, 0.2, 0.1, 0.05, 3, 7)),
        notes=("Not to be compared.",),
    )


def flat(document: dict[str, object], *, before: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            found |= flat(value, before=f"{before}{key}_")
        else:
            found[before + key] = value
    return found


def test_csv_has_the_numbers_of_the_json(full: EvaluationReport) -> None:
    document = json.loads(json.dumps(full.to_dict()))
    rows = list(csv.DictReader(io.StringIO(to_csv([full]))))
    assert [(row["part"], row["ties"]) for row in rows] == [
        ("mean of folds", "pessimistic"),
        ("mean of folds", "mean"),
        ("fold 1", "pessimistic"),
        ("fold 2", "pessimistic"),
    ]
    other, folds = document.pop("other_ties"), document.pop("folds")
    n_tied = other.pop("n_tied")
    said = {"members": "a + b", "notes": "Not to be compared.", "n_tied": n_tied, "part": "mean of folds"}
    said["items"] = "photos"
    expected = {key: str(value) for key, value in (flat(document) | said).items()}
    assert {key: rows[0][key] for key in CSV_COLUMNS} == expected
    for row, part in zip(rows[1:], [other, *folds], strict=True):
        for key, value in flat(part).items():
            assert row[key] == str(value)


def test_json_keys_have_one_order(full: EvaluationReport) -> None:
    assert list(full.to_dict()) == [
        "model", "dataset", "split", "protocol", "image_to_text", "text_to_image", "rsum",
        "ties", "n_images", "n_sentences", "trained_on",
        "other_ties", "folds", "members", "margin", "eccv", "cxc", "timing", "equivalents",
        "notes",
    ]  # fmt: skip
    assert list(full.to_dict()["other_ties"]) == ["ties", "n_tied", "image_to_text", "text_to_image", "rsum"]


def test_csv_columns_are_the_same_whatever_is_measured(full: EvaluationReport) -> None:
    plain = replace(full, other_ties=None, folds=(), members=(), margin=None)
    plain = replace(plain, eccv=None, cxc=None, timing=None, equivalents=None, notes=())
    (row,) = csv.DictReader(io.StringIO(to_csv([plain])))
    assert tuple(row) == CSV_COLUMNS
    assert row["part"] == "all"
    assert row["margin_over"] == row["eccv_text_to_image_map_at_r"] == row["timing_kpps"] == row["notes"] == ""
    assert to_csv([]).splitlines() == [",".join(CSV_COLUMNS)]


def test_markdown_says_everything(full: EvaluationReport) -> None:
    text = to_markdown([full])
    assert text.startswith("d val, image-sentence\n\n20 photos, 100 sentences.")
    names = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("| a + b")]
    over = "a + b, mean of 2 folds"
    assert names[:4] == [over, f"{over}, ties mean", "a + b, fold 1", "a + b, fold 2"]
    assert f"{full.rsum:.1f} |" in text
    assert full.margin is not None
    assert f"a + b less a: {full.margin.difference:+.1f} rSum (95 % over photos, paired: " in text
    for number in ("23.99", "31.96", "58.00", "74.30", "4.500", "0.250", "0.125", "2.500", "Not to be compared."):
        assert number in text
    assert 'was trained on: photos, "many"' in text


def test_one_table_for_each_data_set(full: EvaluationReport) -> None:
    plain = replace(full, folds=(), other_ties=None, eccv=None, cxc=None, timing=None, margin=None)
    text = to_markdown([plain, replace(plain, model="c"), replace(plain, dataset="e")])
    assert text.count("| model |") == 2
    assert text.index("| c |") < text.index("e val, image-sentence")
