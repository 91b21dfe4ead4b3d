"""Writing an ensemble's package."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.errors import ConfigError
from explorer.networks.ensemble.encoder import FAMILY, load
from explorer.packages.finding import resolve_package
from explorer.packages.manifest import Manifest, Output
from explorer.packages.package import ModelPackage, write_package
from explorer.packages.reference import make_reference
from explorer.representations import Modality


def combine_packages(
    members: Sequence[str],
    folder: Path,
    *,
    search_folders: Sequence[Path],
    weights: Sequence[float] | None = None,
    title: str = "",
) -> ModelPackage:
    """Write a package of several models, whose similarity is the weighted mean of theirs (README.md).

    Parameters
    ----------
    members
        names of packages that make embeddings.
    folder
        where the package goes; its name is the folder's.
    search_folders
        where the members are looked for.
    weights
        one positive number for each member, scaled to add up to 1; equal by default.
    title
        what the model picker calls it.

    Raises
    ------
    ConfigError
        fewer than two members, one twice, or weights that do not fit.
    PackageError
        a member is missing, makes codes, takes pictures of another size, or is an ensemble itself.
    """
    if len(members) < 2 or len(set(members)) != len(members):
        raise ConfigError("An ensemble needs at least two models, each once.", "Name two or more packages.")
    parts = np.array(weights if weights is not None else [1.0] * len(members), dtype=np.float64)
    if parts.shape != (len(members),) or not np.isfinite(parts).all() or not (parts > 0).all():
        raise ConfigError(
            f"{len(members)} models need {len(members)} positive weights.", "For example: --weights 0.5,0.5"
        )
    packages = [resolve_package(name, search_folders) for name in members]
    _check_alike(packages)
    digests = np.stack([np.frombuffer(bytes.fromhex(p.manifest.weights.sha256), np.uint8) for p in packages])
    tensors = {"weights": (parts / parts.sum()).astype(np.float32), "members": digests.copy()}
    manifest = _manifest(folder.name, title or " + ".join(members), packages)
    card = _card(manifest, packages, tensors["weights"])
    package = write_package(folder, manifest, tensors, card=card)
    encoder = load(package, search_folders=[folder.parent, *search_folders], device="cpu")
    reference = make_reference(
        lambda texts: encoder.encode_texts(texts).values,
        lambda squares: encoder.encode_images(squares).values,
        encoder.side_px,
    )
    return write_package(folder, manifest, tensors, card=card, reference=reference)


def _check_alike(packages: Sequence[ModelPackage]) -> None:
    sides = {package.manifest.preprocess.side_px for package in packages}
    for package in packages:
        manifest = package.manifest
        if manifest.output.kind != "embedding":
            raise ConfigError(f"{package.name} makes no embeddings.", "Combine models that make embeddings.")
        if manifest.family == FAMILY:
            raise ConfigError(f"{package.name} is an ensemble itself.", "Name its members instead.")
    if len(sides) > 1:
        raise ConfigError(
            f"These models take pictures of different sizes ({', '.join(map(str, sorted(sides)))} px).",
            "Combine models that take the same size.",
        )


def _manifest(name: str, title: str, packages: Sequence[ModelPackage]) -> Manifest:
    first = packages[0].manifest
    shared = frozenset[Modality].intersection(*(frozenset(package.manifest.modalities) for package in packages))
    overlays = dict.fromkeys(overlay for package in packages for overlay in package.manifest.overlays)
    return Manifest(
        family=FAMILY,
        name=name,
        title=title,
        preprocess=first.preprocess,
        output=Output(kind="embedding", dim=sum(package.manifest.output.width for package in packages)),
        backbone=first.backbone,
        modalities=tuple(modality for modality in Modality if modality in shared),
        config={"members": [package.name for package in packages]},
        overlays=tuple(overlays),
    )


def _card(manifest: Manifest, packages: Sequence[ModelPackage], weights: np.ndarray) -> str:
    lines = [
        f"# {manifest.title}",
        "",
        "The similarity is the weighted mean of these models' similarities; nothing was trained for it.",
        "",
    ]
    lines += [
        f"- {weight:.3g} x {package.name} ({package.manifest.title})"
        for weight, package in zip(weights, packages, strict=True)
    ]
    lines += ["", "Data, licences and limits: see the members' cards.", ""]
    return "\n".join(lines)
