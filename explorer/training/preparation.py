"""From a recipe to two splits with all that is frozen computed: photos read, views cached, sentences read."""

import hashlib
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.cancellation import CancellationToken, Cancelled
from explorer.datasets.karpathy import CaptionedImages, read_karpathy
from explorer.packages.finding import resolve_package
from explorer.packages.manifest import VisionPart
from explorer.packages.package import ModelPackage
from explorer.training.captions import build_sentence_bank
from explorer.training.config import DatasetSection, FeatureSection, dataset_paths
from explorer.training.events import Started, TrainingEvent
from explorer.training.feature_cache import CachedView, ViewRequest, cache_view, open_view
from explorer.training.photos import Split
from explorer.training.run_directory import RunDirectory
from explorer.training.views import View, training_views
from explorer.vision import DEFAULT_BACKBONE, Vision, load_vision


@dataclass(frozen=True, slots=True)
class TrainingPlaces:
    """Where a run works.

    Attributes:
        run: its own folder.
        recipe_folder: relative paths of the recipe start here.
        features_folder: features of all runs.
        search_folders: where packages are looked for.
        packages_folder: where the finished package goes.
    """

    run: RunDirectory
    recipe_folder: Path
    features_folder: Path
    search_folders: Sequence[Path]
    packages_folder: Path


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything frozen.

    Attributes:
        vision: backbone and, if the recipe names one, segmenter.
        vision_package: the package of the segmenter, or None.
        train: training photos with all their views.
        val: validation photos as they are.
    """

    vision: Vision
    vision_package: ModelPackage | None
    train: Split
    val: Split

    @property
    def vision_part(self) -> VisionPart | None:
        """What the trained package's manifest says about its eyes."""
        if self.vision_package is None:
            return None
        manifest = self.vision_package.manifest
        return VisionPart(name=manifest.name, sha256=manifest.weights.sha256)


def prepare(
    dataset: DatasetSection, features: FeatureSection, places: TrainingPlaces, token: CancellationToken
) -> Generator[TrainingEvent, None, Prepared]:
    """Compute what is frozen, or find it computed.

    Raises
    ------
    DatasetError, PackageError, ConfigError
        the data, the vision package or the recipe's paths are not as they should be.
    Cancelled
        a stop was asked for; what was computed is kept.
    """
    package = resolve_package(features.vision, places.search_folders) if features.vision else None
    vision = load_vision(package)
    vision_id = package.model_id if package else DEFAULT_BACKBONE
    annotations, images = dataset_paths(dataset, places.recipe_folder)
    views = training_views(features.n_crops, features.flip, features.seed)
    plan = [(dataset.train_split, views), (dataset.val_split, [View("photo")])]
    yield Started(places.run.folder, 0, len(views) + 1, "features")
    splits = []
    for split_name, split_views in plan:
        captioned = _limited(read_karpathy(annotations, split=split_name, images_folder=images), dataset.max_photos)
        cached: list[CachedView] = []
        for view in split_views:
            request = ViewRequest(places.features_folder, vision_id, captioned.image_paths, view, vision.side_px)
            if request.n_done < len(captioned):
                yield from cache_view(request, vision, token=token)
            if token.cancelled:
                raise Cancelled
            cached.append(open_view(request))
        bank_path = places.features_folder / f"{_bank_name(captioned)}.sentences"
        bank = build_sentence_bank(captioned.sentences, bank_path)
        splits.append(Split(captioned.image_paths, captioned.sentences, cached, bank))
    return Prepared(vision, package, *splits)


def _limited(captioned: CaptionedImages, n: int) -> CaptionedImages:
    if not n:
        return captioned
    return CaptionedImages(
        captioned.name,
        captioned.split,
        captioned.image_paths[:n],
        captioned.sentences[:n],
        captioned.image_ids[:n],
        captioned.sent_ids[:n],
    )


def _bank_name(captioned: CaptionedImages) -> str:
    digest = hashlib.sha256()
    for photo in captioned.sentences:
        digest.update("\0".join(photo).encode("utf-8", "surrogatepass") + b"\1")
    return digest.hexdigest()[:16]
