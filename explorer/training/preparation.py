"""From a recipe to two splits with all that is frozen computed: photos read, views cached, sentences read."""

import dataclasses
import functools
import hashlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import CaptionedImages, require_photos
from explorer.errors import ConfigError
from explorer.packages.finding import resolve_package
from explorer.packages.manifest import VisionPart
from explorer.packages.package import ModelPackage
from explorer.protocol.runs import PhaseStarted, RunEvent
from explorer.training.captions import build_sentence_bank
from explorer.training.compute import Compute
from explorer.training.config import NetworkSection
from explorer.training.feature_cache import CachedView, ViewRequest, cache_view, open_view, repair
from explorer.training.photos import Split
from explorer.training.reading import read_photos, require_trainable
from explorer.training.run_directory import RunDirectory
from explorer.training.sections import DatasetSection, FeatureSection
from explorer.training.snapshot import read_snapshot
from explorer.training.views import View, training_views
from explorer.training.wording import Wording, find_wording
from explorer.vision import DEFAULT_BACKBONE, Vision, load_vision
from explorer.vision.detectors import load_proposer


@dataclass(frozen=True, slots=True)
class TrainingPlaces:
    """Where a run works.

    Attributes:
        run: its own folder.
        recipe_folder: relative paths of the recipe start here.
        features_folder: features of all runs.
        search_folders: where packages are looked for.
        packages_folder: where the finished package goes.
        compute: what is computed on.
    """

    run: RunDirectory
    recipe_folder: Path
    features_folder: Path
    search_folders: Sequence[Path]
    packages_folder: Path
    compute: Compute = field(default_factory=Compute)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything frozen.

    Attributes:
        vision: backbone and, if the recipe names one, segmenter.
        vision_package: the package of the segmenter, or None.
        train: training photos with all their views.
        val: validation photos as they are.
        wording: what the splits' sentences are read with.
    """

    vision: Vision
    vision_package: ModelPackage | None
    train: Split
    val: Split
    wording: Wording

    @property
    def vision_part(self) -> VisionPart | None:
        """What the trained package's manifest says about its eyes."""
        if self.vision_package is None:
            return None
        manifest = self.vision_package.manifest
        return VisionPart(name=manifest.name, sha256=manifest.weights.sha256)


@dataclass(frozen=True, slots=True)
class Seen:
    """What vision gives for all photos.

    Attributes:
        vision: backbone and, if the recipe names one, segmenter.
        package: the package of the segmenter, or None.
        views: cached features of each split's views, the photos as they are first.
    """

    vision: Vision
    package: ModelPackage | None
    views: tuple[list[CachedView], ...]


def prepare(
    dataset: DatasetSection,
    features: FeatureSection,
    places: TrainingPlaces,
    token: CancellationToken,
    network: NetworkSection | None = None,
) -> Generator[RunEvent, None, Prepared]:
    """Compute what is frozen, or find it computed.

    network: says what reads the sentences, and whether regions are wanted; None for MiniLM and none.

    Raises
    ------
    DatasetError, PackageError, ConfigError
        the data, the vision package or the recipe's paths are not as they should be.
    Cancelled
        a stop was asked for; what was computed is kept.
    """
    captioned = read_splits(dataset, places)
    # Before the long part: a language model that is not there is said at once.
    device = str(places.compute.device)
    wording = find_wording(network or NetworkSection(), captioned[0].sentences, device)
    regions = network is not None and network.tokens == "regions"
    seen = yield from see_splits(captioned, features, places, token, regions=regions)
    splits = []
    for part, views in zip(captioned, seen.views, strict=True):
        path = sentences_path(places.features_folder, part.sentences)
        bank = wording.bank(part.sentences, path, places.compute)
        splits.append(Split(part.image_paths, part.sentences, views, bank))
    train, val = splits
    return Prepared(seen.vision, seen.package, train, val, wording)


def read_splits(dataset: DatasetSection, places: TrainingPlaces) -> list[CaptionedImages]:
    """The training and the validation photos with their sentences; nothing is decoded.

    They are those that the run keeps (``taking.py``), whose files may be gone; a run that keeps none yet reads its
    recipe's data, all of whose photos must be there.

    Raises
    ------
    DatasetError, LibraryError, ConfigError
        the data or the recipe's paths are not as they should be.
    """
    kept = read_snapshot(places.run.folder)
    if kept is not None:
        return kept
    photos = read_photos(dataset, places.recipe_folder)
    require_trainable(*photos.splits)
    for part in photos.splits:
        require_photos(part.image_paths, part.image_paths[0].parent, part.split)
    return list(photos.splits)


def see_splits(
    captioned: Sequence[CaptionedImages],
    features: FeatureSection,
    places: TrainingPlaces,
    token: CancellationToken,
    *,
    regions: bool,
) -> Generator[RunEvent, None, Seen]:
    """Features of every view of the training photos, the first split, and of the others as they are.

    Raises
    ------
    DatasetError, PackageError, ConfigError
        a photo, the vision package or its detector are not as they should be.
    Cancelled
        a stop was asked for; what was computed is kept.
    """
    package = resolve_package(features.vision, places.search_folders) if features.vision else None
    vision = load_vision(package, device=places.compute.device.type)
    if features.proposer:
        vision.use_detector(load_proposer(features.proposer))
    wanted = view_requests(captioned, features, package, vision.side_px, places.features_folder, regions=regions)
    yield PhaseStarted(phase="features", n_done=0, n_steps=sum(map(len, wanted)), n_epochs=1)
    seen: list[list[CachedView]] = []
    for requests in wanted:
        cached: list[CachedView] = []
        for request in requests:
            yield from places.compute.led(_complete(request, vision, token))
            cached.append(open_view(request))
        seen.append(cached)
    return Seen(vision, package, tuple(seen))


def view_requests(
    captioned: Sequence[CaptionedImages],
    features: FeatureSection,
    package: ModelPackage | None,
    side_px: int,
    features_folder: Path,
    *,
    regions: bool,
) -> list[list[ViewRequest]]:
    """The features that are wanted of each split, view by view: the first split is trained on.

    package: the vision package.   side_px: of the squares it sees.

    Raises
    ------
    ConfigError
        regions are wanted, and the package proposes none.
    """
    views = training_views(features.n_crops, features.flip, features.seed)
    regions_id = (features.proposer or _regions_id(package)) if regions else ""
    model_id = package.model_id if package else DEFAULT_BACKBONE
    return [
        [
            ViewRequest(features_folder, model_id, part.image_paths, view, side_px, regions_id)
            for view in (views if number == 0 else [View("photo")])
        ]
        for number, part in enumerate(captioned)
    ]


def _complete(request: ViewRequest, vision: Vision, token: CancellationToken) -> Iterator[RunEvent]:
    repair(request)
    if request.begin < len(request.photos):
        unseen = request.n_done < len(request.photos)
        reader = functools.partial(vision, segment=unseen, propose=bool(request.regions_id))
        yield from cache_view(request, reader, token=token)
    token.check()


def _regions_id(package: ModelPackage | None) -> str:
    """Which region proposer; :class:`ConfigError` where the vision package has none."""
    part = package.manifest.regions if package else None
    if part is None:
        raise ConfigError("The vision package proposes no regions.", 'Say tokens = "grid", or install a newer one.')
    return part.sha256[:16]


def with_minilm(split: Split, places: TrainingPlaces) -> Split:
    """The same photos with MiniLM's word states, whatever the network reads."""
    path = sentences_path(places.features_folder, split.sentences)
    bank = build_sentence_bank(split.sentences, path, compute=places.compute)
    return dataclasses.replace(split, bank=bank)


def sentences_path(features_folder: Path, sentences: Sequence[Sequence[str]]) -> Path:
    """Where MiniLM's word states of these sentences are kept."""
    digest = hashlib.sha256()
    for photo in sentences:
        digest.update("\0".join(photo).encode("utf-8", "surrogatepass") + b"\1")
    return features_folder / f"{digest.hexdigest()[:16]}.sentences"
