"""What a pooled encoder reads and gives."""

from dataclasses import dataclass

from explorer.networks.common.pooling import FEATURE_PARTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledConfig:
    """Sizes of a pooled encoder.

    Attributes:
        parts: which poolings are read, of :data:`FEATURE_PARTS`.
        feature_dim: width of all parts together.
        embed_dim: width of the sentence model's embeddings.
    """

    parts: tuple[str, ...] = FEATURE_PARTS
    feature_dim: int = 2672
    embed_dim: int = 384

    def __post_init__(self) -> None:
        if not self.parts or not set(self.parts) <= set(FEATURE_PARTS):
            raise ValueError(f"parts must be some of {FEATURE_PARTS}, got {self.parts}")
        if min(self.feature_dim, self.embed_dim) < 1:
            raise ValueError(f"sizes must be at least 1, got {self.feature_dim} and {self.embed_dim}")
