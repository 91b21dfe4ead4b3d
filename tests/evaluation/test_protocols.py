"""A whole evaluation, with a small encoder whose answers are known."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.karpathy import CaptionedImages, read_karpathy
from explorer.errors import ConfigError, DatasetError
from explorer.evaluation import encoding
from explorer.evaluation.encoding import encode_pairs
from explorer.evaluation.image_text import Recall, ranks_of_similarities
from explorer.evaluation.protocols import evaluate_image_sentence
from explorer.evaluation.report import EvaluationReport
from explorer.evaluation.tables import to_markdown
from explorer.evidence import Evidence
from explorer.representations import BinaryCodes, Embeddings, Modality

GREYS = (10, 60, 110, 160, 210)


class GreyEncoder:
    """Reads the grey of a picture, and the number a sentence ends with, as a one-hot of the nearest grey."""

    model_id = "grey@0"
    name = "grey"
    modalities = frozenset({Modality.TEXT, Modality.IMAGE})
    side_px = 8
    dim = len(GREYS)
    overlays = ()
    device = "CPU"

    def encode_texts(self, texts: Sequence[str]) -> Embeddings | BinaryCodes:
        return self._one_hot(np.array([float(text.split()[-1]) for text in texts]))

    def encode_images(self, squares: np.ndarray) -> Embeddings | BinaryCodes:
        assert squares.shape[1:] == (8, 8, 3)
        assert squares.dtype == np.uint8
        return self._one_hot(squares.mean(axis=(1, 2, 3)))

    def explain(self, square: np.ndarray) -> Evidence:
        raise NotImplementedError

    def _one_hot(self, values: np.ndarray) -> Embeddings:
        nearest = np.abs(values[:, None] - np.array(GREYS)).argmin(axis=1)
        return Embeddings(np.eye(len(GREYS), dtype=np.float32)[nearest])


class CodeEncoder(GreyEncoder):
    def encode_images(self, squares: np.ndarray) -> BinaryCodes:
        return BinaryCodes(np.zeros((len(squares), 1), np.uint8))


@pytest.fixture
def captioned(tmp_path: Path) -> CaptionedImages:
    """Five grey photos with one to five sentences; the last photo's only sentence speaks of the first photo's grey."""
    (tmp_path / "images").mkdir()
    images = []
    for place, grey in enumerate(GREYS):
        name = f"{grey}.png"
        Image.fromarray(np.full((20, 30, 3), grey, np.uint8)).save(tmp_path / "images" / name)
        spoken = GREYS[0] if place == 4 else grey
        sentences = [{"raw": f"a wall of grey {spoken}"}] * (5 - place)
        images.append({"filename": name, "split": "val", "sentences": sentences})
    path = tmp_path / "dataset_grey.json"
    path.write_text(json.dumps({"dataset": "grey", "images": images}))
    return read_karpathy(path, split="val")


def test_report_of_known_answers(captioned: CaptionedImages) -> None:
    heard: list[tuple[int, int]] = []
    report = evaluate_image_sentence(GreyEncoder(), captioned, on_progress=lambda *counts: heard.append(counts))
    # Photo 1 ties with nobody's sentences but shares its grey with the last photo's: pessimistic rank 1, all others of
    # the first four 0. The last photo's own sentence has similarity 0 as 14 others: rank 14. Its sentence finds photo
    # 1 first and ties with three more: rank 4.
    assert report.image_to_text == Recall(r1=60.0, r5=80.0, r10=80.0, median_rank=1, mean_rank=4.0)
    assert report.text_to_image == Recall(
        r1=pytest.approx(100 * 14 / 15), r5=100.0, r10=100.0, median_rank=1, mean_rank=pytest.approx(1 + 4 / 15)
    )
    assert report.rsum == pytest.approx(60 + 80 + 80 + 100 * 14 / 15 + 200)
    assert heard[-1] == (20, 20)
    assert heard == sorted(heard)


def test_json_has_exactly_the_agreed_form(captioned: CaptionedImages) -> None:
    document = json.loads(json.dumps(evaluate_image_sentence(GreyEncoder(), captioned).to_dict()))
    first = ["model", "dataset", "split", "protocol", "image_to_text", "text_to_image", "rsum"]
    then = ["ties", "n_images", "n_sentences", "trained_on", "other_ties"]
    assert list(document) == first + then
    recall_keys = ["r1", "r5", "r10", "median_rank", "mean_rank"]
    assert list(document["image_to_text"]) == list(document["text_to_image"]) == recall_keys
    assert [document[key] for key in ("model", "dataset", "split", "protocol")] == [
        "grey",
        "grey",
        "val",
        "image-sentence",
    ]
    assert isinstance(document["image_to_text"]["median_rank"], int)


def test_table() -> None:
    ranks = ranks_of_similarities(np.eye(2), np.arange(2))
    report = EvaluationReport.from_ranks(ranks, model="m", dataset="d", split="val", protocol="image-sentence")
    lines = to_markdown([report, report]).splitlines()
    assert lines[0] == "d val, image-sentence"
    assert lines[2].startswith("2 photos, 2 sentences.")
    assert lines[4].startswith("| model |")
    assert lines[6:] == ["| m | 100.0 / 100.0 / 100.0 | 1, 1.0 | 100.0 / 100.0 / 100.0 | 1, 1.0 | 600.0 |"] * 2


def test_sentences_keep_their_owner(captioned: CaptionedImages) -> None:
    encoded = encode_pairs(GreyEncoder(), captioned)
    assert np.bincount(encoded.owners).tolist() == [5, 4, 3, 2, 1]
    assert encoded.images.shape == (5, 5)
    assert encoded.sentences.argmax(axis=1).tolist() == [0] * 5 + [1] * 4 + [2] * 3 + [3] * 2 + [0]


@given(st.lists(st.sampled_from([0, 1, 9, 14, 100, 639, 700]), max_size=120))
def test_long_sentences_come_in_small_batches(n_words: list[int]) -> None:
    texts = ["word " * n for n in n_words]
    batches = list(encoding._text_batches(texts))
    assert [row for rows in batches for row in range(rows.start, rows.stop)] == list(range(len(texts)))
    for rows in batches:
        n = rows.stop - rows.start
        longest = max(n_words[rows]) + 1
        assert n == 1 or (n <= 32 and n * longest <= 640)
        # None is smaller than it must be: the next sentence would have been too much.
        if rows.stop < len(texts):
            assert n == 32 or (n + 1) * max(longest, n_words[rows.stop] + 1) > 640


def test_stopping(captioned: CaptionedImages) -> None:
    token = CancellationToken()
    n_heard = 0

    def stop(n_done: int, _n_total: int) -> None:
        nonlocal n_heard
        n_heard += 1
        if n_done:
            token.cancel()

    with pytest.raises(Cancelled):
        evaluate_image_sentence(GreyEncoder(), captioned, token=token, on_progress=stop)
    assert n_heard == 2


def test_damaged_photo_is_named(captioned: CaptionedImages) -> None:
    captioned.image_paths[2].write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"110\.png cannot be read"):
        evaluate_image_sentence(GreyEncoder(), captioned)


def test_binary_codes_are_refused(captioned: CaptionedImages) -> None:
    with pytest.raises(ConfigError, match="needs real embeddings"):
        evaluate_image_sentence(CodeEncoder(), captioned)
