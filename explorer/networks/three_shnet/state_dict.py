"""Names of tensors: in a package of ours, and in the authors' files (README.md 3.13).

A package holds ``image.*`` and ``text.*`` (the two encoders), ``tokens.mean`` and ``tokens.scale`` (standardisation of
the visual tokens) and, where the last backbone stages were tuned, ``tail.*``.
"""

from collections.abc import Mapping

_PUBLISHED_PARTS = {
    "fc": "project",
    "mlp": "feature_mlp",
    "seg_mlp": "cells_mlp",
    "fusion_mlp": "fusion_mlp",
    "embed_seg_C.1": "cells.linear",
    "embed_seg_C.4": "cells.norm",
    "embed_category.0": "category.linear",
    "embed_category.3": "category.norm",
    "gpool": "pool",
    "crossmodalfusion_sm.MLP_image": "semantic.image_mlp",
    "crossmodalfusion_sm.MLP_seg": "semantic.score_mlp",
    "crossmodalfusion_sm.embed_seg_HW.2": "semantic.embed_scores.linear",
    "crossmodalfusion_sm.embed_seg_HW.5": "semantic.embed_scores.norm",
    "crossmodalfusion_sm.fc_scale": "semantic.linear2",
    "crossmodalfusion_sm.fc_1": "semantic.linear1",
    "crossmodalfusion_sp.MLP_image": "spatial.image_mlp",
    "crossmodalfusion_sp.embedding_Seg.0": "spatial.conv",
    "crossmodalfusion_sp.embedding_Seg.1": "spatial.norm",
    "crossmodalfusion_sp.embed_fusion": "spatial.fusion",
}

_PUBLISHED_TEXT_PARTS = {
    "bert": {"bert": "bert", "linear": "head.linear", "gpool": "head.pool"},
    "bigru": {"embed": "embed", "rnn": "rnn", "gpool": "pool"},
}


def from_published_key(key: str) -> str:
    """Our name of a tensor of the authors' image encoder, for example ``fc.weight`` -> ``project.weight``.

    Raises ``KeyError`` for a name their encoder does not have.
    """
    return _renamed(key.removeprefix("module."), _PUBLISHED_PARTS)


def to_published_key(key: str) -> str:
    """The inverse of :func:`from_published_key`, without ``module.``."""
    return _renamed(key, {ours: published for published, ours in _PUBLISHED_PARTS.items()})


def from_published_text_key(key: str, kind: str) -> str:
    """Our name of a tensor of a published sentence encoder of this kind, ``"bert"`` or ``"bigru"``.

    Raises ``KeyError`` for a name that encoder does not have.
    """
    return _renamed(key.removeprefix("module."), _PUBLISHED_TEXT_PARTS[kind])


def to_published_text_key(key: str, kind: str) -> str:
    """The inverse of :func:`from_published_text_key`, without ``module.``."""
    return _renamed(key, {ours: published for published, ours in _PUBLISHED_TEXT_PARTS[kind].items()})


def _renamed(key: str, parts: Mapping[str, str]) -> str:
    for old, new in parts.items():
        if key.startswith(old + "."):
            return new + key[len(old) :]
    raise KeyError(key)
