"""The validation split that models are measured on: a recipe's, or the one that a run keeps in its folder."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile
from explorer.datasets.photo_sets import photo_name
from explorer.errors import ConfigError, DatasetError
from explorer.evaluation.hashing_pairs import PairLabels
from explorer.runs.folder import describe, open_run
from explorer.runs.layout import RunFolder


@dataclass(frozen=True, slots=True)
class Validation:
    """What is measured on.

    Attributes:
        photos: of the validation split, each with a sentence at least.
        labels: of these photos, one class a column; None where the recipe has none.
    """

    photos: CaptionedImages
    labels: PairLabels | None

    @property
    def said(self) -> str:
        """What is measured on, and what is right, in sentences."""
        n_sentences = sum(map(len, self.photos.sentences))
        said = (
            f"{len(self.photos):,} photos and {n_sentences:,} sentences of {self.photos.name}, split "
            f"{self.photos.split}. R@K: right are a photo's own sentences; equal scores share their places."
        )
        if self.labels is not None:
            n_labelled = int(self.labels.queries.any(axis=1).sum())
            said += (
                f" mAP: right is what shares one of {self.labels.queries.shape[1]} labels, which {n_labelled:,} of the "
                "photos have; mean over all orders of equal distances."
            )
        return said


def read_validation(content: bytes, folder: Path) -> Validation:
    """The validation split of a recipe.

    Parameters
    ----------
    content
        the recipe.
    folder
        where its relative paths begin; or a run's folder: then what the run keeps counts, if it keeps any yet.

    Raises
    ------
    ConfigError
        the recipe cannot be followed, or has no photos: its scenes are rendered.
    DatasetError, LibraryError
        its data is not as it should be.
    """
    # Imported here, not at the top: torch comes with it, which takes seconds.
    from explorer.training.config import decode_recipe
    from explorer.training.label_sources import find_labels
    from explorer.training.reading import read_photos
    from explorer.training.scenes_config import ScenesRecipe
    from explorer.training.snapshot import read_kept_labels, read_snapshot

    recipe = decode_recipe(content, where="The recipe")
    if isinstance(recipe, ScenesRecipe):
        raise ConfigError(
            "Rendered scenes are no photos that other models could be measured on.",
            "Render them with `retrieval-explorer sample`, and measure with `retrieval-explorer evaluate`.",
        )
    kept, labels, recipe_folder = None, None, folder
    if RunFolder(folder).recipe_path.is_file():
        recipe_folder = describe(open_run(folder)).recipe_folder
        kept, labels = read_snapshot(folder), read_kept_labels(folder)
    carried: Callable[[], LabelFile] | None = None
    if kept is None:
        found = read_photos(recipe.dataset, recipe_folder)
        kept, carried = list(found.splits), found.read_labels
    photos = _spoken_of(kept[1])
    section = getattr(recipe, "labels", None)
    if labels is None and section is not None:
        labels = find_labels(section, [photos], recipe_folder, carried)
    return Validation(photos, None if labels is None else _labels_of(photos, labels))


def _spoken_of(photos: CaptionedImages) -> CaptionedImages:
    """Those that have a sentence: nothing could ask for the others."""
    rows = [row for row, own in enumerate(photos.sentences) if own]
    if not rows:
        raise DatasetError(
            f"No photo of the split {photos.split} of {photos.name} has a sentence.", "Choose another validation split."
        )
    return photos.at(rows, split=photos.split)


def _labels_of(photos: CaptionedImages, labels: LabelFile) -> PairLabels:
    matrix = labels.matrix([photo_name(path) for path in photos.image_paths])
    return PairLabels("the recipe", matrix, matrix)

