"""Ensembles: the mean of the members' similarities, indexed and explained as one model."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import ConfigError, PackageError
from explorer.evidence import AttentionMap, Evidence, PlaceShares, PointedAttention, RegionWeights
from explorer.networks.ensemble.combining import combine_packages
from explorer.networks.ensemble.encoder import merge
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.package import load_tensors, read_package, write_package
from explorer.packages.reference import check_reference, synthetic_picture

MODELS = Path(__file__).parents[2] / "models"
MEMBERS = ("3shnet-flickr8k", "pooled-flickr8k")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def package(folder):
    return combine_packages(MEMBERS, folder / "both", search_folders=[MODELS], weights=[3, 1])


@pytest.fixture(scope="module")
def encoder(package, folder):
    return load_encoder(package, search_folders=[folder, MODELS], device="cpu")


@pytest.fixture(scope="module")
def members():
    return [load_encoder(resolve_package(name, [MODELS]), search_folders=[MODELS], device="cpu") for name in MEMBERS]


@pytest.fixture(scope="module")
def squares():
    return np.stack([synthetic_picture(seed, 224) for seed in (3, 4)])


TEXTS = ["a dog in the snow", "two men", ""]


def test_the_similarity_is_the_weighted_mean(encoder, members, squares):
    ours = encoder.encode_texts(TEXTS).values @ encoder.encode_images(squares).values.T
    first, second = (m.encode_texts(TEXTS).values @ m.encode_images(squares).values.T for m in members)
    assert ours == pytest.approx(0.75 * first + 0.25 * second, abs=1e-5)


def test_embeddings_have_unit_length(encoder, squares):
    assert encoder.dim == 1024 + 384
    assert np.linalg.norm(encoder.encode_images(squares).values, axis=1) == pytest.approx(1.0, abs=1e-4)
    assert encoder.encode_texts([]).values.shape == (0, encoder.dim)
    assert encoder.encode_images(squares[:0]).values.shape == (0, encoder.dim)


def test_shares_and_scores_are_those_of_the_members(encoder, members, squares):
    query = encoder.encode_texts(TEXTS[:2])
    evidence = encoder.explain(squares[0], query)
    scores = query.values @ encoder.encode_images(squares[:1]).values[0]
    assert evidence.row_scores == pytest.approx(scores, abs=1e-5)
    own = members[0].explain(squares[0], members[0].encode_texts(TEXTS[:2]))
    assert evidence.shares[0].values == pytest.approx(0.75 * own.shares[0].values, abs=1e-5)
    assert [layer.name for layer in evidence.attention] == [layer.name for layer in own.attention]
    assert evidence.segmentation is not None


def test_a_package_verifies_and_says_what_it_is_made_of(package, encoder):
    check = check_reference(
        package.reference,
        lambda texts: encoder.encode_texts(texts).values,
        lambda squares: encoder.encode_images(squares).values,
    )
    assert check == []
    assert "0.75 x 3shnet-flickr8k" in package.card
    assert set(load_tensors(package)) == {"members", "weights"}


def test_members_that_share_vision_share_the_pass(folder, monkeypatch):
    # The same network under a second name: the sum of both is the network itself.
    shutil.copytree(MODELS / "3shnet-flickr8k", folder / "twin")
    text = (folder / "twin" / "model.toml").read_text()
    (folder / "twin" / "model.toml").write_text(text.replace('name = "3shnet-flickr8k"', 'name = "twin"'))
    package = combine_packages(["3shnet-flickr8k", "twin"], folder / "twins", search_folders=[folder, MODELS])
    encoder = load_encoder(package, search_folders=[folder, MODELS], device="cpu")
    first, second = encoder._members
    assert first.vision is second.vision
    passes = []
    call = type(first.vision).__call__
    monkeypatch.setattr(type(first.vision), "__call__", lambda *a, **k: passes.append(1) or call(*a, **k))
    square = synthetic_picture(3, 224)
    query = encoder.encode_texts(["a dog"])
    evidence = encoder.explain(square, query)
    assert len(passes) == 1
    assert evidence.score == pytest.approx(first.explain(square, first.encode_texts(["a dog"])).score, abs=1e-5)
    assert [layer.name for layer in evidence.attention] == ["cells", "vsem", "vspm", "cells-2", "vsem-2", "vspm-2"]
    assert [maps.places for maps in evidence.pointed] == ["cells", "cells-2"]


def test_layers_of_one_name_are_numbered_and_scores_add_up():
    grid = AttentionMap("vsem", "Gates", np.zeros((1, 1), np.float32))
    boxes = RegionWeights("vsem", "Gates", np.zeros((1, 4), np.float32), *np.zeros((2, 1), np.float32), ("",))
    maps = PointedAttention("vspm-of-place", "Maps", "vsem", np.zeros((1, 2, 2), np.float32))
    row = np.array([0.25, 0.5], np.float32)
    share = PlaceShares("vsem", row[:, None])
    first = Evidence(attention=(grid,), pointed=(maps,), row_scores=row, shares=(share,))
    second = Evidence(regions=(boxes,), pointed=(maps,), row_scores=row, shares=(share,))
    merged = merge([first, second])
    assert (merged.attention[0].name, merged.regions[0].name) == ("vsem", "vsem-2")
    assert [maps.places for maps in merged.pointed] == ["vsem", "vsem-2"]
    assert len({maps.name for maps in merged.pointed}) == 2
    assert merged.row_scores.tolist() == [0.5, 1.0]
    assert merge([first, Evidence()]).score is None


def test_another_version_of_a_member_is_refused(package, folder, tmp_path):
    pooled = resolve_package("pooled-flickr8k", [MODELS])
    tensors = {name: tensor + tensor.dtype.type(1) for name, tensor in load_tensors(pooled).items()}
    write_package(tmp_path / "pooled-flickr8k", pooled.manifest, tensors, card="changed")
    with pytest.raises(PackageError, match="another version of pooled-flickr8k"):
        load_encoder(package, search_folders=[tmp_path, folder, MODELS], device="cpu")


def test_other_members_make_another_model(package, folder):
    turned = combine_packages(MEMBERS[::-1], folder / "turned", search_folders=[MODELS], weights=[1, 3])
    assert turned.model_id.split("@")[1] != package.model_id.split("@")[1]


@pytest.mark.parametrize(
    ("members", "weights", "sentence"),
    [
        (["pooled-flickr8k"], None, "at least two"),
        (["pooled-flickr8k", "pooled-flickr8k"], None, "each once"),
        (MEMBERS, [1.0], "2 positive weights"),
        (MEMBERS, [1.0, 0.0], "2 positive weights"),
        (MEMBERS, [1.0, float("nan")], "2 positive weights"),
        (["pooled-flickr8k", "vision-lite0"], None, "makes no embeddings"),
        (["pooled-flickr8k", "nothing"], None, "no model called nothing"),
        (["pooled-flickr8k", "both"], None, "an ensemble itself"),
    ],
)
def test_what_cannot_be_combined(package, folder, members, weights, sentence):
    with pytest.raises((ConfigError, PackageError), match=sentence):
        combine_packages(members, folder / "bad", search_folders=[folder, MODELS], weights=weights)
    assert not (folder / "bad").exists()


def test_a_damaged_ensemble_is_refused(package, folder, tmp_path):
    tensors = load_tensors(package)
    tensors["weights"] = tensors["weights"][:1]
    write_package(tmp_path / "both", package.manifest, tensors, card="damaged")
    with pytest.raises(PackageError, match="do not fit its 2 members"):
        load_encoder(read_package(tmp_path / "both"), search_folders=[MODELS], device="cpu")
