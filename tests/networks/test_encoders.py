"""Every shipped package that encodes: it loads, it does what the Encoder seam promises, it still gives what it gave."""

from pathlib import Path

import numpy as np
import pytest

from explorer.evidence import AttentionMap
from explorer.networks.encoder import sees_motion
from explorer.networks.registry import FAMILIES, load_encoder
from explorer.packages.finding import find_packages
from explorer.packages.reference import check_reference, synthetic_picture
from explorer.representations import BinaryCodes, Embeddings, Modality

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


def vectors(representation: Embeddings | BinaryCodes) -> np.ndarray:
    """Embeddings, or what codes were rounded from."""
    values = representation.values if isinstance(representation, Embeddings) else representation.activations
    assert values is not None
    return values


def check_kind(package, representation: Embeddings | BinaryCodes) -> None:
    """Embeddings of unit length, or codes whose bits are the signs of their activations, as the manifest says."""
    values = vectors(representation)
    if package.manifest.output.kind == "embedding":
        np.testing.assert_allclose(np.linalg.norm(values, axis=1), np.ones(len(values)), atol=1e-4)
    else:
        assert isinstance(representation, BinaryCodes)
        assert np.array_equal(representation.signs, np.where(values >= 0, 1, -1))


def test_there_are_packages_to_test():
    assert {"pooled-flickr8k", "3shnet-flickr8k", "3shnet-flickr8k-region"} <= set(PACKAGES)


def test_says_what_it_is(loaded):
    package, encoder = loaded
    assert encoder.model_id == package.model_id
    assert encoder.name == package.name
    assert encoder.modalities == set(package.manifest.modalities)
    assert encoder.modalities >= {Modality.TEXT, Modality.IMAGE}
    assert sees_motion(encoder) == (Modality.VIDEO in package.manifest.modalities)
    assert encoder.dim == package.manifest.output.width
    assert tuple(encoder.overlays) == package.manifest.overlays
    assert encoder.device == "CPU"


@pytest.mark.parametrize("n", [0, 1, 3])
def test_pictures_give_vectors_whatever_the_batch(loaded, n):
    package, encoder = loaded
    batch = pictures(encoder, n) if n else np.zeros((0, encoder.side_px, encoder.side_px, 3), np.uint8)
    result = encoder.encode_images(batch)
    assert vectors(result).shape == (n, encoder.dim)
    check_kind(package, result)
    for row in range(n):
        alone = vectors(encoder.encode_images(batch[row : row + 1]))
        np.testing.assert_allclose(alone[0], vectors(result)[row], atol=2e-5)


def test_pictures_are_encoded_the_same_every_time(loaded):
    _, encoder = loaded
    batch = pictures(encoder, 2)
    assert np.array_equal(vectors(encoder.encode_images(batch)), vectors(encoder.encode_images(batch)))


@pytest.mark.parametrize("n", [0, 1, 3])
def test_sentences_give_vectors_whatever_the_batch(loaded, n):
    package, encoder = loaded
    texts = ["a dog runs", "two children are playing in the sand near a boat", "red"][:n]
    result = encoder.encode_texts(texts)
    assert vectors(result).shape == (n, encoder.dim)
    check_kind(package, result)
    for row, text in enumerate(texts):
        np.testing.assert_allclose(vectors(encoder.encode_texts([text]))[0], vectors(result)[row], atol=2e-5)


@pytest.mark.parametrize("text", ["", " ", "🐕🏖️", "собака на пляже", "word " * 2_500, "\x00\n"])
def test_any_text_gives_a_vector(loaded, text):
    _, encoder = loaded
    assert np.isfinite(vectors(encoder.encode_texts([text]))).all()


def test_still_gives_what_it_gave(loaded):
    package, encoder = loaded
    assert package.reference is not None
    problems = check_reference(
        package.reference,
        lambda texts: vectors(encoder.encode_texts(texts)),
        lambda squares: vectors(encoder.encode_images(squares)),
        encode_clips=(lambda clips: vectors(encoder.encode_videos(clips))) if sees_motion(encoder) else None,
    )
    assert problems == []
    assert bool(package.reference.clip_outputs) == sees_motion(encoder)


def test_explains_with_the_overlays_it_promises(loaded):
    package, encoder = loaded
    evidence = encoder.explain(pictures(encoder, 1)[0])
    names = [layer.name for layer in (*evidence.regions, *evidence.attention)]
    names += ["segmentation"] if evidence.segmentation else []
    if package.manifest.family == "ensemble":  # layers of several members, numbered where they have one name
        assert {name.partition("-")[0] for name in names} == set(encoder.overlays)
    else:
        # A clip's map is of clips: see the tests of video streams.
        pictures_only = [name for name in encoder.overlays if name != "clip"]
        assert names == pictures_only
    for attention in evidence.attention:
        assert isinstance(attention, AttentionMap)
        assert np.isfinite(attention.values).all()
        # What is found by leaving places out may lie below zero: the code is firmer without them.
        assert package.manifest.family == "dsmhn" or (attention.values >= 0).all()
    for layer in evidence.regions:
        assert layer.boxes.shape == (len(layer.values), 4)
        assert np.isfinite(layer.values).all()


def test_the_cards_say_what_they_must(loaded):
    package, _ = loaded
    if package.manifest.family == "ensemble":
        assert "members' cards" in package.card
        return
    own = ("mAP",) if package.manifest.output.kind == "code" else ("rSum", "MiniLM")
    data = () if package.manifest.name == "dsmhn-scenes-64" else ("Flickr8k",)
    for word in (*data, "Licences", "Limits", "seed", "commit", *own):
        assert word in package.card, word
