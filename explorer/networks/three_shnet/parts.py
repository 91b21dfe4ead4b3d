"""The networks that a 3SHNet package carries, and what its ``[config]`` says about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import torch

from explorer.errors import PackageError
from explorer.networks.common.language import LanguageModel, find_language_model
from explorer.networks.common.loading import load_strictly, split_parts
from explorer.networks.common.minilm import MiniLM
from explorer.networks.three_shnet.config import ImageEncoderConfig, RecurrentTextConfig, TextConfig, TextEncoderConfig
from explorer.networks.three_shnet.eyes import Eyes, read_eyes
from explorer.networks.three_shnet.model import ImageEncoder
from explorer.networks.three_shnet.reading import (
    RecurrentText,
    SentenceReader,
    StateReader,
    TextKind,
    WordReader,
    build_text,
    is_vocabulary,
)
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.packages.package import ModelPackage, load_tensors


class RegionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config.regions]``: fields of the same names of :class:`TokenConfig`."""

    pooling: Literal["mean", "max"] = "mean"
    positions: bool = True
    n_labels: int = 0
    whole: bool = True


class PackageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config]`` of a package.

    Attributes:
        image: fields of :class:`ImageEncoderConfig`.
        text: fields of :class:`TextEncoderConfig`, or of :class:`RecurrentTextConfig` where words are trained.
        text_kind: what reads the words: MiniLM, another language model (named by the manifest's ``[text]``), or a
            trained vocabulary (``vocabulary.json``) with a BiGRU.
        language_sha256: fingerprint of the other language model.
        tokens: whether visual tokens are the cells of the grid or the regions that vision proposes.
        regions: what a region's token is made of beside features.
        regions_sha256: hash of the region proposer whose regions the network was trained on.
        proposer: the torchvision detector whose regions it was trained on; empty for the vision package's own.
        trunk_cells: whether the trunk's finer cells are part of each visual token.
        tuned_tail: whether the package carries its own last backbone stages.
    """

    image: dict[str, Any]
    text: dict[str, Any]
    text_kind: TextKind = "minilm"
    language_sha256: str = ""
    tokens: Literal["grid", "regions"] = "grid"
    regions: RegionConfig = RegionConfig()
    regions_sha256: str = ""
    proposer: str = ""
    trunk_cells: bool = False
    tuned_tail: bool = False

    @property
    def token_config(self) -> TokenConfig:
        """What a visual token is made of."""
        regions = msgspec.structs.asdict(self.regions)
        return TokenConfig(kind=self.tokens, trunk_cells=self.trunk_cells, **regions)


@dataclass(frozen=True, slots=True)
class Parts:
    """The networks of one package, in memory."""

    eyes: Eyes
    image: ImageEncoder
    text: SentenceReader


def read_parts(package: ModelPackage, device: torch.device) -> Parts:
    """The networks that the package carries, and the language model that it reads words with.

    Raises
    ------
    PackageError
        its settings or tensors are not as they should be, or the language model is another one.
    ConfigError
        the language model is not on this disk.
    """
    config = _read_config(package)
    try:
        image = ImageEncoder(msgspec.convert(config.image, ImageEncoderConfig))
    except (msgspec.ValidationError, ValueError) as error:
        raise _undescribed(package, error) from error
    tensors = split_parts(load_tensors(package))
    load_strictly(image, tensors.get("image", {}), package_name=package.name)
    width, tuned = image.config.visual_dim, config.tuned_tail
    eyes = read_eyes(package, tensors, device, width=width, tuned=tuned, config=config.token_config)
    return Parts(eyes, image, _reader(package, config, tensors.get("text", {}), device))


def read_reader(package: ModelPackage, device: torch.device) -> SentenceReader:
    """The sentences' side alone; raises as :func:`read_parts`."""
    tensors = split_parts(load_tensors(package)).get("text", {})
    return _reader(package, _read_config(package), tensors, device)


def _read_config(package: ModelPackage) -> PackageConfig:
    try:
        return msgspec.convert(package.manifest.config, PackageConfig)
    except msgspec.ValidationError as error:
        raise _undescribed(package, error) from error


def _undescribed(package: ModelPackage, error: Exception) -> PackageError:
    return PackageError(f"[config] of {package.name} does not describe a 3SHNet: {error}.")


def _reader(
    package: ModelPackage, config: PackageConfig, tensors: Mapping[str, np.ndarray], device: torch.device
) -> SentenceReader:
    kind: type[TextConfig] = RecurrentTextConfig if config.text_kind == "bigru" else TextEncoderConfig
    try:
        text = build_text(msgspec.convert(config.text, kind))
    except (msgspec.ValidationError, ValueError) as error:
        raise _undescribed(package, error) from error
    load_strictly(text, tensors, package_name=package.name)
    if isinstance(text, RecurrentText):
        return WordReader(_vocabulary(package, text.config.n_words), text)
    if config.text_kind == "minilm":
        return StateReader(MiniLM(device=device), text)
    return StateReader(_language_model(package, config.language_sha256, text.config.word_dim, device), text)


def _vocabulary(package: ModelPackage, n_words: int) -> dict[str, int]:
    words = package.vocabulary
    if not is_vocabulary(words) or len(words) != n_words:
        raise PackageError(
            f"The vocabulary of {package.name} has {len(words)} words and is not that of its {n_words} word vectors.",
            "Install the package again.",
        )
    return words


def _language_model(package: ModelPackage, sha256: str, width: int, device: torch.device) -> LanguageModel:
    if package.manifest.text is None:
        raise PackageError(f"{package.name} does not say which language model reads its sentences.")
    language = find_language_model(package.manifest.text.name, device=device)
    if language.dim != width or language.fingerprint() != sha256:
        raise PackageError(
            f"{package.name} was trained on another {package.manifest.text.name} than the one on this disk.",
            "Fetch the language model that the package was trained on.",
        )
    return language
