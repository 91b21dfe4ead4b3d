"""Precision and recall by radius, drawn."""

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from explorer.evaluation.hashing import Cutoffs, DirectionScores, RadiusCurve, RankingScores
from explorer.evaluation.hashing_report import DIRECTIONS, HashingReport
from explorer.figures.radius_curves import curves_bytes, draw_curves


def report(
    model: str = "tvdb", *, binarised: str = "", n_bits: int = 16, labels: str = "a/b/things.json"
) -> HashingReport:
    scores = RankingScores(0.5, 0.5, 0.5, {}, {})
    precision = np.linspace(1.0, 0.2, n_bits + 1)
    precision[0] = np.nan  # nothing that near
    curve = RadiusCurve(precision, np.linspace(0.0, 1.0, n_bits + 1))
    direction = DirectionScores(
        0.5, 0.5, 0.5, {}, {}, n_queries=3, n_skipped=0, random_codes=scores, curve=curve
    )  # fmt: skip
    return HashingReport(
        model, binarised, "d", "val", "d", "train", labels, n_bits, dict.fromkeys(DIRECTIONS, direction), Cutoffs(),
        (3, 3, 3, 3),
    )  # fmt: skip


def lines_of(figure: Figure, panel: int = 0) -> dict[str, np.ndarray]:
    return {str(line.get_label()): np.array(line.get_xydata()) for line in figure.axes[panel].get_lines()}


def test_each_line_is_a_curve_and_random_codes_keep_their_level() -> None:
    reports = [report(), report("3shnet", binarised="itq", n_bits=64)]
    figure = draw_curves(reports, dpi=100)
    assert [axes.get_title() for axes in figure.axes] == [name.replace("_", " ") for name in DIRECTIONS]
    lines = lines_of(figure)
    assert list(lines) == ["tvdb, 16 bits", "3shnet, ITQ, 64 bits", "random codes"]
    points = np.stack([np.linspace(0, 1, 17), np.linspace(1, 0.2, 17)], axis=1)
    np.testing.assert_allclose(lines["tvdb, 16 bits"], points[1:])
    assert (lines["random codes"][:, 1] == 0.2).all()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(lines)


def test_a_row_of_panels_for_each_source_of_labels() -> None:
    figure = draw_curves([report(), report(labels="other.json")], dpi=100)
    assert len(figure.axes) == 2 * len(DIRECTIONS)
    assert figure.axes[4].get_ylabel() == "precision by other.json"


@pytest.mark.parametrize(("file_format", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_the_same_reports_give_the_same_bytes(file_format: str, begins: bytes) -> None:
    first, second = (curves_bytes([report()], file_format, 60) for _ in range(2))
    assert first.startswith(begins)
    assert first == second


def test_width_is_two_columns_of_a_journal() -> None:
    with Image.open(io.BytesIO(curves_bytes([report()], "png", 100))) as picture:
        assert abs(picture.width - 180 / 25.4 * 100) < 1
