"""Training from a recipe to a package: a generator of events."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from explorer.cancellation import CancellationToken, Cancelled
from explorer.training.config import PooledRecipe, read_recipe
from explorer.training.events import TrainingEvent
from explorer.training.preparation import TrainingPlaces
from explorer.training.run_directory import begin_run, open_run

_FEATURES = "features"
_PACKAGES = "models"


def train(
    config_path: Path,
    *,
    resume: Path | None = None,
    runs_folder: Path,
    search_folders: Sequence[Path],
    token: CancellationToken,
) -> Iterator[TrainingEvent]:
    """Train by a recipe; the last event is :class:`~explorer.training.events.Finished`, unless it was cancelled.

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
        if isinstance(recipe, PooledRecipe):
            from explorer.training.pooled import train_pooled

            yield from train_pooled(recipe, places, token)
        else:
            from explorer.training.image_sentence import train_image_sentence

            yield from train_image_sentence(recipe, places, token)
    except Cancelled:
        return
