"""Pooled features into the space of MiniLM's sentence embeddings by ridge regression: the searchable baseline."""

from explorer.networks.pooled.config import PooledConfig
from explorer.networks.pooled.model import PooledProjection

__all__ = ["PooledConfig", "PooledProjection"]
