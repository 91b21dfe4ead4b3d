"""The shipped 3SHNet: its saliency is the tensor that made the embedding, and it is causal."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.datasets.karpathy import read_karpathy
from explorer.errors import PackageError
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.package import load_tensors, write_package
from explorer.packages.reference import synthetic_picture
from explorer.representations import Embeddings

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="module")
def package():
    return resolve_package("3shnet-flickr8k", [MODELS])


@pytest.fixture(scope="module")
def encoder(package):
    return load_encoder(package, search_folders=[MODELS], device="cpu")


def test_maps_have_the_sizes_of_grid_and_class_map(encoder):
    evidence = encoder.explain(synthetic_picture(3, encoder.side_px))
    vsem, vspm = evidence.attention
    assert vsem.values.shape == (7, 7)
    assert ((vsem.values > 0) & (vsem.values < 1)).all()
    assert vspm.values.shape == (14, 14)
    assert vspm.values.sum() == pytest.approx(1.0, abs=1e-3)
    assert evidence.segmentation.class_map.max() < len(evidence.segmentation.names)
    assert evidence.segmentation.presence


def test_what_the_tokens_gave_adds_up_to_the_score(encoder):
    square = synthetic_picture(3, encoder.side_px)
    query = encoder.encode_texts(["a dog in the snow"])
    with torch.inference_mode():
        encoded = encoder._encode(encoder._vision(square[None]))
        given = encoder._token_shares(encoded, torch.from_numpy(query.values[0]))
    assert len(given) == encoded.tokens.shape[1]
    score = float(query.values[0] @ encoder.encode_images(square[None]).values[0])
    assert float(given.sum()) == pytest.approx(score, abs=1e-5)
    shown = encoder.explain(square, query).attention[0]
    n = shown.values.size
    assert shown.name == "cells"
    assert shown.values.ravel() == pytest.approx((given[-2 * n : -n] + given[-n:]).numpy(), abs=1e-5)


def test_without_no_cell_is_the_embedding_itself(encoder):
    square = synthetic_picture(5, encoder.side_px)
    whole = encoder.encode_without_cell(square, [None]).values
    np.testing.assert_allclose(whole, encoder.encode_images(square[None]).values, atol=1e-6)


def test_a_masked_cell_changes_the_embedding_a_little(encoder):
    square = synthetic_picture(5, encoder.side_px)
    rows = encoder.encode_without_cell(square, [None, 0, 24]).values
    likeness = rows @ rows[0]
    assert (likeness[1:] > 0.8).all()
    assert (likeness[1:] < 1.0 - 1e-6).all()


@pytest.mark.parametrize("name", ["cells", "vsem"])
def test_masking_the_most_salient_cell_costs_more_than_masking_a_random_one(encoder, shared_data, name):
    """Mean over 50 validation photos and their sentences; a random cell stands for 16 drawn from the other 48."""
    rng = np.random.default_rng(0)
    captioned = read_karpathy(shared_data / "flickr8k" / "dataset_flickr8k.json", split="val")
    losses = []
    for row in range(0, len(captioned), len(captioned) // 50):
        content = read_content(bytes(captioned.image_paths[row]))
        square = squash(decode_image(content, min_edge_px=encoder.side_px).pixels, encoder.side_px)
        sentences = encoder.encode_texts(captioned.sentences[row]).values
        query = Embeddings(sentences.mean(axis=0, keepdims=True))
        grid = next(grid for grid in encoder.explain(square, query).attention if grid.name == name)
        gates = grid.values.ravel()
        top = int(gates.argmax())
        others = rng.choice(np.delete(np.arange(gates.size), top), 16, replace=False)
        images = encoder.encode_without_cell(square, [None, top, *others.tolist()]).values
        scores = (images @ sentences.T).mean(axis=1)
        falls = scores[0] - scores[1:]
        losses.append((falls[0], falls[1:].mean()))
    salient, others = np.mean(losses, axis=0)
    assert len(losses) == 50
    sys.stderr.write(f"\n{name}: salient {salient:.5f}, random {others:.5f}, paired t {_paired_t(losses):.1f}\n")
    assert salient > others, f"salient {salient:.5f}, random {others:.5f}"


def _paired_t(losses: list[tuple[float, float]]) -> float:
    differences = np.array(losses) @ [1, -1]
    return float(differences.mean() / (differences.std(ddof=1) / len(losses) ** 0.5))


def test_another_vision_package_is_refused(encoder, package, tmp_path):
    vision = resolve_package("vision-lite0", [MODELS])
    tensors = load_tensors(vision)
    name = next(iter(tensors))
    tensors[name] = tensors[name] + tensors[name].dtype.type(1)
    write_package(tmp_path / "vision-lite0", vision.manifest, tensors, card="changed", labels=vision.labels)
    with pytest.raises(PackageError, match="another version of vision-lite0"):
        load_encoder(package, search_folders=[tmp_path], device="cpu")


def test_a_missing_tensor_is_named(package, tmp_path):
    tensors = load_tensors(package)
    del tensors["image.project.weight"]
    broken = write_package(tmp_path / package.name, package.manifest, tensors, card="broken")
    with pytest.raises(PackageError, match=r"project\.weight"):
        load_encoder(broken, search_folders=[MODELS], device="cpu")
