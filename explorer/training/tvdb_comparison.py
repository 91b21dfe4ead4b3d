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
import json
import sys
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError, UserFacingError
from explorer.evaluation.encoding import encode_pairs
from explorer.evaluation.hashing import Cutoffs, measure_codes, sharing_a_label
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.representations import BinaryCodes, Embeddings
from explorer.retrieval.binarising import fit_itq, fit_lsh
from explorer.training.config import read_recipe
from explorer.training.events import Progressed, TrainingEvent
from explorer.training.hashing_config import TVDBRecipe
from explorer.training.phases import run_phase
from explorer.training.preparation import TrainingPlaces, read_splits
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

DIRECTIONS = ("text_to_image", "image_to_text", "image_to_image", "text_to_text")
_SEED = 0


@dataclass(frozen=True, slots=True)
class Sides:
    """Codes, or embeddings, of both splits: photos and sentences each."""

    val_images: Any
    val_texts: Any
    train_images: Any
    train_texts: Any

    def pair(self, direction: str) -> tuple[Any, Any]:
        """Queries and gallery."""
        asking, asked = direction.split("_to_")
        return getattr(self, f"val_{asking}s"), getattr(self, f"train_{asked}s")


def compare(
    recipe: TVDBRecipe, places: TrainingPlaces, results: Path, runs: Sequence[tuple[str, int]], baseline: Path
) -> Iterator[TrainingEvent]:
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
            _keep(path, measure(codes, ready))
        _write_summary(results)
    if baseline.is_file():
        sides = _read_embeddings(baseline)
        for n_bits in dict.fromkeys(n_bits for _, n_bits in runs):
            for name in ("lsh", "itq"):
                path = results / f"{name}-{n_bits}.json"
                if not path.is_file():
                    _keep(path, measure(binarise(sides, name, n_bits), ready))
        _write_summary(results)


def _train_one(
    recipe: TVDBRecipe, ready: TVDBReady, run: RunDirectory, setting: tuple[str, int]
) -> Generator[TrainingEvent, None, Sides]:
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


def measure(codes: Sides, ready: TVDBReady) -> dict[str, Any]:
    """The hashing protocol in all four directions."""
    labels = {
        "val_images": ready.val.labels,
        "val_texts": ready.val.labels[ready.val.owners],
        "train_images": ready.train.labels,
        "train_texts": ready.train.labels[ready.train.owners],
    }
    judged = Sides(**{name: value.numpy() for name, value in labels.items()})
    found = {}
    for direction in DIRECTIONS:
        scores = measure_codes(*codes.pair(direction), sharing_a_label(*judged.pair(direction)), cutoffs=Cutoffs())
        found[direction] = {
            "map_tie_aware": scores.map_tie_aware,
            "precision_at_100": scores.precision_at[100],
            "random": scores.random,
            "n_queries": scores.n_queries,
            "n_skipped": scores.n_skipped,
        }
    return found


def binarise(embeddings: Sides, name: str, n_bits: int) -> Sides:
    """Codes of embeddings: ``"lsh"`` or ``"itq"``, the latter fitted on the gallery."""
    gallery = np.concatenate([embeddings.train_images.values, embeddings.train_texts.values])
    fitted = (
        fit_lsh(gallery.shape[1], n_bits, _SEED) if name == "lsh" else fit_itq(Embeddings(gallery), n_bits)
    )
    return Sides(*(fitted.encode(getattr(embeddings, field.name)) for field in dataclasses.fields(Sides)))


def embed(recipe: TVDBRecipe, places: TrainingPlaces, model: str, path: Path) -> None:
    """Embeddings of both splits by a model of real embeddings, kept in one file."""
    package = resolve_package(model, places.search_folders)
    encoder = load_encoder(package, search_folders=places.search_folders)
    train, val = (encode_pairs(encoder, split) for split in read_splits(recipe.dataset, places))
    np.savez(
        path,
        val_images=val.images,
        val_texts=val.sentences,
        train_images=train.images,
        train_texts=train.sentences,
    )


def _read_embeddings(path: Path) -> Sides:
    with np.load(path) as arrays:
        return Sides(**{field.name: Embeddings(arrays[field.name]) for field in dataclasses.fields(Sides)})


def _keep(path: Path, found: dict[str, Any]) -> None:
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def _write_summary(results: Path) -> None:
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(results.glob("*-*.json"))
    }
    (results / "comparison.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    (results / "comparison.md").write_text(comparison_table(found), encoding="utf-8")


def comparison_table(found: dict[str, Any]) -> str:
    """Tie-aware mAP (and precision@100) of every variant in every direction as Markdown, random codes in brackets."""
    lines = [f"| codes | {' | '.join(name.replace('_', ' ') for name in DIRECTIONS)} |", "| --- " * 5 + "|"]
    names = sorted(found, key=lambda name: (int(name.rpartition("-")[2]), name))
    for name in names:
        cells = []
        for direction in DIRECTIONS:
            scores = found[name][direction]
            cells.append(
                f"{scores['map_tie_aware']:.3f} ({scores['precision_at_100']:.3f}) [{scores['random']:.3f}]"
            )
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _runs(text: str) -> list[tuple[str, int]]:
    """``tvdb-64,pairwise-64`` as variants and lengths; :class:`ConfigError` for anything else."""
    runs = []
    for name in text.split(","):
        variant, _, n_bits = name.strip().rpartition("-")
        if variant not in VARIANTS or not n_bits.isdigit():
            raise ConfigError(
                f'"{name}" is no run.', f"Say a variant and a length, such as tvdb-64; variants: {', '.join(VARIANTS)}."
            )
        runs.append((variant, int(n_bits)))
    return runs


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; exit status 1 with one sentence for what a user can cause."""
    parser = argparse.ArgumentParser(prog="python -m explorer.training.tvdb_comparison", description=__doc__)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run of this recipe, for its regions")
    parser.add_argument("--models", type=Path, required=True, help="where the vision package is")
    parser.add_argument("--results", type=Path, required=True, help="folder for what comes out")
    parser.add_argument("--runs", default="tvdb-64,pairwise-64", help="variants and lengths, with commas between them")
    parser.add_argument("--labels", type=Path, help="label file in the place of the recipe's")
    parser.add_argument("--embeddings", type=Path, required=True, help="file of the baseline's embeddings")
    parser.add_argument("--embed", metavar="MODEL", help="write that file with this model first")
    given = parser.parse_args(arguments)
    try:
        recipe = read_recipe(given.recipe)
        if not isinstance(recipe, TVDBRecipe):
            raise ConfigError("Only recipes of the task tvdb can be compared.")
        if given.labels:
            labels = msgspec.structs.replace(recipe.labels, file=str(given.labels.absolute()))
            recipe = msgspec.structs.replace(recipe, labels=labels)
        places = TrainingPlaces(
            run=RunDirectory(given.run),
            recipe_folder=given.recipe.absolute().parent,
            features_folder=given.run.absolute().parent.parent / "features",
            search_folders=[given.models],
            packages_folder=given.results,
        )
        runs = _runs(given.runs)
        if given.embed:
            embed(recipe, places, given.embed, given.embeddings)
        for event in compare(recipe, places, given.results, runs, given.embeddings):
            if not isinstance(event, Progressed):
                sys.stderr.write(f"{event}\n")
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
