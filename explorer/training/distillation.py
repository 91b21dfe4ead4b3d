"""The task "distillation": a vision package from teachers and annotated masks, start to finish.

``distil_vision`` labels photos, caches what the frozen backbone gives for them, trains the head, and writes the package
with its card and reference. Interrupted, it goes on where it was.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
import torch

from explorer.cancellation import CancellationToken
from explorer.datasets.coco_classes import VOC_CLASSES
from explorer.errors import ConfigError
from explorer.packages.manifest import Manifest, Output, Part, Preprocess
from explorer.packages.package import ModelPackage, read_package, write_package
from explorer.packages.reference import make_reference
from explorer.protocol.runs import Finished, RunEvent
from explorer.representations import Modality
from explorer.training.distillation_set import CLASS_NAMES, open_examples, prepare_part, teacher_part, truth_part
from explorer.training.distillation_targets import GRID_CELLS, TeacherBlend
from explorer.training.distillation_training import LearningConfig, train_segmenter
from explorer.training.region_distillation import RegionRecipe, RegionSources, distil_regions, region_part
from explorer.vision.backbone import DEFAULT_BACKBONE, DEFAULT_SOURCE, Backbone, load_backbone
from explorer.vision.proposer import Proposer
from explorer.vision.segmenter import Segmenter, SegmenterConfig
from explorer.vision.stored import head_tensors
from explorer.vision.vision import FAMILY, reference_outputs


class DistillationConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recipe of this task. Paths of photos, annotations and teachers are relative to the data folder.

    Attributes:
        task: says that it is this task.
        name, title: of the package.
        backbone: timm's name.
        data: the data folder; ``$NAMES`` are taken from the environment, a relative path starts at the recipe.
        photos: Karpathy json of the photos that the teachers label; only ``photos_split`` of it.
        coco: folder with the photos and annotations of COCO; only ``coco_split`` of it.
        teachers: folder of the two ONNX files.
        semantic_width, middle_width: of the head.
        blend_gain, blend_doubt: see :class:`~explorer.training.distillation_targets.TeacherBlend`.
        learning: how the head learns.
        regions: the region proposer; None for none.
    """

    task: Literal["distillation"] = "distillation"
    name: str = "vision-lite0"
    title: str = "EfficientNet-Lite0 with segmenter"
    backbone: str = DEFAULT_BACKBONE
    data: str = "$EXPLORER_TEST_DATA"
    photos: str = "flickr8k/dataset_flickr8k.json"
    photos_split: str = "train"
    coco: str = "coco"
    coco_split: str = "train2017"
    teachers: str = "teachers"
    semantic_width: int = 160
    middle_width: int = 96
    blend_gain: float = 5.0
    blend_doubt: float = 0.35
    learning: LearningConfig = LearningConfig()
    regions: RegionRecipe | None = None


def read_distillation_config(path: Path) -> DistillationConfig:
    """Read a recipe; :class:`ConfigError` where it is missing or says something it should not."""
    try:
        return msgspec.toml.decode(path.read_bytes(), type=DistillationConfig)
    except OSError as error:
        raise ConfigError(f"The recipe {path} cannot be read: {error.strerror or error}.") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise ConfigError(f"{path.name} is not a recipe for distillation: {error}.", "Correct that value.") from error


def data_folder(config: DistillationConfig, recipe_folder: Path) -> Path:
    """Where the recipe's data lie; :class:`ConfigError` where it names a variable that is not set."""
    expanded = os.path.expandvars(config.data)
    if "$" in expanded:
        raise ConfigError(f"The recipe looks for its data in {config.data}, which is not set in the environment.",
                          "Set that variable to the folder that holds photos, annotations and teachers.")
    return recipe_folder / Path(expanded).expanduser()


def distil_vision(
    config: DistillationConfig,
    *,
    data_dir: Path,
    run_dir: Path,
    packages_folder: Path | None = None,
    token: CancellationToken,
) -> Iterator[RunEvent]:
    """Make the package ``config.name`` in ``packages_folder``, or in ``run_dir`` if none is given.

    Features and labels are kept in ``run_dir / "examples"``.

    Raises
    ------
    ConfigError
        the backbone is unknown, or gives no 7 x 7 grid.
    DatasetError
        photos, annotations or teachers are missing.
    Cancelled
        the token was used; the same call goes on later.
    """
    backbone = load_backbone(config.backbone)
    if backbone.side_px != 32 * GRID_CELLS:
        raise ConfigError(f"Distillation needs a backbone for {32 * GRID_CELLS} px, "
                          f"but {config.backbone} is for {backbone.side_px} px.", "Choose another backbone.")
    blend = TeacherBlend(gain=config.blend_gain, doubt=config.blend_doubt)
    parts = {
        truth_part(data_dir / config.coco, split=config.coco_split, side_px=backbone.side_px):
            config.learning.truth_repeats,
        teacher_part(data_dir / config.photos, split=config.photos_split, teachers=data_dir / config.teachers,
                     blend=blend): 1,
    }
    folder = run_dir / "examples"
    for part in parts:
        yield from prepare_part(part, backbone, folder, token)
    segmenter = new_segmenter(config, backbone)
    examples = [(open_examples(part, folder), repeats) for part, repeats in parts.items()]
    yield from train_segmenter(segmenter, examples, config.learning, run_dir=run_dir, token=token)
    proposer = None
    if config.regions is not None:
        sources = RegionSources(photos=data_dir / config.photos, photos_split=config.photos_split,
                                coco=data_dir / config.coco, coco_split=config.coco_split,
                                teachers=data_dir / config.teachers)
        proposer = yield from distil_regions(config.regions, sources, backbone, run_dir=run_dir, token=token)
    package = write_vision_package((packages_folder or run_dir) / config.name, config, backbone, segmenter, proposer)
    yield Finished(path=os.fsencode(package.folder), metrics={})


def new_segmenter(config: DistillationConfig, backbone: Backbone) -> Segmenter:
    """A head with random weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.learning.seed)
        segmenter = Segmenter(SegmenterConfig(
            n_classes=len(CLASS_NAMES), n_masks=len(VOC_CLASSES), channels=backbone.channels,
            semantic_width=config.semantic_width, middle_width=config.middle_width))
    return segmenter.to(memory_format=torch.channels_last)


def write_vision_package(
    folder: Path,
    config: DistillationConfig,
    backbone: Backbone,
    segmenter: Segmenter,
    proposer: Proposer | None = None,
) -> ModelPackage:
    """Write the heads as a package, then once more with the reference outputs of what was written."""
    mean, std = backbone.mean, backbone.std
    source = DEFAULT_SOURCE if config.backbone == DEFAULT_BACKBONE else "timm"
    manifest = Manifest(
        family=FAMILY, name=config.name, title=config.title,
        preprocess=Preprocess(side_px=backbone.side_px, mean=(mean[0], mean[1], mean[2]), std=(std[0], std[1], std[2])),
        output=Output(kind="features"), backbone=Part(name=config.backbone, source=source),
        modalities=(Modality.IMAGE,), overlays=("segmentation",),
        config={"n_classes": len(CLASS_NAMES), "n_masks": len(VOC_CLASSES),
                "semantic_width": config.semantic_width, "middle_width": config.middle_width},
        regions=region_part(config.regions) if config.regions else None,
    )
    tensors, card = head_tensors(segmenter), write_card(config)
    region_tensors = head_tensors(proposer) if proposer else None
    first = write_package(folder, manifest, tensors, card=card, labels=CLASS_NAMES, region_tensors=region_tensors)
    reference = make_reference(None, lambda squares: reference_outputs(first, squares), backbone.side_px)
    write_package(folder, manifest, tensors, card=card, labels=CLASS_NAMES, region_tensors=region_tensors,
                  reference=reference)
    return read_package(folder)


def write_card(config: DistillationConfig) -> str:
    """``CARD.md`` without measurements; those are made afterwards, with the command it names."""
    card = _CARD.format(config=config, learning=config.learning, n_things=len(CLASS_NAMES) - len(VOC_CLASSES))
    if config.regions is not None:
        card += _REGIONS_CARD.format(config=config, regions=config.regions, learning=config.regions.learning)
    return card


_CARD = """# {config.name}

A segmenter head on the frozen backbone `{config.backbone}` (ImageNet; Apache-2.0), trained by distillation from
permissively licensed teachers. The package holds the head only; the backbone's weights come with the program.

Outputs for a photo squashed to 224 x 224: a 56 x 56 map of background and the 20 Pascal VOC classes with confidence;
presence, and a score for each of 7 x 7 cells, for these and for the {n_things} COCO things.

## Data

- Photos of Flickr8k, split `{config.photos_split}` (Hodosh et al. 2013; for research), labelled by the teachers; their
  sentences were not used.
- The annotated photos of COCO `{config.coco_split}` with panoptic or instance masks (annotations CC BY 4.0), each shown
  {learning.truth_repeats} times an epoch. Nothing of val2017 was trained on.

## Teachers

- DeepLab v3 on MobileNet v2, 257 px, 21 VOC classes (Apache-2.0): logits of the photo and its mirror image, averaged.
- YOLOX-nano, 416 px, 80 COCO things (Apache-2.0): boxes give presence and cell scores, and correct DeepLab's classes: a
  class gains {config.blend_gain} x (score - {config.blend_doubt}) inside its boxes and loses
  {config.blend_gain} x {config.blend_doubt} outside them.

## Training

`retrieval-explorer train resources/recipes/{config.name}.toml`, seed {learning.seed}, {learning.n_epochs} epochs, batch
{learning.batch_size}, AdamW {learning.learning_rate}: soft cross-entropy of the 28 x 28 map, binary cross-entropy of
cell scores and presence, on features of the photo and its mirror image. Convolutions are stored in half precision.

## Limits

Everyday photos and these classes only; small things are missed (the map is decided on 28 x 28 cells), rare classes
(bottle, tvmonitor, bus) are weak because few training photos show them. Presence and cell scores repeat a small
detector's errors. Scores are not calibrated. Not for decisions about people.
"""


_REGIONS_CARD = """
## Regions

`regions.safetensors` is a region proposer on the same backbone: 36 boxes a photo with a score and a label (one of the
80 COCO things, or "object"). It learnt from the boxes that YOLOX-nano finds in Flickr8k `{config.photos_split}` but for
its last {regions.held_out} photos, which thresholds were chosen on, in {regions.n_mosaics} mosaics of four of them, and
from the real boxes of COCO `{config.coco_split}` in {regions.n_views} further views of each photo, each shown
{learning.annotated_repeats} times an epoch; {learning.n_epochs} epochs, batch {learning.batch_size}, AdamW
{learning.learning_rate}, seed {learning.seed}. Nothing of val2017 or of Flickr8k val was trained on.
"""
