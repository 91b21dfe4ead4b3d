"""TVDB's networks: regions to activations, words to activations (README.md 1.2, 1.3). A bit is an activation's sign."""
# B pictures or sentences, L steps (regions and the whole picture), F features, P position block, T words, K bits

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.common.words import PAD, UNKNOWN
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig


class ImageEncoder(nn.Module):
    """A bidirectional LSTM over regions, its steps' mean, and the hash layers.

    Attributes:
        config: its sizes.
    """

    def __init__(self, config: ImageEncoderConfig) -> None:
        super().__init__()
        self.config = config
        width = config.feature_dim + config.position_dim
        self.lstm = nn.LSTM(width, config.hidden_dim, batch_first=True, bidirectional=True)
        self.hash = hash_layers(2 * config.hidden_dim, config)

    def forward(self, steps: Tensor) -> Tensor:
        """Activations (B, K) in (-1, 1) of the sequences (B, L, F + P), the whole picture first.

        Sequences are all of one length: a picture with few regions repeats the whole picture.
        """
        steps = F.dropout(steps, self.config.input_dropout, self.training)
        outputs, _ = self.lstm(steps)
        activations: Tensor = self.hash(torch.relu(outputs.mean(dim=1)))
        return activations


class TextEncoder(nn.Module):
    """Convolutions over words, their largest values, and the hash layers (Kim 2014, as README.md 1.3 reads the figure).

    Attributes:
        config: its sizes.
    """

    def __init__(self, config: TextEncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.words = nn.Embedding(config.n_words, config.word_dim, padding_idx=PAD)
        self.branches = nn.ModuleList(nn.Conv1d(config.word_dim, config.n_filters, width) for width in config.widths)
        n_filters = config.n_filters * len(config.widths)
        self.hash = hash_layers(n_filters, config)

    def forward(self, rows: Tensor) -> Tensor:
        """Activations (B, K) in (-1, 1) of rows of the word table, int64 (B, T)."""
        if self.training and self.config.word_dropout:
            forgotten = torch.rand(rows.shape, device=rows.device) < self.config.word_dropout
            rows = rows.masked_fill(forgotten & (rows != PAD), UNKNOWN)
        words = self.words(rows).transpose(1, 2)
        features = torch.cat([torch.relu(branch(words)).amax(dim=2) for branch in self.branches], dim=1)
        activations: Tensor = self.hash(features)
        return activations


def hash_layers(n_in: int, config: ImageEncoderConfig | TextEncoderConfig) -> nn.Sequential:
    """Two fully connected layers to K numbers in (-1, 1) (README.md 1.2, step 6; tanh is reconstructed).

    Normalised, each number has mean 0 and spread 1 over the training pictures before the tanh: without it all pictures
    begin with about the same code, and where S is balanced nothing calls them away from there.
    """
    return nn.Sequential(
        nn.Dropout(config.dropout), nn.Linear(n_in, config.fc_dim), nn.ReLU(),
        nn.Dropout(config.dropout), nn.Linear(config.fc_dim, config.n_bits),
        *([nn.BatchNorm1d(config.n_bits, affine=False)] if config.normalised else []),
        nn.Tanh(),
    )
