"""The two published sentence encoders, from token ids on (README.md 3.7): BERT, and VSE-infinity's BiGRU."""

# B sentences, L tokens, W width of a word state, D joint space

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from explorer.networks.common.bert import BertSizes, bert_states, build_bert
from explorer.networks.common.gpo import GeneralizedPooling
from explorer.networks.three_shnet.config import TextEncoderConfig
from explorer.networks.three_shnet.model import TextEncoder


@dataclass(frozen=True, slots=True)
class EncodedTexts:
    """What one forward pass gives.

    Attributes:
        embedding: (B, D), unit length.
    """

    embedding: Tensor


class BertTextEncoder(nn.Module):
    """BERT's last hidden states, Linear, GPO, L2: 110,282,400 parameters as published.

    Attributes:
        bert: the language model; its padding id is 0.
        head: everything behind it.
        sizes: of the language model.
        embed_dim: width of the joint space.
    """

    def __init__(self, sizes: BertSizes, embed_dim: int) -> None:
        super().__init__()
        self.sizes, self.embed_dim = sizes, embed_dim
        self.bert = build_bert(sizes)
        self.head = TextEncoder(TextEncoderConfig(word_dim=sizes.word_dim, embed_dim=embed_dim))

    def forward(self, token_ids: Tensor, lengths: Tensor) -> EncodedTexts:
        """Embed sentences.

        token_ids: int64 (B, L), special tokens included, zeros behind each sentence's end.
        lengths: integer (B,), tokens of each sentence, each in 1..L.
        """
        states_BLW = bert_states(self.bert, token_ids)
        return EncodedTexts(self.head(states_BLW, lengths.to(token_ids.device, torch.int64)))


@dataclass(frozen=True, slots=True, kw_only=True)
class BiGruSizes:
    """Sizes of :class:`BiGruTextEncoder`.

    Attributes:
        n_words: rows of the word table.
        word_dim: width of a word vector.
        n_layers: recurrent layers.
        both_ways: whether the sentence is read from its end, too.
    """

    n_words: int
    word_dim: int = 300
    n_layers: int = 1
    both_ways: bool = True

    def __post_init__(self) -> None:
        if min(self.n_words, self.word_dim, self.n_layers) < 1:
            raise ValueError(f"these are no sizes of a BiGRU: {self}")


class BiGruTextEncoder(nn.Module):
    """Learned word vectors, a recurrent network whose two directions are averaged, GPO, L2.

    Source: the ``bigru`` branch of VSE-infinity's code; 3SHNet's own has only BERT.

    Attributes:
        sizes: what it was built with.
        embed_dim: width of the joint space.
    """

    def __init__(self, sizes: BiGruSizes, embed_dim: int) -> None:
        super().__init__()
        self.sizes, self.embed_dim = sizes, embed_dim
        self.embed = nn.Embedding(sizes.n_words, sizes.word_dim)
        nn.init.uniform_(self.embed.weight, -0.1, 0.1)
        self.rnn = nn.GRU(
            sizes.word_dim, embed_dim, sizes.n_layers, batch_first=True, bidirectional=sizes.both_ways
        )
        self.pool = GeneralizedPooling()

    def forward(self, token_ids: Tensor, lengths: Tensor) -> EncodedTexts:
        """Embed sentences.

        token_ids: int64 (B, L), rows of the word table, start and end included.
        lengths: integer (B,), tokens of each sentence, each in 1..L.
        """
        lengths = lengths.to(token_ids.device, torch.int64)
        packed = pack_padded_sequence(
            self.embed(token_ids), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        states, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=token_ids.shape[1])
        if self.sizes.both_ways:
            forward, backward = states.chunk(2, dim=-1)
            states = (forward + backward) / 2
        pooled_BD: Tensor = self.pool(states, lengths)
        return EncodedTexts(pooled_BD / (pooled_BD.norm(dim=1, keepdim=True) + 1e-8))
