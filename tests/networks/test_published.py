"""The authors' checkpoints, unchanged: read safely, named key by key, computing what the published code computes."""

import os
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from published_reference import (
    checkpoint,
    doubles,
    embed_bert_sentence,
    embed_bigru_sentence,
    embed_image,
    random_bert_part,
    random_bigru_part,
    random_image_part,
)

from explorer.errors import PackageError
from explorer.networks.three_shnet import ImageEncoder, ImageEncoderConfig, load_published
from explorer.networks.three_shnet.state_dict import to_published_key

SMALL = {"visual": 20, "d": 24, "n_classes": 11, "spatial": 10}


def save(folder, image, text, *, prefix="module.", **options):
    path = folder / "model_best.pth"
    torch.save(checkpoint(image, text, prefix=prefix), path, **options)
    return path


def pictures(lengths, *, visual=20, n_classes=11, seed=0):
    random = np.random.default_rng(seed)
    n = max(*lengths, 1)
    regions = random.standard_normal((len(lengths), n, visual)).astype(np.float32)
    for row, length in enumerate(lengths):
        regions[row, length:] = 0.0
    return {
        "regions": regions,
        "semantic_scores": random.standard_normal((len(lengths), n_classes, 7, 7)).astype(np.float32),
        "class_map": ((random.integers(0, 133, (len(lengths), 64, 64)) / 133 - 0.3342) / 0.0621).astype(np.float32),
        "presence": (random.random((len(lengths), n_classes)) < 0.3).astype(np.float32),
    }


def assert_images_agree(encoder, part, lengths, given):
    with torch.inference_mode():
        out = encoder(**{name: torch.from_numpy(value) for name, value in given.items()}, lengths=torch.tensor(lengths))
    tensors = doubles(part)
    for row, length in enumerate(lengths):
        expected = embed_image(
            tensors, given["regions"][row, :length].astype(np.float64), given["semantic_scores"][row],
            given["class_map"][row], given["presence"][row],
        )
        np.testing.assert_allclose(out.embedding[row].numpy(), expected, atol=1e-5, rtol=0)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    image, text = random_image_part(**SMALL), random_bert_part(d=24)
    encoder, text_encoder, report = load_published(save(tmp_path_factory.mktemp("small"), image, text))
    return image, text, encoder, text_encoder, report


@pytest.mark.parametrize("lengths", [[36], [36, 36], [5, 1, 9, 3], [0, 4], [2, 40, 36]])
def test_images_agree_with_the_published_computation(small, lengths):
    image, _, encoder, _, _ = small
    assert_images_agree(encoder, image, lengths, pictures(lengths, seed=len(lengths)))


@settings(deadline=None, max_examples=10)
@given(st.lists(st.integers(0, 12), min_size=1, max_size=4), st.integers(0, 1000))
def test_any_ragged_batch_agrees(small, lengths, seed):
    image, _, encoder, _, _ = small
    assert_images_agree(encoder, image, lengths, pictures(lengths, seed=seed))


def test_the_full_size_agrees_and_has_the_published_number_of_parameters(tmp_path):
    image, text = random_image_part(), random_bert_part(words=30, width=64, layers=1, feed_forward=32)
    encoder, _, report = load_published(save(tmp_path, image, text))
    assert encoder.config == ImageEncoderConfig(visual_dim=2048, embed_dim=1024, n_classes=133, map_size=64)
    assert report.n_parameters[0] == sum(p.numel() for p in encoder.parameters()) == 11_615_008
    assert_images_agree(encoder, image, [36, 20], pictures([36, 20], visual=2048, n_classes=133))


def test_a_picture_without_any_region_has_an_embedding_of_its_segmentation(small):
    encoder = small[2]
    given = {name: torch.from_numpy(value) for name, value in pictures([0]).items()}
    with torch.inference_mode():
        nothing = encoder(**{**given, "regions": given["regions"][:, :0]}, lengths=torch.tensor([0])).embedding
        padded = encoder(**given, lengths=torch.tensor([0])).embedding
    assert torch.isfinite(nothing).all()
    torch.testing.assert_close(nothing, padded)


def test_bert_sentences_agree_with_the_published_computation(small):
    _, text, _, text_encoder, report = small
    rows = [[101, 5, 7, 102], [101, 102], [101, *range(3, 39), 102][:40]]
    ids = torch.zeros(3, 40, dtype=torch.int64)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
    with torch.inference_mode():
        out = text_encoder(ids, torch.tensor([len(row) for row in rows]))
    for row, tokens in enumerate(rows):
        expected = embed_bert_sentence(doubles(text), tokens, n_heads=2)
        np.testing.assert_allclose(out.embedding[row].numpy(), expected, atol=1e-5, rtol=0)
    assert any("2 attention heads of 64" in sentence for sentence in report.assumed)


def test_bigru_sentences_agree_with_the_published_computation(tmp_path):
    text = random_bigru_part(d=24)
    _, text_encoder, report = load_published(save(tmp_path, random_image_part(**SMALL), text))
    rows = [[1, 7, 9, 2], [1, 2], [1, 3, 4, 5, 6, 7, 8, 2]]
    ids = torch.zeros(3, 8, dtype=torch.int64)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)] = torch.tensor(tokens)
    with torch.inference_mode():
        out = text_encoder(ids, torch.tensor([len(row) for row in rows]))
    for row, tokens in enumerate(rows):
        np.testing.assert_allclose(
            out.embedding[row].numpy(), embed_bigru_sentence(doubles(text), tokens), atol=1e-5, rtol=0
        )
    assert report.text_kind == "bigru"


def test_sizes_are_read_from_the_tensors(small):
    _, _, encoder, text_encoder, report = small
    config = encoder.config
    assert (config.visual_dim, config.embed_dim, config.n_classes, config.spatial_dim, config.hidden_dim) == (
        20, 24, 11, 10, 12,
    )
    sizes = text_encoder.sizes
    assert (sizes.n_words, sizes.word_dim, sizes.n_layers, sizes.feed_forward_dim, sizes.n_positions) == (
        200, 128, 2, 96, 40,
    )
    assert (report.missing, report.unexpected, report.ignored) == ((), (), ())
    assert (report.epoch, report.best_rsum) == (17, 501.25)
    assert report.options["learning_rate"] == 5e-4
    assert not encoder.training
    assert not text_encoder.training


@pytest.mark.parametrize("prefix", ["module.", ""])
@pytest.mark.parametrize("zipped", [True, False])
def test_with_and_without_data_parallel_new_and_old_form_of_file(tmp_path, prefix, zipped):
    path = save(
        tmp_path, random_image_part(**SMALL), random_bert_part(d=24), prefix=prefix,
        _use_new_zipfile_serialization=zipped,
    )
    assert load_published(str(path))[2].missing == ()


def test_every_key_of_ours_has_one_of_theirs():
    ours = set(ImageEncoder(ImageEncoderConfig(visual_dim=20, embed_dim=24, n_classes=11)).state_dict())
    assert {to_published_key(key) for key in ours} == set(random_image_part(**SMALL))


def test_missing_and_unexpected_keys_are_named(tmp_path):
    image, text = random_image_part(**SMALL), random_bert_part(d=24)
    del image["seg_mlp.layers.1.bias"], text["gpool.linear.weight"]
    image["rgn_gpool.linear.weight"] = torch.ones(1, 32)
    text["bert.decoder.bias"] = torch.ones(3)
    report = load_published(save(tmp_path, image, text))[2]
    assert report.missing == ("image.seg_mlp.layers.1.bias", "text.gpool.linear.weight")
    assert report.unexpected == ("image.rgn_gpool.linear.weight", "text.bert.decoder.bias")
    told = "\n".join(report.to_lines())
    for key in (*report.missing, *report.unexpected):
        assert key in told


def test_keys_that_change_nothing_are_no_fault(tmp_path):
    image, text = random_image_part(**SMALL), random_bert_part(d=24)
    expected = load_published(save(tmp_path, image, text))[0].state_dict()
    unused = [key for key in image if ".bns.1." in key]
    for key in unused:
        del image[key]
    text["bert.embeddings.position_ids"] = torch.arange(40)[None]
    encoder, _, report = load_published(save(tmp_path, image, text))
    assert (report.missing, report.unexpected) == ((), ())
    assert set(report.ignored) == {f"image.{key}" for key in unused} | {"text.bert.embeddings.position_ids"}
    lengths = [3, 1]
    assert_images_agree(encoder, image, lengths, pictures(lengths))
    assert expected.keys() == encoder.state_dict().keys()


def test_options_that_are_not_followed_are_told(tmp_path):
    path = tmp_path / "model_best.pth"
    content = checkpoint(random_image_part(**SMALL), random_bert_part(d=24))
    content["opt"].no_txtnorm, content["best_rsum"] = True, 0
    torch.save(content, path)
    report = load_published(path)[2]
    assert "embeddings of unit length, although its options say no_txtnorm" in report.assumed
    assert not any("no_imgnorm" in sentence for sentence in report.assumed)
    assert report.best_rsum == 0.0


def vse_infinity(image):
    return {key: value for key, value in image.items() if key.startswith(("fc.", "mlp.", "gpool."))}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (vse_infinity, "VSE-infinity"),
        (lambda image: {"fc.weight": image["fc.weight"], "fc.bias": image["fc.bias"]}, "SCAN"),
        (lambda image: {"cnn.features.0.weight": torch.ones(3), "fc.weight": image["fc.weight"]}, r"VSE\+\+"),
        (lambda image: {"layer1.weight": torch.ones(3)}, "another network"),
        (lambda image: {k: v for k, v in image.items() if k != "crossmodalfusion_sp.embedding_Seg.0.weight"
                        and k != "crossmodalfusion_sp.MLP_image.layers.1.weight"}, "embedding_Seg.0.weight"),
        (lambda image: {**image, "seg_mlp.layers.0.weight": torch.ones(5, 24)}, r"shape \(5, 24\).*\(12, 24\)"),
        (lambda image: {**image, "fc.bias": torch.full((24,), float("nan"))}, "fc.bias .* not finite"),
        (lambda image: random_image_part(**{**SMALL, "d": 32}), "32 and sentences in 24 dimensions"),
    ],
)
def test_another_architecture_is_one_sentence(tmp_path, change, says):
    path = save(tmp_path, change(random_image_part(**SMALL)), random_bert_part(d=24))
    with pytest.raises(PackageError, match=says):
        load_published(path)


@pytest.mark.parametrize("text", [{"attention.weight": torch.ones(2)}, {"bert.pooler.dense.bias": torch.ones(2)}])
def test_another_text_encoder_is_one_sentence(tmp_path, text):
    with pytest.raises(PackageError, match=r"text encoder of model_best|lacks the tensor linear\.weight"):
        load_published(save(tmp_path, random_image_part(**SMALL), text))


@pytest.mark.parametrize(
    "content", [torch.ones(3), {"state_dict": {"a": torch.ones(1)}}, {"model": [{}, {}]}, {"model": [{"a": 1}] * 2}]
)
def test_a_random_file_of_tensors_is_one_sentence(tmp_path, content):
    path = tmp_path / "resnet.pth"
    torch.save(content, path)
    with pytest.raises(PackageError, match=r"resnet\.pth does not hold an image and a text encoder"):
        load_published(path)


class Dangerous:
    """Makes a file when it is unpickled."""

    def __init__(self, trace):
        self.trace = str(trace)

    def __reduce__(self):
        return os.mkdir, (self.trace,)


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_never_run(tmp_path, zipped):
    trace, path = tmp_path / "ran", tmp_path / "model_best.pth"
    torch.save({"model": [], "opt": Dangerous(trace)}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(PackageError, match="could run code; nothing of it was run"):
        load_published(path)
    with path.open("wb") as file:
        pickle.dump(Dangerous(trace), file)
    with pytest.raises(PackageError, match="nothing of it was run"):
        load_published(path)
    assert not trace.exists()


def test_a_truncated_or_missing_file_is_one_sentence(tmp_path):
    path = save(tmp_path, random_image_part(**SMALL), random_bert_part(d=24))
    whole = path.read_bytes()
    for n in (0, 10, 1000, len(whole) // 2, len(whole) - 10):
        path.write_bytes(whole[:n])
        with pytest.raises(PackageError, match=r"model_best\.pth"):
            load_published(path)
    with pytest.raises(PackageError, match=r"There is no checkpoint .*nothing\.pth"):
        load_published(tmp_path / "nothing.pth")
