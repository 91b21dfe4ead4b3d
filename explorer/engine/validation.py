"""The validation split that models are measured on: a recipe's, or the one that a run keeps in its folder."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.datasets.clips import CaptionedClips, Span
from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile
from explorer.datasets.photo_sets import photo_name
from explorer.datasets.scenes.rendering import render_frame
from explorer.datasets.scenes.scene import Scene, draw_scenes, label_names, labels_of
from explorer.datasets.scenes.wording import sentences_of
from explorer.engine.telling import OnProgress
from explorer.errors import DatasetError
from explorer.evaluation.hashing_pairs import PairLabels
from explorer.evaluation.label_rules import EQUAL, LabelRule
from explorer.evaluation.visual import visual_of
from explorer.media.writing import write_video
from explorer.runs.folder import describe, open_run
from explorer.runs.layout import RunFolder

if TYPE_CHECKING:
    from explorer.training.config import Recipe
    from explorer.training.scenes_config import ScenesRecipe

_SIDE_PX, _ASPECT = 128, 4 / 3
_N_FRAMES, _RATE_FPS = 24, 12.0


@dataclass(frozen=True, slots=True)
class Validation:
    """What is measured on.

    Attributes:
        items: photos, or rendered clips, of the validation split, each with a sentence at least.
        labels: of these, one class a column; None where the recipe has none.
    """

    items: CaptionedImages
    labels: PairLabels | None

    @property
    def said(self) -> str:
        """What is measured on, and what is right, in sentences."""
        items, labels, visual = self.items, self.labels, visual_of(self.items)
        said = (
            f"{len(items):,} {visual.plural} and {sum(map(len, items.sentences)):,} sentences of {items.name}, split "
            f"{items.split}. R@K: right are the sentences of its own; equal scores share their places."
        )
        if labels is not None:
            n_labelled = int(labels.queries.any(axis=1).sum())
            said += (
                f" mAP: right is what {labels.rule.said}; {n_labelled:,} of the {visual.plural} have some of the "
                f"{labels.queries.shape[1]} labels. Mean over all orders of equal distances."
            )
        return f"{said} Other models may have learned from these {visual.plural}: their cards say from what they did."


@contextmanager
def validation_of(
    content: bytes, folder: Path, token: CancellationToken, on_progress: OnProgress
) -> Iterator[Validation]:
    """The validation split of a recipe, while it is measured on.

    Parameters
    ----------
    content
        the recipe.
    folder
        where its relative paths begin; or a run's folder: then what the run keeps counts, if it keeps any yet.
    token, on_progress
        looked at, and told, while scenes are rendered: those are gone afterwards.

    Raises
    ------
    ConfigError
        the recipe cannot be followed.
    DatasetError, LibraryError
        its data is not as it should be.
    Cancelled
        a stop was asked for.
    """
    # Imported here, not at the top: torch comes with it, which takes seconds.
    from explorer.training.config import decode_recipe
    from explorer.training.scenes_config import ScenesRecipe

    recipe = decode_recipe(content, where="The recipe")
    if not isinstance(recipe, ScenesRecipe):
        yield _read(recipe, folder)
        return
    with tempfile.TemporaryDirectory(prefix="explorer-scenes-") as place:
        yield _rendered(recipe, Path(place), token, on_progress)


def _read(recipe: "Recipe", folder: Path) -> Validation:
    """What the run keeps, else what the recipe means."""
    from explorer.training.label_sources import find_labels
    from explorer.training.reading import read_photos
    from explorer.training.scenes_config import ScenesRecipe
    from explorer.training.snapshot import read_kept_labels, read_snapshot

    assert not isinstance(recipe, ScenesRecipe)
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


# --- rendered scenes ------------------------------------------------------------------------------------------------


def _rendered(recipe: "ScenesRecipe", folder: Path, token: CancellationToken, on_progress: OnProgress) -> Validation:
    """The clips that the recipe's run is measured on, as files that every model can see."""
    scenes = draw_scenes(recipe.scenes.n_val, seed=recipe.scenes.seed, split="val", moving=True)
    paths = []
    for number, scene in enumerate(scenes):
        on_progress("rendering clips", number, len(scenes))
        token.check()
        paths.append(folder / f"clip-{number:04d}.mp4")
        write_video(paths[-1], _frames(scene), _RATE_FPS)
    sentences = tuple(map(sentences_of, scenes))
    ends = np.cumsum([0, *map(len, sentences)]).tolist()
    clips = CaptionedClips(
        name="rendered scenes",
        split="val",
        image_paths=tuple(paths),
        sentences=sentences,
        image_ids=tuple(range(len(scenes))),
        sent_ids=tuple(tuple(range(begin, end)) for begin, end in pairwise(ends)),
        names=tuple(path.name for path in paths),
        spans=(Span(),) * len(scenes),
    )
    names = label_names()
    matrix = np.array([[name in labels_of(scene) for name in names] for scene in scenes])
    rule = LabelRule(EQUAL)  # the same kind, colour and motion
    return Validation(clips, PairLabels("the scenes", matrix, matrix, rule, rule.between(names)))


def _frames(scene: Scene) -> Iterator[np.ndarray]:
    for place in range(_N_FRAMES):
        yield render_frame(scene, place / (_N_FRAMES - 1), _SIDE_PX, aspect=_ASPECT).pixels
