"""``labels``: write which classes are in the photos of a data set that has none."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from explorer.cancellation import Cancelled
from explorer.cli.shared import DeviceOption, places_of, progress_bar, say, stoppable
from explorer.errors import UserFacingError


class LabelSource(StrEnum):
    """Where classes come from."""

    SENTENCES = "sentences"
    DETECTIONS = "detections"


DatasetArgument = Annotated[
    Path, typer.Argument(help="A Karpathy json or COCO captions; the first five sentences of a photo are read.")
]
SourceOption = Annotated[
    LabelSource, typer.Option("--from", help="COCO's 80 things: named in the sentences, or found by region proposals.")
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="The label file to write.")]
SplitOption = Annotated[str, typer.Option(help="Of a Karpathy json; several are joined by a plus sign.")]
ImagesOption = Annotated[Path | None, typer.Option(help="Folder of the photos, if it is not images/.")]
WithoutOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="Leave this class out, for example person. May be given more than once."),
]
MinScoreOption = Annotated[
    float,
    typer.Option(
        min=0.0,
        max=1.0,
        help="Of detections: less sure ones do not count. By default about as many do as YOLOX-nano finds, and they "
        "agree best with it (F1 0.43 on 500 photos of Flickr8k that it did not teach).",
    ),
]
VisionOption = Annotated[str, typer.Option("--model", "-m", help="Of detections: the vision package that proposes.")]


def labels(  # noqa: PLR0913 - a command's options
    context: typer.Context,
    dataset: DatasetArgument,
    source: SourceOption,
    output: OutputOption,
    split: SplitOption = "train+val",
    images: ImagesOption = None,
    without: WithoutOption = None,
    min_score: MinScoreOption = 0.19,
    model: VisionOption = "vision-lite0",
    device: DeviceOption = "auto",
) -> None:
    """Write which classes are in the photos of a data set, to train and measure hash codes by.

    The file appears whole or not at all: Ctrl-C is safe.
    """
    from explorer.datasets.labels import check_label_target, write_labels
    from explorer.engine.labelling import Labelling, label_by_detections, label_by_sentences, load_proposing_vision

    check_label_target(output)
    wanted = Labelling(dataset=dataset, split=split, images_folder=images, without=tuple(without or ()))
    if source is LabelSource.SENTENCES:
        found = label_by_sentences(wanted)
    else:
        vision = load_proposing_vision(model, model_folders=places_of(context).model_folders, device=device)
        with stoppable() as token, progress_bar() as bar:
            task = bar.add_task("looking", total=None)
            try:
                found = label_by_detections(
                    wanted,
                    vision,
                    min_score=min_score,
                    token=token,
                    on_progress=lambda n_done, n_total: bar.update(task, completed=n_done, total=n_total),
                )
            except Cancelled:
                raise UserFacingError("Stopped; no labels were written.", "Run the same command again.") from None
        if vision.notice:
            say(vision.notice)
    write_labels(output, found)
    n_labelled = sum(map(bool, found.items.values()))
    say(f"Wrote {output}: {n_labelled:,} of {len(found.items):,} items have a class.")
