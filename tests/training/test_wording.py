"""What reads the sentences: a language model on this disk, or words of the training split with trained vectors."""

import dataclasses
import json

import pytest
import torch

from explorer.errors import ConfigError, PackageError
from explorer.networks.common.language import find_language_model
from explorer.networks.common.loading import packed
from explorer.networks.three_shnet.config import RecurrentTextConfig, TextEncoderConfig
from explorer.networks.three_shnet.parts import PackageConfig, read_reader
from explorer.networks.three_shnet.reading import (
    MAX_WORDS,
    SPECIAL_WORDS,
    RecurrentText,
    WordReader,
    build_text,
    build_vocabulary,
    is_vocabulary,
    word_ids,
)
from explorer.packages.manifest import Manifest, Output, Part, Preprocess
from explorer.packages.package import write_package
from explorer.training.captions import build_word_bank
from explorer.training.config import NetworkSection, decode_recipe
from explorer.training.network import NetworkPhase
from explorer.training.photos import Split
from explorer.training.wording import find_wording

PHOTOS = [("A dog runs.", "The dog's ball"), ("A dog and a red ball.", "dog! Dog?")]
TEXTS = ["", "zebra quagga", "red", "a dog runs " * 170, "\u0441\u043e\u0431\u0430\u043a\u0430 \U0001f415"]


@pytest.fixture
def tiny_bert(tmp_path, monkeypatch):
    """``bert-base-uncased`` of 16 dimensions in a Hugging Face cache of its own."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    cache = tmp_path / "hub"
    folder = cache / "models--bert-base-uncased" / "snapshots" / "0123456789abcdef0123456789abcdef01234567"
    folder.mkdir(parents=True)
    (folder.parents[1] / "refs").mkdir()
    (folder.parents[1] / "refs" / "main").write_text(folder.name)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "dog", "red", "ball", "runs", "##s", "."]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(3)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 20}
    BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=40, **sizes)).save_pretrained(folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return folder


def package_of(tmp_path, name, text, *, part, vocabulary=None, **config):
    manifest = Manifest(
        family="three_shnet", name=name, title=name, preprocess=Preprocess(side_px=8, mean=(0,) * 3, std=(1,) * 3),
        output=Output(kind="embedding", dim=8), backbone=Part(name="x", source="x"), modalities=("text",), text=part,
        config={"image": {}, "text": dataclasses.asdict(text.config), **config},
    )
    tensors = {f"text.{key}": value for key, value in packed(text).items()}
    return write_package(tmp_path / name, manifest, tensors, card="", vocabulary=vocabulary)


def test_the_vocabulary_knows_what_was_seen_often_enough():
    words = build_vocabulary((text for photo in PHOTOS for text in photo), min_count=2)
    assert list(words) == [*SPECIAL_WORDS, ".", "a", "ball", "dog"]
    assert is_vocabulary(words)
    assert word_ids("A dog barks", words) == [1, words["a"], words["dog"], 3, 2]
    assert word_ids("", words) == [1, 2]
    assert len(word_ids("dog " * 2500, words)) == MAX_WORDS
    assert not is_vocabulary({**words, "<pad>": 9})
    assert not is_vocabulary({**words, "a": 4})


def test_the_vocabulary_comes_from_the_training_split_alone():
    wording = find_wording(NetworkSection(text="bigru", min_word_count=1), PHOTOS[:1])
    assert "runs" in wording.vocabulary
    assert "red" not in wording.vocabulary
    bank = wording.bank(PHOTOS[1:], None)
    row = bank.words(torch.tensor([0]))
    assert row.states.tolist() == [word_ids("A dog and a red ball.", wording.vocabulary)]
    assert bank.first.tolist() == [0, 2]


def test_a_sentence_means_the_same_alone_and_among_longer_ones():
    words = build_vocabulary((text for photo in PHOTOS for text in photo), min_count=1)
    torch.manual_seed(0)
    reader = WordReader(words, RecurrentText(RecurrentTextConfig(n_words=len(words), word_dim=6, embed_dim=8)).eval())
    together = reader.read(TEXTS)
    assert together.shape == (len(TEXTS), 8)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(len(TEXTS)))
    for row, text in enumerate(TEXTS):
        torch.testing.assert_close(reader.read([text])[0], together[row])
    # Two unknown words are two unknown words, whichever they are.
    torch.testing.assert_close(reader.read(["zebra quagga"]), reader.read(["okapi eland"]))
    assert not torch.allclose(together[0], together[1], atol=1e-4)


def test_forgotten_words_become_unknown_and_special_ones_stay():
    config = RecurrentTextConfig(n_words=9, word_dim=6, embed_dim=8, word_dropout=0.99)
    text = RecurrentText(config)
    seen = []
    text.network.register_forward_pre_hook(lambda _module, inputs: seen.append(inputs[0]))
    torch.manual_seed(0)
    text.train()(torch.tensor([[1, 5, 7, 2, 0]]), torch.tensor([4]))
    text.eval()(torch.tensor([[1, 5, 7, 2, 0]]), torch.tensor([4]))
    assert seen[0].tolist() == [[1, 3, 3, 2, 0]]
    assert seen[1].tolist() == [[1, 5, 7, 2, 0]]


def test_word_vectors_are_learnt_with_the_network(make_phase):
    phase = make_phase(epochs=30, learning_rate=1e-2)
    split = phase._train
    sentences = [tuple(f"thing{photo} is {version}" for version in range(2)) for photo in range(8)]
    words = build_vocabulary((text for photo in sentences for text in photo), min_count=1)
    split = Split(split.photos, sentences, split.views, build_word_bank(sentences, words))
    text = RecurrentTextConfig(n_words=len(words), word_dim=12, embed_dim=32, word_dropout=0.1)
    parts = (split, phase._train_source)
    phase = NetworkPhase((phase.model.image.config, text), phase._training, parts, parts)
    before = phase.measure()["rsum"]
    rows = phase.model.text.network.embed.weight.detach().clone()
    for epoch in range(phase.n_epochs):
        for step in range(phase.n_steps):
            torch.manual_seed(epoch * 10 + step)
            phase.step(epoch, step)
    assert phase.measure()["rsum"] > before + 50
    assert not torch.allclose(phase.model.text.network.embed.weight, rows)


def test_a_package_brings_its_vocabulary(tmp_path):
    words = build_vocabulary((text for photo in PHOTOS for text in photo), min_count=1)
    text = RecurrentText(RecurrentTextConfig(n_words=len(words), word_dim=6, embed_dim=8)).eval()
    package = package_of(tmp_path, "words", text, part=None, vocabulary=words, text_kind="bigru")
    again = read_reader(package, torch.device("cpu")).eval()
    # Matrices are kept in half precision.
    torch.testing.assert_close(again.read(TEXTS), WordReader(words, text).read(TEXTS), atol=5e-3, rtol=0)
    (package.folder / "vocabulary.json").write_text(json.dumps({**words, "extra": len(words)}))
    with pytest.raises(PackageError, match="vocabulary of words has"):
        read_reader(package, torch.device("cpu"))


def test_bert_is_found_in_the_cache_and_remembered_by_its_weights(tmp_path, tiny_bert):
    wording = find_wording(NetworkSection(text="bert", embed_dim=8), PHOTOS)
    assert wording.text_config(NetworkSection(embed_dim=8)) == TextEncoderConfig(word_dim=16, embed_dim=8)
    bank = wording.bank(PHOTOS, tmp_path / "abc.sentences")
    assert [path.name for path in tmp_path.glob("*.sentences")] == [f"abc-{wording.language_sha256[:16]}.sentences"]
    words = bank.words(torch.tensor([2]))
    expected = wording.language.word_states([PHOTOS[1][0]])
    torch.testing.assert_close(words.states, expected.states, atol=2e-3, rtol=2e-3)
    text = build_text(wording.text_config(NetworkSection(embed_dim=8))).eval()
    package = package_of(tmp_path, "with-bert", text, part=wording.part, **wording.settings())
    reader = read_reader(package, torch.device("cpu")).eval()
    for texts in (TEXTS, TEXTS[:1]):
        assert torch.isfinite(reader.read(texts)).all()
    with torch.inference_mode():
        given = wording.language.word_states(["a dog runs"])
        expected = text(given.states, given.lengths)
    torch.testing.assert_close(reader.read(["a dog runs"]), expected, atol=5e-3, rtol=0)
    other = package_of(tmp_path, "other", text, part=wording.part, text_kind="bert", language_sha256="0" * 64)
    with pytest.raises(PackageError, match="another bert-base-uncased"):
        read_reader(other, torch.device("cpu"))


def test_bert_can_lie_in_a_folder(tiny_bert, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", "/nowhere")
    assert find_language_model(str(tiny_bert)).dim == 16


def test_a_language_model_that_is_not_here_is_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asked a network"))
    with pytest.raises(ConfigError, match="cannot be read from this disk") as caught:
        find_wording(NetworkSection(text="bert"), PHOTOS)
    assert "hf download bert-base-uncased" in str(caught.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        find_language_model(str(tmp_path / "empty"))


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ('text = "elmo"', "text"),
        ('text = "bigru"\nmin_word_count = 0', "min_word_count"),
        ('text = "bigru"\npooling = "mean"', "takes pooling"),
        ('text = "bigru"\nword_feature_dropout = 0.1', "no word_feature_dropout"),
        ('languag_model = "x"', "Did you mean network.language_model"),
    ],
)
def test_a_wrong_recipe_is_refused_with_a_sentence(lines, sentence):
    recipe = f'task = "image-sentence"\nname = "x"\n[dataset]\nannotations = "a.json"\n[network]\n{lines}\n'
    with pytest.raises(ConfigError, match=sentence):
        decode_recipe(recipe.encode(), where="x.toml")


def test_package_settings_have_defaults_that_older_packages_mean():
    config = PackageConfig(image={}, text={})
    assert (config.text_kind, config.token_config.kind) == ("minilm", "grid")
