"""What a model has that embeds somebody's features of pictures, beside or instead of pictures themselves."""

from typing import Protocol, runtime_checkable

import numpy as np

from explorer.representations import Embeddings


@runtime_checkable
class FeatureReader(Protocol):
    """An encoder that reads region features and segmentations as data sets ship them."""

    def encode_features(
        self,
        regions: np.ndarray,
        lengths: np.ndarray,
        semantic_scores: np.ndarray | None,
        class_maps: np.ndarray | None,
        presence: np.ndarray | None,
    ) -> Embeddings:
        """Embeddings (n, dim) of n pictures, from the parts of a ``FeatureBatch`` (``datasets/feature_folder.py``).

        regions: float32 (n, most, D), each picture's own first.   lengths: int64 (n,), may be 0.
        semantic_scores: float32 (n, C, s, s).   class_maps: float32 (n, m, m), normalised.   presence: float32 (n, C).
        A model that needs a part which is None raises :class:`~explorer.errors.DatasetError`.
        """
        ...
