"""Pooled features into the space of MiniLM's sentence embeddings by ridge regression: the baseline that is searchable."""

from explorer.networks.pooled.config import PooledConfig
from explorer.networks.pooled.model import PooledProjection

__all__ = ["PooledConfig", "PooledProjection"]
