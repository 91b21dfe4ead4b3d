"""The task ``tvdb``: binary codes of captioned photos with labels, from features to a package.

Three phases, each resumable: ``features`` (the frozen backbone and the region proposer on every view), the regions'
features, and ``network`` (both encoders, alternating with the codes).
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import ConfigError
from explorer.networks.common.words import build_vocabulary, word_rows
from explorer.networks.registry import load_encoder
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.tvdb.extractors import Extractor, load_extractor
from explorer.networks.tvdb.state_dict import to_package
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, VisionPart
from explorer.packages.package import write_package
from explorer.packages.reference import make_reference
from explorer.protocol.runs import Noted, RunEvent
from explorer.representations import BinaryCodes, Modality
from explorer.training.code_checks import look_at_splits
from explorer.training.code_phase import ship
from explorer.training.compute import Compute
from explorer.training.feature_cache import CachedView, read_square
from explorer.training.hashing_config import TVDBNetworkSection, TVDBRecipe
from explorer.training.label_sources import read_split_labels
from explorer.training.packaging import hashing_table, write_card
from explorer.training.phases import PhaseEnd, run_phase
from explorer.training.preparation import Seen, TrainingPlaces, read_splits, see_splits
from explorer.training.region_features import RegionFeatures, cache_regions, open_regions
from explorer.training.tvdb_phase import HashingSplit, TVDBModel, TVDBPhase
from explorer.training.views import View, training_views
from explorer.vision import DEFAULT_SOURCE

_STATISTICS_FROM = 1000
"""Photos whose regions say what each channel's mean and spread are."""


@dataclass(frozen=True, slots=True)
class TVDBReady:
    """All that TVDB is trained on.

    Attributes:
        seen: what vision gave.
        train: training photos with all their views.
        val: validation photos.
        statistics: mean and spread of each channel of the training photos' regions.
        vocabulary: word to row.
    """

    seen: Seen
    train: HashingSplit
    val: HashingSplit
    statistics: tuple[Tensor, Tensor]
    vocabulary: dict[str, int]


def train_tvdb(recipe: TVDBRecipe, places: TrainingPlaces, token: CancellationToken) -> Iterator[RunEvent]:
    """Train and write the package.

    Raises
    ------
    ConfigError
        the recipe names no vision package, or AlexNet's weights are not here.
    DatasetError
        data or labels are not as they should be.
    CodesCollapsedError
        the codes say nothing any more; the sentence says what to change.
    """
    ready = yield from make_ready(recipe, places, token)
    phase = tvdb_phase(recipe, ready, places.compute)
    end = yield from run_phase(phase, places.run, token=token, stopping=recipe.stopping)
    yield from ship(phase, end, lambda metrics: _write(recipe, places, ready, phase, (metrics, end)))


def tvdb_phase(recipe: TVDBRecipe, ready: TVDBReady, compute: Compute | None = None) -> TVDBPhase:
    """The networks as the recipe wants them, on prepared regions."""
    text = recipe.network
    configs = image_config(recipe.network, len(ready.statistics[0])), TextEncoderConfig(
        n_words=len(ready.vocabulary),
        n_bits=text.n_bits,
        n_tokens=text.n_tokens,
        word_dim=text.word_dim,
        n_filters=text.n_filters,
        fc_dim=text.fc_dim,
        dropout=text.dropout,
        word_dropout=text.word_dropout,
        normalised=text.normalised,
    )
    return TVDBPhase(configs, recipe.training, ready.statistics, ready.train, ready.val, compute)


def image_config(network: TVDBNetworkSection, feature_dim: int) -> ImageEncoderConfig:
    """Sizes of the picture's side."""
    return ImageEncoderConfig(
        n_bits=network.n_bits,
        feature_dim=feature_dim,
        position_dim=network.position_dim,
        n_regions=network.n_regions,
        order=network.order,
        hidden_dim=network.hidden_dim,
        fc_dim=network.fc_dim,
        dropout=network.dropout,
        input_dropout=network.input_dropout,
        normalised=network.normalised,
    )


def make_ready(
    recipe: TVDBRecipe, places: TrainingPlaces, token: CancellationToken
) -> Generator[RunEvent, None, TVDBReady]:
    """Everything before the networks: labels, vocabulary, features of every view's regions."""
    if not recipe.features.vision:
        raise ConfigError("The recipe names no vision package.", 'Add vision = "vision-lite0" to [features].')
    captioned = read_splits(recipe.dataset, places)
    labels = read_split_labels(recipe.labels, captioned, places)
    for note in look_at_splits(captioned, labels, recipe.training.batch_size):
        yield Noted(text=note)
    texts = (text for photo in captioned[0].sentences for text in photo)
    vocabulary = build_vocabulary(texts, min_count=recipe.network.min_word_count)
    seen = yield from see_splits(captioned, recipe.features, places, token, regions=True)
    vision, features = seen.vision, recipe.features
    extract = load_extractor(
        recipe.network.features, grid_dim=vision.backbone.channels[-1], device=places.compute.device
    )
    config = image_config(recipe.network, extract.dim)
    views = [training_views(features.n_crops, features.flip, features.seed), *([View("photo")] for _ in captioned[1:])]
    folder, splits = places.run.folder / "regions", []
    for number, part in enumerate(captioned):
        regions: list[RegionFeatures] = []
        for view, cached in zip(views[number], seen.views[number], strict=True):
            name = f"{number}-{view.name}"
            reader = _Reader(cached, vision.backbone.tail, extract, part.image_paths, view, vision.side_px)
            yield from places.compute.led(cache_regions(cached, reader, config, (folder, name), token))
            regions.append(open_regions(folder, name))
        splits.append(_split(part, labels[number], regions, vocabulary, recipe.network.n_tokens))
    train, val = splits
    return TVDBReady(seen, train, val, _statistics(train.views[0]), vocabulary)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Features of the boxes of some photos of a view: off the cached trunk, or off the photos themselves."""

    cached: CachedView
    tail: nn.Module
    extract: Extractor
    photos: Sequence[Path]
    view: View
    side_px: int

    @torch.inference_mode()
    def __call__(self, rows: Tensor, boxes: Tensor) -> Tensor:
        weight = next(self.tail.parameters())
        trunk = self.cached.trunk[rows].to(weight.device, weight.dtype)
        grid = self.tail(trunk.contiguous(memory_format=torch.channels_last))
        squares = self._squares(rows) if self.extract.reads_squares else None
        return self.extract(grid, boxes.to(weight.device), squares).cpu()

    def _squares(self, rows: Tensor) -> np.ndarray:
        return np.stack([self.view.of(read_square(self.photos[row], self.side_px), row) for row in rows.tolist()])


def _split(
    part: CaptionedImages, labels: Tensor, regions: list[RegionFeatures], vocabulary: dict[str, int], n_tokens: int
) -> HashingSplit:
    texts = [text for photo in part.sentences for text in photo]
    first = torch.tensor([0, *(len(photo) for photo in part.sentences)]).cumsum(0)
    return HashingSplit(regions, word_rows(texts, vocabulary, n_tokens), first, labels, part.image_paths, texts)


def _statistics(view: RegionFeatures) -> tuple[Tensor, Tensor]:
    values = view.values[:_STATISTICS_FROM].float().flatten(0, 1)
    return values.mean(dim=0), values.std(dim=0).clamp(min=1e-3)


def _write(
    recipe: TVDBRecipe,
    places: TrainingPlaces,
    ready: TVDBReady,
    phase: TVDBPhase,
    found: tuple[dict[str, float], PhaseEnd],
) -> Path:
    """Write the package; its reference is computed by loading it again, so what is shipped is what was checked.

    found: what was measured, and how the phase ended.
    """
    model, (metrics, end) = phase.finished_model(), found
    tensors = to_package(model.image, model.text, ready.statistics)
    manifest = _manifest(recipe, ready, model)
    card = write_card(
        recipe,
        what=_what(recipe),
        table=hashing_table(metrics, recipe.network.n_bits),
        protocol=_PROTOCOL,
        n_train=len(ready.train),
        n_val=len(ready.val),
        places=places,
        end=end,
    )
    folder = places.packages_folder / recipe.name
    package = write_package(folder, manifest, tensors, card=card, vocabulary=ready.vocabulary)
    encoder = load_encoder(package, search_folders=[places.packages_folder, *places.search_folders], device="cpu")
    reference = make_reference(
        lambda texts: _activations(encoder.encode_texts(texts)),
        lambda squares: _activations(encoder.encode_images(squares)),
        encoder.side_px,
        tolerance=_TOLERANCE,
    )
    write_package(folder, manifest, tensors, card=card, vocabulary=ready.vocabulary, reference=reference)
    return folder


_TOLERANCE = 1e-2
"""Of activations: regions hang on comparisons, and the LSTM's sums differ between processors."""

_PROTOCOL = (
    "relevant is what shares a label; 1,000 of the validation queries against the whole training split, tie-aware mAP "
    "over all positions, queries without a relevant item left out. The numbers are of the split that the settings were "
    "chosen on, so expect a little less elsewhere."
)


def _activations(codes: object) -> np.ndarray:
    assert isinstance(codes, BinaryCodes)
    assert codes.activations is not None
    return codes.activations


def _what(recipe: TVDBRecipe) -> str:
    network, training = recipe.network, recipe.training
    aligned = network.features == "roi-align"
    changes = [
        "RoIAlign means of the shared backbone in the place of AlexNet's crops" if aligned else "",
        "our own region proposer",
        f"a position block of {network.position_dim} numbers",
        "activations normalised before the tanh" if network.normalised else "",
        f'S = "{training.similarity}"',
        f"{training.sentences} sentences of each photo in a batch" if training.sentences > 1 else "",
        "mirrored photos" if recipe.features.flip else "",
        "averaged weights" if training.averaging else "",
    ]
    return (
        f"TVDB (networks/tvdb/README.md): {network.n_bits}-bit codes of pictures, read as up to {network.n_regions} "
        "regions by an LSTM, and of sentences, read by a text CNN; trained by alternating discrete steps. "
        f"Reconstructed, not in the paper: {', '.join(change for change in changes if change)}."
    )


def _manifest(recipe: TVDBRecipe, ready: TVDBReady, model: TVDBModel) -> Manifest:
    seen = ready.seen
    backbone, package = seen.vision.backbone, seen.package
    assert package is not None
    red, green, blue = backbone.mean
    red_std, green_std, blue_std = backbone.std
    detector = seen.vision.detector
    if detector is not None:
        proposer = {"proposer": detector.name}
    else:
        proposer = {"regions_sha256": package.manifest.regions.sha256} if package.manifest.regions else {}
    return Manifest(
        family="tvdb",
        name=recipe.name,
        title=recipe.title,
        preprocess=Preprocess(
            side_px=backbone.side_px, mean=(red, green, blue), std=(red_std, green_std, blue_std)
        ),
        output=Output(kind="code", bits=recipe.network.n_bits),
        backbone=Part(name=backbone.name, source=DEFAULT_SOURCE),
        modalities=(Modality.TEXT, Modality.IMAGE),
        config={
            "image": asdict(model.image.config),
            "text": asdict(model.text.config),
            "features": recipe.network.features,
            **proposer,
        },
        overlays=("regions", "segmentation"),
        vision=VisionPart(name=package.manifest.name, sha256=package.manifest.weights.sha256),
    )
