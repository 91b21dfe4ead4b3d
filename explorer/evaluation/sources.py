"""Where a split comes from: an annotation file with photos or clips, or a folder of published feature files."""

from pathlib import Path

from explorer.datasets.captioned import is_captioned_folder, read_all_captioned, read_captioned, usual_split
from explorer.datasets.feature_folder import is_feature_folder, open_feature_folder
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import DatasetError
from explorer.evaluation.encoding import Source
from explorer.evaluation.judgements import GalleryIds, read_sentence_ids
from explorer.evaluation.protocols import RetrievalProtocol


def read_source(dataset: Path, protocol: RetrievalProtocol, *, split: str | None, images: Path | None) -> Source:
    """Open a split; nothing is decoded yet.

    Parameters
    ----------
    dataset
        a file or folder that :func:`~explorer.datasets.captioned.read_captioned` reads, or a folder with
        ``{split}_caps.txt`` and its features.
    protocol
        names the split where ``split`` does not.
    split
        None: the protocol's own.
    images
        where the photos or clips are, if not where the reader looks; of feature files, where the region files are.

    Raises
    ------
    DatasetError
        the file or folder is not of these forms, there is no such split, files are missing or do not fit.
    """
    if is_feature_folder(dataset):
        return open_feature_folder(dataset, split=split or protocol.folder_split, regions_folder=images)
    if dataset.is_dir() and not is_captioned_folder(dataset):
        raise DatasetError(
            f"The folder {dataset} holds no feature files: none is called like test_caps.txt; nor captions.json.",
            "Name the json file of a data set, or a folder with {split}_caps.txt and {split}_ims.npy.",
        )
    wanted = split or usual_split(dataset, protocol.json_split)
    return read_captioned(dataset, split=wanted, images_folder=images)


def read_every_split(dataset: Path, *, split: str | None, images: Path | None) -> CaptionedImages:
    """All photos of a data set that a published division divides anew, in the order of its file.

    Parameters
    ----------
    dataset
        a file or folder that :func:`~explorer.datasets.captioned.read_captioned` reads.
    split
        only these splits, joined by plus signs; None: all of them.
    images
        where the photos are, ``images`` beside the json by default.

    Raises
    ------
    DatasetError
        as the readers do; it is a folder of feature files, each of which holds one split.
    """
    if dataset.is_dir() and not is_captioned_folder(dataset):
        raise DatasetError(
            f"{dataset} is a folder, and a preset divides all photos of one json file.",
            "Name the json, or name splits with --split and --gallery-split in the place of --preset.",
        )
    if split is None:
        return read_all_captioned(dataset, images_folder=images)
    return read_captioned(dataset, split=split, images_folder=images)


def require_same_sentences(source: Source, other: Source) -> None:
    """See that two forms of a split have the same sentences of the same photos, in one order.

    Raises
    ------
    DatasetError
        they do not; the error names the first difference. Space and case are no difference.
    """
    if len(source) != len(other):
        raise DatasetError(
            f"{source.name} {source.split} has {len(source):,} photos and {other.name} {other.split} {len(other):,}.",
            "Models are measured together on the same split only.",
        )
    for place, (ours, theirs) in enumerate(zip(source.sentences, other.sentences, strict=True)):
        if [_plain(sentence) for sentence in ours] != [_plain(sentence) for sentence in theirs]:
            raise DatasetError(
                f"The sentences of photo {place} are others in {other.name} {other.split} than in {source.name} "
                f"{source.split}.",
                "Models are measured together on the same photos and sentences, in one order.",
            )


def _plain(sentence: str) -> str:
    return " ".join(sentence.split()).casefold()


def ids_of(source: Source, judgements: Path) -> GalleryIds:
    """The data set's own ids, for files of judgements that speak of them.

    Folders of feature files have no ids of sentences: those are then read from a file beside the judgements.

    Raises
    ------
    DatasetError
        the photos' ids are no numbers, or the sentences' cannot be read.
    """
    if isinstance(source, CaptionedImages):
        return GalleryIds(source.image_ids, tuple(number for own in source.sent_ids for number in own))
    strange = [number for number in source.image_ids if not number.isdecimal()]
    if strange:
        raise DatasetError(f"{source.name} has the photo id {strange[0]!r}, which is no number.", "Use COCO's ids.")
    n_sentences = sum(len(own) for own in source.sentences)
    return GalleryIds(tuple(map(int, source.image_ids)), read_sentence_ids(judgements, n_sentences))
