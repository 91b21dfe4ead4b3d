"""Protocols by name, folds in the report, both rules about ties, and what numbers may be called."""

import numpy as np
import pytest

from explorer.errors import ConfigError
from explorer.evaluation.image_text import owners_of, rsum
from explorer.evaluation.protocols import PROTOCOLS, RetrievalProtocol, measure, protocol_named
from explorer.evaluation.report import EvaluationReport
from explorer.evaluation.similarities import EncodedPairs, Similarities, standings_of


def noisy(n: int, *, seed: int = 0, noise: float = 1.0) -> Similarities:
    rng = np.random.default_rng(seed)
    images = rng.standard_normal((n, 16), dtype=np.float32)
    owners = owners_of([5] * n)
    return Similarities(
        (EncodedPairs(images, images[owners] + noise * rng.standard_normal((5 * n, 16), dtype=np.float32), owners),)
    )


def constant(n: int) -> Similarities:
    images, sentences = (np.ones((rows, 1), np.float32) for rows in (n, 5 * n))
    return Similarities((EncodedPairs(images, sentences, owners_of([5] * n)),))


def report_of(similarities: Similarities, protocol: RetrievalProtocol, **options: object) -> EvaluationReport:
    names = {"model": "m", "dataset": "d", "split": "test"}
    return measure(similarities, protocol, **names, **options).report  # type: ignore[arg-type]


def test_names_of_the_field() -> None:
    assert list(PROTOCOLS) == ["image-sentence", "flickr30k-1k", "coco-5k", "coco-1k", "msr-vtt", "msr-vtt-1k-a"]
    assert protocol_named("coco-1k") == RetrievalProtocol("coco-1k", 5, 5000, ("coco",), "test", "testall")
    with pytest.raises(ConfigError, match=r"no protocol 'coco-2k'.*flickr30k-1k, coco-5k, coco-1k"):
        protocol_named("coco-2k")


def test_folds_of_a_published_protocol_cannot_be_changed() -> None:
    assert protocol_named("coco-1k").with_folds(5) is protocol_named("coco-1k")
    assert protocol_named("image-sentence").with_folds(4).n_folds == 4
    with pytest.raises(ConfigError, match="coco-1k has 5 folds, not 4"):
        protocol_named("coco-1k").with_folds(4)
    with pytest.raises(ConfigError, match="coco-5k has 1 fold, not 5"):
        protocol_named("coco-5k").with_folds(5)


def test_numbers_of_a_smaller_gallery_never_go_by_the_bare_name() -> None:
    assert protocol_named("coco-1k").name_on(5000) == "coco-1k"
    for name in ("coco", "COCO_precomp"):
        assert protocol_named("coco-1k").notes_on(name, 5000) == ()
    assert protocol_named("flickr30k-1k").notes_on("flickr8k", 1000) == (
        "flickr30k-1k is measured on flickr30k, and this data set is called flickr8k.",
    )
    assert protocol_named("coco-1k").name_on(1000) == "coco-1k, reduced to 5 folds of 200 photos"
    assert protocol_named("coco-5k").name_on(1000) == "coco-5k, reduced to 1,000 photos"
    report = report_of(noisy(10), protocol_named("flickr30k-1k"))
    assert report.protocol == "flickr30k-1k, reduced to 10 photos"
    assert report.notes[1:] == (
        "flickr30k-1k has 1,000 photos and this split 10: not comparable with published numbers.",
    )
    assert report_of(noisy(10), protocol_named("image-sentence")).notes == ()


def test_a_report_over_folds_is_the_mean_of_its_folds() -> None:
    similarities = noisy(60)
    report = report_of(similarities, RetrievalProtocol("image-sentence", 3))
    assert len(report.folds) == 3
    for side in ("image_to_text", "text_to_image"):
        for name in ("r1", "r5", "r10", "median_rank", "mean_rank"):
            values = [getattr(getattr(fold, side), name) for fold in report.folds]
            assert getattr(getattr(report, side), name) == pytest.approx(np.mean(values))
    assert report.rsum == pytest.approx(np.mean([fold.rsum for fold in report.folds]))
    # A fold is measured on its own photos alone, in file order.
    first = similarities.of_fold(slice(0, 20))[0]
    assert report.folds[0].rsum == pytest.approx(rsum(standings_of(first).ranks("pessimistic")))
    # A smaller gallery is easier.
    assert report.rsum > report_of(similarities, RetrievalProtocol("image-sentence")).rsum


def test_anchor_identity_over_folds() -> None:
    owners = owners_of([5] * 20)
    perfect = Similarities((EncodedPairs(np.eye(20, dtype=np.float32), np.eye(20, dtype=np.float32)[owners], owners),))
    for n_folds in (1, 5):
        assert report_of(perfect, RetrievalProtocol("image-sentence", n_folds)).rsum == 600


def test_both_rules_about_ties_where_they_differ() -> None:
    worst = report_of(constant(20), PROTOCOLS["image-sentence"])
    assert (worst.ties, worst.rsum, worst.image_to_text.r1) == ("pessimistic", 0, 0)
    assert worst.other_ties is not None
    assert (worst.other_ties.ties, worst.other_ties.n_tied) == ("mean", 20 + 100)
    assert worst.other_ties.text_to_image.mean_rank == pytest.approx(1 + 19 / 2)
    turned = report_of(constant(20), PROTOCOLS["image-sentence"], ties="mean")
    assert (turned.ties, turned.rsum) == ("mean", worst.other_ties.rsum)
    assert turned.other_ties is not None
    assert turned.other_ties.rsum == worst.rsum
    assert report_of(noisy(20), PROTOCOLS["image-sentence"]).other_ties is None


def test_medians_and_means_as_the_field_has_them() -> None:
    report = report_of(constant(20), PROTOCOLS["image-sentence"])
    assert report.image_to_text.median_rank == 95 + 1  # papers.md 4.1: floor(median) + 1
    assert report.image_to_text.mean_rank == pytest.approx(95 + 1)
