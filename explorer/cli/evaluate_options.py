"""What ``evaluate`` can be told, and which of it belongs to which protocol."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from explorer.errors import ConfigError

if TYPE_CHECKING:
    from explorer.evaluation.clips import ClipReading

HASHING = "hashing"


class TiesChoice(StrEnum):
    """How an item stands among others of exactly its score."""

    PESSIMISTIC = "pessimistic"
    MEAN = "mean"


class ClipsChoice(StrEnum):
    """What of a clip is ranked."""

    WHOLE = "whole"
    BEST_SHOT = "best-shot"


class NormaliserChoice(StrEnum):
    """What AP@k is divided by."""

    FOUND = "found"
    POSSIBLE = "possible"


DatasetOption = Annotated[
    list[Path],
    typer.Option(
        help="A Karpathy json, its photos in images/ beside it; a folder of clips with captions.json, or MSR-VTT's "
        "json or csv; or a folder of feature files ({split}_ims.npy). More than once: each is measured, for example "
        "one that the model was not trained on."
    ),
]
ModelsOption = Annotated[list[str] | None, typer.Option("--model", "-m", help="May be given more than once.")]
SplitOption = Annotated[
    str | None, typer.Option(help="By default val of a json, dev of a folder, or the protocol's own: test, testall.")
]
ImagesOption = Annotated[
    list[Path] | None,
    typer.Option(help="Folder of the photos or clips, if it is not images/ or videos/; once for each data set."),
]
ItemsOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Only photos or clips whose name fits, for example 'clips/*' or '*.mp4'. More than once: fits any.",
    ),
]
ClipsOption = Annotated[
    ClipsChoice | None,
    typer.Option(
        help="Each clip as a whole (the default), or by its shots as `index` sees them, the best of which counts."
    ),
]
FramesOption = Annotated[
    int | None,
    typer.Option(
        min=1, max=256, help="Frames of a whole clip that a model of pictures sees, 8 by default; their mean counts."
    ),
]
EquivalentsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="A list of what fits as well as what a sentence was written for; recall is then said twice.",
    ),
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
        help="image-sentence (all photos or clips of a split), flickr30k-1k, coco-5k, coco-1k (mean of five folds), "
        "msr-vtt, msr-vtt-1k-a, or hashing (binary codes: who shares a label with the query).",
    ),
]
FoldsOption = Annotated[
    int | None, typer.Option(min=1, help="Mean of so many folds of consecutive photos; each fold is reported.")
]
EnsembleOption = Annotated[bool, typer.Option("--ensemble", help="Measure the mean of the models' similarities, too.")]
TiesOption = Annotated[
    TiesChoice | None,
    typer.Option(
        help="Rank among equal scores: last (pessimistic, the default) or in the middle. The other is reported too."
    ),
]
EccvOption = Annotated[
    Path | None, typer.Option(help="Folder of ECCV Caption's json files: mAP@R, R-Precision, R@1 on COCO's test split.")
]
TimingOption = Annotated[bool, typer.Option("--timing", help="Time of a query: encode, score, sort, Kpps.")]
CsvOption = Annotated[
    Path | None, typer.Option("--csv", help="Write the numbers to this file as well; of hashing, the curves by radius.")
]
_OF_HASHING = "Protocol hashing"
LabelsOption = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_OF_HASHING,
        help="Which classes each photo has, as `labels` writes it. More than once: each is measured by itself. By "
        "default those that a data set of clips brings.",
    ),
]
RelevanceOption = Annotated[
    str | None,
    typer.Option(
        metavar="any,equal,GROUP+GROUP",
        rich_help_panel=_OF_HASHING,
        help="What answers a query: what shares a label (any, the default), all labels (equal), or one of each group, "
        "labels being called group:name. Several, with commas: each is measured by itself.",
    ),
]
GalleryOption = Annotated[
    Path | None,
    typer.Option(rich_help_panel=_OF_HASHING, help="The data set that is searched; by default that of the queries."),
]
GallerySplitOption = Annotated[
    str | None,
    typer.Option(rich_help_panel=_OF_HASHING, help="Its split, for example train; by default that of the queries."),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=_OF_HASHING,
        help="A published division in the place of splits: coco-5000, iapr-tc12, mirflickr-25k, mirflickr-25k-dcmh or "
        "nus-wide-21. --split then names which photos are divided, by default all.",
    ),
]
BinariseOption = Annotated[
    str | None,
    typer.Option(
        metavar="lsh,itq",
        rich_help_panel=_OF_HASHING,
        help="Make codes of a model's embeddings: by the sign of a random projection, or by ITQ fitted on the gallery.",
    ),
]
BitsOption = Annotated[
    str | None,
    typer.Option(metavar="64,...", rich_help_panel=_OF_HASHING, help="Lengths of those codes; 64 by default."),
]
AtOption = Annotated[
    str | None,
    typer.Option("--at", metavar="50,500", rich_help_panel=_OF_HASHING, help="The k of mAP@k; 50,500 by default."),
]
PrecisionAtOption = Annotated[
    str | None,
    typer.Option(metavar="100,...", rich_help_panel=_OF_HASHING, help="The n of precision@n; 100 by default."),
]
NormaliserOption = Annotated[
    NormaliserChoice | None,
    typer.Option(
        rich_help_panel=_OF_HASHING,
        help="What AP@k is divided by: the relevant items found among the first k (as DCMH's and DeepHash's code; the "
        "default), or as many as there could be.",
    ),
]
FigureOption = Annotated[
    Path | None,
    typer.Option("--figure", rich_help_panel=_OF_HASHING, help="Draw the curves: a .png, .svg or .pdf file."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAlways:
    """What every protocol can be told."""

    models: Sequence[str]
    datasets: Sequence[Path]
    split: str | None
    images: Sequence[Path]
    items: Sequence[str]
    clips: ClipsChoice | None
    frames: int | None
    csv: Path | None
    device: str
    as_json: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenForRecall:
    """What the protocols of photos and sentences can be told."""

    features: Sequence[str] | None
    folds: int | None
    ensemble: bool
    ties: TiesChoice | None
    eccv: Path | None
    equivalents: Path | None
    timing: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenForCodes:
    """What the protocol ``hashing`` can be told."""

    labels: Sequence[Path] | None
    relevance: str | None
    gallery: Path | None
    gallery_split: str | None
    preset: str | None
    binarise: str | None
    bits: str | None
    at: str | None
    precision_at: str | None
    normaliser: NormaliserChoice | None
    figure: Path | None


def clip_reading(given: GivenAlways) -> "ClipReading":
    """How clips are read; ``typer.BadParameter`` where frames of a whole clip are counted and shots are ranked."""
    from explorer.evaluation.clips import FRAMES_PER_CLIP, ClipReading, ClipRows

    rows = ClipRows((given.clips or ClipsChoice.WHOLE).value)
    if given.frames is not None and rows is ClipRows.BEST_SHOT:
        raise typer.BadParameter("--frames belongs to --clips whole; a shot has the frames that `index` looks at.")
    return ClipReading(rows, FRAMES_PER_CLIP if given.frames is None else given.frames)


def refuse_given(options: GivenForRecall | GivenForCodes, protocol: str) -> None:
    """See that none of these was given; ``typer.BadParameter`` names the first that was."""
    for field in fields(options):
        if getattr(options, field.name) not in (None, False, [], ()):
            raise typer.BadParameter(f"--{field.name.replace('_', '-')} does not belong to the protocol {protocol}.")


def require_folder_of(path: Path | None) -> None:
    """See that a file can be written there, before work begins whose result would be lost; ``ConfigError``."""
    if path is not None and not path.absolute().parent.is_dir():
        raise ConfigError(f"There is no folder {path.absolute().parent} to write {path.name} to.", "Make it first.")
