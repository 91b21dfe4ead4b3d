"""TVDB beside its baselines and ablations, on the same regions: ``python -m explorer.training.tvdb_comparison``.

Trained are variants of a recipe: ``tvdb-64`` (the recipe at 64 bits), ``pairwise-64`` (the same networks with the plain
pairwise loss and no discrete step), and of TVDB ``whole-64`` (the whole picture only), ``no-position-64`` and
``shuffled-64`` (regions in an order without meaning). Beside them stand codes made of a model's embeddings at the same
lengths: the signs of a random projection (LSH), and ITQ, fitted on the gallery's photos and sentences. All are measured
by the hashing protocol: the validation split's photos and sentences against those of the training split. Each result is
kept as soon as it is there, so the same command goes on where a stopped comparison was.
"""

import argparse
import dataclasses
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError
from explorer.protocol.runs import RunEvent
from explorer.representations import BinaryCodes
from explorer.training.code_comparison import (
    Sides,
    comparison_parser,
    keep,
    measure,
    measure_baselines,
    run_comparison,
    write_summary,
)
from explorer.training.config import read_recipe
from explorer.training.hashing_config import LabelSection, TVDBRecipe
from explorer.training.phases import run_phase
from explorer.training.preparation import TrainingPlaces
from explorer.training.region_features import RegionFeatures
from explorer.training.run_directory import RunDirectory
from explorer.training.tvdb import TVDBReady, make_ready, tvdb_phase
from explorer.training.tvdb_phase import HashingSplit

VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "tvdb": ({}, {}),
    "pairwise": ({}, {"objective": "pairwise"}),
    "whole": ({"n_regions": 0}, {}),
    "no-position": ({"position_dim": 0}, {}),
    "shuffled": ({}, {}),
}
"""What each changes in ``[network]`` and in ``[training]``; regions are shuffled in the cached features."""

_SEED = 0


def compare(
    recipe: TVDBRecipe, places: TrainingPlaces, results: Path, runs: Sequence[tuple[str, int]], baseline: Path
) -> Iterator[RunEvent]:
    """Train and measure what is missing, and write ``comparison.json`` and ``comparison.md`` into ``results``.

    places: its run holds the regions' features; they are made if they are not.
    runs: variants and lengths, in the order in which they are trained.
    baseline: the file of embeddings, see :func:`embed`; nothing is made of them where it is missing.
    """
    results.mkdir(parents=True, exist_ok=True)
    ready = yield from make_ready(recipe, places, CancellationToken())
    for variant, n_bits in runs:
        path = results / f"{variant}-{n_bits}.json"
        if not path.is_file():
            codes = yield from _train_one(recipe, ready, RunDirectory(results / path.stem), (variant, n_bits))
            keep(path, measure(codes, ready.train, ready.val))
        write_summary(results)
    measure_baselines(baseline, results, (n_bits for _, n_bits in runs), ready.train, ready.val)


def _train_one(
    recipe: TVDBRecipe, ready: TVDBReady, run: RunDirectory, setting: tuple[str, int]
) -> Generator[RunEvent, None, Sides]:
    variant, n_bits = setting
    run.folder.mkdir(exist_ok=True)
    network, training = VARIANTS[variant]
    changed = msgspec.structs.replace(
        recipe,
        network=msgspec.structs.replace(recipe.network, n_bits=n_bits, **network),
        training=msgspec.structs.replace(recipe.training, **training),
    )
    phase = tvdb_phase(changed, _changed(ready, variant))
    yield from run_phase(phase, run, token=CancellationToken())
    model = phase.finished_model()
    codes = [
        BinaryCodes.from_activations(part.numpy())
        for split in (phase.val, phase.train) for part in phase.encode(model, split)
    ]
    return Sides(*codes)


def _changed(ready: TVDBReady, variant: str) -> TVDBReady:
    """What a variant reads of the regions."""
    if variant == "whole":
        return dataclasses.replace(ready, train=_with(ready.train, _whole), val=_with(ready.val, _whole))
    if variant == "shuffled":
        return dataclasses.replace(ready, train=_with(ready.train, _shuffled), val=_with(ready.val, _shuffled))
    return ready


def _with(split: HashingSplit, change: Any) -> HashingSplit:
    return dataclasses.replace(split, views=[change(view) for view in split.views])


def _whole(view: RegionFeatures) -> RegionFeatures:
    return RegionFeatures(view.boxes[:, :1], view.values[:, :1])


def _shuffled(view: RegionFeatures) -> RegionFeatures:
    """Every photo's steps in an order of its own, always the same."""
    generator = torch.Generator().manual_seed(_SEED)
    order = torch.rand(view.boxes.shape[:2], generator=generator).argsort(dim=1)
    rows = torch.arange(len(order))[:, None]
    return RegionFeatures(view.boxes[rows, order], view.values[rows, order])


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see :func:`~explorer.training.code_comparison.run_comparison`."""
    parser = comparison_parser("tvdb_comparison", __doc__, runs="tvdb-64,pairwise-64")
    return run_comparison(parser.parse_args(arguments), _recipe_of, VARIANTS, compare)


def _recipe_of(given: argparse.Namespace) -> TVDBRecipe:
    recipe = read_recipe(given.recipe)
    if not isinstance(recipe, TVDBRecipe):
        raise ConfigError("Only recipes of the task tvdb can be compared.")
    if given.labels:
        without = recipe.labels.without if recipe.labels else ()
        labels = LabelSection(file=str(given.labels.absolute()), without=without)
        recipe = msgspec.structs.replace(recipe, labels=labels)
    return recipe


if __name__ == "__main__":
    sys.exit(main())
