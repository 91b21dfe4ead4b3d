"""Words of the training sentences and their rows in a table of vectors."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

PAD, UNKNOWN = 0, 1
"""Rows of the word table."""

SPECIAL_WORDS = ("<pad>", "<unk>")
"""Rows 0 and 1 of every word table."""

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """The words of a sentence in lower case, cut at everything that is no letter, digit or underscore."""
    return _WORD.findall(text.lower())


def build_vocabulary(texts: Iterable[str], *, min_count: int) -> dict[str, int]:
    """Word to row: the special rows, then words seen at least ``min_count`` times, in alphabetical order."""
    counts = Counter(word for text in texts for word in words_of(text))
    known = sorted(word for word, n in counts.items() if n >= min_count)
    return {word: row for row, word in enumerate([*SPECIAL_WORDS, *known])}


def is_vocabulary(words: Mapping[str, int]) -> bool:
    """Whether a mapping has the special words in their rows and every row once."""
    specials = all(words.get(word) == row for row, word in enumerate(SPECIAL_WORDS))
    return specials and sorted(words.values()) == list(range(len(words)))


def word_rows(texts: Sequence[str], vocabulary: Mapping[str, int], n_tokens: int) -> Tensor:
    """Rows of the first ``n_tokens`` words of each sentence, padded at the left, int64 (n, n_tokens).

    An unknown word has a row of its own; a sentence without a word is padding only, and is encoded like any other.
    """
    rows = torch.full((len(texts), n_tokens), PAD)
    for place, text in enumerate(texts):
        ids = [vocabulary.get(word, UNKNOWN) for word in words_of(text)[:n_tokens]]
        if ids:
            rows[place, n_tokens - len(ids) :] = torch.tensor(ids)
    return rows
