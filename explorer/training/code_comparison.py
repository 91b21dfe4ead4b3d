"""What comparisons of binary codes share: the protocol in four directions, codes of embeddings, and the tables."""

import argparse
import dataclasses
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from torch import Tensor

from explorer.errors import ConfigError, UserFacingError
from explorer.evaluation.encoding import encode_pairs
from explorer.evaluation.hashing import Cutoffs, measure_codes, sharing_a_label
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.protocol.runs import Progressed, RunEvent, Stepped
from explorer.representations import Embeddings
from explorer.retrieval.binarising import fit_itq, fit_lsh
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.hashing_config import TVDBRecipe
from explorer.training.preparation import TrainingPlaces, read_splits
from explorer.training.run_directory import RunDirectory
from explorer.training.sections import DatasetSection

DIRECTIONS = ("text_to_image", "image_to_text", "image_to_image", "text_to_text")
_SEED = 0

RecipeT = TypeVar("RecipeT", DSMHNRecipe, TVDBRecipe)


class LabelledSplit(Protocol):
    """Photos with labels and sentences."""

    @property
    def labels(self) -> Tensor:
        """Bool (n_photos, C)."""
        ...

    @property
    def owners(self) -> Tensor:
        """The photo of every sentence, int64 (n_sentences,)."""
        ...


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


def measure(codes: Sides, train: LabelledSplit, val: LabelledSplit) -> dict[str, Any]:
    """The hashing protocol in all four directions."""
    labels = {
        "val_images": val.labels,
        "val_texts": val.labels[val.owners],
        "train_images": train.labels,
        "train_texts": train.labels[train.owners],
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


def measure_baselines(
    embeddings: Path, results: Path, lengths: Iterable[int], train: LabelledSplit, val: LabelledSplit
) -> None:
    """Measure LSH and ITQ of kept embeddings at these lengths, where that is not done; nothing where none are kept."""
    if not embeddings.is_file():
        return
    sides = read_embeddings(embeddings)
    for n_bits in dict.fromkeys(lengths):
        for name in ("lsh", "itq"):
            path = results / f"{name}-{n_bits}.json"
            if not path.is_file():
                keep(path, measure(binarise(sides, name, n_bits), train, val))
    write_summary(results)


def embed(dataset: DatasetSection, places: TrainingPlaces, model: str, path: Path) -> None:
    """Embeddings of both splits by a model of real embeddings, kept in one file."""
    package = resolve_package(model, places.search_folders)
    encoder = load_encoder(package, search_folders=places.search_folders)
    train, val = (encode_pairs(encoder, split) for split in read_splits(dataset, places))
    np.savez(
        path,
        val_images=val.images,
        val_texts=val.sentences,
        train_images=train.images,
        train_texts=train.sentences,
    )


def read_embeddings(path: Path) -> Sides:
    """The inverse of :func:`embed`."""
    with np.load(path) as arrays:
        return Sides(**{field.name: Embeddings(arrays[field.name]) for field in dataclasses.fields(Sides)})


def keep(path: Path, found: dict[str, Any]) -> None:
    """Write one result."""
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def write_summary(results: Path) -> None:
    """Write ``comparison.json`` and ``comparison.md`` of all results that are there."""
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


def read_runs(text: str, variants: Collection[str]) -> list[tuple[str, int]]:
    """Variants and lengths such as ``tvdb-64,pairwise-64``; :class:`ConfigError` for anything else."""
    runs = []
    for name in text.split(","):
        variant, _, n_bits = name.strip().rpartition("-")
        if variant not in variants or not n_bits.isdigit() or int(n_bits) % 8 or int(n_bits) < 8:
            raise ConfigError(
                f'"{name}" is no run.',
                f"Say a variant and a multiple of 8 bits, such as {next(iter(variants))}-64; variants: "
                f"{', '.join(variants)}.",
            )
        runs.append((variant, int(n_bits)))
    return runs


def comparison_parser(module: str, description: str | None, *, runs: str) -> argparse.ArgumentParser:
    """What the commands of all comparisons take; ``runs`` are trained where nothing is said."""
    parser = argparse.ArgumentParser(prog=f"python -m explorer.training.{module}", description=description)
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--run", type=Path, required=True, help="folder of a run of this recipe, for its features")
    parser.add_argument("--models", type=Path, required=True, help="where the vision package is")
    parser.add_argument("--results", type=Path, required=True, help="folder for what comes out")
    parser.add_argument("--runs", default=runs, help="variants and lengths, with commas between them")
    parser.add_argument("--labels", type=Path, help="label file in the place of the recipe's")
    parser.add_argument("--embeddings", type=Path, required=True, help="file of the baseline's embeddings")
    parser.add_argument("--embed", metavar="MODEL", help="write that file with this model first, unless it is there")
    return parser


def run_comparison(
    given: argparse.Namespace,
    read: Callable[[argparse.Namespace], RecipeT],
    variants: Collection[str],
    compare: Callable[[RecipeT, TrainingPlaces, Path, Sequence[tuple[str, int]], Path], Iterator[RunEvent]],
) -> int:
    """Follow a comparison to its table; exit status 1 with one sentence for what a user can cause.

    given: what :func:`comparison_parser` took.   read: the recipe of it.   compare: trains, measures, writes.
    """
    try:
        runs = read_runs(given.runs, variants)
        recipe = read(given)
        places = TrainingPlaces(
            run=RunDirectory(given.run),
            recipe_folder=given.recipe.absolute().parent,
            features_folder=given.run.absolute().parent.parent / "features",
            search_folders=[given.models],
            packages_folder=given.results,
        )
        if given.embed and not given.embeddings.is_file():
            embed(recipe.dataset, places, given.embed, given.embeddings)
        for event in compare(recipe, places, given.results, runs, given.embeddings):
            if not isinstance(event, Progressed | Stepped):
                sys.stderr.write(f"{event}\n")
    except UserFacingError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write((given.results / "comparison.md").read_text(encoding="utf-8"))
    return 0
