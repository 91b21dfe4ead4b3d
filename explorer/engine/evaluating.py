"""``evaluate``: packages, alone and together, against data sets."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from explorer.cancellation import CancellationToken
from explorer.engine.models import LoadedModels
from explorer.errors import ConfigError
from explorer.evaluation.clips import ClipReading
from explorer.evaluation.comparison import paired_bootstrap
from explorer.evaluation.encoding import Source, encode_pairs, require_readable
from explorer.evaluation.equivalents import Equivalents, read_equivalents
from explorer.evaluation.hashing_report import HASHING
from explorer.evaluation.image_text import Ties
from explorer.evaluation.judgements import GalleryIds, Judgements, read_cxc, read_eccv, require_ids
from explorer.evaluation.judging import chance_of, chance_of_pairs, judge_recall, judge_relevance
from explorer.evaluation.protocols import Measured, RetrievalProtocol, measure
from explorer.evaluation.provenance import training_data_of
from explorer.evaluation.report import EvaluationReport, Margin
from explorer.evaluation.similarities import EncodedPairs, Similarities, fold_slices
from explorer.evaluation.sources import ids_of, read_source, require_same_sentences
from explorer.evaluation.timing import QueryTiming, some_sentences, time_queries
from explorer.evaluation.visual import Visual, chosen_items, visual_of
from explorer.networks.encoder import Encoder
from explorer.packages.package import ModelPackage

N_TIMED_QUERIES = 200

OnProgress = Callable[[str, int, int], None]
"""Hears what is being encoded, how many photos and sentences are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is to be measured.

    Attributes:
        models: names of packages.
        datasets: json files, or folders of clips or of feature files.
        images: the folder of photos or clips of each data set; empty: where its reader looks.
        features: folder of feature files, by model, that it reads in place of a data set's own photos or features.
        split: None: the protocol's own.
        protocol: with its number of folds.
        ties: the rule that the reports' own numbers follow.
        ensemble: whether the mean of all models is measured too.
        eccv: folder of ECCV Caption's files, if it is to be measured.
        timing: whether queries are timed.
        items: patterns of the names of items that are measured; empty: all.
        clips: how clips are read.
        equivalents: list of what fits equally well, if it is to be counted.
    """

    models: tuple[str, ...]
    datasets: tuple[Path, ...]
    protocol: RetrievalProtocol
    images: tuple[Path, ...] = ()
    features: Mapping[str, Path] = field(default_factory=dict)
    split: str | None = None
    ties: Ties = "pessimistic"
    ensemble: bool = False
    eccv: Path | None = None
    timing: bool = False
    items: tuple[str, ...] = ()
    clips: ClipReading = field(default_factory=ClipReading)
    equivalents: Path | None = None


@dataclass(frozen=True, slots=True)
class _Judged:
    """Judgements, and the ids of the gallery that they speak of."""

    ids: GalleryIds
    eccv: Judgements
    cxc: Judgements | None
    notes: tuple[str, ...]


def evaluate_models(
    wanted: Evaluation,
    *,
    model_folders: Sequence[Path],
    device: str,
    token: CancellationToken,
    on_progress: OnProgress,
) -> list[EvaluationReport]:
    """One report for each model, and one for the ensemble, on each data set in turn.

    Everything that can be wrong about names, files, folds and ids is found before anything is encoded.

    Raises
    ------
    DatasetError
        the annotation file, the photos, or ECCV Caption's files are not as they should be.
    PackageError
        there is no such model, or it is damaged.
    ConfigError
        a model makes codes and the data set has photos, photos cannot be cut into the folds, or there is nothing to
        make an ensemble of.
    Cancelled
        a stop was asked for.
    """
    models = LoadedModels(model_folders, device=device)
    tasks = [_prepare(wanted, place, token) for place in range(len(wanted.datasets))]
    for task in tasks:
        for name in wanted.models:
            _require_ranked(models.package(name), wanted, task.source)
    kinds = {models.package(name).manifest.output.kind for name in wanted.models}
    if wanted.ensemble and len(kinds) > 1:
        raise ConfigError("An ensemble has models of embeddings or models of codes, not both.", "Measure them apart.")
    for task in tasks:
        for name in wanted.models:
            require_readable(models.get(name), task.source_of(name))
    reports = []
    for task in tasks:
        measured = [
            task.measure_model(models.get(name), models.package(name), on_progress) for name in wanted.models
        ]
        if wanted.ensemble:
            measured.append(task.measure_ensemble(measured))
        reports += [each.report for each in measured]
    return reports


@dataclass(frozen=True, slots=True)
class _Task:
    """Measuring on one data set."""

    wanted: Evaluation
    source: Source
    own_sources: Mapping[str, Source]
    judged: _Judged | None
    equivalents: Equivalents | None
    token: CancellationToken

    def source_of(self, name: str) -> Source:
        """What a model reads: features of its own, or the data set."""
        return self.own_sources.get(name, self.source)

    def measure_model(self, encoder: Encoder, package: ModelPackage, on_progress: OnProgress) -> Measured:
        def tell(n_done: int, n_total: int) -> None:
            on_progress(f"{package.name} on {self.source.name}", n_done, n_total)

        source = self.source_of(package.name)
        encoded = encode_pairs(encoder, source, clips=self.wanted.clips, token=self.token, on_progress=tell)
        measured = self._measure(Similarities((encoded,)), package.name)
        timing = _time(encoder, source, encoded, self.token) if self.wanted.timing else None
        report = replace(measured.report, trained_on=training_data_of(package), timing=timing)
        if visual_of(source) is not Visual.IMAGE:
            report = replace(report, notes=(*report.notes, self.wanted.clips.note_on(encoder)))
        if source is not self.source:
            report = replace(report, notes=(*report.notes, f"{package.name} read the features of {source.name}."))
        return replace(measured, report=report)

    def measure_ensemble(self, members: Sequence[Measured]) -> Measured:
        """The mean of the members' similarities, and its margin over the best of them."""
        together = Similarities(tuple(part for member in members for part in member.similarities.members))
        names = tuple(member.report.model for member in members)
        measured = self._measure(together, " + ".join(names))
        best = max(members, key=lambda member: member.report.rsum)
        ties = self.wanted.ties
        paired = paired_bootstrap(measured.standings.ranks(ties), best.standings.ranks(ties), together.owners)
        margin = Margin.over_member(best.report.model, paired)
        trained_on = "; ".join(filter(None, dict.fromkeys(member.report.trained_on for member in members)))
        return replace(
            measured, report=replace(measured.report, members=names, margin=margin, trained_on=trained_on)
        )

    def _measure(self, similarities: Similarities, name: str) -> Measured:
        ties = self.wanted.ties
        measured = measure(
            similarities,
            self.wanted.protocol,
            ties=ties,
            model=name,
            dataset=self.source.name,
            split=self.source.split,
            token=self.token,
        )
        report = self._beside_chance(measured.report, similarities)
        if self.judged is None:
            return replace(measured, report=report)
        ids, cxc = self.judged.ids, self.judged.cxc
        report = replace(
            report,
            eccv=judge_relevance(similarities, ids, self.judged.eccv, ties=ties, token=self.token),
            cxc=judge_recall(similarities, ids, cxc, ties=ties, token=self.token) if cxc else None,
            notes=(*report.notes, *self.judged.notes),
        )
        return replace(measured, report=report)

    def _beside_chance(self, report: EvaluationReport, similarities: Similarities) -> EvaluationReport:
        """With what a blind order gets, of clips, and with what fits equally well, where a list of it was given."""
        visual = visual_of(self.source)
        if visual is not Visual.IMAGE:
            report = replace(report, visual=visual, chance=chance_of_pairs(similarities.owners))
        if self.equivalents is None:
            return report
        ids, judgements = self.equivalents.ids, self.equivalents.judgements
        return replace(
            report,
            equivalents=judge_recall(similarities, ids, judgements, ties=self.wanted.ties, token=self.token),
            equivalents_chance=chance_of(judgements, ids),
            notes=(*report.notes, f"{self.equivalents.n_changed:,} queries have more right answers than their own."),
        )


def _require_ranked(package: ModelPackage, wanted: Evaluation, source: Source) -> None:
    """Embeddings can be ranked; codes of clips too, by their Hamming distance, whose many ties stay out of timing."""
    kind = package.manifest.output.kind
    if kind == "code" and visual_of(source) is not Visual.IMAGE and not wanted.timing:
        return
    if kind != "embedding":
        raise ConfigError(
            f"The protocol {wanted.protocol.name} needs real embeddings, and {package.name} makes "
            f"{'binary codes' if kind == 'code' else 'none'}.",
            f"Choose another model, or --protocol {HASHING} for codes.",
        )


def _prepare(wanted: Evaluation, place: int, token: CancellationToken) -> _Task:
    """Open a data set and everything that speaks of it, and see that it fits together."""
    images = wanted.images[place] if wanted.images else None
    source = read_source(wanted.datasets[place], wanted.protocol, split=wanted.split, images=images)
    source = chosen_items(source, wanted.items)
    fold_slices(len(source), wanted.protocol.n_folds)
    own_sources = {}
    for name, folder in wanted.features.items():
        own_sources[name] = read_source(folder, wanted.protocol, split=wanted.split, images=None)
        require_same_sentences(source, own_sources[name])
    equivalents = None if wanted.equivalents is None else read_equivalents(wanted.equivalents, source)
    return _Task(wanted, source, own_sources, _read_judged(wanted.eccv, source), equivalents, token)


def _read_judged(eccv: Path | None, source: Source) -> _Judged | None:
    if eccv is None:
        return None
    ids, both = ids_of(source, eccv), (read_eccv(eccv), read_cxc(eccv))
    missing = {judgements.name: require_ids(judgements, ids) for judgements in both if judgements is not None}
    notes = (f"{n} right answers of {name} are not in the gallery: never found." for name, n in missing.items() if n)
    return _Judged(ids, *both, tuple(notes))


def _time(encoder: Encoder, source: Source, encoded: EncodedPairs, token: CancellationToken) -> QueryTiming:
    return time_queries(encoder, some_sentences(source.sentences, N_TIMED_QUERIES), [encoded.images], token=token)[0]
