"""The task ``image-sentence``: 3SHNet on captioned photos, from features to a package.

Three phases, each resumable: ``features`` (the frozen backbone and the segmenter on every view), ``tail`` (the last
backbone stages, if the recipe tunes them) and ``network`` (3SHNet itself, on what the tail gives).
"""

import os
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError
from explorer.networks.common.loading import join_parts, packed
from explorer.networks.registry import load_encoder
from explorer.networks.three_shnet.config import ImageEncoderConfig, TextConfig
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.packages.manifest import Manifest, Output, Part, Preprocess
from explorer.packages.package import write_package
from explorer.packages.reference import make_reference
from explorer.protocol.runs import Finished, Progressed, RunEvent
from explorer.representations import Modality
from explorer.training.compute import Compute
from explorer.training.config import ImageSentenceRecipe, NetworkSection
from explorer.training.gates import GatePhase
from explorer.training.network import NetworkPhase, TokenSource, first_view_statistics
from explorer.training.packaging import recall_table, write_card
from explorer.training.phases import PhaseEnd, run_phase
from explorer.training.photos import Split
from explorer.training.preparation import Prepared, TrainingPlaces, prepare, with_minilm
from explorer.training.stopping import StoppingSection
from explorer.training.tail import TailPhase
from explorer.vision import DEFAULT_SOURCE, load_backbone

_BATCH = 16


@dataclass(frozen=True, slots=True)
class Ready:
    """All that 3SHNet is trained on.

    Attributes:
        prepared: everything frozen.
        tail: the tuned tail, or None.
        train: tokens of the training photos' views.
        val: tokens of the validation photos.
        configs: sizes of both encoders.
        compute: what it is trained on.
    """

    prepared: Prepared
    tail: nn.Module | None
    train: TokenSource
    val: TokenSource
    configs: tuple[ImageEncoderConfig, TextConfig]
    compute: Compute = field(default_factory=Compute)


def train_image_sentence(
    recipe: ImageSentenceRecipe, places: TrainingPlaces, token: CancellationToken
) -> Iterator[RunEvent]:
    """Train and write the package.

    Raises
    ------
    ConfigError
        the recipe names no vision package.
    """
    ready = yield from make_ready(recipe, places, token)
    phase = network_phase(recipe, ready)
    end = yield from run_phase(phase, places.run, token=token, stopping=recipe.stopping)
    if recipe.gates.epochs and not end.kept:
        phase = GatePhase(phase, recipe.gates)
        # Without patience: gates are taught to the end, though recall may be best before it.
        yield from run_phase(phase, places.run, token=token, stopping=StoppingSection())
    metrics = phase.measure()
    yield from places.compute.led(_finish(recipe, places, ready, phase, metrics, end))


def _finish(
    recipe: ImageSentenceRecipe,
    places: TrainingPlaces,
    ready: Ready,
    phase: NetworkPhase,
    metrics: dict[str, float],
    end: PhaseEnd,
) -> Iterator[RunEvent]:
    path = write_trained(recipe, places, ready, phase, metrics)
    yield Finished(path=os.fsencode(path), metrics=metrics, epoch=end.epoch, early=end.early)


def network_phase(recipe: ImageSentenceRecipe, ready: Ready) -> NetworkPhase:
    """The network as the recipe wants it, on prepared tokens."""
    train, val = (ready.prepared.train, ready.train), (ready.prepared.val, ready.val)
    return NetworkPhase(ready.configs, recipe.training, train, val, ready.compute)


def make_ready(
    recipe: ImageSentenceRecipe, places: TrainingPlaces, token: CancellationToken
) -> Generator[RunEvent, None, Ready]:
    """Everything before the network: features, tail and the tokens it gives."""
    if not recipe.features.vision:
        raise ConfigError("The recipe names no vision package.", 'Add vision = "vision-lite0" to [features].')
    prepared = yield from prepare(recipe.dataset, recipe.features, places, token, recipe.network)
    tail = None
    if recipe.tail.epochs:
        pristine = load_backbone(prepared.vision.backbone.name).tail
        splits = (with_minilm(split, places) for split in (prepared.train, prepared.val))
        phase = TailPhase(pristine, recipe.tail, *splits, seed=recipe.training.seed, compute=places.compute)
        yield from run_phase(phase, places.run, token=token)
        tail = phase.tuned_tail()
    grids = yield from _grids(prepared, tail, places, token)
    tokens = token_config(recipe.network, prepared)
    mean, scale = first_view_statistics(tokens, prepared.train.views[0], grids[0][0])
    train, val = (TokenSource(part, mean, scale, tokens) for part in grids)
    configs = encoder_configs(recipe.network, prepared, len(mean))
    return Ready(prepared, tail, train, val, configs, places.compute)


def token_config(network: NetworkSection, prepared: Prepared) -> TokenConfig:
    """What a visual token is made of."""
    if network.tokens == "grid":
        return TokenConfig(kind="grid", trunk_cells=network.trunk_cells)
    n_things = len(prepared.vision.class_names) - len(prepared.vision.mask_names)
    return TokenConfig(
        kind="regions",
        trunk_cells=network.trunk_cells,
        pooling=network.region_pooling,
        positions=network.region_positions,
        n_labels=n_things if network.region_labels else 0,
        whole=network.whole_picture,
    )


def encoder_configs(
    network: NetworkSection, prepared: Prepared, visual_dim: int
) -> tuple[ImageEncoderConfig, TextConfig]:
    """Sizes of both encoders for this data; the class map's statistics are those of the training photos."""
    n_classes = len(prepared.vision.class_names)
    class_map = prepared.train.views[0].class_map
    assert class_map is not None
    shares = class_map.float() / n_classes
    image = ImageEncoderConfig(
        visual_dim=visual_dim,
        embed_dim=network.embed_dim,
        n_classes=n_classes,
        map_size=network.map_size,
        hidden_dim=network.hidden_dim,
        dropout=network.dropout,
        token_dropout=network.token_dropout,
        feature_dropout=network.feature_dropout,
        map_mean=float(shares.mean()),
        map_std=max(float(shares.std()), 1e-4),
        vsem=network.vsem,
        vspm=network.vspm,
        category_token=network.category_token,
        segmentation_cells=network.segmentation_cells,
        gate=network.gate,
        pooling=network.pooling,
    )
    return image, prepared.wording.text_config(network)


def _grids(
    prepared: Prepared, tail: nn.Module | None, places: TrainingPlaces, token: CancellationToken
) -> Generator[RunEvent, None, tuple[list[Tensor], list[Tensor]]]:
    """What the tail gives for every view, kept in the run's folder: float16 memory maps (n, G, g, g)."""
    folder = places.run.folder / "features"
    folder.mkdir(exist_ok=True)
    network = (tail or prepared.vision.backbone.tail).eval()
    result: tuple[list[Tensor], list[Tensor]] = ([], [])
    for number, split in enumerate((prepared.train, prepared.val)):
        for view in range(len(split.views)):
            path = folder / f"grid-{number}-{view}.npy"
            yield from places.compute.led(_cache_grid(split, view, network, path, token))
            result[number].append(torch.from_numpy(np.load(path, mmap_mode="c")))
    return result


def _cache_grid(
    split: Split, view: int, tail: nn.Module, path: Path, token: CancellationToken
) -> Iterator[RunEvent]:
    if path.is_file():
        return
    trunks = split.views[view].trunk
    weight = next(tail.parameters())  # vision's own tail is in half precision on a graphics card
    partial = path.with_suffix(".partial")
    array: np.memmap | None = None
    for row in range(0, len(trunks), _BATCH):
        token.check()
        with torch.inference_mode():
            trunk = trunks[row : row + _BATCH].to(weight.device, weight.dtype)
            grid = tail(trunk.contiguous(memory_format=torch.channels_last)).half().contiguous().cpu().numpy()
        if array is None:
            shape = (len(trunks), *grid.shape[1:])
            array = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float16, shape=shape)
        array[row : row + len(grid)] = grid
        if row % (32 * _BATCH) == 0:
            yield Progressed(message=f"tokens, view {view + 1}", n_done=row, n_total=len(trunks))
    assert array is not None
    array.flush()
    partial.replace(path)


def write_trained(
    recipe: ImageSentenceRecipe, places: TrainingPlaces, ready: Ready, phase: NetworkPhase, metrics: dict[str, float]
) -> Path:
    """Write the package; its reference is computed by loading it again, so what is shipped is what was checked."""
    model = phase.finished_model()
    parts = {"image": packed(model.image), "text": packed(model.text)}
    parts["tokens"] = {"mean": ready.train.mean.numpy(), "scale": ready.train.scale.numpy()}
    if ready.tail is not None:
        parts["tail"] = packed(ready.tail)
    tensors = join_parts(parts)
    manifest = _manifest(recipe, ready)
    prepared = ready.prepared
    card = write_card(
        recipe,
        what=_what(recipe),
        table=recall_table(metrics),
        n_train=len(prepared.train),
        n_val=len(prepared.val),
        places=places,
    )
    folder = places.packages_folder / recipe.name
    contents: dict[str, Any] = {
        "card": card,
        "labels": prepared.vision.class_names,
        "vocabulary": prepared.wording.vocabulary or None,
    }
    package = write_package(folder, manifest, tensors, **contents)
    encoder = load_encoder(package, search_folders=[places.packages_folder, *places.search_folders], device="cpu")
    reference = make_reference(
        lambda texts: encoder.encode_texts(texts).values,  # type: ignore[union-attr]
        lambda squares: encoder.encode_images(squares).values,  # type: ignore[union-attr]
        encoder.side_px,
    )
    write_package(folder, manifest, tensors, **contents, reference=reference)
    return folder


_TOKENS = {
    "grid": "3SHNet (grid variant; networks/three_shnet/README.md): the 49 cells of the backbone's last feature map",
    "regions": "3SHNet (region variant; networks/three_shnet/README.md): what the backbone's feature maps hold within "
    "the up to 36 regions that the vision package proposes",
}
_TEXT = {
    "minilm": "word states of MiniLM",
    "bert": "frozen word states of another language model, named in model.toml",
    "bigru": "words of the training sentences with trained vectors, read by a BiGRU",
}


def _what(recipe: ImageSentenceRecipe) -> str:
    network = recipe.network
    changes = [
        "InfoNCE in the place of the triplet loss" if recipe.training.loss == "info-nce" else "",
        "crops with changed colours" if recipe.features.n_crops else "",
        "tuned last backbone stages" if recipe.tail.epochs else "",
        "the trunk's finer cells beside each token" if network.trunk_cells else "",
        *_region_changes(network),
        "standardised tokens",
        "averaged weights" if recipe.training.averaging else "",
        "the segmenter (101 classes) in the place of UPSNet's 133",
    ]
    return (
        f"{_TOKENS[network.tokens]}, guided semantically (VSeM) and spatially (VSpM) by the segmentation of the same "
        f"picture; {_TEXT[network.text]}. Gates and spatial attention come out of the pass that makes the embedding. "
        f"Reconstructed, not in the paper: {', '.join(change for change in changes if change)}."
    )


def _region_changes(network: NetworkSection) -> list[str]:
    if network.tokens == "grid":
        return []
    return [
        "a box's largest values in the place of its means" if network.region_pooling == "max" else "",
        "each region's corners and area" if network.region_positions else "",
        "its label with the proposer's score" if network.region_labels else "",
        "the whole picture as one region more" if network.whole_picture else "",
        "our own proposer in the place of bottom-up attention",
    ]


def _token_settings(ready: Ready) -> dict[str, Any]:
    tokens, package = ready.train.config, ready.prepared.vision_package
    settings: dict[str, Any] = {"tokens": tokens.kind, "trunk_cells": tokens.trunk_cells}
    if tokens.kind == "regions":
        settings["regions"] = {name: getattr(tokens, name) for name in ("pooling", "positions", "n_labels", "whole")}
        detector = ready.prepared.vision.detector
        if detector is not None:
            settings["proposer"] = detector.name
        elif package and package.manifest.regions:
            settings["regions_sha256"] = package.manifest.regions.sha256
    return settings


def _manifest(recipe: ImageSentenceRecipe, ready: Ready) -> Manifest:
    backbone = ready.prepared.vision.backbone
    network = recipe.network
    red, green, blue = backbone.mean
    red_std, green_std, blue_std = backbone.std
    regions = ["regions"] if network.tokens == "regions" else []
    overlays = (*regions, *(["vsem"] if network.vsem else []), *(["vspm"] if network.vspm else []), "segmentation")
    image, text = ready.configs
    return Manifest(
        family="three_shnet",
        name=recipe.name,
        title=recipe.title,
        preprocess=Preprocess(
            side_px=backbone.side_px, mean=(red, green, blue), std=(red_std, green_std, blue_std)
        ),
        output=Output(kind="embedding", dim=network.embed_dim),
        backbone=Part(name=backbone.name, source=DEFAULT_SOURCE),
        text=ready.prepared.wording.part,
        modalities=(Modality.TEXT, Modality.IMAGE),
        config={
            "image": asdict(image),
            "text": asdict(text),
            **ready.prepared.wording.settings(),
            **_token_settings(ready),
            "tuned_tail": ready.tail is not None,
        },
        overlays=overlays,
        vision=ready.prepared.vision_part,
    )
