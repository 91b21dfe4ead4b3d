"""DSMHN beside its baselines and ablations, on the same features: ``python -m explorer.training.dsmhn_comparison``.

Trained are variants of a recipe of the task ``dsmhn``, each at a length, such as ``dsmhn-64`` (the recipe at 64 bits):

* one loss between modalities in the place of the recipe's: ``contrastive``, ``inner-product``, ``hinge``, ``triplet``;
* one term less or more: ``no-classification``, ``no-quantisation``, ``no-within``, ``with-balance``;
* ``unbalanced`` (pairs as they come), ``two-classifiers`` (one for each modality), ``sigmoid`` (classes told one by
  one), ``dcmh-theta`` (theta grows with the bits).

Beside them stand codes made of a model's embeddings at the same lengths: the signs of a random projection (LSH), and
ITQ, fitted on the gallery's photos and sentences. All are measured by the hashing protocol: the validation split's
photos and sentences against those of the training split. Each result is kept as soon as it is there, and runs go on
from their checkpoints, so the same command goes on where a stopped comparison was.
"""

import argparse
import dataclasses
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError
from explorer.networks.dsmhn.config import StreamConfigs
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
from explorer.training.dsmhn import DSMHNReady, make_ready
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.dsmhn_phase import DSMHNPhase
from explorer.training.hashing_config import LabelSection
from explorer.training.phases import run_phase
from explorer.training.preparation import TrainingPlaces
from explorer.training.run_directory import RunDirectory

VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "dsmhn": {},
    "contrastive": {"loss": {"nll": 0.0, "contrastive": 8.0}},
    "inner-product": {"loss": {"nll": 0.0, "inner_product": 4.0}},
    "hinge": {"loss": {"nll": 0.0, "hinge": 4.0}},
    "triplet": {"loss": {"nll": 0.0, "triplet": 8.0}},
    "no-classification": {"loss": {"classification": 0.0}},
    "no-quantisation": {"loss": {"quantisation": 0.0}},
    "no-within": {"loss": {"within": 0.0}},
    "with-balance": {"loss": {"balance": 1.0}},
    "unbalanced": {"loss": {"balanced": False}},
    "two-classifiers": {"network": {"shared_classifier": False}},
    "sigmoid": {"loss": {"labels": "multi"}},
    "dcmh-theta": {"loss": {"steepness": 0.0}},
}
"""What each changes in which section. The losses' weights make up for their different slopes."""


def compare(
    recipe: DSMHNRecipe, places: TrainingPlaces, results: Path, runs: Sequence[tuple[str, int]], baseline: Path
) -> Iterator[RunEvent]:
    """Train and measure what is missing, and write ``comparison.json`` and ``comparison.md`` into ``results``.

    places: its run holds the features; they are made if they are not.
    runs: variants and lengths, in the order in which they are trained.
    baseline: the file of embeddings, see ``code_comparison.embed``; nothing is made of them where it is missing.
    """
    results.mkdir(parents=True, exist_ok=True)
    ready = yield from make_ready(recipe, places, CancellationToken())
    measure_baselines(baseline, results, (n_bits for _, n_bits in runs), ready.train, ready.val)
    for variant, n_bits in runs:
        path = results / f"{variant}-{n_bits}.json"
        if not path.is_file():
            codes = yield from _train_one(recipe, ready, RunDirectory(results / path.stem), (variant, n_bits))
            keep(path, measure(codes, ready.train, ready.val))
        write_summary(results)


def changed_recipe(recipe: DSMHNRecipe, variant: str, n_bits: int) -> DSMHNRecipe:
    """The recipe of one variant and length."""
    changes = {name: dict(fields) for name, fields in VARIANTS[variant].items()}
    changes.setdefault("network", {})["n_bits"] = n_bits
    sections = {name: msgspec.structs.replace(getattr(recipe, name), **fields) for name, fields in changes.items()}
    return msgspec.structs.replace(recipe, **sections)


def _train_one(
    recipe: DSMHNRecipe, ready: DSMHNReady, run: RunDirectory, setting: tuple[str, int]
) -> Generator[RunEvent, None, Sides]:
    variant, n_bits = setting
    run.folder.mkdir(exist_ok=True)
    image, text = ready.configs.image, ready.configs.text
    assert image is not None
    assert text is not None
    configs = StreamConfigs(
        image=dataclasses.replace(image, n_bits=n_bits), text=dataclasses.replace(text, n_bits=n_bits)
    )
    phase = DSMHNPhase(configs, changed_recipe(recipe, variant, n_bits), ready.train, ready.val)
    yield from run_phase(phase, run, token=CancellationToken())
    model = phase.finished_model()
    codes = [
        BinaryCodes.from_activations(part.numpy())
        for split in (phase.val, phase.train) for part in phase.encode(model, split)
    ]
    return Sides(*codes)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; see :func:`~explorer.training.code_comparison.run_comparison`."""
    parser = comparison_parser("dsmhn_comparison", __doc__, runs="dsmhn-64")
    parser.add_argument("--epochs", type=int, help="passes over the photos in the place of the recipe's")
    return run_comparison(parser.parse_args(arguments), _recipe_of, VARIANTS, compare)


def _recipe_of(given: argparse.Namespace) -> DSMHNRecipe:
    recipe = read_recipe(given.recipe)
    if not isinstance(recipe, DSMHNRecipe):
        raise ConfigError("Only recipes of the task dsmhn can be compared.")
    if given.labels:
        without = recipe.labels.without if recipe.labels else ()
        labels = LabelSection(file=str(given.labels.absolute()), without=without)
        recipe = msgspec.structs.replace(recipe, labels=labels)
    if recipe.labels is None:
        raise ConfigError("The protocol needs labels.", "Name a file in the recipe's [labels], or with --labels.")
    if given.epochs is not None:
        if given.epochs < 1:
            raise ConfigError("A run needs at least one epoch.")
        training = msgspec.structs.replace(recipe.training, epochs=given.epochs)
        recipe = msgspec.structs.replace(recipe, training=training)
    return recipe


if __name__ == "__main__":
    sys.exit(main())
