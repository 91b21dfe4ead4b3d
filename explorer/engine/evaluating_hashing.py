"""``evaluate --protocol hashing``: packages of codes, or of embeddings made into codes, against labelled data sets."""

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.datasets.labels import LabelFile, read_labels
from explorer.engine.models import LoadedModels
from explorer.errors import ConfigError
from explorer.evaluation.clips import ClipReading, ClipRows
from explorer.evaluation.encoding import EncodedSplit, Source, encode_split, require_readable
from explorer.evaluation.hashing import Cutoffs
from explorer.evaluation.hashing_pairs import (
    OwnRows,
    PairLabels,
    labels_from_file,
    own_labels,
    own_rows,
    require_answers,
)
from explorer.evaluation.hashing_presets import HashingPreset
from explorer.evaluation.hashing_protocol import Binarise, CodedSplit, measure_directions
from explorer.evaluation.hashing_report import HashingReport, notes_on
from explorer.evaluation.label_rules import LabelRule
from explorer.evaluation.protocols import IMAGE_SENTENCE, PROTOCOLS
from explorer.evaluation.provenance import training_data_of
from explorer.evaluation.sources import read_every_split, read_source
from explorer.evaluation.visual import Visual, chosen_items, visual_of
from explorer.networks.encoder import Encoder
from explorer.packages.package import ModelPackage
from explorer.representations import Embeddings
from explorer.retrieval.binarising import fit_itq, fit_lsh

BINARISERS = ("lsh", "itq")
LSH_SEED = 0

OnProgress = Callable[[str, int, int], None]
"""Hears what is being done, how far it is, and how much there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HashingEvaluation:
    """What is to be measured.

    Attributes:
        models: names of packages.
        dataset: a json file, or a folder of clips or of feature files, that the queries come from.
        gallery: the one that is searched; None: the same.
        split: of the queries; None: the data set's own default.
        gallery_split: of the gallery; None: that of the queries.
        images: the folder of photos or clips of the data set and of the gallery; empty: where its reader looks.
        labels: label files, each measured by itself; empty: those that the data set brings.
        rules: which labels an answer shares; each is measured by itself.
        items: patterns of the names of items that are measured, of queries and gallery; empty: all.
        clips: how clips are read.
        preset: a published division of the data set, in the place of splits.
        binarise: how codes are made of embeddings, among :data:`BINARISERS`.
        bits: lengths of those codes.
        cutoffs: where rankings are cut.
    """

    models: tuple[str, ...]
    dataset: Path
    labels: tuple[Path, ...]
    gallery: Path | None = None
    split: str | None = None
    gallery_split: str | None = None
    images: tuple[Path, ...] = ()
    preset: HashingPreset | None = None
    binarise: tuple[str, ...] = ()
    bits: tuple[int, ...] = (64,)
    cutoffs: Cutoffs = field(default_factory=Cutoffs)
    rules: tuple[LabelRule, ...] = (LabelRule(),)
    items: tuple[str, ...] = ()
    clips: ClipReading = field(default_factory=ClipReading)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Queries, the gallery, labels of both, and where the one is in the other."""

    queries: Source
    gallery: Source
    own: OwnRows
    labels: tuple[PairLabels, ...]
    notes: tuple[str, ...]

    @property
    def visual(self) -> Visual:
        """What the sentences of both are about."""
        seen = {visual_of(self.queries), visual_of(self.gallery)}
        return seen.pop() if len(seen) == 1 else Visual.ITEM


def evaluate_hashing(
    wanted: HashingEvaluation,
    *,
    model_folders: Sequence[Path],
    device: str,
    token: CancellationToken,
    on_progress: OnProgress,
) -> list[HashingReport]:
    """One report for each model, way to make codes, length, label file and rule, in this order.

    Everything that can be wrong about names, files, labels and lengths is found before anything is encoded.

    Raises
    ------
    DatasetError
        the annotation file, the photos or the labels are not as they should be, or no two items share a label.
    PackageError
        there is no such model, or it is damaged.
    ConfigError
        there are no labels, a rule is about a group that no label is of, a model makes embeddings and nothing says how
        codes are made of them, or clips are read by their shots.
    Cancelled
        a stop was asked for.
    """
    models = LoadedModels(model_folders, device=device)
    packages = [models.package(name) for name in wanted.models]
    _require_codes(packages, wanted)
    pair = _read_pair(wanted)
    for package in packages:
        encoder = models.get(package.name)
        for source in (pair.queries, pair.gallery):
            require_readable(encoder, source)
        _require_lengths(encoder, package, wanted)
    return [
        report
        for package in packages
        for report in _measure_model(models.get(package.name), package, pair, wanted, token, on_progress)
    ]


def _require_codes(packages: Sequence[ModelPackage], wanted: HashingEvaluation) -> None:
    kinds = {package.name: package.manifest.output.kind for package in packages}
    for name, kind in kinds.items():
        if kind == "features":
            raise ConfigError(f"{name} makes neither codes nor embeddings.", "Choose another model.")
        if kind == "embedding" and not wanted.binarise:
            raise ConfigError(
                f"The protocol hashing ranks binary codes, and {name} makes real embeddings.",
                "Add --binarise itq --bits 64, or --binarise lsh, to make codes of them.",
            )
    if wanted.binarise and "embedding" not in kinds.values():
        raise ConfigError(
            f"--binarise makes codes of embeddings, and {', '.join(kinds)} makes codes itself.", "Leave it out."
        )


def _require_lengths(encoder: Encoder, package: ModelPackage, wanted: HashingEvaluation) -> None:
    longest = max(wanted.bits)
    if package.manifest.output.kind == "embedding" and "itq" in wanted.binarise and longest > encoder.dim:
        raise ConfigError(
            f"ITQ makes at most as many bits as an embedding has numbers: {package.name} has {encoder.dim}, not "
            f"{longest}.",
            "Choose fewer bits, or --binarise lsh.",
        )


def _read_pair(wanted: HashingEvaluation) -> _Pair:
    """Open queries and gallery and see that the labels speak of them."""
    if wanted.clips.rows is ClipRows.BEST_SHOT:
        raise ConfigError(
            "The protocol hashing has one code for each clip, not one for each of its shots.",
            f"Leave --clips {ClipRows.BEST_SHOT} out.",
        )
    queries, gallery, notes = _divided(wanted) if wanted.preset else _of_splits(wanted)
    own = own_rows(queries, gallery)
    labels = tuple(
        labels_from_file(name, file, queries, gallery, rule)
        for name, file in _label_files(wanted, queries, gallery)
        for rule in wanted.rules
    )
    for each in labels:
        require_answers(each, own)
    return _Pair(queries, gallery, own, labels, notes)


def _label_files(wanted: HashingEvaluation, queries: Source, gallery: Source) -> list[tuple[str, LabelFile]]:
    if wanted.labels:
        return [(str(path), read_labels(path)) for path in wanted.labels]
    brought = own_labels(queries, gallery)
    if brought is None:
        raise ConfigError(
            "The protocol hashing needs labels: an item answers a query if they share one.",
            "Write some with `retrieval-explorer labels DATASET --from detections -o labels.json` and add --labels "
            "labels.json.",
        )
    return [(f"{queries.name}'s own", brought)]


def _of_splits(wanted: HashingEvaluation) -> tuple[Source, Source, tuple[str, ...]]:
    protocol, images = PROTOCOLS[IMAGE_SENTENCE], wanted.images
    queries = read_source(wanted.dataset, protocol, split=wanted.split, images=images[0] if images else None)
    queries = chosen_items(queries, wanted.items)
    path, split = wanted.gallery or wanted.dataset, wanted.gallery_split or queries.split
    if (path, split) == (wanted.dataset, queries.split):
        return queries, queries, ()
    of_gallery = images[-1] if images and (wanted.gallery is None or len(images) > 1) else None
    return queries, chosen_items(read_source(path, protocol, split=split, images=of_gallery), wanted.items), ()


def _divided(wanted: HashingEvaluation) -> tuple[Source, Source, tuple[str, ...]]:
    preset = wanted.preset
    assert preset is not None
    whole = read_every_split(wanted.dataset, split=wanted.split, images=wanted.images[0] if wanted.images else None)
    if wanted.items:
        raise ConfigError("A preset divides all items of a data set.", "Leave --items out.")
    division = preset.divide(len(whole))
    queries, gallery = whole.at(division.queries, split="queries"), whole.at(division.database, split="database")
    notes = preset.notes_on(whole.name, len(whole))
    if any(len(own) > 1 for own in whole.sentences):
        notes += ("The published division has one text for each photo; here each of its sentences is one.",)
    return queries, gallery, notes


def _measure_model(
    encoder: Encoder,
    package: ModelPackage,
    pair: _Pair,
    wanted: HashingEvaluation,
    token: CancellationToken,
    on_progress: OnProgress,
) -> Iterator[HashingReport]:
    def encode(source: Source) -> EncodedSplit:
        what = f"{package.name} on {source.name} {source.split}"
        tell = functools.partial(on_progress, what)
        return encode_split(encoder, source, clips=wanted.clips, token=token, on_progress=tell)

    queries = encode(pair.queries)
    gallery = queries if pair.gallery is pair.queries else encode(pair.gallery)
    seen = (wanted.clips.note_on(encoder),) if pair.visual is not Visual.IMAGE else ()
    for binarised, binarise in _ways_to_codes(gallery, wanted):
        asking = CodedSplit.of(queries, binarise)
        asked = asking if gallery is queries else CodedSplit.of(gallery, binarise)
        what = f"{package.name}, {asked.images.n_bits} bits"
        for labels in pair.labels:
            directions = measure_directions(
                asking,
                asked,
                labels,
                pair.own,
                visual=pair.visual,
                cutoffs=wanted.cutoffs,
                token=token,
                on_progress=functools.partial(on_progress, what),
            )
            notes = notes_on(
                directions,
                wanted.cutoffs,
                n_gallery=min(_sizes(asked)),
                n_in_gallery=pair.own.n_there,
                visual=pair.visual,
            )
            yield HashingReport(
                model=package.name,
                binarised=binarised,
                dataset=pair.queries.name,
                split=pair.queries.split,
                gallery=pair.gallery.name,
                gallery_split=pair.gallery.split,
                labels=labels.name,
                n_bits=asked.images.n_bits,
                directions=directions,
                cutoffs=wanted.cutoffs,
                n_items=(*_sizes(asking), *_sizes(asked)),
                rule=labels.rule,
                visual=pair.visual,
                preset=wanted.preset.name if wanted.preset else "",
                trained_on=training_data_of(package),
                notes=(*pair.notes, *seen, *notes),
            )


def _sizes(split: CodedSplit) -> tuple[int, int]:
    return len(split.images), len(split.sentences)


def _ways_to_codes(gallery: EncodedSplit, wanted: HashingEvaluation) -> Iterator[tuple[str, Binarise | None]]:
    """Names of ways to make codes of what a model gives, and the ways; one without a name for a model of codes."""
    if not isinstance(gallery.images, Embeddings) or not isinstance(gallery.sentences, Embeddings):
        yield "", None
        return
    for name in wanted.binarise:
        for n_bits in wanted.bits:
            if name == "lsh":
                yield name, fit_lsh(gallery.images.dim, n_bits, LSH_SEED).encode
            else:
                both = Embeddings(np.concatenate([gallery.images.values, gallery.sentences.values]))
                yield name, fit_itq(both, n_bits).encode
