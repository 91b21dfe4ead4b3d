"""The authors' checkpoints as our networks: every size is read from the tensors, every key is accounted for."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from explorer.errors import PackageError
from explorer.networks.common.bert import bert_sizes, is_bert_buffer
from explorer.networks.three_shnet.checkpoint import Option, PublishedCheckpoint, read_published_checkpoint
from explorer.networks.three_shnet.config import ImageEncoderConfig
from explorer.networks.three_shnet.model import ImageEncoder
from explorer.networks.three_shnet.published_text import BertTextEncoder, BiGruSizes, BiGruTextEncoder
from explorer.networks.three_shnet.state_dict import (
    from_published_key,
    from_published_text_key,
    to_published_key,
    to_published_text_key,
)

PublishedTextEncoder = BertTextEncoder | BiGruTextEncoder

# Where each size shows; the first tensor that is there tells.
_IMAGE_SIZES: Mapping[str, Sequence[tuple[str, int]]] = {
    "visual_dim": [("fc.weight", 1), ("mlp.layers.0.weight", 1)],
    "embed_dim": [("fc.weight", 0), ("fc.bias", 0), ("mlp.layers.1.weight", 0)],
    "hidden_dim": [("mlp.layers.0.weight", 0), ("fusion_mlp.layers.0.weight", 0)],
    "n_classes": [("embed_category.0.weight", 1), ("embed_seg_C.1.weight", 1)],
    "spatial_dim": [
        ("crossmodalfusion_sp.embedding_Seg.0.weight", 0),
        ("crossmodalfusion_sp.MLP_image.layers.1.weight", 0),
    ],
}
_MARKS = ("crossmodalfusion_sm.", "crossmodalfusion_sp.")
_ANOTHER = "Only checkpoints of 3SHNet as its authors wrote them can be imported."


@dataclass(frozen=True, slots=True)
class PublishedReport:
    """What was found in a checkpoint. Keys are the authors' own, behind ``image.`` or ``text.``.

    Attributes:
        file: the checkpoint's name.
        text_kind: ``"bert"`` or ``"bigru"``.
        n_parameters: of the image and of the text encoder.
        missing: tensors that the computation needs and the file has not; they keep random values.
        unexpected: tensors of the file that nothing here reads.
        ignored: missing or unexpected keys that are known to change nothing: position buffers of older libraries,
            counters of BatchNorm, the second BatchNorm of an MLP, which nothing calls.
        assumed: sentences on what no tensor tells.
        epoch: epochs of training, where it says so.
        best_rsum: best rSum on dev, where it says so.
        options: plain values of the authors' command line.
    """

    file: str
    text_kind: str
    n_parameters: tuple[int, int]
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()
    epoch: int | None = None
    best_rsum: float | None = None
    options: Mapping[str, Option] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The report as JSON's types."""
        return asdict(self)

    def to_lines(self) -> list[str]:
        """The report for a person, every key by name."""
        image, text = self.n_parameters
        lines = [f"{self.file}: image encoder {image:,} parameters, text encoder ({self.text_kind}) {text:,}"]
        if self.epoch is not None or self.best_rsum is not None:
            lines.append(f"trained: epoch {self.epoch}, best rSum on dev {self.best_rsum}")
        for name in ("missing", "unexpected", "ignored"):
            keys: tuple[str, ...] = getattr(self, name)
            lines += [f"{name}: {len(keys) or 'none'}", *(f"  {key}" for key in keys)]
        return lines + [f"assumed: {sentence}" for sentence in self.assumed]


@dataclass(frozen=True, slots=True)
class _Keys:
    """How the keys of a file and of a module fit, in the authors' names."""

    missing: list[str]
    unexpected: list[str]
    ignored: list[str]


def load_published(path: Path | str) -> tuple[ImageEncoder, PublishedTextEncoder, PublishedReport]:
    """Read the authors' ``model_best.pth``; both encoders come in evaluation mode and in single precision.

    The call never runs what is in the file, see :func:`~explorer.networks.three_shnet.checkpoint
    .read_published_checkpoint`. A tensor that is missing does not stop it: look at ``report.missing``.

    Raises
    ------
    PackageError
        no such file, a damaged or unsafe one, a checkpoint of another architecture, tensors whose sizes contradict
        each other.
    """
    path = Path(path)
    checkpoint = read_published_checkpoint(path)
    _require_three_shnet(path, checkpoint)
    image = ImageEncoder(_image_config(path, checkpoint.image))
    image_keys = _fill(path, image, checkpoint.image, from_published_key, to_published_key)
    kind, text = _build_text_encoder(path, checkpoint.text)
    text_keys = _fill(
        path,
        text,
        checkpoint.text,
        lambda key: from_published_text_key(key, kind),
        lambda key: to_published_text_key(key, kind),
    )
    _require_one_space(path, image, text)
    report = PublishedReport(
        file=path.name,
        text_kind=kind,
        n_parameters=(_count(image), _count(text)),
        missing=_named(image_keys.missing, text_keys.missing),
        unexpected=_named(image_keys.unexpected, text_keys.unexpected),
        ignored=_named(image_keys.ignored, text_keys.ignored),
        assumed=tuple(_assumptions(image, text, checkpoint.options)),
        epoch=checkpoint.epoch,
        best_rsum=checkpoint.best_rsum,
        options=checkpoint.options,
    )
    return image.eval().requires_grad_(False), text.eval().requires_grad_(False), report


def _require_three_shnet(path: Path, checkpoint: PublishedCheckpoint) -> None:
    image = checkpoint.image
    if all(any(key.startswith(mark) for key in image) for mark in _MARKS):
        return
    if any(key.startswith("cnn.") for key in image):
        other = "VSE++"
    elif any(key.startswith("gpool.") for key in image):
        other = "VSE-infinity"
    elif {"fc.weight", "fc.bias"} == set(image) or {"fc.weight_g", "fc.weight_v"} <= set(image):
        other = "SCAN or VSE++"
    else:
        other = "another network"
    reason = "its image encoder has no crossmodalfusion_sm and crossmodalfusion_sp"
    raise PackageError(f"{path.name} is a checkpoint of {other}, not of 3SHNet: {reason}.", _ANOTHER)


def _image_config(path: Path, tensors: Mapping[str, Tensor]) -> ImageEncoderConfig:
    sizes = {name: _size(path, tensors, places) for name, places in _IMAGE_SIZES.items()}
    return replace(ImageEncoderConfig(), **sizes)  # type: ignore[arg-type]  # all of these are sizes


def _build_text_encoder(path: Path, tensors: Mapping[str, Tensor]) -> tuple[str, PublishedTextEncoder]:
    bert = {key.removeprefix("bert."): value for key, value in tensors.items() if key.startswith("bert.")}
    try:
        if bert:
            embed_dim = _size(path, tensors, [("linear.weight", 0), ("linear.bias", 0)])
            return "bert", BertTextEncoder(bert_sizes(bert), embed_dim)
        if "embed.weight" in tensors and "rnn.weight_hh_l0" in tensors:
            return "bigru", _build_bigru(tensors)
    except (KeyError, IndexError, ValueError) as error:
        raise PackageError(
            f"The sizes of the text encoder of {path.name} cannot be told: {error} is missing or wrong.", _ANOTHER
        ) from error
    raise PackageError(f"The text encoder of {path.name} is neither BERT nor a BiGRU.", _ANOTHER)


def _build_bigru(tensors: Mapping[str, Tensor]) -> BiGruTextEncoder:
    words = tensors["embed.weight"]
    layers = {key for key in tensors if key.startswith("rnn.weight_hh_l") and not key.endswith("_reverse")}
    sizes = BiGruSizes(
        n_words=int(words.shape[0]),
        word_dim=int(words.shape[1]),
        n_layers=len(layers),
        both_ways="rnn.weight_hh_l0_reverse" in tensors,
    )
    return BiGruTextEncoder(sizes, int(tensors["rnn.weight_hh_l0"].shape[1]))


def _size(path: Path, tensors: Mapping[str, Tensor], places: Sequence[tuple[str, int]]) -> int:
    for key, axis in places:
        if key in tensors and tensors[key].ndim > axis and tensors[key].shape[axis] > 0:
            return int(tensors[key].shape[axis])
    raise PackageError(f"{path.name} lacks the tensor {places[0][0]}, without which a size cannot be told.", _ANOTHER)


def _fill(
    path: Path,
    module: nn.Module,
    tensors: Mapping[str, Tensor],
    to_ours: Callable[[str], str],
    to_theirs: Callable[[str], str],
) -> _Keys:
    """Copy what fits into the module; a tensor of the wrong shape is a :class:`PackageError`."""
    expected, state = module.state_dict(), {}
    keys = _Keys([], [], [])
    for theirs, tensor in tensors.items():
        try:
            ours = to_ours(theirs)
        except KeyError:
            ours = ""
        if ours not in expected:
            (keys.ignored if _is_harmless(theirs) else keys.unexpected).append(theirs)
            continue
        if tensor.shape != expected[ours].shape:
            raise PackageError(
                f"The tensor {theirs} of {path.name} has shape {tuple(tensor.shape)}, "
                f"its neighbours ask for {tuple(expected[ours].shape)}.",
                _ANOTHER,
            )
        state[ours] = tensor
    for theirs in map(to_theirs, sorted(expected.keys() - state.keys())):
        (keys.ignored if _is_harmless(theirs) else keys.missing).append(theirs)
    module.load_state_dict(state, strict=False)
    return keys


def _is_harmless(key: str) -> bool:
    """Whether a tensor of this name changes nothing, be it there or not."""
    return ".bns.1." in key or key.endswith("num_batches_tracked") or is_bert_buffer(key.removeprefix("bert."))


def _require_one_space(path: Path, image: ImageEncoder, text: PublishedTextEncoder) -> None:
    dims = image.config.embed_dim, text.embed_dim
    if dims[0] != dims[1]:
        raise PackageError(
            f"{path.name} embeds images in {dims[0]} and sentences in {dims[1]} dimensions, which cannot be compared.",
            _ANOTHER,
        )


def _assumptions(image: ImageEncoder, text: PublishedTextEncoder, options: Mapping[str, Option]) -> list[str]:
    config = image.config
    sentences = [
        f"class map of {config.map_size} x {config.map_size} and class scores of {config.score_size} x "
        f"{config.score_size}, as the authors' code has them"
    ]
    if isinstance(text, BertTextEncoder):
        heads = text.sizes.n_heads
        sentences.append(f"{heads} attention heads of {text.sizes.word_dim // heads}, as in every published BERT")
    sentences += [
        f"embeddings of unit length, although its options say {name}"
        for name in ("no_imgnorm", "no_txtnorm")
        if options.get(name)
    ]
    return sentences


def _named(image: Sequence[str], text: Sequence[str]) -> tuple[str, ...]:
    return (*(f"image.{key}" for key in image), *(f"text.{key}" for key in text))


def _count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())
