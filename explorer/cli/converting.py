"""``convert``: a data set of hashing papers as a Karpathy json and a label file, which other commands read."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.cancellation import Cancelled
from explorer.cli.shared import progress_bar, say, stoppable
from explorer.errors import ConfigError, UserFacingError

if TYPE_CHECKING:
    from explorer.datasets.labelled import LabelledItems


class DatasetForm(StrEnum):
    """How the data set was published."""

    COCO = "coco"
    IAPR = "iapr"
    WEB_QUERIES = "web-queries"
    DCMH = "dcmh"
    MAT_LISTS = "mat-lists"


FormArgument = Annotated[DatasetForm, typer.Argument(help="Which data set it is.")]
SourceArgument = Annotated[
    Path,
    typer.Argument(
        help="coco: captions_<split>.json. iapr: the folder iaprtc12. web-queries: the unpacked folder. dcmh: a .mat "
        "file with images, YAll and LAll. mat-lists: the folder of imgList, tagList and labelList."
    ),
]
OutputOption = Annotated[Path, typer.Option("--output", "-o", help="The json to write.")]
LabelsOption = Annotated[Path, typer.Option("--labels", help="The label file to write.")]
AnnotationsOption = Annotated[
    Path | None, typer.Option(help="coco: instances_<split>.json. iapr: the folder saiaprtc12ok/benchmark.")
]
ImagesOption = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the photos. coco: if it is not beside the json. mat-lists: needed. dcmh: where the photos are "
        "written, by default images/ beside the json."
    ),
]
MostFrequentOption = Annotated[
    int | None, typer.Option(min=1, metavar="N", help="Keep the N labels that most items have, and their items.")
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        help="Name the splits by a published division: queries, train and database, for example mirflickr-25k-dcmh."
    ),
]


def convert(
    form: FormArgument,
    source: SourceArgument,
    output: OutputOption,
    labels: LabelsOption,
    annotations: AnnotationsOption = None,
    images: ImagesOption = None,
    most_frequent: MostFrequentOption = None,
    preset: PresetOption = None,
) -> None:
    """Write a published data set with labels as files that the other commands read; photos that are files stay there.

    Tags become sentences of the words tag1, tag2, ...: what a bag of words is made of.
    """
    from explorer.datasets.exporting import write_as_karpathy
    from explorer.datasets.tags import most_tags

    items = _read(form, source, annotations, images)
    if form is DatasetForm.DCMH:
        items = _with_photos(items, source, output.absolute().parent / "images" if images is None else images)
    if most_frequent is not None:
        items = items.with_most_frequent(most_frequent)
    splits = None if preset is None else _splits(preset, items)
    written = write_as_karpathy(items, output, labels, splits=splits)
    without = f", {written.n_without_text:,} without a sentence left out" if written.n_without_text else ""
    say(f"Wrote {output} and {labels}: {written.n_items:,} items of {len(items.label_names):,} labels{without}.")
    named = "Name the split all" if splits is None else f"Its splits are {', '.join(dict.fromkeys(splits))}"
    say(f"{named}, and the photos with --images {written.images_folder}.")
    if items.tags is not None:
        say(f"An item has up to {most_tags(items)} tags: let a recipe's [text] have at least as many n_tokens.")


def _splits(preset: str, items: "LabelledItems") -> list[str]:
    """The split of each item by a published division."""
    from explorer.evaluation.hashing_presets import preset_named

    found = preset_named(preset)
    division = found.divide(len(items))
    for note in found.notes_on(items.name, len(items)):
        say(note)
    names = ["database"] * len(items)
    for rows, name in ((division.queries, "queries"), (division.training, "train")):
        for row in rows.tolist():
            names[row] = name
    return names


def _with_photos(items: "LabelledItems", source: Path, folder: Path) -> "LabelledItems":
    from explorer.datasets.hashing_mat import write_mat_photos

    with stoppable() as token, progress_bar() as bar:
        task = bar.add_task("writing photos", total=None)
        try:
            return write_mat_photos(
                items,
                source,
                folder,
                token=token,
                on_progress=lambda n_done, n_total: bar.update(task, completed=n_done, total=n_total),
            )
        except Cancelled:
            raise UserFacingError(
                f"Stopped; the photos that were written are in {folder}.", "Run the same command again to go on."
            ) from None


def _read(form: DatasetForm, source: Path, annotations: Path | None, images: Path | None) -> "LabelledItems":
    from explorer.datasets.coco_labels import read_coco_items
    from explorer.datasets.hashing_mat import read_dcmh, read_mat_lists
    from explorer.datasets.iapr import read_iapr
    from explorer.datasets.tags import with_tag_sentences
    from explorer.datasets.web_queries import read_web_queries

    if form is DatasetForm.DCMH:
        return with_tag_sentences(read_dcmh(source))
    if form is DatasetForm.MAT_LISTS:
        if images is None:
            raise ConfigError("The lists name photos, which are in a folder of their own.", "Name it with --images.")
        return with_tag_sentences(read_mat_lists(source, images_folder=images))
    if form is DatasetForm.WEB_QUERIES:
        return read_web_queries(source)
    if annotations is None:
        raise ConfigError(f"The labels of {form} are in files of their own.", "Name them with --annotations.")
    if form is DatasetForm.IAPR:
        return read_iapr(source, annotations)
    return read_coco_items(annotations, captions=source, images_folder=images)
