"""Where a split comes from: a json with photos, or a folder of published feature files."""

from pathlib import Path

from explorer.datasets.karpathy import CaptionedImages, read_karpathy
from explorer.evaluation.judgements import GalleryIds
from explorer.evaluation.protocols import RetrievalProtocol

Source = CaptionedImages


def read_source(dataset: Path, protocol: RetrievalProtocol, *, split: str | None, images: Path | None) -> Source:
    """Read a split; nothing is decoded yet.

    Parameters
    ----------
    dataset
        a json in Karpathy's form.
    protocol
        names the split where ``split`` does not.
    split
        None: the protocol's own.
    images
        where the photos are; None: ``images`` beside the json.

    Raises
    ------
    DatasetError
        the file is not of this form, there is no such split, or photos are missing.
    """
    return read_karpathy(dataset, split=split or protocol.json_split, images_folder=images)


def ids_of(source: Source, eccv: Path) -> GalleryIds:
    """The data set's own ids, for files of judgements that speak of them."""
    del eccv
    return GalleryIds(source.image_ids, tuple(number for own in source.sent_ids for number in own))
