"""Sentences to unit vectors, whichever way a package reads words: a frozen language model, or a network of its own."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from explorer.datasets.vocabulary import END, START, UNKNOWN, caption_rows, caption_words
from explorer.networks.common.bert import padded
from explorer.networks.common.language import LanguageModel
from explorer.networks.three_shnet.config import RecurrentTextConfig, TextConfig, TextEncoderConfig
from explorer.networks.three_shnet.model import TextEncoder
from explorer.networks.three_shnet.published_text import BiGruSizes, BiGruTextEncoder

TextKind = Literal["minilm", "bert", "bigru"]

SPECIAL_WORDS = ("<pad>", START, END, UNKNOWN)
"""Rows 0 to 3 of every vocabulary, as VSE++ and VSE-infinity have them."""

MAX_WORDS = 512
"""A longer sentence is cut there; start and end count."""

_BATCH = 64


class RecurrentText(nn.Module):
    """Trained word vectors, BiGRU, GPO, L2: :class:`BiGruTextEncoder` with words forgotten at random in training."""

    def __init__(self, config: RecurrentTextConfig) -> None:
        super().__init__()
        self.config = config
        sizes = BiGruSizes(n_words=config.n_words, word_dim=config.word_dim)
        self.network = BiGruTextEncoder(sizes, config.embed_dim)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Embed rows of words, int64 (B, L), with valid lengths (B,) as (B, D)."""
        if self.training and self.config.word_dropout:
            forgotten = torch.rand(ids.shape, device=ids.device) < self.config.word_dropout
            ids = ids.masked_fill(forgotten & (ids >= len(SPECIAL_WORDS)), SPECIAL_WORDS.index(UNKNOWN))
        embedding: Tensor = self.network(ids, lengths).embedding
        return embedding


def build_text(config: TextConfig) -> TextEncoder | RecurrentText:
    """The trained part of the sentences' side: takes states or rows of words, and lengths."""
    return TextEncoder(config) if isinstance(config, TextEncoderConfig) else RecurrentText(config)


class SentenceReader(nn.Module):
    """Texts to unit vectors."""

    def read(self, texts: Sequence[str]) -> Tensor:
        """Embeddings float32 (n, D) of at least one text; anything that is a string has one."""
        raise NotImplementedError


class StateReader(SentenceReader):
    """Word states of a frozen language model, and a text encoder on them (README.md 3.7).

    Attributes:
        encoder: the trained part.
    """

    def __init__(self, language: LanguageModel, encoder: TextEncoder) -> None:
        super().__init__()
        self._language = language
        self.encoder = encoder

    @torch.inference_mode()
    def read(self, texts: Sequence[str]) -> Tensor:
        """See :class:`SentenceReader`."""
        words = self._language.word_states(texts)
        embeddings: Tensor = self.encoder(words.states, words.lengths)
        return embeddings


class WordReader(SentenceReader):
    """A trained vocabulary and a recurrent network (README.md 3.7).

    Attributes:
        vocabulary: word to row.
        encoder: the trained part.
    """

    def __init__(self, vocabulary: Mapping[str, int], encoder: RecurrentText) -> None:
        super().__init__()
        self.vocabulary = dict(vocabulary)
        self.encoder = encoder

    @torch.inference_mode()
    def read(self, texts: Sequence[str]) -> Tensor:
        """See :class:`SentenceReader`."""
        rows = [word_ids(text, self.vocabulary) for text in texts]
        weight = self.encoder.network.embed.weight
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        result = weight.new_empty(len(rows), self.encoder.config.embed_dim)
        for begin in range(0, len(order), _BATCH):
            chosen = order[begin : begin + _BATCH]
            ids, lengths = padded([rows[i] for i in chosen])
            result[chosen] = self.encoder(ids.to(weight.device), lengths)
        return result


def word_ids(text: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Rows of a text's words between start and end, at most :data:`MAX_WORDS`."""
    rows = caption_rows(text, vocabulary)
    return rows if len(rows) <= MAX_WORDS else [*rows[: MAX_WORDS - 1], rows[-1]]


def build_vocabulary(texts: Iterable[str], *, min_count: int) -> dict[str, int]:
    """Word to row: the special words, then those seen at least ``min_count`` times, in alphabetical order."""
    counts = Counter(word for text in texts for word in caption_words(text))
    known = sorted(word for word, n in counts.items() if n >= min_count)
    return {word: row for row, word in enumerate([*SPECIAL_WORDS, *known])}


def is_vocabulary(words: Mapping[str, int]) -> bool:
    """Whether a mapping has the special words in their rows and every row once."""
    specials = all(words.get(word) == row for row, word in enumerate(SPECIAL_WORDS))
    return specials and sorted(words.values()) == list(range(len(words)))
