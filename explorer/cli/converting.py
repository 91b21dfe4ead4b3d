"""``convert``: a data set of hashing papers as a Karpathy json and a label file, which other commands read."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cli.shared import say
from explorer.errors import ConfigError

if TYPE_CHECKING:
    from explorer.datasets.labelled import LabelledItems


class DatasetForm(StrEnum):
    """How the data set was published."""

    COCO = "coco"
    IAPR = "iapr"
    WEB_QUERIES = "web-queries"


FormArgument = Annotated[DatasetForm, typer.Argument(help="Which data set it is.")]
SourceArgument = Annotated[
    Path,
    typer.Argument(help="coco: captions_<split>.json. iapr: the folder iaprtc12. web-queries: the unpacked folder."),
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="The json to write.")]
LabelsOption = Annotated[Path, typer.Option("--labels", help="The label file to write.")]
AnnotationsOption = Annotated[
    Path | None, typer.Option(help="coco: instances_<split>.json. iapr: the folder saiaprtc12ok/benchmark.")
]
ImagesOption = Annotated[Path | None, typer.Option(help="coco: folder of the photos, if it is not beside the json.")]
MostFrequentOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Keep the N labels that most items have, and their items.")
]


def convert(
    form: FormArgument,
    source: SourceArgument,
    output: OutputOption,
    labels: LabelsOption,
    annotations: AnnotationsOption = None,
    images: ImagesOption = None,
    most_frequent: MostFrequentOption = None,
) -> None:
    """Write a published data set with labels as files that the other commands read; its photos stay where they are."""
    from explorer.datasets.exporting import write_as_karpathy

    items = _read(form, source, annotations, images)
    if most_frequent is not None:
        items = items.with_most_frequent(most_frequent)
    written = write_as_karpathy(items, output, labels)
    without = f", {written.n_without_text:,} without a sentence left out" if written.n_without_text else ""
    say(f"Wrote {output} and {labels}: {written.n_items:,} items of {len(items.label_names):,} labels{without}.")
    say(f"Name the split all, and the photos with --images {written.images_folder}.")


def _read(form: DatasetForm, source: Path, annotations: Path | None, images: Path | None) -> "LabelledItems":
    from explorer.datasets.coco_labels import read_coco_items
    from explorer.datasets.iapr import read_iapr
    from explorer.datasets.web_queries import read_web_queries

    if form is DatasetForm.WEB_QUERIES:
        return read_web_queries(source)
    if annotations is None:
        raise ConfigError(f"The labels of {form} are in files of their own.", "Name them with --annotations.")
    if form is DatasetForm.IAPR:
        return read_iapr(source, annotations)
    return read_coco_items(annotations, captions=source, images_folder=images)
