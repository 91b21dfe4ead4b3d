"""DSMHN's streams for pictures and sentences, and what ends all three (README.md 2.2); bits are activations' signs."""
# B pictures or sentences, F features, T words, K bits, C classes

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.common.minilm import WORD_DIM
from explorer.networks.common.words import PAD
from explorer.networks.dsmhn.config import (
    HashConfig,
    ImageStreamConfig,
    StreamConfigs,
    TextStreamConfig,
    VideoStreamConfig,
)
from explorer.networks.dsmhn.preprocess import Sentences
from explorer.networks.dsmhn.video_network import build_network
from explorer.networks.dsmhn.video_stream import VideoStream

_BAG_SPREAD = 0.01
"""Of the numbers of fresh rows of the bag of words: what is learned of a word must soon be more than its noise."""


class ImageStream(nn.Module):
    """Features of a picture, standardised, and the hash layers.

    Attributes:
        config: its sizes.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, config: ImageStreamConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("mean", torch.zeros(config.feature_dim))
        self.register_buffer("scale", torch.ones(config.feature_dim))
        self.hash = hash_layers(config.feature_dim, config)

    def standardise(self, features: Tensor) -> None:
        """Take each feature's mean and spread from the training pictures, (n, F)."""
        self.mean.copy_(features.float().mean(dim=0))
        self.scale.copy_(features.float().std(dim=0).clamp(min=1e-3))

    def forward(self, features: Tensor) -> Tensor:
        """Activations (B, K) in [-1, 1] of features (B, F), ``preprocess.picture_columns`` side by side."""
        activations: Tensor = self.hash((features.float() - self.mean) / self.scale)
        return activations


class TextStream(nn.Module):
    """What the readers say of a sentence, a hidden layer for all of them together, and the hash layers.

    Attributes:
        config: its sizes.
    """

    def __init__(self, config: TextStreamConfig) -> None:
        super().__init__()
        self.config = config
        n_in, self.vectors, self.bag = 0, None, None
        if "minilm" in config.readers:
            n_in += WORD_DIM
        if "mean-vectors" in config.readers:
            self.vectors = nn.EmbeddingBag(config.n_words, config.word_dim, mode="mean", padding_idx=PAD)
            n_in += config.word_dim
        if "bow" in config.readers:
            # A linear layer on a bag of words is the sum of its words' rows.
            self.bag = nn.EmbeddingBag(config.n_words, config.hidden_dim, mode="sum", padding_idx=PAD)
            with torch.no_grad():
                self.bag.weight.mul_(_BAG_SPREAD)
        self.first = nn.Linear(n_in, config.hidden_dim) if n_in else None
        self.hash = nn.Sequential(
            nn.BatchNorm1d(config.hidden_dim), nn.ReLU(), *last_layers(config.hidden_dim, config)
        )

    def forward(self, sentences: Sentences) -> Tensor:
        """Activations (B, K) in [-1, 1]."""
        activations: Tensor = self.hash(self._hidden(sentences))
        return activations

    def _hidden(self, sentences: Sentences) -> Tensor:
        """What the readers say together, (B, hidden_dim)."""
        rows, parts = sentences.rows, []
        if self.training and self.config.word_dropout:
            forgotten = torch.rand(rows.shape, device=rows.device) < self.config.word_dropout
            rows = rows.masked_fill(forgotten, PAD)
        if "minilm" in self.config.readers:
            # Unit vectors of 384 numbers are small; a linear layer begins best with numbers of size 1.
            parts.append(sentences.embeddings.float() * WORD_DIM**0.5)
        if self.vectors is not None:
            parts.append(self.vectors(rows))
        summed = [] if self.bag is None else [self.bag(rows)]
        if self.first is not None:
            read = F.dropout(torch.cat(parts, dim=1), self.config.input_dropout, self.training)
            summed.append(self.first(read))
        return torch.stack(summed).sum(dim=0)


class Classifier(nn.Module):
    """Classes told from activations (README.md 2.3): only training needs it.

    One linear layer for each modality, or one that all share.
    """

    def __init__(self, n_bits: int, n_classes: int, modalities: tuple[str, ...], *, shared: bool) -> None:
        super().__init__()
        self._shared = shared
        names = ("shared",) if shared else modalities
        self.layers = nn.ModuleDict({name: nn.Linear(n_bits, n_classes) for name in names})

    def forward(self, activations: Tensor, modality: str) -> Tensor:
        """Logits (B, C) of activations (B, K) of one modality."""
        logits: Tensor = self.layers["shared" if self._shared else modality](activations)
        return logits


def build_video_stream(config: VideoStreamConfig) -> VideoStream:
    """A video stream with fresh hash layers.

    Raises
    ------
    ConfigError
        it builds on a network whose weights are not here.
    """
    network = build_network(config.network)
    return VideoStream(network, hash_layers(network.dim, config))


class Streams(nn.Module):
    """All streams of a model; each may be missing.

    Attributes:
        image: pictures to activations.
        video: clips to activations.
        text: sentences to activations.
    """

    def __init__(self, configs: StreamConfigs) -> None:
        super().__init__()
        self.configs = configs
        self.image = ImageStream(configs.image) if configs.image else None
        self.video = build_video_stream(configs.video) if configs.video else None
        self.text = TextStream(configs.text) if configs.text else None


def hash_layers(n_in: int, config: HashConfig) -> nn.Sequential:
    """A hidden layer if there is one, and K numbers in [-1, 1]."""
    if not config.hidden_dim:
        return nn.Sequential(*last_layers(n_in, config))
    return nn.Sequential(
        nn.Dropout(config.input_dropout), nn.Linear(n_in, config.hidden_dim),
        nn.BatchNorm1d(config.hidden_dim), nn.ReLU(),
        *last_layers(config.hidden_dim, config),
    )


def last_layers(n_in: int, config: HashConfig) -> list[nn.Module]:
    """Linear to K numbers, normalised where the config says so, tanh."""
    return [
        nn.Dropout(config.dropout), nn.Linear(n_in, config.n_bits),
        *([nn.BatchNorm1d(config.n_bits, affine=False)] if config.normalised else []),
        nn.Tanh(),
    ]
