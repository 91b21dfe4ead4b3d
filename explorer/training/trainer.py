"""Training from a recipe to a package: a generator of events."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from explorer.cancellation import CancellationToken, Cancelled
from explorer.protocol.runs import RunEvent
from explorer.training.config import PooledRecipe, Recipe, read_recipe, read_recipe_bytes, task_of
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.hashing_config import TVDBRecipe
from explorer.training.preparation import TrainingPlaces
from explorer.training.run_directory import begin_run, open_run
from explorer.training.scenes_config import ScenesRecipe

_FEATURES = "features"
_PACKAGES = "models"


def train(
    config_path: Path,
    *,
    resume: Path | None = None,
    runs_folder: Path,
    search_folders: Sequence[Path],
    token: CancellationToken,
) -> Iterator[RunEvent]:
    """Train by a recipe; the last event is :class:`~explorer.protocol.runs.Finished`, unless it was cancelled.

    Parameters
    ----------
    config_path
        the recipe.
    resume
        folder of an earlier run of this recipe to go on with.
    runs_folder
        where runs are kept. Features are cached in ``features`` beside it; the package goes to ``models`` beside it.
    search_folders
        where packages, such as the vision package, are looked for.
    token
        asks for a stop; the run then saves a checkpoint, says so and ends.

    Raises
    ------
    ConfigError
        the recipe, or the run to go on with, is not as it should be.
    DatasetError, PackageError
        the data or the vision package are not.
    """
    if task_of(read_recipe_bytes(config_path), where=config_path.name) == "distillation":
        yield from _distil(config_path, resume, runs_folder, token)
        return
    recipe = read_recipe(config_path)
    run = open_run(resume) if resume else begin_run(runs_folder, recipe.name, config_path.read_bytes())
    places = TrainingPlaces(
        run=run,
        recipe_folder=config_path.absolute().parent,
        features_folder=runs_folder.parent / _FEATURES,
        search_folders=search_folders,
        packages_folder=runs_folder.parent / _PACKAGES,
    )
    try:
        yield from _train_encoder(recipe, places, token)
    except Cancelled:
        return


def _train_encoder(recipe: Recipe, places: TrainingPlaces, token: CancellationToken) -> Iterator[RunEvent]:
    if isinstance(recipe, PooledRecipe):
        from explorer.training.pooled import train_pooled

        yield from train_pooled(recipe, places, token)
    elif isinstance(recipe, TVDBRecipe):
        from explorer.training.tvdb import train_tvdb

        yield from train_tvdb(recipe, places, token)
    elif isinstance(recipe, DSMHNRecipe):
        from explorer.training.dsmhn import train_dsmhn

        yield from train_dsmhn(recipe, places, token)
    elif isinstance(recipe, ScenesRecipe):
        from explorer.training.scenes import train_scenes

        yield from train_scenes(recipe, places, token)
    else:
        from explorer.training.image_sentence import train_image_sentence

        yield from train_image_sentence(recipe, places, token)


def _distil(
    config_path: Path, resume: Path | None, runs_folder: Path, token: CancellationToken
) -> Iterator[RunEvent]:
    from explorer.training.distillation import data_folder, distil_vision, read_distillation_config

    config = read_distillation_config(config_path)
    data_dir = data_folder(config, config_path.absolute().parent)
    run = open_run(resume) if resume else begin_run(runs_folder, config.name, config_path.read_bytes())
    try:
        yield from distil_vision(
            config, data_dir=data_dir, run_dir=run.folder, packages_folder=runs_folder.parent / _PACKAGES, token=token
        )
    except Cancelled:
        return
