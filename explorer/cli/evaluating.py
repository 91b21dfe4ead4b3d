"""``evaluate``: how good models are, alone and together, by the field's protocols."""

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cancellation import Cancelled
from explorer.cli.shared import (
    DEFAULT_MODEL,
    DeviceOption,
    JsonOption,
    places_of,
    print_out,
    progress_bar,
    say,
    stoppable,
)
from explorer.errors import ConfigError, UserFacingError

if TYPE_CHECKING:
    from explorer.evaluation.report import EvaluationReport


class TiesChoice(StrEnum):
    """How an item stands among others of exactly its score."""

    PESSIMISTIC = "pessimistic"
    MEAN = "mean"


DatasetOption = Annotated[
    list[Path],
    typer.Option(
        help="A Karpathy json, its photos in images/ beside it, or a folder of feature files ({split}_ims.npy). More "
        "than once: each is measured, for example one that the model was not trained on."
    ),
]
ModelsOption = Annotated[list[str] | None, typer.Option("--model", "-m", help="May be given more than once.")]
SplitOption = Annotated[
    str | None, typer.Option(help="By default val of a json, dev of a folder, or the protocol's own: test, testall.")
]
ImagesOption = Annotated[
    list[Path] | None, typer.Option(help="Folder of the photos, if it is not images/; once for each data set.")
]
FeaturesOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="MODEL=FOLDER",
        help="This model reads features of the same photos from this folder: a region and a grid model together.",
    ),
]
ProtocolOption = Annotated[
    str,
    typer.Option(
        "--protocol",
        help="image-sentence (all photos of a split), flickr30k-1k, coco-5k, or coco-1k (mean of five folds).",
    ),
]
FoldsOption = Annotated[
    int | None, typer.Option(min=1, help="Mean of so many folds of consecutive photos; each fold is reported.")
]
EnsembleOption = Annotated[bool, typer.Option("--ensemble", help="Measure the mean of the models' similarities, too.")]
TiesOption = Annotated[
    TiesChoice, typer.Option(help="Rank among equal scores: last, or in the middle. The other one is reported too.")
]
EccvOption = Annotated[
    Path | None, typer.Option(help="Folder of ECCV Caption's json files: mAP@R, R-Precision, R@1 on COCO's test split.")
]
TimingOption = Annotated[bool, typer.Option("--timing", help="Time of a query: encode, score, sort, Kpps.")]
CsvOption = Annotated[Path | None, typer.Option("--csv", help="Write the numbers to this file as well.")]


def evaluate(  # noqa: PLR0913 - a command's options
    context: typer.Context,
    dataset: DatasetOption,
    model: ModelsOption = None,
    split: SplitOption = None,
    images: ImagesOption = None,
    features: FeaturesOption = None,
    protocol_name: ProtocolOption = "image-sentence",
    folds: FoldsOption = None,
    ensemble: EnsembleOption = False,
    ties: TiesOption = TiesChoice.PESSIMISTIC,
    eccv: EccvOption = None,
    timing: TimingOption = False,
    csv: CsvOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Measure models on captioned data sets: recall both ways, median and mean ranks, rSum."""
    names = list(dict.fromkeys(model or [DEFAULT_MODEL]))
    if images and len(images) != len(dataset):
        raise typer.BadParameter(f"--images was given {len(images)} times for {len(dataset)} data sets.")
    if ensemble and len(names) < 2:
        raise typer.BadParameter("--ensemble needs at least two models: give --model more than once.")
    if csv is not None and not csv.absolute().parent.is_dir():
        raise ConfigError(f"There is no folder {csv.absolute().parent} to write {csv.name} to.", "Make it first.")
    from explorer.engine.evaluating import Evaluation, evaluate_models
    from explorer.evaluation.protocols import protocol_named

    wanted = Evaluation(
        models=tuple(names),
        datasets=tuple(dataset),
        images=tuple(images or ()),
        features=_features(features or (), names),
        protocol=protocol_named(protocol_name).with_folds(folds),
        split=split,
        ties=ties.value,
        ensemble=ensemble,
        eccv=eccv,
        timing=timing,
    )
    with stoppable() as token, progress_bar() as bar:
        task = bar.add_task("", total=None)
        try:
            reports = evaluate_models(
                wanted,
                model_folders=places_of(context).model_folders,
                device=device,
                token=token,
                on_progress=lambda what, done, total: bar.update(task, description=what, completed=done, total=total),
            )
        except Cancelled:
            raise UserFacingError("Stopped; nothing was measured to its end.", "Run the same command again.") from None
    _write(reports, as_json=as_json, csv=csv)


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
