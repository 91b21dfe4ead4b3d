"""An imported 3SHNet: a package like any other, which reads features instead of pictures."""

import json

import numpy as np
import pytest
import torch
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

from explorer.cli import run_command
from explorer.datasets.feature_folder import open_feature_folder
from explorer.datasets.vocabulary import caption_rows
from explorer.engine.verifying import verify
from explorer.errors import DatasetError, PackageError, UserFacingError
from explorer.networks.common.bert import WordPieces
from explorer.networks.feature_reader import FeatureReader
from explorer.networks.registry import load_encoder
from explorer.networks.three_shnet.importing import suggested_name, write_imported
from explorer.networks.three_shnet.published import load_published
from explorer.packages.package import read_package
from explorer.packages.reference import REFERENCE_TEXTS
from explorer.representations import Modality

SIZES = {"visual": 20, "d": 24, "n_classes": 133, "spatial": 10}
WORDS = ["<pad>", "<start>", "<end>", "<unk>", "a", "dog", "runs", "red", "car", "beach", "green", "field", "café"]


def save(folder, text):
    image, path = random_image_part(**SIZES), folder / "model_best.pth"
    torch.save(checkpoint(image, text), path)
    return image, path


def bert_part(**change):
    return random_bert_part(**{"d": 24, "words": 30_522, "width": 64, "layers": 1, "positions": 20, **change})


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    folder, text = tmp_path_factory.mktemp("imported"), bert_part()
    image, path = save(folder, text)
    package = write_imported(folder / "models" / "3shnet-f30k", *load_published(path))
    return image, text, package, load_encoder(package, search_folders=[], device="cpu")


def feature_folder(folder, n=3, *, raw=True):
    folder.mkdir()
    random = np.random.default_rng(3)
    ids = random.integers(0, 133, (n, 64, 64))
    np.save(folder / "test_ims.npy", random.standard_normal((n, 36, 20)).astype(np.float32))
    np.save(folder / "test_segmentations.npy", random.standard_normal((n, 133, 7, 7)).astype(np.float32))
    np.save(folder / "test_seg_maps.npy", ids.astype(np.uint8) if raw else (ids / 133 - 0.3342) / 0.0621)
    np.save(folder / "test_cat_onehots.npy", (random.random((n, 133)) < 0.1).astype(np.float32))
    captions = [f"a dog runs {i} café" if i != 2 else "" for i in range(5 * n)]
    (folder / "test_caps.txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
    return folder


def test_the_package_is_sound_and_verifies(imported):
    _, _, package, _ = imported
    again = read_package(package.folder)
    assert (again.manifest.family, again.manifest.config["inputs"]) == ("three_shnet", "published")
    assert {path.name for path in package.folder.iterdir()} == {
        "model.toml", "weights.safetensors", "CARD.md", "reference.json",
    }
    assert "epoch 17, best rSum on dev 501.25" in again.card
    assert "`data_name`: f30k" in again.card
    assert verify("3shnet-f30k", [package.folder.parent]) == []


def test_a_changed_output_is_noticed(imported, tmp_path):
    package = imported[2]
    for path in package.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    reference = json.loads((tmp_path / "reference.json").read_bytes())
    reference["text_outputs"][1][3] += 0.001
    reference["feature_outputs"][0][3] += 0.001
    (tmp_path / "reference.json").write_text(json.dumps(reference))
    problems = verify(str(tmp_path), [])
    assert ["sentence 2 differs" in problems[0], "feature set 1 differs" in problems[1], len(problems)] == [
        True, True, 2,
    ]


@pytest.mark.parametrize("raw", [True, False])
def test_a_feature_folder_is_embedded_as_published(imported, tmp_path, raw):
    image, _, _, encoder = imported
    assert isinstance(encoder, FeatureReader)
    read = open_feature_folder(feature_folder(tmp_path / "x", raw=raw), split="test")
    batch = read.batch(slice(0, 3))
    embeddings = encoder.encode_features(*batch.parts()).values
    for row in range(3):
        expected = embed_image(
            doubles(image), batch.regions[row].astype(np.float64), batch.semantic_scores[row], batch.class_maps[row],
            batch.presence[row],
        )
        np.testing.assert_allclose(embeddings[row], expected, atol=1e-5, rtol=0)


def test_sentences_are_embedded_as_published_whatever_stands_beside_them(imported):
    _, text, _, encoder = imported
    assert encoder.modalities == {Modality.TEXT}
    long = "word " * 500
    texts = ["a dog runs", "", "naïve café 🐕", *REFERENCE_TEXTS, long]
    embeddings = encoder.encode_texts(texts).values
    pieces = WordPieces()(texts, n_positions=20)
    assert len(pieces[-1]) == 20
    assert (pieces[-1][0], pieces[-1][-1]) == (101, 102)
    for row, ids in zip(embeddings, pieces, strict=True):
        np.testing.assert_allclose(row, embed_bert_sentence(doubles(text), ids, n_heads=1), atol=1e-5, rtol=0)
    assert encoder.encode_texts([]).values.shape == (0, 24)


def test_word_pieces_are_those_of_bert_base_uncased():
    assert WordPieces()(["A man's DOG, naïve unaffable [MASK]!"]) == [
        # Ids of the published vocabulary.
        [101, 1037, 2158, 1005, 1055, 3899, 1010, 15743, 14477, 20961, 3468, 103, 999, 102]
    ]


def test_a_picture_is_refused_with_what_to_do(imported):
    _, _, _, encoder = imported
    for call in (encoder.encode_images, encoder.explain):
        with pytest.raises(PackageError, match=r"3shnet-f30k cannot look at pictures: it needs the region features"):
            call(np.zeros((1, 224, 224, 3), np.uint8))


def test_features_that_do_not_fit_are_one_sentence(imported, tmp_path):
    _, _, _, encoder = imported
    parts = open_feature_folder(feature_folder(tmp_path / "x"), split="test").batch([0]).parts()
    with pytest.raises(DatasetError, match="19 wide, 3shnet-f30k reads 20"):
        encoder.encode_features(parts[0][..., :19], *parts[1:])
    with pytest.raises(DatasetError, match=r"no file \*_segmentations\.npy"):
        encoder.encode_features(*parts[:2], None, *parts[3:])
    with pytest.raises(DatasetError, match=r"\*_seg_maps\.npy have rows of shape \(32, 32\), .* \(64, 64\)"):
        encoder.encode_features(*parts[:3], parts[3][:, :32, :32], parts[4])
    assert encoder.encode_features(*(part[:0] for part in parts)).values.shape == (0, 24)


def test_a_bigru_is_imported_with_its_vocabulary(tmp_path):
    text = random_bigru_part(d=24, words=len(WORDS), width=9)
    _, path = save(tmp_path, text)
    vocabulary = {word: row for row, word in enumerate(WORDS)}
    loaded = load_published(path)
    for wrong in (None, {**vocabulary, "more": len(WORDS)}):
        with pytest.raises(PackageError, match=r"its vocabulary (is missing|has other ones)"):
            write_imported(tmp_path / "bigru", *loaded, vocabulary=wrong)
    assert not (tmp_path / "bigru").exists()
    package = write_imported(tmp_path / "bigru", *loaded, vocabulary=vocabulary)
    texts = ["A dog runs, café!", "", "zebra"]
    embeddings = load_encoder(package, search_folders=[], device="cpu").encode_texts(texts).values
    for row, caption in zip(embeddings, texts, strict=True):
        expected = embed_bigru_sentence(doubles(text), caption_rows(caption, vocabulary))
        np.testing.assert_allclose(row, expected, atol=1e-5, rtol=0)
    assert verify("bigru", [tmp_path]) == []


def test_what_would_guess_is_not_written(tmp_path):
    text = bert_part()
    del text["bert.encoder.layer.0.output.dense.bias"]
    _, path = save(tmp_path, text)
    with pytest.raises(PackageError, match=r"lacks 1 tensors \(text\.bert\.encoder\.layer\.0\.output\.dense\.bias\)"):
        write_imported(tmp_path / "x", *load_published(path))
    _, path = save(tmp_path, bert_part(words=100))
    with pytest.raises(PackageError, match="knows 100 word pieces, bert-base-uncased 30,522"):
        write_imported(tmp_path / "x", *load_published(path))
    _, path = save(tmp_path, bert_part())
    loaded = load_published(path)
    with pytest.raises(PackageError, match="cannot be a model's name"):
        write_imported(tmp_path / "no name", *loaded)
    assert suggested_name(loaded[2]) == "3shnet-f30k"


def test_the_command_imports_and_the_package_can_be_measured(tmp_path, capsys):
    home = ["--data-dir", str(tmp_path / "home")]
    _, path = save(tmp_path, bert_part())
    assert run_command([*home, "models", "import", str(path), "--family", "3shnet", "--name", "theirs"]) == 0
    told = capsys.readouterr().out
    for line in ("missing: none", "unexpected: none", "Wrote "):
        assert line in told
    assert (tmp_path / "home" / "models" / "theirs" / "model.toml").is_file()
    folder = str(feature_folder(tmp_path / "features"))
    assert run_command([*home, "evaluate", "--dataset", folder, "--split", "test", "--model", "theirs", "--json"]) == 0
    assert "theirs" in capsys.readouterr().out
    for call, says in (
        (["--name", "theirs"], "already a model called theirs"),
        (["--name", "vision-lite0"], "already a model called vision-lite0"),
        (["--family", "clip"], "'clip' cannot be imported"),
    ):
        with pytest.raises(UserFacingError, match=says):
            run_command([*home, "models", "import", str(path), *call])


def test_the_command_as_json_names_every_key(tmp_path, capsys):
    text = bert_part()
    text["bert.decoder.bias"] = torch.ones(3)
    _, path = save(tmp_path, text)
    call = ["--data-dir", str(tmp_path), "models", "import", str(path), "--into", str(tmp_path / "there"), "--json"]
    assert run_command(call) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["name"], told["missing"], told["unexpected"]) == ("3shnet-f30k", [], ["text.bert.decoder.bias"])
    assert (tmp_path / "there" / "3shnet-f30k" / "weights.safetensors").is_file()
