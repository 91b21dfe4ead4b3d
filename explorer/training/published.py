"""What the papers give for the settings of recipes, and where that stands.

Only what a paper, its authors' code or, for TVDB, a reading note by somebody else says; sections are those of each
family's README. What nobody says is *reconstructed*: it has no value here.
"""

from collections.abc import Mapping
from dataclasses import dataclass

RECONSTRUCTED = "reconstructed"

_CODE = "the authors' code, three_shnet/README.md "
_NOTE = "a reading note of the paper, tvdb/README.md "
_TVDB = "the paper's abstract and captions, tvdb/README.md "
_DSMHN = "the paper's abstracts, dsmhn/README.md "


@dataclass(frozen=True, slots=True)
class Published:
    """A value as a recipe has it, words without quotation marks; empty where the source gives none. And the source."""

    value: str
    source: str


_THREE_SHNET = {
    "network.text": Published("bert", _CODE + "3.7"),
    "network.language_model": Published("bert-base-uncased", _CODE + "3.7"),
    "network.tokens": Published("regions", _CODE + "3.2; the paper's other variant has a grid"),
    "network.region_positions": Published("false", _CODE + "3.2"),
    "network.region_labels": Published("false", _CODE + "3.2"),
    "network.whole_picture": Published("false", _CODE + "3.2"),
    "network.embed_dim": Published("1024", _CODE + "3.3"),
    "network.map_size": Published("64", _CODE + "3.2"),
    "network.hidden_dim": Published("512", _CODE + "3.3"),
    "network.dropout": Published("0.1", _CODE + "3.3"),
    "network.token_dropout": Published("0.2", _CODE + "3.7"),
    "network.feature_dropout": Published("0.0", _CODE + "3.3"),
    "network.vsem": Published("true", _CODE + "3.4"),
    "network.vspm": Published("true", _CODE + "3.5"),
    "network.category_token": Published("true", _CODE + "3.3"),
    "network.segmentation_cells": Published("true", _CODE + "3.3"),
    "network.gate": Published("sigmoid", _CODE + "3.4"),
    "network.pooling": Published("gpo", _CODE + "3.6"),
    "network.min_word_count": Published("4", "VSE++'s data, for text = \"bigru\""),
    "network.word_dim": Published("300", "VSE-infinity's code, for text = \"bigru\""),
    "network.word_dropout": Published("", "reconstructed: the authors' code alters a fifth of the words instead"),
    "training.loss": Published("triplet", _CODE + "3.8"),
    "training.warmup_epochs": Published("1", _CODE + "3.8"),
    "training.margin": Published("0.2", _CODE + "3.8"),
    "training.epochs": Published("25", _CODE + "3.8"),
    "training.batch_size": Published("256", _CODE + "3.8"),
    "training.sentences": Published("1", _CODE + "3.8"),
    "training.learning_rate": Published("5e-4", _CODE + "3.8; a tenth of it from epoch 15"),
    "training.weight_decay": Published("1e-4", _CODE + "3.8"),
    "training.clip_norm": Published("2.0", _CODE + "3.8"),
}

_TVDB_VALUES = {
    "network.features": Published("alexnet-crops", _NOTE + "1.2"),
    "network.position_dim": Published("904", _NOTE + "1.2; beside 4096 features of AlexNet"),
    "network.order": Published("dominant", _TVDB + "1.2"),
    "network.n_tokens": Published("12", _NOTE + "1.3"),
    "network.word_dim": Published("128", _NOTE + "1.3"),
    "training.objective": Published("alternating", _TVDB + "1.6"),
}

_DSMHN_VALUES = {
    "loss.classification": Published("", _DSMHN + "2.1: asked for, without a weight"),
    "loss.balance": Published("", _DSMHN + "2.1: asked for in the first two versions, without a weight"),
}

_SCENES = {
    "network.sees_time": Published("true", _DSMHN + "2.1"),
    "training.classification": Published("", _DSMHN + "2.1: asked for, without a weight"),
    "training.balance": Published("", _DSMHN + "2.1: asked for in the first two versions, without a weight"),
}

PUBLISHED: Mapping[str, Mapping[str, Published]] = {
    "image-sentence": _THREE_SHNET,
    "tvdb": _TVDB_VALUES,
    "dsmhn": _DSMHN_VALUES,
    "scenes": _SCENES,
    "pooled": {},
}
"""By task, by key."""

_OF_NO_PAPER = frozenset({"name", "title", "vision"})
_OURS = frozenset({"dataset", "labels", "scenes", "stopping", "ridge"})
"""Sections of things that no paper could speak of."""


def published(task: str, key: str) -> Published:
    """What is known of a setting; of the papers' things without a value it is said that they are reconstructed."""
    known = PUBLISHED[task].get(key)
    if known is not None:
        return known
    section, _, name = key.partition(".")
    ours = task == "pooled" or key in _OF_NO_PAPER or section in _OURS or name in ("seed", "vision", "proposer")
    return Published("", "" if ours else RECONSTRUCTED)
