"""From what vision sees to a picture's features, and from sentences to what the text stream reads (README.md 2.2)."""
# B pictures or sentences, F features, T words, C classes of the segmenter, R regions of the proposer, g x g cells

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from explorer.networks.common.minilm import MiniLM
from explorer.networks.common.pooling import FEATURE_PARTS, pool_features
from explorer.networks.common.words import PAD, word_rows
from explorer.networks.dsmhn.config import ImagePart, TextStreamConfig
from explorer.vision.crops import CropNetwork
from explorer.vision.features import Regions, VisualFeatures

_SUREST = 1e-4
"""Probabilities are read as logits; nothing is surer than this far from 0 and 1."""

_FAINTEST = 0.02
"""Score of a thing that no region shows."""

_WHOLE = (0.0, 0.0, 1.0, 1.0)

NeededT = TypeVar("NeededT")


@dataclass(frozen=True, slots=True)
class Sentences:
    """What the text stream reads of B sentences.

    Attributes:
        rows: int64 (B, T), rows of the word table, each word of a sentence once, padded; T may be 0.
        embeddings: float (B, 384), MiniLM's, unit length; (B, 0) where it is not read.
    """

    rows: Tensor
    embeddings: Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: Tensor | slice) -> "Sentences":
        """Some of the sentences."""
        return Sentences(self.rows[rows], self.embeddings[rows])

    def to(self, device: torch.device) -> "Sentences":
        """The same on a device."""
        return Sentences(self.rows.to(device), self.embeddings.to(device))


def bags_of_words(texts: Sequence[str], vocabulary: Mapping[str, int], config: TextStreamConfig) -> Tensor:
    """Rows of the first ``n_tokens`` words of each sentence, each once, padded, int64 (B, T); (B, 0) without a table.

    A word that is not known has a row of its own.
    """
    if not config.n_words:
        return torch.zeros(len(texts), 0, dtype=torch.int64)
    rows = word_rows(texts, vocabulary, config.n_tokens).sort(dim=1).values
    rows[:, 1:] = torch.where(rows[:, 1:] == rows[:, :-1], PAD, rows[:, 1:])
    used = int((rows != PAD).sum(dim=1).max()) if len(rows) else 0
    # Padding was sorted to the front, and repeated words are padding between the others by now.
    return rows.sort(dim=1, descending=True).values[:, : max(used, 1)].contiguous()


def read_sentences(
    texts: Sequence[str], vocabulary: Mapping[str, int], config: TextStreamConfig, minilm: MiniLM | None
) -> Sentences:
    """Sentences as the text stream reads them; ``minilm`` only where it is one of the readers."""
    rows = bags_of_words(texts, vocabulary, config)
    if minilm is None or not texts:
        return Sentences(rows, torch.zeros(len(texts), 0 if minilm is None else minilm.dim))
    return Sentences(rows, minilm.sentence_embeddings(texts))


def picture_columns(
    seen: VisualFeatures,
    parts: Sequence[ImagePart],
    n_things: int = 0,
    alexnet: tuple[CropNetwork, np.ndarray] | None = None,
) -> list[Tensor]:
    """What each part says of B pictures, float32 (B, width); side by side they are a picture's features (B, F).

    n_things: classes of the region proposer; only for ``"detections"``.
    alexnet: the network and the squares that it sees, uint8 (B, side, side, 3); only for ``"alexnet"``.

    Raises ``ValueError`` where a part needs what is not there.
    """
    columns: list[Tensor] = []
    for part in parts:
        if part in FEATURE_PARTS:
            columns.append(pool_features(seen.trunk, seen.grid, (part,)))
        elif part == "presence":
            columns.append(presence_features(_needed(seen.presence, part)))
        elif part == "detections":
            columns.append(detection_features(_needed(seen.regions, part), n_things))
        else:
            network, squares = _needed(alexnet, part)
            whole = torch.tensor(_WHOLE, device=seen.grid.device).expand(len(squares), 1, 4)
            columns.append(network(squares, whole)[:, 0])
    return [column.to(seen.grid.device) for column in columns]


def presence_features(presence: Tensor) -> Tensor:
    """Logits of the segmenter's probabilities (B, C) that a class is in the picture."""
    return torch.logit(presence.float(), eps=_SUREST)


def detection_features(regions: Regions, n_things: int) -> Tensor:
    """Logarithm of the highest score with which the proposer found each thing, (B, n_things)."""
    own = torch.arange(regions.scores.shape[1], device=regions.scores.device) < regions.lengths.long()[:, None]
    scores = torch.where(own, regions.scores.float(), 0.0)
    found = scores.new_zeros(len(scores), n_things)
    found.scatter_reduce_(1, regions.labels.long(), scores, "amax")
    return found.clamp(min=_FAINTEST).log()


def _needed(thing: NeededT | None, part: str) -> NeededT:
    if thing is None:
        raise ValueError(f"this model reads {part}, and vision was not asked for it")
    return thing
