"""The second stage of the task "distillation": a region proposer from the teacher's boxes and annotated ones."""

from collections.abc import Generator
from pathlib import Path

import msgspec
import torch

from explorer.cancellation import CancellationToken
from explorer.datasets.coco_classes import COCO_THINGS
from explorer.packages.manifest import RegionPart
from explorer.protocol.runs import RunEvent
from explorer.training.region_set import annotated_set, open_pictures, prepare_pictures, taught_set
from explorer.training.region_training import RegionLearning, train_proposer
from explorer.vision.backbone import Backbone
from explorer.vision.proposer import Proposer, ProposerConfig
from explorer.vision.regions import Selection


class RegionRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[regions]`` of a recipe.

    Attributes:
        width, n_readings: see :class:`~explorer.vision.proposer.ProposerConfig`.
        n_mosaics: pictures of four of the teacher's photos.
        n_views: further views of each annotated photo.
        held_out: photos at the end of the teacher's split that are not learnt from: the selection was chosen on them.
        selection: which proposals become regions.
        learning: how the proposer learns.
    """

    width: int = 96
    n_readings: int = 1
    n_mosaics: int = 5500
    n_views: int = 15
    held_out: int = 500
    selection: Selection = Selection()
    learning: RegionLearning = RegionLearning()


class RegionSources(msgspec.Struct, frozen=True, kw_only=True):
    """Where photos, annotations and the teacher lie.

    Attributes:
        photos, photos_split: Karpathy json and the split that the teacher labels.
        coco, coco_split: folder of COCO and the annotated split.
        teachers: folder of the teacher.
    """

    photos: Path
    photos_split: str
    coco: Path
    coco_split: str
    teachers: Path


def distil_regions(
    recipe: RegionRecipe, sources: RegionSources, backbone: Backbone, *, run_dir: Path, token: CancellationToken
) -> Generator[RunEvent, None, Proposer]:
    """Look at the pictures, train, and return the proposer; interrupted, the same call goes on.

    Raises
    ------
    DatasetError
        photos, annotations or the teacher are missing.
    Cancelled
        the token was used.
    """
    side_px, seed = backbone.side_px, recipe.learning.seed
    sets = {
        annotated_set(sources.coco, split=sources.coco_split, n_views=recipe.n_views, side_px=side_px, seed=seed):
            recipe.learning.annotated_repeats,
        taught_set(sources.photos, split=sources.photos_split, teachers=sources.teachers, n_mosaics=recipe.n_mosaics,
                   held_out=recipe.held_out, side_px=side_px, seed=seed): 1,
    }
    folder = run_dir / "examples"
    for pictures in sets:
        yield from prepare_pictures(pictures, backbone, folder, token)
    proposer = new_proposer(recipe, backbone)
    examples = [(open_pictures(pictures, folder), repeats) for pictures, repeats in sets.items()]
    yield from train_proposer(proposer, examples, recipe.learning, run_dir=run_dir, token=token)
    return proposer


def new_proposer(recipe: RegionRecipe, backbone: Backbone) -> Proposer:
    """A head with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.learning.seed)
        proposer = Proposer(ProposerConfig(n_things=len(COCO_THINGS), channels=backbone.channels, width=recipe.width,
                                           n_readings=recipe.n_readings))
    return proposer.to(memory_format=torch.channels_last)


def region_part(recipe: RegionRecipe) -> RegionPart:
    """What the manifest says about the proposer."""
    return RegionPart(config={"n_things": len(COCO_THINGS), "width": recipe.width, "n_readings": recipe.n_readings,
                              "selection": msgspec.to_builtins(recipe.selection)})
