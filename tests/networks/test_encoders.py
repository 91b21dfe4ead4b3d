"""Every shipped package that encodes: it loads, it does what the Encoder seam promises, it still gives what it gave."""

from pathlib import Path

import numpy as np
import pytest

from explorer.evidence import AttentionMap
from explorer.networks.registry import FAMILIES, load_encoder
from explorer.packages.finding import find_packages
from explorer.packages.reference import check_reference, synthetic_picture
from explorer.representations import Embeddings, Modality

MODELS = Path(__file__).parents[2] / "models"
PACKAGES = {
    found.name: found.package
    for found in find_packages([MODELS])
    if found.package is not None and found.package.manifest.family in FAMILIES
}


@pytest.fixture(scope="module", params=sorted(PACKAGES))
def loaded(request):
    package = PACKAGES[request.param]
    return package, load_encoder(package, search_folders=[MODELS], device="cpu")


def pictures(encoder, n):
    return np.stack([synthetic_picture(seed, encoder.side_px) for seed in range(n)])


def test_there_are_packages_to_test():
    assert {"pooled-flickr8k", "3shnet-flickr8k", "3shnet-flickr8k-region"} <= set(PACKAGES)


def test_says_what_it_is(loaded):
    package, encoder = loaded
    assert encoder.model_id == package.model_id
    assert encoder.name == package.name
    assert encoder.modalities == {Modality.TEXT, Modality.IMAGE}
    assert encoder.dim == package.manifest.output.dim
    assert tuple(encoder.overlays) == package.manifest.overlays
    assert encoder.device == "CPU"


@pytest.mark.parametrize("n", [0, 1, 3])
def test_pictures_give_unit_vectors_whatever_the_batch(loaded, n):
    _, encoder = loaded
    batch = pictures(encoder, n) if n else np.zeros((0, encoder.side_px, encoder.side_px, 3), np.uint8)
    result = encoder.encode_images(batch)
    assert isinstance(result, Embeddings)
    assert result.values.shape == (n, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(result.values, axis=1), np.ones(n), atol=1e-4)
    for row in range(n):
        np.testing.assert_allclose(encoder.encode_images(batch[row : row + 1]).values[0], result.values[row], atol=2e-5)


def test_pictures_are_encoded_the_same_every_time(loaded):
    _, encoder = loaded
    batch = pictures(encoder, 2)
    assert np.array_equal(encoder.encode_images(batch).values, encoder.encode_images(batch).values)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_sentences_give_unit_vectors_whatever_the_batch(loaded, n):
    _, encoder = loaded
    texts = ["a dog runs", "two children are playing in the sand near a boat", "red"][:n]
    result = encoder.encode_texts(texts)
    assert result.values.shape == (n, encoder.dim)
    np.testing.assert_allclose(np.linalg.norm(result.values, axis=1), np.ones(n), atol=1e-4)
    for row, text in enumerate(texts):
        np.testing.assert_allclose(encoder.encode_texts([text]).values[0], result.values[row], atol=2e-5)


@pytest.mark.parametrize("text", ["", " ", "🐕🏖️", "собака на пляже", "word " * 2_500, "\x00\n"])
def test_any_text_gives_a_vector(loaded, text):
    _, encoder = loaded
    assert np.isfinite(encoder.encode_texts([text]).values).all()


def test_still_gives_what_it_gave(loaded):
    package, encoder = loaded
    assert package.reference is not None
    problems = check_reference(
        package.reference,
        lambda texts: encoder.encode_texts(texts).values,
        lambda squares: encoder.encode_images(squares).values,
    )
    assert problems == []


def test_explains_with_the_overlays_it_promises(loaded):
    package, encoder = loaded
    evidence = encoder.explain(pictures(encoder, 1)[0])
    names = [layer.name for layer in (*evidence.regions, *evidence.attention)]
    names += ["segmentation"] if evidence.segmentation else []
    if package.manifest.family == "ensemble":  # layers of several members, numbered where they have one name
        assert {name.partition("-")[0] for name in names} == set(encoder.overlays)
    else:
        assert names == list(encoder.overlays)
    for attention in evidence.attention:
        assert isinstance(attention, AttentionMap)
        assert np.isfinite(attention.values).all()
        assert (attention.values >= 0).all()
    for layer in evidence.regions:
        assert layer.boxes.shape == (len(layer.values), 4)
        assert np.isfinite(layer.values).all()


def test_the_cards_say_what_they_must(loaded):
    package, _ = loaded
    if package.manifest.family == "ensemble":
        assert "members' cards" in package.card
        return
    for word in ("Flickr8k", "rSum", "Licences", "Limits", "MiniLM", "seed", "commit"):
        assert word in package.card, word
