"""What the rooms below say, as messages."""

import os
from collections.abc import Mapping, Sequence

import numpy as np

from explorer.evidence import (
    AttentionMap,
    BitAgreement,
    ClipEvidence,
    Evidence,
    MovingAttention,
    PointedAttention,
    RegionWeights,
    Segmentation,
    WordWeights,
)
from explorer.library.catalogue import Library
from explorer.library.rows import ItemRow
from explorer.media.item import display_path
from explorer.packages.finding import FoundPackage
from explorer.protocol import (
    Bits,
    Boxes,
    ClassMap,
    ClipMaps,
    Explain,
    Explanation,
    Grid,
    ItemDescription,
    LibraryState,
    ModelSummary,
    MovingClasses,
    MovingGrid,
    PointedMaps,
    Source,
    WordLinks,
    Words,
)

_LARGEST_HALF = float(np.finfo(np.float16).max)

PREFERRED_MODELS = (
    "3shnet-flickr8k", "3shnet-flickr8k-hybrid", "3shnet-flickr8k-region", "tvdb-flickr8k-64",
    "dsmhn-flickr8k-64", "dsmhn-scenes-64", "pooled-flickr8k",
)
"""What the model picker offers first; packages not named here follow in alphabetical order."""


def library_state(request_id: int, library: Library) -> LibraryState:
    """What the library holds now."""
    counts = library.counts()
    folder = os.fsencode(library.folder)
    return LibraryState(
        id=request_id,
        path=folder,
        display=display_path(folder),
        sources=tuple(
            Source(
                source_id=source.source_id,
                path=source.path,
                display=source.display,
                n_items=source.n_items,
                missing=source.missing,
            )
            for source in library.sources()
        ),
        n_items=counts.n_items,
        n_errors=counts.n_problems,
        n_indexed=_by_name(counts.n_indexed),
        read_only=library.read_only,
        n_sentences=counts.n_sentences,
        n_videos=counts.n_videos,
    )


def _by_name(n_indexed: Mapping[str, int]) -> dict[str, int]:
    """Vectors by a model's name; of two versions those of the one that has more, which is the one in use."""
    found: dict[str, int] = {}
    for model_id, n in n_indexed.items():
        name = model_id.partition("@")[0]
        found[name] = max(n, found.get(name, 0))
    return found


def model_summaries(found: Sequence[FoundPackage]) -> tuple[ModelSummary, ...]:
    """Packages that can search, the preferred first; broken ones keep their place with their problem."""
    summaries = []
    for entry in found:
        if entry.package is None:
            summaries.append(
                ModelSummary(
                    name=entry.name, family="", title=entry.name, output="", modalities=(), overlays=(),
                    problem=entry.problem,
                )
            )
        elif entry.package.manifest.output.kind != "features":  # those are parts of others, not for searching
            manifest = entry.package.manifest
            summaries.append(
                ModelSummary(
                    name=entry.name,
                    family=manifest.family,
                    title=manifest.title,
                    output=str(manifest.output.kind),
                    modalities=tuple(manifest.modalities),
                    overlays=tuple(manifest.overlays),
                )
            )
    rank = {name: place for place, name in enumerate(PREFERRED_MODELS)}
    return tuple(sorted(summaries, key=lambda model: (bool(model.problem), rank.get(model.name, 99), model.name)))


def item_description(row: ItemRow) -> ItemDescription:
    """One item, or one shot of it, as the window shows it."""
    return ItemDescription(
        item_id=row.item_id,
        path=row.path,
        display=row.display,
        name=row.name,
        kind=row.kind,
        width_px=row.width_px,
        height_px=row.height_px,
        size_bytes=row.size_bytes,
        modified_at=row.mtime_ns / 1e9,
        captured_at=row.captured_at,
        status=str(row.status),
        error=row.error,
        captions=row.captions,
        duration_s=row.duration_s,
        start_s=row.start_s,
        end_s=row.end_s,
        n_shots=row.n_shots,
    )


def explanation(
    request: Explain, evidence: Evidence, *, elapsed_ms: float
) -> Explanation:
    """Evidence as small packed maps."""
    return Explanation(
        id=request.id,
        item_id=request.item_id,
        model=request.model,
        attention=tuple(map(_grid, evidence.attention)),
        class_map=None if evidence.segmentation is None else _class_map(evidence.segmentation),
        presence=() if evidence.segmentation is None else _most_certain_first(evidence.segmentation.presence),
        score=evidence.score,
        elapsed_ms=elapsed_ms,
        regions=tuple(map(_boxes, evidence.regions)),
        pointed=tuple(map(_pointed, evidence.pointed)),
        words=None if evidence.words is None else _words(evidence.words),
        without=request.without,
        bits=None if evidence.bits is None else _bits(evidence.bits),
        clip=None if evidence.clip is None else _clip_maps(evidence.clip),
    )


def _grid(attention: AttentionMap) -> Grid:
    height, width = attention.values.shape
    return Grid(
        name=attention.name, title=attention.title, height=height, width=width, values=_packed(attention.values, "<f4")
    )


def _class_map(segmentation: Segmentation) -> ClassMap:
    height, width = segmentation.class_map.shape
    return ClassMap(
        height=height,
        width=width,
        class_ids=_packed(segmentation.class_map, "u1"),
        confidence=_packed(np.rint(np.clip(segmentation.confidence, 0, 1) * 255), "u1"),
        names=segmentation.names,
    )


def _most_certain_first(presence: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(presence.items(), key=lambda pair: -pair[1]))


def _boxes(regions: RegionWeights) -> Boxes:
    return Boxes(
        name=regions.name,
        title=regions.title,
        boxes=_packed(regions.boxes, "<f4"),
        values=_packed(regions.values, "<f4"),
        scores=_packed(regions.scores, "<f4"),
        labels=regions.labels,
    )


def _pointed(attention: PointedAttention) -> PointedMaps:
    n, height, width = attention.values.shape
    return PointedMaps(
        name=attention.name,
        title=attention.title,
        places=attention.places,
        n_places=n,
        height=height,
        width=width,
        values=_packed(attention.values, "<f2"),
    )


def _words(words: WordWeights) -> Words:
    return Words(
        words=words.words,
        weights=tuple(words.weights.tolist()),
        links=tuple(WordLinks(places=link.places, values=_packed(link.values, "<f4")) for link in words.links),
    )


def _bits(bits: BitAgreement) -> Bits:
    return Bits(query=_packed(bits.query, "<f4"), item=_packed(bits.item, "<f4"))


def _clip_maps(clip: ClipEvidence) -> ClipMaps:
    return ClipMaps(
        times_s=_packed(clip.times_s, "<f4"),
        attention=tuple(map(_moving_grid, clip.attention)),
        class_maps=_moving_classes(clip.segmentation) if clip.segmentation else None,
        curve_title="" if clip.temporal is None else clip.temporal.title,
        curve=b"" if clip.temporal is None else _packed(clip.temporal.values, "<f4"),
    )


def _moving_grid(attention: MovingAttention) -> MovingGrid:
    _, height, width = attention.values.shape
    # Half precision ends at 65504; what is beyond it would come back as infinite.
    values = np.clip(attention.values, -_LARGEST_HALF, _LARGEST_HALF)
    return MovingGrid(
        name=attention.name, title=attention.title, height=height, width=width, values=_packed(values, "<f2")
    )


def _moving_classes(frames: Sequence[Segmentation]) -> MovingClasses:
    height, width = frames[0].class_map.shape
    confidence = np.stack([frame.confidence for frame in frames])
    return MovingClasses(
        height=height,
        width=width,
        class_ids=_packed(np.stack([frame.class_map for frame in frames]), "u1"),
        confidence=_packed(np.rint(np.clip(confidence, 0, 1) * 255), "u1"),
        names=frames[0].names,
    )


def _packed(values: np.ndarray, dtype: str) -> bytes:
    return np.ascontiguousarray(values, dtype=dtype).tobytes()
