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
from explorer.networks.three_shnet.explaining import token_shares
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
    query = encoder.encode_texts(["a dog in the snow", "a dog", "snow"])
    with torch.inference_mode():
        seen = encoder.vision(square[None])
        encoded = encoder._encode(seen, encoder._look(seen))
        given = token_shares(encoder._image, encoded.tokens[0], torch.from_numpy(query.values))
    assert given.shape == (3, encoded.tokens.shape[1])
    scores = query.values @ encoder.encode_images(square[None]).values[0]
    assert given.sum(dim=1).numpy() == pytest.approx(scores, abs=1e-5)
    evidence = encoder.explain(square, query)
    assert evidence.row_scores == pytest.approx(scores, abs=1e-5)
    assert evidence.score == pytest.approx(float(scores[0]), abs=1e-5)
    shown = evidence.attention[0]
    n = shown.values.size
    assert shown.name == evidence.shares[0].places == "cells"
    assert evidence.shares[0].values == pytest.approx((given[:, -2 * n : -n] + given[:, -n:]).numpy(), abs=1e-5)
    assert shown.values.ravel() == pytest.approx(evidence.shares[0].values[0], abs=1e-6)


def test_spatial_attention_of_each_cell(encoder):
    square = synthetic_picture(3, encoder.side_px)
    pointed = encoder.explain(square).pointed[0]
    assert pointed.places == "vsem"
    assert pointed.values.shape == (49, 14, 14)
    assert pointed.values.astype(np.float32).sum(axis=(1, 2)) == pytest.approx(1.0, abs=1e-2)
    assert encoder.explain(square, encoder.encode_texts(["a dog"])).pointed[0].places == "cells"


@pytest.mark.parametrize(("without", "left"), [("vsem", ["cells", "vspm"]), ("vspm", ["cells", "vsem"])])
def test_guidance_that_is_left_out_changes_the_score_and_says_nothing(encoder, without, left):
    square = synthetic_picture(3, encoder.side_px)
    query = encoder.encode_texts(["a dog in the snow"])
    whole, part = encoder.explain(square, query), encoder.explain(square, query, without=frozenset({without}))
    assert [layer.name for layer in part.attention] == left
    assert part.score != pytest.approx(whole.score, abs=1e-6)
    assert encoder.explain(square, query, without=frozenset({"nothing"})).score == pytest.approx(whole.score)


def test_without_no_cell_is_the_embedding_itself(encoder):
    square = synthetic_picture(5, encoder.side_px)
    whole = encoder.encode_without_place(square, [None]).values
    np.testing.assert_allclose(whole, encoder.encode_images(square[None]).values, atol=1e-6)


def test_a_masked_cell_changes_the_embedding_a_little(encoder):
    square = synthetic_picture(5, encoder.side_px)
    rows = encoder.encode_without_place(square, [None, 0, 24]).values
    likeness = rows @ rows[0]
    assert (likeness[1:] > 0.8).all()
    assert (likeness[1:] < 1.0 - 1e-6).all()


def test_masking_the_most_salient_cell_costs_more_than_masking_a_random_one(encoder, shared_data):
    """Mean over 50 validation photos and their sentences; a random cell stands for 16 drawn from the other 48."""
    rng = np.random.default_rng(0)
    captioned = read_karpathy(shared_data / "flickr8k" / "dataset_flickr8k.json", split="val")
    losses: dict[str, list[tuple[float, float]]] = {"cells": [], "vsem": []}
    for row in range(0, len(captioned), len(captioned) // 50):
        content = read_content(bytes(captioned.image_paths[row]))
        square = squash(decode_image(content, min_edge_px=encoder.side_px).pixels, encoder.side_px)
        sentences = encoder.encode_texts(captioned.sentences[row]).values
        query = Embeddings(sentences.mean(axis=0, keepdims=True))
        grids = {grid.name: grid.values.ravel() for grid in encoder.explain(square, query).attention}
        tops = [int(grids[name].argmax()) for name in losses]
        others = rng.choice(np.delete(np.arange(49), tops), 16, replace=False)
        images = encoder.encode_without_place(square, [None, *tops, *others.tolist()]).values
        scores = (images @ sentences.T).mean(axis=1)
        falls = scores[0] - scores[1:]
        for place, name in enumerate(losses):
            losses[name].append((falls[place], falls[2:].mean()))
    for name, pairs in losses.items():
        salient, random = np.mean(pairs, axis=0)
        assert len(pairs) == 50
        sys.stderr.write(f"\n{name}: salient {salient:.5f}, random {random:.5f}, paired t {_paired_t(pairs):.1f}\n")
        assert salient > random, f"{name}: salient {salient:.5f}, random {random:.5f}"


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
