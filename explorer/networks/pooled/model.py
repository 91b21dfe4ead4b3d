"""The plainest encoder: pooled features, projected linearly into the sentence model's own space."""

import torch.nn.functional as F
from torch import Tensor, nn

from explorer.networks.pooled.config import PooledConfig


class PooledProjection(nn.Module):
    """``normalise(features @ weights + bias)``; sentences are the sentence model's embeddings themselves."""

    def __init__(self, config: PooledConfig) -> None:
        super().__init__()
        self.config = config
        self.linear = nn.Linear(config.feature_dim, config.embed_dim)

    def forward(self, features: Tensor) -> Tensor:
        """Embed pooled features (B, F) as unit vectors (B, D)."""
        return F.normalize(self.linear(features), dim=1)
