"""An ensemble that is loaded: every member encodes, their unit vectors are joined (README.md)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import msgspec
import numpy as np

from explorer.errors import PackageError
from explorer.evidence import AttentionMap, Evidence, PlaceShares, PointedAttention, RegionWeights
from explorer.networks.encoder import Encoder
from explorer.networks.registry import load_encoder
from explorer.packages.finding import resolve_package
from explorer.packages.package import ModelPackage, load_tensors, require_keys
from explorer.representations import BinaryCodes, Embeddings, Modality
from explorer.vision import Vision, VisualFeatures

FAMILY = "ensemble"
TENSORS = ("members", "weights")


class EnsembleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``[config]`` of a package: names of the members, in the order of the tensors."""

    members: tuple[str, ...]


@runtime_checkable
class SeeingEncoder(Protocol):
    """A member that can share a pass of the backbone.

    Attributes:
        vision: what it sees with.
        vision_key: equal where the same package sees on the same device.
        proposes: whether it needs regions.
    """

    vision: Vision
    vision_key: str
    proposes: bool

    def encode_seen(self, seen: VisualFeatures) -> Embeddings:
        """Embeddings of what vision saw."""
        ...

    def explain_seen(
        self, seen: VisualFeatures, query: Embeddings | None, *, without: frozenset[str] = frozenset()
    ) -> Evidence:
        """Evidence of what vision saw of one picture."""
        ...


class EnsembleEncoder:
    """Several encoders as one; see :class:`~explorer.networks.encoder.Encoder`."""

    def __init__(self, package: ModelPackage, members: Sequence[Encoder], weights: np.ndarray) -> None:
        """Join members by their weights (n,), which add up to 1."""
        self.model_id, self.name = package.model_id, package.name
        self.overlays = package.manifest.overlays
        self.dim = sum(member.dim for member in members)
        self.side_px = members[0].side_px
        self.modalities = frozenset[Modality].intersection(*(member.modalities for member in members))
        self._members = tuple(members)
        self._roots = np.sqrt(weights).astype(np.float32)
        share_vision(self._members)

    @property
    def device(self) -> str:
        """Where it runs, for people."""
        return self._members[0].device

    @property
    def notice(self) -> str:
        """A sentence for the person once a member had to move to another device."""
        return next((notice for member in self._members if (notice := getattr(member, "notice", ""))), "")

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """Joined embeddings (n, dim) of sentences."""
        return self._joined([_real(member.encode_texts(texts)) for member in self._members])

    def encode_images(self, squares: np.ndarray) -> Embeddings:
        """Joined embeddings (n, dim) of squares, uint8 (n, side_px, side_px, 3)."""
        if not len(squares):
            return Embeddings(np.zeros((0, self.dim), dtype=np.float32))
        seen = self._see(squares)
        return self._joined(
            [
                member.encode_seen(seen[id(member.vision)])
                if isinstance(member, SeeingEncoder)
                else _real(member.encode_images(squares))
                for member in self._members
            ]
        )

    def explain(
        self,
        square: np.ndarray,
        query: Embeddings | BinaryCodes | None = None,
        *,
        without: frozenset[str] = frozenset(),
    ) -> Evidence:
        """What every member has to say, each layer once; shares and scores are scaled by the members' weights."""
        seen = self._see(square[None])
        found = []
        for member, part in zip(self._members, self._parts(query), strict=True):
            if isinstance(member, SeeingEncoder):
                found.append(member.explain_seen(seen[id(member.vision)], part, without=without))
            else:
                found.append(member.explain(square, part, without=without))
        return merge(found)

    def _see(self, squares: np.ndarray) -> dict[int, VisualFeatures]:
        """One pass for each vision: the same for all members that share it."""
        eyes: dict[int, tuple[Vision, bool]] = {}
        for member in self._members:
            if isinstance(member, SeeingEncoder):
                key = id(member.vision)
                eyes[key] = (member.vision, member.proposes or (key in eyes and eyes[key][1]))
        return {
            key: vision(squares, propose=True) if proposes else vision(squares)
            for key, (vision, proposes) in eyes.items()
        }

    def _parts(self, query: Embeddings | BinaryCodes | None) -> list[Embeddings | None]:
        """Each member's part of a query, scaled so that the members' scores add up."""
        if not isinstance(query, Embeddings):
            return [None] * len(self._members)
        ends = np.cumsum([member.dim for member in self._members])[:-1]
        columns = np.split(query.values, ends, axis=1)
        return [
            Embeddings(np.ascontiguousarray(part * root)) for part, root in zip(columns, self._roots, strict=True)
        ]

    def _joined(self, parts: Sequence[Embeddings]) -> Embeddings:
        scaled = [part.values * root for part, root in zip(parts, self._roots, strict=True)]
        return Embeddings(np.ascontiguousarray(np.concatenate(scaled, axis=1)))


def share_vision(members: Sequence[Encoder]) -> None:
    """Let members that see with the same package in the same place see with one copy of it."""
    seeing = [member for member in members if isinstance(member, SeeingEncoder)]
    for place, member in enumerate(seeing):
        for earlier in seeing[:place]:
            if earlier.vision_key == member.vision_key:
                member.vision = earlier.vision
                break


def merge(found: Sequence[Evidence]) -> Evidence:
    """Evidence of several members: layers of a name that an earlier one has are numbered, scores add up."""
    taken: set[str] = set()
    attention: list[AttentionMap] = []
    regions: list[RegionWeights] = []
    pointed: list[PointedAttention] = []
    shares: list[PlaceShares] = []
    for number, evidence in enumerate(found, start=1):
        layers: tuple[AttentionMap | RegionWeights, ...] = (*evidence.attention, *evidence.regions)
        names = {layer.name: _free_name(layer.name, number, taken) for layer in (*layers, *evidence.pointed)}
        taken.update(names.values())
        for layer in layers:
            title = layer.title if names[layer.name] == layer.name else f"{layer.title}, model {number}"
            renamed = replace(layer, name=names[layer.name], title=title)
            attention.append(renamed) if isinstance(renamed, AttentionMap) else regions.append(renamed)
        pointed += [replace(maps, name=names[maps.name], places=names[maps.places]) for maps in evidence.pointed]
        shares += [PlaceShares(names[share.places], share.values) for share in evidence.shares]
    scores = [evidence.row_scores for evidence in found if evidence.row_scores is not None]
    total = np.stack(scores).sum(axis=0) if len(scores) == len(found) else None
    return Evidence(
        attention=tuple(attention),
        regions=tuple(regions),
        segmentation=next((evidence.segmentation for evidence in found if evidence.segmentation), None),
        pointed=tuple(pointed),
        score=None if total is None else float(total[0]),
        row_scores=total,
        shares=tuple(shares),
    )


def _free_name(name: str, number: int, taken: set[str]) -> str:
    return name if name not in taken else f"{name}-{number}"


def _real(representation: Embeddings | BinaryCodes) -> Embeddings:
    assert isinstance(representation, Embeddings)  # ``load`` takes no others
    return representation


def load(package: ModelPackage, *, search_folders: Sequence[Path], device: str) -> EnsembleEncoder:
    """Load an ensemble and its members.

    Raises
    ------
    PackageError
        a member is missing, is another version, makes codes or takes pictures of another size.
    """
    try:
        config = msgspec.convert(package.manifest.config, EnsembleConfig)
    except msgspec.ValidationError as error:
        raise PackageError(f"[config] of {package.name} does not describe an ensemble: {error}.") from error
    tensors = load_tensors(package)
    require_keys(tensors, TENSORS)
    weights, digests = tensors["weights"], tensors["members"]
    n = len(config.members)
    sound = weights.shape == (n,) and digests.shape == (n, 32) and n > 0 and bool((weights > 0).all())
    if not sound or abs(float(weights.sum()) - 1) > 1e-3:
        raise PackageError(f"The weights of {package.name} do not fit its {n} members.", "Combine them again.")
    packages = []
    for name, digest in zip(config.members, digests, strict=True):
        member = resolve_package(name, search_folders)
        if member.manifest.family == FAMILY:
            raise PackageError(f"{package.name} has the ensemble {name} as a member.", "Name its members instead.")
        if bytes.fromhex(member.manifest.weights.sha256) != digest.tobytes():
            raise PackageError(
                f"{package.name} was made of another version of {name} than the one that is installed.",
                f"Combine them again: models combine {' '.join(config.members)} --name {package.name}",
            )
        packages.append(member)
    members = [load_encoder(member, search_folders=search_folders, device=device) for member in packages]
    return EnsembleEncoder(package, members, weights)
