"""ECCV Caption and CrissCrossed Captions on a gallery of two dozen photos, beside loops over full rankings."""

import json
from pathlib import Path

import numpy as np
import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import DatasetError
from explorer.evaluation.image_text import owners_of
from explorer.evaluation.judgements import (
    CXC_FILES,
    ECCV_FILES,
    SENTENCE_IDS_FILE,
    GalleryIds,
    Judgements,
    read_cxc,
    read_eccv,
    read_sentence_ids,
    require_ids,
)
from explorer.evaluation.judging import judge_recall, judge_relevance
from explorer.evaluation.similarities import EncodedPairs, Similarities
from explorer.evaluation.sources import ids_of

N, PER = 24, 5
IDS = GalleryIds(tuple(391895 + 7 * n for n in range(N)), tuple(770337 + 3 * n for n in range(N * PER)))


@pytest.fixture
def pairs() -> EncodedPairs:
    rng = np.random.default_rng(0)
    images, sentences = (rng.standard_normal((n, 6), dtype=np.float32) for n in (N, N * PER))
    return EncodedPairs(images, sentences, owners_of([PER] * N))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Judgements of some of the queries, in the published form: ids as strings on the left, numbers on the right."""
    rng = np.random.default_rng(1)
    for files, most in ((ECCV_FILES, 9), (CXC_FILES, 3)):
        for name, queries, answers in zip(files, (IDS.images, IDS.sentences), (IDS.sentences, IDS.images), strict=True):
            asked = rng.choice(queries, 17, replace=False).tolist()
            content = {str(q): rng.choice(answers, rng.integers(1, most), replace=False).tolist() for q in asked}
            (tmp_path / name).write_text(json.dumps(content))
    return tmp_path


def full_rankings(pairs: EncodedPairs) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Every query's whole ranking as ids, the form that the published package takes."""
    matrix = pairs.images @ pairs.sentences.T
    sentences, images = np.array(IDS.sentences), np.array(IDS.images)
    i2t = {query: sentences[np.argsort(-row)].tolist() for query, row in zip(IDS.images, matrix, strict=True)}
    t2i = {query: images[np.argsort(-row)].tolist() for query, row in zip(IDS.sentences, matrix.T, strict=True)}
    return i2t, t2i


def test_eccv_equals_a_loop_over_full_rankings(pairs: EncodedPairs, folder: Path) -> None:
    found = judge_relevance(Similarities((pairs,)), IDS, read_eccv(folder))
    for side, name, rankings in zip(
        (found.image_to_text, found.text_to_image), ECCV_FILES, full_rankings(pairs), strict=True
    ):
        truth = json.loads((folder / name).read_text())
        values = []
        for query, answers in truth.items():
            ranking, wanted = rankings[int(query)], set(answers)
            hits = [place for place, item in enumerate(ranking[: len(wanted)], start=1) if item in wanted]
            precisions = [(number + 1) / place for number, place in enumerate(hits)]
            values.append((sum(precisions) / len(wanted), len(hits) / len(wanted), ranking[0] in wanted))
        expected = 100 * np.mean(values, axis=0)
        assert (side.map_at_r, side.r_precision, side.r1) == pytest.approx(tuple(expected))
        assert side.n_queries == 17


def test_cxc_counts_queries_with_an_answer_among_the_first(pairs: EncodedPairs, folder: Path) -> None:
    judgements = read_cxc(folder)
    assert judgements is not None
    found = judge_recall(Similarities((pairs,)), IDS, judgements)
    for side, name, rankings in zip(
        (found.image_to_text, found.text_to_image), CXC_FILES, full_rankings(pairs), strict=True
    ):
        truth = json.loads((folder / name).read_text())
        for k, percent in ((1, side.r1), (5, side.r5), (10, side.r10)):
            hits = [bool(set(rankings[int(query)][:k]) & set(answers)) for query, answers in truth.items()]
            assert percent == pytest.approx(100 * np.mean(hits))


def test_an_ensemble_is_judged_by_its_mean(pairs: EncodedPairs, folder: Path) -> None:
    other = EncodedPairs(-pairs.images, pairs.sentences, pairs.owners)
    nothing = judge_relevance(Similarities((pairs, other)), IDS, read_eccv(folder))  # they cancel out: all scores 0
    assert nothing.image_to_text.r1 == nothing.text_to_image.r1 == 0
    mean = judge_relevance(Similarities((pairs, other)), IDS, read_eccv(folder), ties="mean")
    truth = json.loads((folder / ECCV_FILES[0]).read_text())
    chance = np.mean([len(answers) / (N * PER) for answers in truth.values()])
    assert mean.image_to_text.r1 == pytest.approx(100 * chance)
    assert mean.image_to_text.r_precision == pytest.approx(100 * chance)


def test_ids_come_from_the_data_set() -> None:
    captioned = CaptionedImages(
        "coco", "test", (Path("a"), Path("b")), (("x", "y"), ("z",)), (391895, 60623), ((770337, 771687), (772707,))
    )
    assert ids_of(captioned, Path()) == GalleryIds((391895, 60623), (770337, 771687, 772707))


def test_what_is_not_in_the_gallery_is_refused_by_name(folder: Path) -> None:
    judgements = read_eccv(folder)
    assert require_ids(judgements, IDS) == 0
    with pytest.raises(DatasetError, match=r"1 of \d+ photos that ECCV Caption judges are not in this split \(7\)"):
        require_ids(Judgements("ECCV Caption", {**judgements.image_to_text, 7: (770337,)}, {}), IDS)
    with pytest.raises(DatasetError, match=r"sentences that ECCV Caption judges are not in this split \(1, 2, 3, ..."):
        require_ids(Judgements("ECCV Caption", {391895: (3, 2, 1, 4)}, {}), IDS)


def test_a_rare_answer_out_of_the_gallery_counts_as_never_found(pairs: EncodedPairs) -> None:
    # As in the published files: two of 11,953 sentences are not among the five of their photos.
    judgements = Judgements("ECCV Caption", {IDS.images[3]: (*IDS.sentences, 1)}, {IDS.sentences[0]: (IDS.images[0],)})
    assert require_ids(judgements, IDS) == 1
    found = judge_relevance(Similarities((pairs,)), IDS, judgements).image_to_text
    assert found.map_at_r == found.r_precision == pytest.approx(100 * 120 / 121)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "cannot be read.*eccv_image_to_caption.json and eccv_caption_to_image.json"),
        ("{", "does not map query ids"),
        ('{"a": [1]}', "does not map query ids"),
        ('{"1": 2}', "does not map query ids"),
        ('{"1": []}', "no right answer to query 1"),
        ("{}", "no queries"),
    ],
)
def test_damaged_files_are_refused(folder: Path, content: str | None, says: str) -> None:
    if content is None:
        (folder / ECCV_FILES[1]).unlink()
    else:
        (folder / ECCV_FILES[1]).write_text(content)
    with pytest.raises(DatasetError, match=says):
        read_eccv(folder)


def test_cxc_may_be_absent_but_not_halved(folder: Path) -> None:
    (folder / CXC_FILES[0]).unlink()
    with pytest.raises(DatasetError, match=r"cxc_image_to_caption\.json cannot be read"):
        read_cxc(folder)
    (folder / CXC_FILES[1]).unlink()
    assert read_cxc(folder) is None


def test_sentence_ids_from_the_file_beside(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no sentence ids, and .*coco_test_ids\.npy cannot be read"):
        read_sentence_ids(tmp_path, 3)
    np.save(tmp_path / SENTENCE_IDS_FILE, np.array([5, 6, 7]))
    assert read_sentence_ids(tmp_path, 3) == (5, 6, 7)
    with pytest.raises(DatasetError, match=r"shape \(3,\), but the split has 4 sentences"):
        read_sentence_ids(tmp_path, 4)
    np.save(tmp_path / SENTENCE_IDS_FILE, np.array([object()]), allow_pickle=True)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_sentence_ids(tmp_path, 1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:failed to import")
def test_published_files_and_published_code(capfd: pytest.CaptureFixture[str]) -> None:
    """The real files, on made-up embeddings of COCO's real test split, beside the package that they come with."""
    eccv_caption = pytest.importorskip("eccv_caption", reason="pip install eccv-caption to compare with it")
    folder = Path(eccv_caption.__file__).parent / "data"
    sentence_ids = np.load(folder / SENTENCE_IDS_FILE)
    photo_of = json.loads((folder / "original_caption_to_image.json").read_text())
    ids = GalleryIds(
        tuple(photo_of[str(first)][0] for first in sentence_ids[::5]), read_sentence_ids(folder, len(sentence_ids))
    )
    assert ids.images[:3] == (391895, 60623, 483108)  # papers.md 4.1
    rng = np.random.default_rng(0)
    owners = owners_of([5] * 5000)
    images = rng.standard_normal((5000, 16), dtype=np.float32)
    sentences = images[owners] + rng.standard_normal((25000, 16), dtype=np.float32)
    similarities = Similarities((EncodedPairs(images, sentences, owners),))
    judgements = read_eccv(folder)
    assert require_ids(judgements, ids) == 2
    found = judge_relevance(similarities, ids, judgements)

    rows = {number: row for row, number in enumerate(ids.images)}
    columns = {number: column for column, number in enumerate(ids.sentences)}
    ranked = {
        "i2t": {
            q: sentence_ids[np.argsort(-(images[rows[q]] @ sentences.T))].tolist() for q in judgements.image_to_text
        },
        "t2i": {
            q: np.array(ids.images)[np.argsort(-(sentences[columns[q]] @ images.T))].tolist()
            for q in judgements.text_to_image
        },
    }
    theirs = eccv_caption.Metrics().eccv_metrics(ranked, "all")
    for side, name in ((found.image_to_text, "i2t"), (found.text_to_image, "t2i")):
        assert side.map_at_r == pytest.approx(100 * theirs["eccv_map_at_r"][name])
        assert side.r_precision == pytest.approx(100 * theirs["eccv_rprecision"][name])
        assert side.r1 == pytest.approx(100 * theirs["eccv_r1"][name])
    capfd.readouterr()  # the package draws a bar


def test_stopping(pairs: EncodedPairs, folder: Path) -> None:
    token = CancellationToken()
    token.cancel()
    with pytest.raises(Cancelled):
        judge_relevance(Similarities((pairs,)), IDS, read_eccv(folder), token=token)
