"""``evaluate``: how good models are, alone and together, by the field's protocols."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from explorer.cli.evaluate_options import (
    HASHING,
    AtOption,
    BinariseOption,
    BitsOption,
    ClipsOption,
    CsvOption,
    DatasetOption,
    EccvOption,
    EnsembleOption,
    EquivalentsOption,
    FeaturesOption,
    FigureOption,
    FoldsOption,
    FramesOption,
    GalleryOption,
    GallerySplitOption,
    GivenAlways,
    GivenForCodes,
    GivenForRecall,
    ImagesOption,
    ItemsOption,
    LabelsOption,
    ModelsOption,
    NormaliserOption,
    PrecisionAtOption,
    PresetOption,
    ProtocolOption,
    RelevanceOption,
    SplitOption,
    TiesChoice,
    TiesOption,
    TimingOption,
    clip_reading,
    refuse_given,
    require_folder_of,
)
from explorer.cli.evaluating_hashing import evaluate_codes
from explorer.cli.shared import (
    DEFAULT_MODEL,
    DeviceOption,
    JsonOption,
    measured,
    places_of,
    print_out,
    say,
)
from explorer.errors import ConfigError

if TYPE_CHECKING:
    from explorer.evaluation.report import EvaluationReport


def evaluate(  # noqa: PLR0913 - a command's options
    context: typer.Context,
    dataset: DatasetOption,
    model: ModelsOption = None,
    split: SplitOption = None,
    images: ImagesOption = None,
    items: ItemsOption = None,
    clips: ClipsOption = None,
    frames: FramesOption = None,
    protocol_name: ProtocolOption = "image-sentence",
    features: FeaturesOption = None,
    folds: FoldsOption = None,
    ensemble: EnsembleOption = False,
    ties: TiesOption = None,
    eccv: EccvOption = None,
    equivalents: EquivalentsOption = None,
    timing: TimingOption = False,
    labels: LabelsOption = None,
    relevance: RelevanceOption = None,
    gallery: GalleryOption = None,
    gallery_split: GallerySplitOption = None,
    preset: PresetOption = None,
    binarise: BinariseOption = None,
    bits: BitsOption = None,
    at: AtOption = None,
    precision_at: PrecisionAtOption = None,
    normaliser: NormaliserOption = None,
    figure: FigureOption = None,
    csv: CsvOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure models on data sets: recall of photos or clips and sentences both ways, or rankings of binary codes."""
    always = GivenAlways(
        models=list(dict.fromkeys(model or [DEFAULT_MODEL])), datasets=dataset, split=split, images=images or (),
        items=items or (), clips=clips, frames=frames, csv=csv, device=device, as_json=as_json,
    )  # fmt: skip
    for_recall = GivenForRecall(
        features=features, folds=folds, ensemble=ensemble, ties=ties, eccv=eccv, equivalents=equivalents, timing=timing
    )  # fmt: skip
    for_codes = GivenForCodes(
        labels=labels, relevance=relevance, gallery=gallery, gallery_split=gallery_split, preset=preset,
        binarise=binarise, bits=bits, at=at, precision_at=precision_at, normaliser=normaliser, figure=figure,
    )  # fmt: skip
    model_folders = places_of(context).model_folders
    if protocol_name == HASHING:
        refuse_given(for_recall, HASHING)
        evaluate_codes(always, for_codes, model_folders)
    else:
        refuse_given(for_codes, protocol_name)
        _evaluate_recall(always, for_recall, protocol_name, model_folders)


def _evaluate_recall(
    always: GivenAlways, given: GivenForRecall, protocol_name: str, model_folders: Sequence[Path]
) -> None:
    if always.images and len(always.images) != len(always.datasets):
        raise typer.BadParameter(
            f"--images was given {len(always.images)} times for {len(always.datasets)} data sets."
        )
    if given.ensemble and len(always.models) < 2:
        raise typer.BadParameter("--ensemble needs at least two models: give --model more than once.")
    require_folder_of(always.csv)
    from explorer.engine.evaluating import Evaluation, evaluate_models
    from explorer.evaluation.protocols import protocol_named

    wanted = Evaluation(
        models=tuple(always.models),
        datasets=tuple(always.datasets),
        images=tuple(always.images),
        features=_features(given.features or (), always.models),
        protocol=protocol_named(protocol_name).with_folds(given.folds),
        split=always.split,
        ties=(given.ties or TiesChoice.PESSIMISTIC).value,
        ensemble=given.ensemble,
        eccv=given.eccv,
        timing=given.timing,
        items=tuple(always.items),
        clips=clip_reading(always),
        equivalents=given.equivalents,
    )
    reports = measured(evaluate_models, wanted, device=always.device, model_folders=model_folders)
    _write(reports, as_json=always.as_json, csv=always.csv)


def _features(given: Sequence[str], models: Sequence[str]) -> dict[str, Path]:
    found = {}
    for text in given:
        name, equals, folder = text.partition("=")
        if not equals or not folder or name not in models:
            raise typer.BadParameter(f"--features {text}: say MODEL=FOLDER, with one of {', '.join(models)}.")
        found[name] = Path(folder)
    return found


def _write(reports: "list[EvaluationReport]", *, as_json: bool, csv: Path | None) -> None:
    from explorer.evaluation.tables import to_csv, to_markdown

    if csv is not None:
        try:
            csv.write_text(to_csv(reports), encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"{csv} cannot be written: {error.strerror or error}.", "Name another file.") from error
        say(f"Wrote {csv}.")
    if as_json:
        documents = [report.to_dict() for report in reports]
        print_out(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2))
    else:
        print_out(to_markdown(reports))
