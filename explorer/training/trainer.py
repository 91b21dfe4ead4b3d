"""Training from a recipe to a package: a generator of events."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

from explorer.cancellation import CancellationToken, Cancelled
from explorer.protocol.runs import RunEvent
from explorer.runs.folder import RunFolder, create_run, open_run
from explorer.training.compute import Compute
from explorer.training.config import PooledRecipe, Recipe, read_recipe, read_recipe_bytes, task_of
from explorer.training.distillation import DistillationConfig, data_folder, distil_vision, read_distillation_config
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.hashing_config import TVDBRecipe
from explorer.training.preparation import TrainingPlaces
from explorer.training.run_directory import RunDirectory
from explorer.training.scenes_config import ScenesRecipe
from explorer.training.taking import take_photos

_FEATURES = "features"
_PACKAGES = "models"


def train(
    config_path: Path,
    *,
    resume: Path | None = None,
    runs_folder: Path,
    search_folders: Sequence[Path],
    token: CancellationToken,
    compute: Compute | None = None,
    recipe_folder: Path | None = None,
) -> Generator[RunEvent, None, None]:
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
        asks for a stop; the run then saves a checkpoint, says so and ends. A
        :class:`~explorer.training.control.RunToken` also asks for pauses and for the best epoch.
    compute
        what is computed on; the CPU if not given. Ranks need a run to go on with, the same for all.
    recipe_folder
        what relative paths in the recipe start at; the recipe's own folder if not given.

    Raises
    ------
    ConfigError
        the recipe, or the run to go on with, is not as it should be.
    DatasetError, PackageError
        the data or the vision package are not.
    """
    recipe_folder = recipe_folder or config_path.absolute().parent
    recipe = read_any_recipe(config_path)
    run = open_run(resume) if resume else begin_run(config_path, runs_folder, recipe_folder=recipe_folder)
    places = TrainingPlaces(
        run=RunDirectory(run.path),
        recipe_folder=recipe_folder,
        features_folder=runs_folder.parent / _FEATURES,
        search_folders=search_folders,
        packages_folder=runs_folder.parent / _PACKAGES,
        compute=compute or Compute(),
    )
    try:
        if isinstance(recipe, DistillationConfig):
            yield from places.compute.led(_distil(recipe, places, token))
        else:
            yield from train_encoder(recipe, places, token)
    except Cancelled:
        return


def read_any_recipe(path: Path) -> Recipe | DistillationConfig:
    """A recipe of any task; raises as :func:`~explorer.training.config.read_recipe`."""
    if task_of(read_recipe_bytes(path), where=path.name) == "distillation":
        return read_distillation_config(path)
    return read_recipe(path)


def begin_run(config_path: Path, runs_folder: Path, *, recipe_folder: Path, device: str = "auto") -> RunFolder:
    """The folder of a new run of this recipe.

    Raises
    ------
    ConfigError
        the recipe cannot be followed, or the folder cannot be made.
    StorageFullError
        the disk is full.
    """
    recipe, content = read_any_recipe(config_path), read_recipe_bytes(config_path)
    task = task_of(content, where=config_path.name)
    return create_run(
        runs_folder, recipe.name, content, task=task, title=recipe.title, recipe_folder=recipe_folder, device=device
    )


def train_encoder(
    recipe: Recipe, places: TrainingPlaces, token: CancellationToken
) -> Generator[RunEvent, None, None]:
    """Train an encoder by a recipe, from its photos to its package; raises :class:`Cancelled` when it is stopped."""
    if not isinstance(recipe, ScenesRecipe):
        labels = recipe.labels if isinstance(recipe, TVDBRecipe | DSMHNRecipe) else None
        yield from take_photos(recipe.dataset, labels, places, token)
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


def _distil(config: DistillationConfig, places: TrainingPlaces, token: CancellationToken) -> Iterator[RunEvent]:
    data_dir = data_folder(config, places.recipe_folder)
    yield from distil_vision(
        config, data_dir=data_dir, run_dir=places.run.folder, packages_folder=places.packages_folder, token=token
    )
