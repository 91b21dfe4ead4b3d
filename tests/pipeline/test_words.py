"""Words of the query: left out one by one, weighed by what the score loses, linked to places."""

import sys
from pathlib import Path

import numpy as np
import pytest

from explorer import pipeline
from explorer.datasets.karpathy import read_karpathy
from explorer.errors import QueryError
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.reference import synthetic_picture
from explorer.pipeline.querying import MAX_WORDS
from explorer.protocol import Query

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(resolve_package("3shnet-flickr8k", [MODELS]), search_folders=[MODELS], device="cpu")


@pytest.fixture(scope="module")
def picture():
    return synthetic_picture(3, 224)


def test_words_are_the_words_as_written():
    assert pipeline.query_words("  A dog, running\n in Köln\u00a0! ") == ("A", "dog,", "running", "in", "Köln", "!")
    assert pipeline.query_words("") == ()


@pytest.mark.parametrize(("n", "n_runs"), [(MAX_WORDS, 64), (MAX_WORDS + 1, 63), (128, 32), (500, 16)])
def test_long_sentences_come_in_runs_of_words(n, n_runs):
    words = [f"w{i}" for i in range(n)]
    runs = pipeline.query_words(" ".join(words))
    assert len(runs) == n_runs
    assert " ".join(runs).split() == words
    assert max(len(run.split()) for run in runs) - min(len(run.split()) for run in runs) <= 1


def test_a_weight_is_what_the_score_loses_without_the_word(encoder, picture):
    text = "a black dog in the snow"
    words = pipeline.explain(encoder, picture, Query(text=text)).words
    image = encoder.encode_images(picture[None]).values[0]
    whole = encoder.encode_texts([text]).values[0] @ image
    own = text.split()
    for place, weight in enumerate(words.weights):
        left = " ".join(word for i, word in enumerate(own) if i != place)
        assert weight == pytest.approx(whole - encoder.encode_texts([left]).values[0] @ image, abs=1e-5)


def test_links_add_up_to_what_the_cells_lose(encoder, picture):
    evidence = pipeline.explain(encoder, picture, Query(text="a dog in snow"))
    (link,), (share,) = evidence.words.links, evidence.shares
    assert link.places == "cells"
    assert link.values.shape == (4, 49)
    assert link.values == pytest.approx(share.values[0] - share.values[1:], abs=1e-7)


def test_weights_change_with_the_sentence(encoder, picture):
    first = pipeline.explain(encoder, picture, Query(text="a dog in snow")).words
    second = pipeline.explain(encoder, picture, Query(text="a dog in water")).words
    assert first.weights[1] != pytest.approx(second.weights[1], abs=1e-6)


@pytest.mark.parametrize("text", ["dog", "犬が丸太を飛び越える", "qwxzv", "dog " * 500])
def test_one_word_no_known_word_and_five_hundred(encoder, picture, text):
    words = pipeline.explain(encoder, picture, Query(text=text)).words
    assert len(words.words) == len(words.weights) == len(words.links[0].values)
    assert np.isfinite(words.weights).all()


def test_a_picture_beside_the_sentence_stays_in_every_row(encoder, picture):
    other = synthetic_picture(7, 224)
    query = Query(text="a dog", not_text="a cat", image_item_id=1)
    evidence = pipeline.explain(encoder, picture, query, other)
    rows = pipeline.encode_without_words(encoder, query, other).values
    assert evidence.row_scores == pytest.approx(rows @ encoder.encode_images(picture[None]).values[0], abs=1e-5)
    assert rows[0] == pytest.approx(pipeline.encode_query(encoder, query, other).values[0], abs=1e-6)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_a_picture_alone_has_no_words(encoder, picture):
    evidence = pipeline.explain(encoder, picture, Query(image_item_id=1), synthetic_picture(7, 224))
    assert evidence.words is None
    assert evidence.score is not None
    assert pipeline.explain(encoder, picture).words is None
    assert pipeline.explain(encoder, picture, Query(text="a dog"), words=False).words is None


def test_a_query_of_nothing_is_refused(encoder, picture):
    with pytest.raises(QueryError):
        pipeline.explain(encoder, picture, Query(text="  "))


def test_deleting_the_top_word_lowers_the_score_most(encoder, shared_data):
    """On 100 validation pairs, scores from encoding the shortened sentences anew."""
    captioned = read_karpathy(shared_data / "flickr8k" / "dataset_flickr8k.json", split="val")
    n_right = 0
    for row in range(0, 1000, 10):
        pixels = decode_image(read_content(bytes(captioned.image_paths[row])), min_edge_px=encoder.side_px).pixels
        text = captioned.sentences[row][row // 10 % 5]
        words = pipeline.explain(encoder, pixels, Query(text=text)).words
        image = encoder.encode_images(squash(pixels, encoder.side_px)[None]).values[0]
        own = text.split()
        scores = encoder.encode_texts([" ".join(own[:i] + own[i + 1 :]) for i in range(len(own))]).values @ image
        n_right += int(np.argmin(scores)) == int(words.weights.argmax())
    sys.stderr.write(f"\nthe top word lowers the similarity most: {n_right} of 100\n")
    assert n_right >= 60
