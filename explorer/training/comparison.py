"""3SHNet beside its baselines and ablations, on the same features: ``python -m explorer.training.comparison``.

For every seed the network of the recipe, whose tokens are cells or regions, and its variants: ``plain`` (without VSeM,
VSpM, category token and segmentation cells) and each switch off on its own; and ridge regression from the pooled
features of the same tail to MiniLM's sentence embeddings. Each result is kept as soon as it is there, so the same
command goes on where a stopped comparison was. Differences are paired: same photos, same seed.
"""

import argparse
import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
import torch.nn.functional as F

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError, UserFacingError
from explorer.evaluation.comparison import paired_bootstrap
from explorer.evaluation.image_text import Ranks
from explorer.networks.common.pooling import pool_features
from explorer.networks.pooled.losses import fit_ridge
from explorer.protocol.runs import Progressed, RunEvent, Stepped
from explorer.training.compute import choose_compute
from explorer.training.config import ImageSentenceRecipe, read_recipe
from explorer.training.image_sentence import Ready, encoder_configs, make_ready, network_phase
from explorer.training.phases import run_phase
from explorer.training.photos import Split, recall_metrics, val_ranks
from explorer.training.pooled import sentence_targets
from explorer.training.preparation import TrainingPlaces
from explorer.training.run_directory import RunDirectory

FULL = "3shnet"
VARIANTS: dict[str, dict[str, Any]] = {
    FULL: {},
    "plain": {"vsem": False, "vspm": False, "category_token": False, "segmentation_cells": False},
    "no-vsem": {"vsem": False},
    "no-vspm": {"vspm": False},
    "no-category": {"category_token": False},
    "no-cells": {"segmentation_cells": False},
    "softmax-gate": {"gate": "softmax"},
    "mean-pooling": {"pooling": "mean"},
}
_BATCH = 100
_RIDGE_PENALTIES = (0.1, 0.3, 1.0, 3.0)


def compare(
    recipe: ImageSentenceRecipe,
    places: TrainingPlaces,
    results: Path,
    runs: Sequence[tuple[str, int]],
    token: CancellationToken,
) -> Iterator[RunEvent]:
    """Train what is missing and write ``comparison.json`` and ``comparison.md`` into ``results``.

    places: its run holds the tail, and the features it gives, from a run of the recipe; they are made if they are not.
    runs: names out of :data:`VARIANTS` and seeds, in the order in which they are trained.
    """
    results.mkdir(parents=True, exist_ok=True)
    ready = yield from make_ready(recipe, places, token)
    _ridge(ready, results)
    for variant, seed in runs:
        stem = f"{variant}-{seed}"
        if not (results / f"{stem}.npz").is_file():
            yield from _train_one(recipe, ready, RunDirectory(results / stem), (variant, seed), token)
        _write_summary(results, recipe, runs, ready.prepared.val)


def _train_one(
    recipe: ImageSentenceRecipe, ready: Ready, run: RunDirectory, setting: tuple[str, int], token: CancellationToken
) -> Iterator[RunEvent]:
    variant, seed = setting
    run.folder.mkdir(exist_ok=True)
    network = msgspec.structs.replace(recipe.network, **VARIANTS[variant])
    training = msgspec.structs.replace(recipe.training, seed=seed)
    changed = msgspec.structs.replace(recipe, network=network, training=training)
    configs = encoder_configs(network, ready.prepared, len(ready.train.mean))
    phase = network_phase(changed, dataclasses.replace(ready, configs=configs))
    yield from run_phase(phase, run, token=token)
    _keep(run.folder.with_suffix(".npz"), val_ranks(*phase.embed_val(), ready.prepared.val.bank.first))


def _ridge(ready: Ready, results: Path) -> None:
    """The ridge baseline at the penalty that is best for it on the validation split: no handicap."""
    path = results / "ridge.npz"
    if path.is_file():
        return
    train, val = ready.prepared.train, ready.prepared.val
    features, held_out = _pooled(train, ready.train.grids[0]), _pooled(val, ready.val.grids[0])
    best: tuple[float, Ranks] | None = None
    for penalty in _RIDGE_PENALTIES:
        weights, bias = fit_ridge(features, sentence_targets(train), penalty=penalty)
        ranks = val_ranks(F.normalize(held_out @ weights + bias, dim=1), val.bank.embeddings, val.bank.first)
        value = recall_metrics(ranks)["rsum"]
        if best is None or value > best[0]:
            best = value, ranks
    assert best is not None
    _keep(path, best[1])


@torch.inference_mode()
def _pooled(split: Split, grid: torch.Tensor) -> torch.Tensor:
    trunk = split.views[0].trunk
    rows = range(0, len(grid), _BATCH)
    return torch.cat([pool_features(trunk[row : row + _BATCH], grid[row : row + _BATCH]) for row in rows])


def _keep(path: Path, ranks: Ranks) -> None:
    np.savez(path, image_to_text=ranks.image_to_text, text_to_image=ranks.text_to_image)


def _read(path: Path) -> Ranks | None:
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        return Ranks(arrays["image_to_text"], arrays["text_to_image"])


def _write_summary(
    results: Path, recipe: ImageSentenceRecipe, runs: Sequence[tuple[str, int]], val: Split
) -> None:
    first = val.bank.first.numpy()
    owners = np.repeat(np.arange(len(val)), np.diff(first))
    names = ["ridge", *(f"{variant}-{seed}" for variant, seed in runs)]
    ranks = {name: found for name in names if (found := _read(results / f"{name}.npz")) is not None}
    differences = {}
    for variant, seed in runs:
        full, name = f"{FULL}-{seed}", f"{variant}-{seed}"
        rival = "ridge" if variant == FULL else name
        if full in ranks and rival in ranks:
            differences[f"{full} less {rival}"] = asdict(paired_bootstrap(ranks[full], ranks[rival], owners))
    summary = {
        "recipe": msgspec.to_builtins(recipe),
        "metrics": {name: recall_metrics(value) for name, value in ranks.items()},
        "paired": differences,
    }
    (results / "comparison.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    (results / "comparison.md").write_text(comparison_table(summary, runs), encoding="utf-8")


def comparison_table(summary: dict[str, Any], runs: Sequence[tuple[str, int]]) -> str:
    """What was measured so far as Markdown: rSum of each variant by seed, and what the full network has more.

    Differences are paired by photos within a seed; their mean over the seeds has no interval of its own.
    """
    seeds = list(dict.fromkeys(seed for _, seed in runs))
    rsums = {name: metrics["rsum"] for name, metrics in summary["metrics"].items()}
    differences = (f"{FULL} less it, seed {seed}" for seed in seeds)
    head = ["variant", *(f"seed {seed}" for seed in seeds), "mean", *differences, "mean"]
    lines = [_row(head), _row(["---"] * len(head))]
    for variant in ["ridge", *dict.fromkeys(variant for variant, _ in runs)]:
        names = ["ridge" if variant == "ridge" else f"{variant}-{seed}" for seed in seeds]
        paired = [summary["paired"].get(f"{FULL}-{seed} less {name}") for seed, name in zip(seeds, names, strict=True)]
        lines.append(
            _row([
                variant,
                *(_number(rsums.get(name)) for name in names),
                _mean([rsums.get(name) for name in names]),
                *("" if variant == FULL else _interval(value) for value in paired),
                "" if variant == FULL else _mean([value and value["difference"] for value in paired], sign=True),
            ])
        )
    return "\n".join([*lines, ""])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, *, sign: bool = False) -> str:
    return "" if value is None else f"{value:{'+' if sign else ''}.1f}"


def _mean(values: Sequence[float | None], *, sign: bool = False) -> str:
    """Only where every seed is there: a mean over some seeds would be read as one over all."""
    found = [value for value in values if value is not None]
    return _number(sum(found) / len(found), sign=sign) if found and len(found) == len(values) else ""


def _interval(value: dict[str, float] | None) -> str:
    if value is None:
        return ""
    return f"{value['difference']:+.1f} ({value['low']:+.1f} to {value['high']:+.1f})"


def _runs(variants: str, seeds: str) -> list[tuple[str, int]]:
    """Every variant with every seed, one seed after the other.

    Raises
    ------
    ConfigError
        a name that is no variant, or a seed that is no number.
    """
    names = list(VARIANTS) if variants == "all" else variants.split(",")
    for name in names:
        if name not in VARIANTS:
            raise ConfigError(f'"{name}" is no variant.', f"Choose among {', '.join(VARIANTS)}, or say all.")
    if not all(seed.strip().isdigit() for seed in seeds.split(",")):
        raise ConfigError(f'"{seeds}" are no seeds.', "Give whole numbers with commas between them: 0,1,2.")
    return [(name, int(seed)) for seed in seeds.split(",") for name in names]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit status 1 with one sentence for what a user can cause."""
    parser = argparse.ArgumentParser(prog="python -m explorer.training.comparison", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run of this recipe, for its tail")
    parser.add_argument("--models", type=Path, required=True, help="where the vision package is")
    parser.add_argument("--results", type=Path, required=True, help="folder for what comes out")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--variants", default="3shnet,plain", help=f"all, or some of {', '.join(VARIANTS)}")
    parser.add_argument("--tokens", choices=["grid", "regions"], help="in the place of what the recipe says")
    parser.add_argument("--device", default="cpu", help="where networks are trained: cpu, cuda, mps or auto")
    given = parser.parse_args(arguments)
    try:
        recipe = read_recipe(given.recipe)
        if not isinstance(recipe, ImageSentenceRecipe):
            raise ConfigError("Only recipes of the task image-sentence can be compared.")
        if recipe.network.text != "minilm":
            raise ConfigError("The ridge baseline aims at MiniLM's sentences.", 'Say text = "minilm" in [network].')
        if given.tokens:
            network = msgspec.structs.replace(recipe.network, tokens=given.tokens)
            recipe = msgspec.structs.replace(recipe, network=network)
        places = TrainingPlaces(
            run=RunDirectory(given.run),
            recipe_folder=given.recipe.absolute().parent,
            features_folder=given.run.absolute().parent.parent / "features",
            search_folders=[given.models],
            packages_folder=given.results,
            compute=choose_compute(given.device),
        )
        runs = _runs(given.variants, given.seeds)
        for event in compare(recipe, places, given.results, runs, CancellationToken()):
            if not isinstance(event, Progressed | Stepped):
                sys.stderr.write(f"{event}\n")
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
