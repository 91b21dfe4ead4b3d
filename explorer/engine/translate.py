"""What the rooms below say, as messages."""

import os
from collections.abc import Sequence

import numpy as np

from explorer.evidence import Evidence
from explorer.library.catalogue import Library
from explorer.library.rows import ItemRow
from explorer.media.item import display_path
from explorer.packages.finding import FoundPackage
from explorer.protocol import (
    ClassMap,
    Explanation,
    Grid,
    ItemDescription,
    LibraryState,
    ModelSummary,
    Source,
)

PREFERRED_MODELS = ("3shnet-flickr8k", "pooled-flickr8k")
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
        n_indexed={model_id.split("@")[0]: n for model_id, n in counts.n_indexed.items()},
        read_only=library.read_only,
    )


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
    """One row of the catalogue as the window shows it."""
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
    )


def explanation(
    request_id: int, item_id: int, model: str, evidence: Evidence, *, score: float | None, elapsed_ms: float
) -> Explanation:
    """Evidence as small packed maps."""
    segmentation = evidence.segmentation
    class_map: ClassMap | None = None
    presence: tuple[tuple[str, float], ...] = ()
    if segmentation is not None:
        height, width = segmentation.class_map.shape
        class_map = ClassMap(
            height=height,
            width=width,
            class_ids=np.ascontiguousarray(segmentation.class_map, dtype=np.uint8).tobytes(),
            confidence=np.rint(np.clip(segmentation.confidence, 0, 1) * 255).astype(np.uint8).tobytes(),
            names=segmentation.names,
        )
        presence = tuple(sorted(segmentation.presence.items(), key=lambda pair: -pair[1]))
    return Explanation(
        id=request_id,
        item_id=item_id,
        model=model,
        attention=tuple(
            Grid(
                name=grid.name,
                title=grid.title,
                height=int(grid.values.shape[0]),
                width=int(grid.values.shape[1]),
                values=np.ascontiguousarray(grid.values, dtype="<f4").tobytes(),
            )
            for grid in evidence.attention
        ),
        class_map=class_map,
        presence=presence,
        score=score,
        elapsed_ms=elapsed_ms,
    )
