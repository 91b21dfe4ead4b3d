"""What a DSMHN package holds: names of its tensors, and what its ``[config]`` says about them.

``image.*``, ``video.*`` and ``text.*`` are the streams that the package has, ``vocabulary.json`` the row of every word
where the text stream has a word table. The classifier is left behind: only training needs it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import numpy as np

from explorer.errors import PackageError
from explorer.networks.common.loading import join_parts, load_strictly, packed, split_parts
from explorer.networks.common.words import is_vocabulary
from explorer.networks.dsmhn.config import ImageStreamConfig, StreamConfigs, TextStreamConfig, VideoStreamConfig
from explorer.networks.dsmhn.model import Streams
from explorer.packages.package import ModelPackage, load_tensors
from explorer.representations import Modality

STREAM_MODALITIES = {"image": Modality.IMAGE, "video": Modality.VIDEO, "text": Modality.TEXT}
"""Streams, as they are called in packages and recipes, and what each reads."""


class PackageConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config]`` of a package.

    Attributes:
        image, video, text: settings of each stream that the package has.
        n_things: classes of the region proposer, where the image stream reads detections.
        regions_sha256: hash of that proposer.
    """

    image: ImageStreamConfig | None = None
    video: VideoStreamConfig | None = None
    text: TextStreamConfig | None = None
    n_things: int = 0
    regions_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a package carries, in memory.

    Attributes:
        streams: those that it has.
        vocabulary: word to row; empty where the text stream has no word table.
        n_things: classes of the region proposer, where detections are read.
    """

    streams: Streams
    vocabulary: dict[str, int]
    n_things: int = 0


def to_package(streams: Streams) -> dict[str, np.ndarray]:
    """The tensors of a package; the statistics of features in half precision, too: there are thousands of them."""
    parts = {name: packed(getattr(streams, name)) for name in _present(streams.configs)}
    if "image" in parts:
        parts["image"] |= {name: parts["image"][name].astype(np.float16) for name in ("mean", "scale")}
    return join_parts(parts)


def config_table(configs: StreamConfigs) -> dict[str, dict[str, Any]]:
    """``[config]`` of a package with these streams."""
    return {name: asdict(getattr(configs, name)) for name in _present(configs)}


def modalities_of(configs: StreamConfigs) -> tuple[Modality, ...]:
    """What a package with these streams says that it reads."""
    return tuple(STREAM_MODALITIES[name] for name in ("text", "image", "video") if name in _present(configs))


def read_parts(package: ModelPackage) -> Parts:
    """The inverse of :func:`to_package`, with what ``[config]`` and the vocabulary say.

    Raises
    ------
    PackageError
        settings, tensors or vocabulary are not as they should be.
    """
    try:
        config = msgspec.convert(package.manifest.config, PackageConfig)
        configs = StreamConfigs(image=config.image, video=config.video, text=config.text)
    except (msgspec.ValidationError, ValueError) as error:
        raise PackageError(f"[config] of {package.name} does not describe a DSMHN: {error}.") from error
    output = package.manifest.output
    if output.kind != "code" or output.bits != configs.n_bits:
        raise PackageError(
            f"{package.name} should give codes of {output.bits} bits, but its streams give {configs.n_bits}.",
            "Install the package again.",
        )
    if set(package.manifest.modalities) != set(modalities_of(configs)):
        raise PackageError(
            f"{package.name} should read {', '.join(package.manifest.modalities)}, but it has streams for "
            f"{', '.join(modalities_of(configs))}.",
            "Install the package again.",
        )
    streams = Streams(configs)
    _fill(streams, split_parts(load_tensors(package)), package.name)
    vocabulary = _vocabulary(package, configs.text.n_words) if configs.text and configs.text.n_words else {}
    return Parts(streams, vocabulary, config.n_things)


def _present(configs: StreamConfigs) -> list[str]:
    return [name for name in STREAM_MODALITIES if getattr(configs, name) is not None]


def _fill(streams: Streams, tensors: Mapping[str, Mapping[str, np.ndarray]], name: str) -> None:
    present = _present(streams.configs)
    foreign = sorted(set(tensors).difference(present))
    if foreign:
        raise PackageError(
            f"{name} has tensors of {', '.join(foreign)}, of which its [config] says nothing.",
            "The package is damaged; install it again.",
        )
    for stream in present:
        load_strictly(getattr(streams, stream), tensors.get(stream, {}), package_name=name)
    image = streams.image
    if image is not None and not bool(image.mean.isfinite().all() and (image.scale > 0).all()):
        raise PackageError(
            f"The statistics of {name} are not a mean and a positive spread of each feature.",
            "The package is damaged; install it again.",
        )


def _vocabulary(package: ModelPackage, n_words: int) -> dict[str, int]:
    words = package.vocabulary
    if not is_vocabulary(words) or len(words) != n_words:
        raise PackageError(
            f"The vocabulary of {package.name} has {len(words)} words and is not that of its {n_words} word vectors.",
            "Install the package again.",
        )
    return words
