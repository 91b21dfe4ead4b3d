"""Whether a recipe can be followed, and what there is to follow it with, before anything starts.

What would stop a run is a problem, what is merely unwise a note. Photos' files are looked for, not opened.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import torch

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile
from explorer.datasets.photo_sets import photo_name
from explorer.errors import ConfigError, DatasetError, UserFacingError
from explorer.media.item import display_path
from explorer.packages.finding import find_packages, resolve_package
from explorer.packages.manifest import RegionPart
from explorer.packages.package import ModelPackage
from explorer.protocol.training import RecipeChecked, SplitFound
from explorer.training.code_checks import look_at_splits
from explorer.training.config import ImageSentenceRecipe, PooledRecipe, Recipe
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.hashing_config import LabelSection, TVDBRecipe
from explorer.training.label_sources import find_labels, require_labels, shared_class_note
from explorer.training.preparation import view_requests
from explorer.training.readable import left_out_note, require_few_lost
from explorer.training.reading import TrainingPhotos, read_photos, require_trainable
from explorer.training.scenes_config import ScenesRecipe
from explorer.training.sections import FeatureSection

FEW_PHOTOS = 1000
"""Fewer training photos than this are told: shipped models saw 6,000."""

FEW_VALIDATION_PHOTOS = 100
"""Fewer validation photos are told: with n of them a share of half is uncertain by 50 / sqrt(n) points of a hundred."""

_N_EXAMPLES = 5
_FILES_PER_LOOK = 1000
PhotoRecipe = PooledRecipe | ImageSentenceRecipe | TVDBRecipe | DSMHNRecipe


@dataclass(frozen=True, slots=True)
class _Places:
    recipe_folder: Path
    features_folder: Path


class _Problem(Exception):
    """A run would not begin: the sentence, and the setting that it is about."""

    def __init__(self, error: UserFacingError, key: str) -> None:
        super().__init__(str(error))
        self.error, self.key = error, key


@dataclass(slots=True)
class _Findings:
    """What was found so far; a problem that is met later does not take it back."""

    splits: list[SplitFound] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    n_classes: int | None = None
    examples: tuple[str, ...] = ()

    def answer(self, request_id: int, problem: "_Problem | None" = None) -> RecipeChecked:
        return RecipeChecked(
            id=request_id,
            problem=problem.error.message if problem else "",
            remedy=problem.error.remedy if problem else "",
            key=problem.key if problem else "",
            splits=tuple(self.splits),
            n_classes=self.n_classes,
            notes=tuple(self.notes),
            examples=self.examples,
        )


def check_recipe(
    request_id: int,
    recipe: Recipe,
    recipe_folder: Path,
    model_folders: Sequence[Path],
    token: CancellationToken,
    *,
    data: bool = True,
) -> RecipeChecked:
    """Whether a run of this recipe would begin, and what it would find.

    Parameters
    ----------
    request_id
        of the question, for the answer.
    recipe
        sound by itself.
    recipe_folder
        where its relative paths begin.
    model_folders
        where packages are looked for; the first takes finished packages, and features lie beside it.
    token
        stops looking.
    data
        whether its files are looked at, too.

    Raises
    ------
    Cancelled
        a stop was asked for.
    """
    found = _Findings()
    try:
        _look_at_package(recipe, model_folders, found)
        if not isinstance(recipe, ScenesRecipe):
            package = _vision_of(recipe, model_folders)
            if data:
                places = _Places(recipe_folder, model_folders[0].parent / "features")
                _look_at_data(recipe, package, places, found, token)
    except _Problem as problem:
        return found.answer(request_id, problem)
    return found.answer(request_id)


def _look_at_package(recipe: Recipe, model_folders: Sequence[Path], found: _Findings) -> None:
    if (model_folders[0] / recipe.name).exists():
        found.notes.append(f"There is a model called {recipe.name} already: the new one takes its place.")
    elif any(entry.name == recipe.name for entry in find_packages(model_folders)):
        found.notes.append(f"A model called {recipe.name} came with the program: the new one is used in its place.")


def _vision_of(recipe: PhotoRecipe, model_folders: Sequence[Path]) -> ModelPackage | None:
    """The vision package, which must give what the recipe reads."""
    name, parts = recipe.features.vision, _parts_of(recipe)
    if not name and (parts or isinstance(recipe, ImageSentenceRecipe | TVDBRecipe)):
        raise _Problem(
            ConfigError("The recipe names no vision package.", 'Add vision = "vision-lite0" to [features].'),
            "features.vision",
        )
    try:
        package = resolve_package(name, model_folders) if name else None
    except UserFacingError as error:
        raise _Problem(error, "features.vision") from error
    if _reads_regions(recipe) and not recipe.features.proposer and _regions_of(package) is None:
        raise _Problem(
            ConfigError(f"The vision package {name} proposes no regions.", "Choose one that does, vision-lite0."),
            "features.vision",
        )
    return package


def _parts_of(recipe: PhotoRecipe) -> list[str]:
    parts = recipe.image.parts if isinstance(recipe, DSMHNRecipe) else ()
    return [part for part in parts if part in ("presence", "detections")]


def _regions_of(package: ModelPackage | None) -> RegionPart | None:
    return package.manifest.regions if package else None


def _reads_regions(recipe: PhotoRecipe) -> bool:
    if isinstance(recipe, ImageSentenceRecipe):
        return recipe.network.tokens == "regions"
    return isinstance(recipe, TVDBRecipe) or "detections" in _parts_of(recipe)


# --- data -----------------------------------------------------------------------------------------------------------


def _look_at_data(
    recipe: PhotoRecipe, package: ModelPackage | None, places: _Places, found: _Findings, token: CancellationToken
) -> None:
    section = recipe.dataset
    source = "dataset.library" if section.library else "dataset.annotations"
    try:
        photos = read_photos(section, places.recipe_folder)
    except UserFacingError as error:
        raise _Problem(error, _split_key(recipe, error) or source) from error
    token.check()
    found.notes += photos.notes
    missing = [_missing(part, photos, token) for part in (*photos.splits, *photos.others)]
    for place, (part, lost) in enumerate(zip((*photos.splits, *photos.others), missing, strict=True)):
        found.splits.append(
            SplitFound(
                name=part.split,
                role="train" if place == 0 else "val" if place == 1 else "other",
                n_images=len(part),
                n_sentences=sum(map(len, part.sentences)),
                n_missing=len(lost),
            )
        )
    said = (text for own in photos.train.sentences for text in own[:1] if text.strip())
    found.examples = tuple(text for text, _ in zip(said, range(_N_EXAMPLES), strict=False))
    kept = _kept(photos, missing, found, "dataset.images" if section.annotations else source)
    token.check()
    try:
        require_trainable(*kept)
    except DatasetError as error:
        raise _Problem(error, source) from error
    _look_at_labels(recipe, photos, kept, places, found, token)
    token.check()
    _look_at_sizes(kept, found)
    if not photos.packed:
        _look_at_features(recipe, kept, package, places.features_folder, found)


def _split_key(recipe: PhotoRecipe, error: UserFacingError) -> str:
    if "no split called" not in error.message:
        return ""
    names = [name for name in recipe.dataset.train_split.split("+") if name in error.message.partition("called")[2]]
    return "dataset.train_split" if names else "dataset.val_split"


def _missing(part: CaptionedImages, photos: TrainingPhotos, token: CancellationToken) -> set[int]:
    """Rows of the photos whose files are not there."""
    lost: set[int] = set()
    if photos.packed:
        return lost
    for row, path in enumerate(part.image_paths):
        if row % _FILES_PER_LOOK == 0:
            token.check()
        if not os.path.isfile(path):  # unlike Path's, never raises
            lost.add(row)
    return lost


def _kept(
    photos: TrainingPhotos, missing: Sequence[set[int]], found: _Findings, key: str
) -> tuple[CaptionedImages, CaptionedImages]:
    """Both splits without the photos that a run would leave out."""
    kept = []
    for part, lost in zip(photos.splits, missing, strict=False):
        paths = [part.image_paths[row] for row in sorted(lost)]
        try:
            require_few_lost(part, [f"{display_path(bytes(path))} is not there." for path in paths])
        except DatasetError as error:
            raise _Problem(error, key) from error
        if lost:
            found.notes.append(left_out_note(part, paths))
        kept.append(part.at([row for row in range(len(part)) if row not in lost], split=part.split) if lost else part)
    train, val = kept
    return train, val


def _look_at_labels(
    recipe: PhotoRecipe,
    photos: TrainingPhotos,
    kept: tuple[CaptionedImages, CaptionedImages],
    places: _Places,
    found: _Findings,
    token: CancellationToken,
) -> None:
    section = recipe.labels if isinstance(recipe, TVDBRecipe | DSMHNRecipe) else None
    matrices = [torch.zeros(len(part), 0, dtype=torch.bool) for part in kept]
    try:
        if section is not None:
            labels = find_labels(section, kept, places.recipe_folder, photos.read_labels, token)
            require_labels(labels, kept)
            matrices = [torch.from_numpy(labels.matrix(list(map(photo_name, part.image_paths)))) for part in kept]
            _tell_labels(labels, matrices, found)
            if note := shared_class_note(labels, kept[0]):
                found.notes.append(note)
        elif isinstance(recipe, DSMHNRecipe):
            found.notes.append("There are no labels: only a photo and its own sentences count as alike.")
        if not isinstance(recipe, PooledRecipe):
            found.notes += look_at_splits(kept, matrices, recipe.training.batch_size)
    except UserFacingError as error:
        raise _Problem(error, _label_key(section)) from error


def _label_key(section: LabelSection | None) -> str:
    return "labels.file" if section is not None and section.file else "labels.source"


def _tell_labels(labels: LabelFile, matrices: Sequence[torch.Tensor], found: _Findings) -> None:
    used = torch.cat(list(matrices)).any(dim=0)
    found.n_classes = int(used.sum())
    if found.n_classes < len(labels.names):
        found.notes.append(f"Of {len(labels.names):,} classes {found.n_classes:,} are in these photos.")
    for place, matrix in enumerate(matrices):
        split, n_labelled = found.splits[place], int(matrix.any(dim=1).sum())
        found.splits[place] = msgspec.structs.replace(split, n_labelled=n_labelled)
        if n_labelled < len(matrix):
            found.notes.append(
                f"Photos of the split {split.name} without a label, which are like no other: "
                f"{len(matrix) - n_labelled:,} of {len(matrix):,}."
            )


def _look_at_sizes(kept: tuple[CaptionedImages, CaptionedImages], found: _Findings) -> None:
    train, val = kept
    if len(train) < FEW_PHOTOS:
        found.notes.append(
            f"Few photos to train on ({len(train):,}): the models that came with the program saw 6,000. Expect the new "
            "one to know what is in these photos, and little else."
        )
    if len(val) < FEW_VALIDATION_PHOTOS:
        points = 50 / math.sqrt(len(val))
        found.notes.append(
            f"Few photos to choose on ({len(val):,}): a recall of 50 % that is measured on them is uncertain by about "
            f"{points:.0f} points."
        )
    n_both = len(set(train.image_paths) & set(val.image_paths))
    if n_both:
        found.notes.append(
            f"Photos that are trained on and chosen on, both: {n_both:,}. What is measured says nothing of new photos."
        )


def _look_at_features(
    recipe: PhotoRecipe,
    kept: tuple[CaptionedImages, CaptionedImages],
    package: ModelPackage | None,
    features_folder: Path,
    found: _Findings,
) -> None:
    """Say which features are there; without a vision package the backbone says how large its squares are: unknown."""
    features: FeatureSection = recipe.features
    if package is None:
        return
    requests = view_requests(
        kept, features, package, package.manifest.preprocess.side_px, features_folder, regions=_reads_regions(recipe)
    )
    n_views = sum(len(request.photos) for part in requests for request in part)
    n_there = sum(request.begin for part in requests for request in part)
    if n_there == n_views:
        found.notes.append("All features are there already: training begins at once.")
    elif n_there:
        found.notes.append(f"Features of {n_there:,} of {n_views:,} views of the photos are there already.")
