"""Tags become sentences, and bags of words of these are the tags again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.labelled import LabelledItems
from explorer.datasets.tags import most_tags, with_tag_sentences
from explorer.errors import DatasetError
from explorer.networks.common.words import SPECIAL_WORDS, build_vocabulary, words_of
from explorer.networks.dsmhn.config import TextStreamConfig
from explorer.networks.dsmhn.preprocess import bags_of_words


def items(tags: np.ndarray | None) -> LabelledItems:
    n = 3 if tags is None else len(tags)
    return LabelledItems("toy", tuple(map(str, range(n))), ("x",), np.ones((n, 1), np.bool_), tags=tags)


def test_a_sentence_of_every_item() -> None:
    tags = np.zeros((3, 12), np.uint8)
    tags[0, [11, 0]] = 1
    tags[2, 4] = 200
    found = with_tag_sentences(items(tags))
    assert found.texts == (("tag1 tag12",), ("",), ("tag5",))
    assert most_tags(found) == 2
    assert most_tags(items(None)) == 0


@given(st.integers(1, 6), st.integers(1, 15), st.integers(0, 999))
def test_bags_of_words_are_the_tags_again(n: int, n_tags: int, seed: int) -> None:
    tags = (np.random.default_rng(seed).random((n, n_tags)) < 0.4).astype(np.uint8)
    tags[0, 0] = 1
    found = with_tag_sentences(items(tags))
    assert found.texts is not None
    texts = [text for (text,) in found.texts]
    vocabulary = build_vocabulary(texts, min_count=1)
    config = TextStreamConfig(n_words=len(vocabulary), n_tokens=max(most_tags(found), 1), hidden_dim=4)
    bags = bags_of_words(texts, vocabulary, config).numpy()
    words = {row: word for word, row in vocabulary.items() if word not in SPECIAL_WORDS}
    for bag, row, text in zip(bags, tags, texts, strict=True):
        assert {words[number] for number in bag if number} == {f"tag{place + 1}" for place in np.flatnonzero(row)}
        assert len(words_of(text)) == row.sum()


@pytest.mark.parametrize(
    ("tags", "says"),
    [
        (None, "comes without tags"),
        (np.zeros((2, 3), np.uint8), "No item of toy has a tag"),
        (np.full((2, 3), 0.5, np.float32), "are weights, not whole numbers"),
    ],
)
def test_other_tags_are_refused_with_a_sentence(tags: np.ndarray | None, says: str) -> None:
    with pytest.raises(DatasetError, match=says) as caught:
        with_tag_sentences(items(tags))
    assert caught.value.remedy
