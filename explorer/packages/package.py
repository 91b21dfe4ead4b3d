"""One model package on disk: read, verify, write."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from explorer.errors import PackageError
from explorer.packages.manifest import Labels, Manifest, RegionPart, Weights, decode_manifest, encode_manifest
from explorer.packages.reference import Reference, decode_reference

MANIFEST_FILE = "model.toml"
CARD_FILE = "CARD.md"
REFERENCE_FILE = "reference.json"
VOCABULARY_FILE = "vocabulary.json"

_ALLOWED_SUFFIXES = frozenset({".safetensors", ".toml", ".json", ".md"})
# Left behind by file managers; never opened.
_IGNORED_NAMES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_CODE_SUFFIXES = frozenset({".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".tar", ".npy", ".npz", ".py"})
_ZIP_MAGIC = b"PK"
_PICKLE_MAGIC = b"\x80"
_MAX_NAMED_KEYS = 8

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class ModelPackage:
    """A package whose manifest was read and whose files are of harmless kinds; tensors are not loaded yet.

    Attributes:
        folder: where it lies.
        manifest: its ``model.toml``.
    """

    folder: Path
    manifest: Manifest

    @property
    def name(self) -> str:
        """What the command line calls it."""
        return self.manifest.name

    @property
    def model_id(self) -> str:
        """Name and first 16 digits of the weights' hash; vectors of two ids are never compared."""
        return f"{self.manifest.name}@{self.manifest.weights.sha256[:16]}"

    @property
    def weights_path(self) -> Path:
        """The tensors' file."""
        return self.folder / self.manifest.weights.file

    @property
    def card(self) -> str:
        """Text of ``CARD.md``: data, metrics, licences, limits; empty if there is none."""
        path = self.folder / CARD_FILE
        return _read_bytes(path).decode("utf-8", errors="replace") if path.is_file() else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names, in the order of the model's outputs; empty if the package names no file for them."""
        if self.manifest.labels is None:
            return ()
        return _decode_json(self.folder / self.manifest.labels.file, tuple[str, ...])

    @property
    def vocabulary(self) -> dict[str, int]:
        """Word to row of the word table; empty if the package has none."""
        path = self.folder / VOCABULARY_FILE
        return _decode_json(path, dict[str, int]) if path.is_file() else {}

    @property
    def reference(self) -> Reference | None:
        """Inputs with expected outputs, or None if the package has none."""
        path = self.folder / REFERENCE_FILE
        return decode_reference(_read_bytes(path), where=path.name) if path.is_file() else None


def read_package(folder: Path) -> ModelPackage:
    """Read a package's manifest and look at what else lies in its folder, without loading tensors.

    Raises
    ------
    PackageError
        no such folder, no or wrong ``model.toml``, a newer schema, missing weights, or anything in the folder
        that could run code (a pickle, by name or by its first bytes).
    """
    try:
        return _read_folder(folder)
    except OSError as error:
        raise _unreadable(folder, error) from error


def _read_folder(folder: Path) -> ModelPackage:
    if not folder.is_dir():
        raise PackageError(f"There is no model package at {folder}.", "`retrieval-explorer models list` shows all.")
    path = folder / MANIFEST_FILE
    if not path.is_file():
        raise PackageError(f"{folder} is no model package: it has no {MANIFEST_FILE}.")
    _refuse_foreign_files(folder)
    package = ModelPackage(folder, decode_manifest(_read_bytes(path), where=folder.name))
    for part in _weight_files(package):
        if not (folder / part.file).is_file():
            raise PackageError(f"The weights {part.file} of {folder.name} are missing.", "Install the package again.")
    for weights in sorted(folder.glob("*.safetensors")):
        _refuse_pickle(weights)
    return package


def load_tensors(package: ModelPackage) -> dict[str, np.ndarray]:
    """All tensors of a package, writable, as stored (float16 stays float16), once the SHA-256 was verified.

    Raises
    ------
    PackageError
        the file is not the one the manifest names, is damaged, or cannot be read.
    """
    return _load_file(package, package.manifest.weights)


def load_region_tensors(package: ModelPackage) -> dict[str, np.ndarray]:
    """All tensors of a vision package's region proposer, as :func:`load_tensors` does for the others.

    Raises
    ------
    PackageError
        the package has no region proposer; or as there.
    """
    if package.manifest.regions is None:
        raise PackageError(
            f"The vision package {package.name} has no region proposer.",
            "Install a newer version of it, or use a model that needs no regions.",
        )
    return _load_file(package, package.manifest.regions)


def verify_weights(package: ModelPackage) -> None:
    """Compare the SHA-256 of every file of tensors with the manifest; :class:`PackageError` where one differs."""
    for part in _weight_files(package):
        path = package.folder / part.file
        try:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise _unreadable(path, error) from error
        _check_hash(package, part, digest)


def _weight_files(package: ModelPackage) -> list[Weights | RegionPart]:
    manifest = package.manifest
    return [manifest.weights, *([manifest.regions] if manifest.regions else [])]


def _load_file(package: ModelPackage, part: Weights | RegionPart) -> dict[str, np.ndarray]:
    # Hash and parse the same bytes, so that nobody can exchange the file in between.
    content = _read_bytes(package.folder / part.file)
    _check_hash(package, part, hashlib.sha256(content).hexdigest())
    try:
        tensors = safetensors.numpy.load(content)
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise PackageError(f"{part.file} of {package.name} cannot be read: {error}.") from error
    return {name: np.array(tensor) for name, tensor in tensors.items()}


def require_keys(tensors: Mapping[str, np.ndarray], expected: Iterable[str]) -> None:
    """Check that the tensors are exactly the expected ones.

    Raises
    ------
    PackageError
        names the first missing and the first unexpected keys, and counts the rest.
    """
    wanted, present = set(expected), set(tensors)
    differences = {"missing": sorted(wanted - present), "unexpected": sorted(present - wanted)}
    complaints = [f"{len(names)} {kind} ({_some(names)})" for kind, names in differences.items() if names]
    if complaints:
        raise PackageError(
            f"The weights do not fit the model: {' and '.join(complaints)}.",
            "The package is damaged or was made for another version of this program; install it again.",
        )


def write_package(
    folder: Path,
    manifest: Manifest,
    tensors: Mapping[str, np.ndarray],
    *,
    card: str,
    labels: Sequence[str] | None = None,
    vocabulary: Mapping[str, int] | None = None,
    reference: Reference | None = None,
    region_tensors: Mapping[str, np.ndarray] | None = None,
) -> ModelPackage:
    """Write a whole package, or nothing: an old package at ``folder`` stays until the new one was read back.

    Parameters
    ----------
    folder
        the package's folder; made or replaced.
    manifest
        its ``weights`` and ``labels`` are filled in here; whatever they said is ignored. Of ``regions`` the settings
        are kept.
    tensors
        only those that the named backbone and text network do not already provide.
    card, labels, vocabulary, reference
        contents of ``CARD.md``, ``labels.json``, ``vocabulary.json`` and ``reference.json``.
    region_tensors
        of the region proposer, in a file of their own; None for none.

    Raises
    ------
    PackageError
        the folder cannot be written to, or what was written could not be read back.
    """
    content = _tensor_bytes(tensors)
    weights = Weights(sha256=hashlib.sha256(content).hexdigest())
    label_part = None if labels is None else Labels()
    files = {weights.file: content, CARD_FILE: card.encode("utf-8")}
    regions = None
    if region_tensors is not None:
        content = _tensor_bytes(region_tensors)
        settings = manifest.regions.config if manifest.regions else {}
        regions = RegionPart(sha256=hashlib.sha256(content).hexdigest(), config=settings)
        files[regions.file] = content
    manifest = msgspec.structs.replace(manifest, weights=weights, labels=label_part, regions=regions)
    files[MANIFEST_FILE] = encode_manifest(manifest)
    if label_part is not None:
        files[label_part.file] = msgspec.json.encode(list(labels or ()))
    if vocabulary is not None:
        files[VOCABULARY_FILE] = msgspec.json.encode(dict(vocabulary))
    if reference is not None:
        files[REFERENCE_FILE] = msgspec.json.encode(reference)
    try:
        _replace_folder(folder, files)
    except OSError as error:
        raise PackageError(
            f"The model package {folder} cannot be written: {error.strerror or error}.",
            "Check the folder's permissions and the free space on its disk.",
        ) from error
    return read_package(folder)


def _tensor_bytes(tensors: Mapping[str, np.ndarray]) -> bytes:
    content: bytes = safetensors.numpy.save({name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()})
    return content


def _replace_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A leading dot keeps half-written folders out of every list of packages.
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    try:
        for name, content in files.items():
            _write_synced(new / name, content)
        new.chmod(0o755)  # mkdtemp keeps others out, an installed package must not
        read_package(new)
        old = Path(f"{new}.old")
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _refuse_foreign_files(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        if path.name in _IGNORED_NAMES:
            continue
        if path.suffix.lower() in _CODE_SUFFIXES:
            raise PackageError(
                f"{folder.name} contains {path.name}, a kind of file that can run code when it is opened.",
                "Convert the checkpoint to .safetensors and remove that file.",
            )
        if path.is_dir() or path.suffix.lower() not in _ALLOWED_SUFFIXES:
            raise PackageError(
                f"{folder.name} contains {path.name}; a model package holds only "
                f"{', '.join(sorted(_ALLOWED_SUFFIXES))} files.",
                "Move it elsewhere.",
            )


def _refuse_pickle(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(9)
    # A safetensors file is the length of a JSON header, little endian, and the header; a header of 640 bytes
    # begins as a pickle does, so the brace is looked at first.
    length = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and length <= path.stat().st_size - 8:
        return
    if start.startswith((_ZIP_MAGIC, _PICKLE_MAGIC)):
        raise PackageError(
            f"{path.name} of {path.parent.name} is a pickle with another name; opening it could run code.",
            "Do not use this package; get it from whoever made it, as safetensors.",
        )
    raise PackageError(f"{path.name} of {path.parent.name} is no safetensors file.", "Install the package again.")


def _check_hash(package: ModelPackage, part: Weights | RegionPart, digest: str) -> None:
    if digest != part.sha256:
        raise PackageError(
            f"{part.file} of {package.name} is not the file that {MANIFEST_FILE} names: "
            f"its SHA-256 starts with {digest[:16]}, expected {part.sha256[:16]}.",
            "The file is damaged or was exchanged; install the package again.",
        )


def _decode_json(path: Path, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(_read_bytes(path), type=kind)
    except msgspec.DecodeError as error:
        raise PackageError(f"{path.name} of {path.parent.name} does not say what it should: {error}.") from error


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: OSError) -> PackageError:
    return PackageError(
        f"{path.name} of the model package {path.parent.name} cannot be read: {error.strerror or error}.",
        "Check the file and its permissions.",
    )


def _some(names: Sequence[str]) -> str:
    rest = ", ..." if len(names) > _MAX_NAMED_KEYS else ""
    return ", ".join(names[:_MAX_NAMED_KEYS]) + rest
