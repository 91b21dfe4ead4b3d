"""An imported 3SHNet that is loaded: it reads sentences, and pictures as somebody's region features.

Its image encoder knows bottom-up attention's regions and UPSNet's segmentation; neither is part of this program, so a
picture as such means nothing to it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
import numpy as np
import torch
from torch import Tensor

from explorer.datasets.vocabulary import caption_rows
from explorer.errors import DatasetError, PackageError
from explorer.evidence import Evidence
from explorer.networks.common.bert import BertSizes, WordPieces, padded
from explorer.networks.common.loading import load_strictly, split_parts
from explorer.networks.three_shnet.config import ImageEncoderConfig
from explorer.networks.three_shnet.model import ImageEncoder
from explorer.networks.three_shnet.published_text import BertTextEncoder, BiGruSizes, BiGruTextEncoder
from explorer.packages.package import ModelPackage, load_tensors
from explorer.packages.reference import synthetic_numbers
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision.device import choose_device, device_title

_BATCH = 64
_FILES = {
    "semantic_scores": "_segmentations.npy",
    "class_maps": "_seg_maps.npy",
    "presence": "_cat_onehots.npy",
}

Tokenize = Callable[[Sequence[str]], list[list[int]]]


class PublishedConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config]`` of an imported package.

    Attributes:
        inputs: that it reads features, not pictures.
        image: fields of :class:`ImageEncoderConfig`.
        text_kind: which sentence encoder.
        text: fields of :class:`BertSizes` or :class:`BiGruSizes`.
    """

    inputs: Literal["published"]
    image: dict[str, Any]
    text_kind: Literal["bert", "bigru"]
    text: dict[str, Any]


class ThreeSHNetFeatureEncoder:
    """Sentences and features to embeddings.

    It is a :class:`~explorer.networks.feature_reader.FeatureReader` and, but for pictures, an
    :class:`~explorer.networks.encoder.Encoder`.

    Attributes:
        image: the image encoder.
        text: the sentence encoder.
    """

    modalities = frozenset({Modality.TEXT})
    overlays: tuple[str, ...] = ()

    def __init__(
        self,
        package: ModelPackage,
        image: ImageEncoder,
        text: BertTextEncoder | BiGruTextEncoder,
        tokenize: Tokenize,
        device: torch.device,
    ) -> None:
        self.model_id, self.name = package.model_id, package.name
        self.side_px, self.dim = package.manifest.preprocess.side_px, image.config.embed_dim
        self.image = image.to(device).eval().requires_grad_(False)
        self.text = text.to(device).eval().requires_grad_(False)
        self._tokenize, self._device = tokenize, device

    @property
    def device(self) -> str:
        """Where it runs, for people."""
        return device_title(self._device)

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Embeddings (n, dim) of sentences."""
        return Embeddings(embed_sentences(self.text, self._tokenize, texts, device=self._device))

    @torch.inference_mode()
    def encode_features(
        self,
        regions: np.ndarray,
        lengths: np.ndarray,
        semantic_scores: np.ndarray | None,
        class_maps: np.ndarray | None,
        presence: np.ndarray | None,
    ) -> Embeddings:
        """Embeddings (n, dim) of n pictures; see :class:`~explorer.networks.feature_reader.FeatureReader`.

        Raises
        ------
        DatasetError
            a part is missing, or has another size than the network was trained on.
        """
        config, n = self.image.config, len(regions)
        parts = {"semantic_scores": semantic_scores, "class_maps": class_maps, "presence": presence}
        shapes = {
            "semantic_scores": (n, config.n_classes, config.score_size, config.score_size),
            "class_maps": (n, config.map_size, config.map_size),
            "presence": (n, config.n_classes),
        }
        if regions.ndim != 3 or regions.shape[2] != config.visual_dim:
            raise DatasetError(
                f"The region features are {regions.shape[-1]} wide, {self.name} reads {config.visual_dim}.",
                "Take the features that the model was trained on.",
            )
        given = [self._checked(name, part, shapes[name]) for name, part in parts.items()]
        if n == 0:
            return Embeddings(np.zeros((0, self.dim), dtype=np.float32))
        encoded = self.image(self._tensor(regions), *given, torch.from_numpy(np.asarray(lengths, np.int64)))
        return Embeddings(np.ascontiguousarray(encoded.embedding.cpu().numpy()))

    def encode_reference_features(self, seeds: Sequence[int]) -> np.ndarray:
        """Embeddings (n, dim) of made-up features, for ``reference.json``."""
        return embed_reference_features(self.image, seeds)

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        """Pictures cannot be encoded.

        Raises
        ------
        PackageError
            always, with what to do instead.
        """
        raise self._needs_features()

    def explain(
        self,
        square: np.ndarray,
        query: Embeddings | BinaryCodes | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> Evidence:
        """As :meth:`encode_images`."""
        raise self._needs_features()

    def _needs_features(self) -> PackageError:
        return PackageError(
            f"{self.name} cannot look at pictures: it needs the region features it was trained on "
            f"({self.image.config.visual_dim} numbers a region) and their segmentation.",
            "Evaluate it on a folder of such features, or choose a model that came with the program.",
        )

    def _checked(self, name: str, part: np.ndarray | None, shape: tuple[int, ...]) -> Tensor:
        if part is None:
            raise DatasetError(
                f"{self.name} needs a segmentation of each picture, and the folder has no file *{_FILES[name]}.",
                "Put 3SHNet's own files beside the region features.",
            )
        if part.shape != shape:
            raise DatasetError(
                f"The files *{_FILES[name]} have rows of shape {part.shape[1:]}, {self.name} reads {shape[1:]}.",
                "Take the files that the model was trained on.",
            )
        return self._tensor(part)

    def _tensor(self, values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(self._device)


def load(package: ModelPackage, *, device: str) -> ThreeSHNetFeatureEncoder:
    """Load an imported package.

    Raises
    ------
    PackageError
        its tensors or settings do not fit, or the word pieces are not installed.
    DeviceError
        there is no such device.
    """
    try:
        config = msgspec.convert(package.manifest.config, PublishedConfig)
        image = ImageEncoder(msgspec.convert(config.image, ImageEncoderConfig))
        text: BertTextEncoder | BiGruTextEncoder
        if config.text_kind == "bert":
            text = BertTextEncoder(msgspec.convert(config.text, BertSizes), image.config.embed_dim)
        else:
            text = BiGruTextEncoder(msgspec.convert(config.text, BiGruSizes), image.config.embed_dim)
    except (msgspec.ValidationError, ValueError) as error:
        raise PackageError(f"[config] of {package.name} does not describe an imported 3SHNet: {error}.") from error
    tensors = split_parts(load_tensors(package))
    load_strictly(image, tensors.get("image", {}), package_name=package.name)
    load_strictly(text, tensors.get("text", {}), package_name=package.name)
    return ThreeSHNetFeatureEncoder(package, image, text, tokenizer_of(text, package.vocabulary), choose_device(device))


@torch.inference_mode()
def embed_reference_features(image: ImageEncoder, seeds: Sequence[int]) -> np.ndarray:
    """Embeddings (n, dim) of made-up features, ragged: 4, 11, 18, ... regions."""
    config, rows = image.config, []
    device = next(image.parameters()).device
    side = config.score_size
    for n_regions, seed in zip(range(4, 4 + 7 * len(seeds), 7), seeds, strict=True):
        shapes = ((n_regions, config.visual_dim), (config.n_classes, side, side), (config.map_size,) * 2)
        parts = [torch.from_numpy(synthetic_numbers(seed, shape))[None].to(device) for shape in shapes]
        presence = (torch.from_numpy(synthetic_numbers(seed, (config.n_classes,))) > 0.8).float()[None].to(device)
        rows.append(image(*parts, presence, torch.tensor([n_regions])).embedding[0].cpu().numpy())
    return np.stack(rows)


@torch.inference_mode()
def embed_sentences(
    text: BertTextEncoder | BiGruTextEncoder,
    tokenize: Tokenize,
    texts: Sequence[str],
    *,
    device: torch.device | str = "cpu",
) -> np.ndarray:
    """Embeddings of sentences, float32 (n, dim); computed in order of length, so that little is padded."""
    rows = tokenize(texts)
    values = np.zeros((len(rows), text.embed_dim), dtype=np.float32)
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    for start in range(0, len(order), _BATCH):
        chosen = order[start : start + _BATCH]
        ids, lengths = padded([rows[i] for i in chosen])
        values[chosen] = text(ids.to(device), lengths.to(device)).embedding.cpu().numpy()
    return values


def tokenizer_of(text: BertTextEncoder | BiGruTextEncoder, vocabulary: Mapping[str, int]) -> Tokenize:
    """How sentences become this encoder's token ids.

    Raises
    ------
    PackageError
        a BiGRU without its vocabulary, or word pieces that are not installed.
    """
    if isinstance(text, BertTextEncoder):
        pieces, n_positions = WordPieces(), text.sizes.n_positions
        return lambda texts: pieces(texts, n_positions=n_positions)
    if not vocabulary or max(vocabulary.values()) >= text.sizes.n_words:
        raise PackageError(
            f"The sentence encoder has {text.sizes.n_words} words, its vocabulary "
            f"{'has other ones' if vocabulary else 'is missing'}.",
            "Import the checkpoint with the vocabulary json it was trained with (--vocabulary).",
        )
    return lambda texts: [caption_rows(caption, vocabulary) for caption in texts]
