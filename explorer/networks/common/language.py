"""Frozen language models of the transformers library, from files on this disk; never from a network."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import ConfigError

DEFAULT_LANGUAGE_MODEL = "bert-base-uncased"
"""What 3SHNet reads sentences with (three_shnet/README.md 3.7)."""


@dataclass(frozen=True, slots=True)
class WordStates:
    """Last hidden states of n sentences, special tokens included (three_shnet/README.md 3.7).

    Attributes:
        states: float32 (n, longest, width); zero beyond each sentence's end.
        lengths: int64 (n,), word pieces of each sentence.
    """

    states: Tensor
    lengths: Tensor


class LanguageModel:
    """A frozen model of word states. Sentences are read in order of length, so that little is padded.

    Attributes:
        device: where it runs.
        dim: width of a word state.
        max_tokens: a longer sentence is cut there, special tokens included.
    """

    def __init__(self, source: str, *, device: torch.device | str = "cpu", max_tokens: int | None = None) -> None:
        """Read the model's files.

        source: a folder, or a name that the Hugging Face cache knows.
        max_tokens: None for as many as the model has positions.

        Raises whatever transformers raises where something is missing; see :func:`find_language_model`.
        """
        # Imported here because transformers takes a second and a window that only browses never needs it.
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        self.device = torch.device(device)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(source, local_files_only=True)
        model: Any = AutoModel.from_pretrained(source, local_files_only=True)
        self._model: Any = model.float().eval().requires_grad_(False).to(self.device)
        self.dim = int(model.config.hidden_size)
        self.max_tokens = max_tokens or int(model.config.max_position_embeddings)

    @torch.inference_mode()
    def word_states(self, texts: Sequence[str], *, batch_size: int = 64) -> WordStates:
        """Hidden states of every word piece of each text, in the order given."""
        pieces: list[list[int]] = (
            self._tokenizer(list(texts), truncation=True, max_length=self.max_tokens)["input_ids"] if texts else []
        )
        lengths = torch.tensor([len(ids) for ids in pieces], dtype=torch.int64)
        longest = int(lengths.max()) if len(pieces) else 1
        states = torch.zeros(len(pieces), longest, self.dim, device=self.device)
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = self._run([pieces[i] for i in rows])
            states[rows, : batch.shape[1]] = batch
        return WordStates(states, lengths.to(self.device))

    def fingerprint(self) -> str:
        """SHA-256 of all weights, hexadecimal: two models of one name may differ."""
        digest = hashlib.sha256()
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode() + b"\0" + tensor.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()

    def _run(self, pieces: list[list[int]]) -> Tensor:
        longest = max(map(len, pieces))
        ids = torch.zeros(len(pieces), longest, dtype=torch.int64)
        mask = torch.zeros(len(pieces), longest, dtype=torch.int64)
        for row, piece in enumerate(pieces):
            ids[row, : len(piece)] = torch.tensor(piece)
            mask[row, : len(piece)] = 1
        out = self._model(input_ids=ids.to(self.device), attention_mask=mask.to(self.device))
        states: Tensor = out.last_hidden_state * mask.to(self.device).unsqueeze(-1)
        return states


def find_language_model(name: str, *, device: torch.device | str = "cpu") -> LanguageModel:
    """A BERT or another language model by its name or folder.

    Raises
    ------
    ConfigError
        its files are not on this disk, or are not those of a language model.
    """
    try:
        return LanguageModel(name, device=device)
    # Missing and broken files come as OSError, unknown kinds as ValueError or KeyError, odd tensors as RuntimeError.
    except (OSError, ValueError, KeyError, RuntimeError, AttributeError) as error:
        raise ConfigError(
            f"The language model {name} cannot be read from this disk.",
            f"Nothing is downloaded unasked: fetch it once with `hf download {name}`, or name a folder with its "
            "config.json, model.safetensors and tokenizer files.",
        ) from error


def mean_sentence(words: WordStates) -> Tensor:
    """Mean of each sentence's states (padding is zero), scaled to unit length, (n, width)."""
    return F.normalize(words.states.sum(dim=1) / words.lengths.clamp(min=1).unsqueeze(1), dim=1)
