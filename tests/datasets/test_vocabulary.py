"""Word tables of VSE++ and SCAN, and how captions are cut for them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.vocabulary import caption_rows, caption_words, read_vocabulary
from explorer.errors import DatasetError

WORDS = ["<pad>", "<start>", "<end>", "<unk>", "a", "dog", "'s", "café", "."]


def write(folder: Path, words: dict[str, Any]) -> Path:
    path = folder / "f30k_precomp_vocab.json"
    rows = {"word2idx": words, "idx2word": {str(row): word for word, row in words.items()}, "idx": len(words)}
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def test_captions_become_rows_with_start_and_end(tmp_path: Path) -> None:
    vocabulary = read_vocabulary(write(tmp_path, {word: row for row, word in enumerate(WORDS)}))
    assert caption_rows("A dog's CAFÉ zebra.", vocabulary) == [1, 4, 5, 6, 7, 3, 8, 2]
    assert caption_rows("", vocabulary) == [1, 2]


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        # As NLTK's word_tokenize gives them.
        ("A man's dog, don't run.", "a man 's dog , do n't run ."),
        ('Two "big" dogs (brown) can\'t jump;', "two `` big '' dogs ( brown ) ca n't jump ;"),
        ("3,000 people at 50% off!", "3,000 people at 50 % off !"),
        ("At 5:30 it cannot wait...", "at 5:30 it can not wait ..."),
        ("A black-and-white dog -- wet", "a black-and-white dog -- wet"),
        ("The dogs' toys . ", "the dogs ' toys ."),
        ("One sits. Another stands.", "one sits . another stands ."),
        ("Mr. Smith & co", "mr. smith & co"),
    ],
)
def test_captions_are_cut_by_treebank_conventions(caption: str, words: str) -> None:
    assert caption_words(caption) == words.split()


@given(st.text())
def test_any_text_has_words(text: str) -> None:
    assert all(word and not word.isspace() for word in caption_words(text))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"a": 0}, "lacks <start>, <end>, <unk>"),
        ({**{word: row for row, word in enumerate(WORDS)}, "b": 4}, "share a row"),
        ({**{word: row for row, word in enumerate(WORDS)}, "b": "4"}, "no vocabulary"),
    ],
)
def test_another_json_is_one_sentence(tmp_path: Path, words: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        read_vocabulary(write(tmp_path, words))


def test_broken_and_missing_files(tmp_path: Path) -> None:
    path = write(tmp_path, {})
    with pytest.raises(DatasetError, match="lacks"):
        read_vocabulary(path)
    path.write_text("[]")
    with pytest.raises(DatasetError, match="no vocabulary"):
        read_vocabulary(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        read_vocabulary(tmp_path / "none.json")
