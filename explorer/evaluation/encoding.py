"""A data set through a model: photos, or feature files somebody published, and sentences become embeddings or codes."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.datasets.clips import CaptionedClips
from explorer.datasets.feature_folder import FeatureFolder
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import ConfigError, DatasetError, MediaError
from explorer.evaluation.clips import ClipReading, ClipRows, encode_clips, require_seen
from explorer.evaluation.image_text import owners_of
from explorer.evaluation.similarities import EncodedPairs
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.networks.encoder import Encoder
from explorer.networks.feature_reader import FeatureReader
from explorer.representations import BinaryCodes, Embeddings

# Small enough that a stop is seen within two seconds on a CPU, also with BERT; large enough for the network.
_IMAGE_BATCH = 16
_TEXT_BATCH = 32
_BATCH_WORDS = 640
"""Words of a batch, each sentence counted as long as the longest beside it: networks pad to that."""

OnProgress = Callable[[int, int], None]
"""Hears how many photos and sentences are encoded, and how many there are."""

Source = CaptionedImages | FeatureFolder
"""A split: sentences with their photos or clips, or with features that somebody computed of photos."""

EncodeRows = Callable[[slice], Embeddings | BinaryCodes]


@dataclass(frozen=True, slots=True)
class EncodedSplit:
    """A split as a model sees it, in embeddings or in codes.

    Attributes:
        images: n of them; or, with ``firsts``, a row for each shot of n clips.
        sentences: m of them.
        owners: int64 (m,), photo or clip that each sentence belongs to.
        firsts: int64 (n + 1,), where the rows of each clip begin and the last one's end; None where each has one.
    """

    images: Embeddings | BinaryCodes
    sentences: Embeddings | BinaryCodes
    owners: np.ndarray
    firsts: np.ndarray | None = None


def encode_split(
    encoder: Encoder,
    source: Source,
    *,
    clips: ClipReading | None = None,
    token: CancellationToken | None = None,
    on_progress: OnProgress | None = None,
) -> EncodedSplit:
    """Encode all photos, clips or features, then all sentences of a split.

    Parameters
    ----------
    encoder
        any model that reads sentences and pictures, or sentences and features.
    source
        the split; photos are decoded here and squashed to the model's square, features are read a batch at a time.
    clips
        how clips are read; by default each as a whole.
    token
        looked at between batches.
    on_progress
        hears how far it is.

    Raises
    ------
    DatasetError
        a photo, a clip or a row of features cannot be read: leaving it out would measure something else.
    ConfigError
        the model reads no features, or no clips.
    Cancelled
        a stop was asked for.
    """
    texts = [sentence for own in source.sentences for sentence in own]
    require_readable(encoder, source)
    progress = _Progress(len(source) + len(texts), token or CancellationToken(), on_progress)
    images, firsts = _encode_seen(encoder, source, clips or ClipReading(), progress)
    sentences = _encode_in_batches(lambda rows: encoder.encode_texts(texts[rows]), _text_batches(texts), progress)
    return EncodedSplit(images, sentences, owners_of([len(own) for own in source.sentences]), firsts)


def encode_pairs(
    encoder: Encoder,
    source: Source,
    *,
    clips: ClipReading | None = None,
    token: CancellationToken | None = None,
    on_progress: OnProgress | None = None,
) -> EncodedPairs:
    """Encode a split to be ranked by products of numbers; as :func:`encode_split`.

    Codes of photos are a ``ConfigError``; those of clips become their signs: products fall as Hamming distance rises.
    """
    encoded = encode_split(encoder, source, clips=clips, token=token, on_progress=on_progress)
    as_numbers = _signs if isinstance(source, CaptionedClips) else _real
    return EncodedPairs(
        as_numbers(encoded.images), as_numbers(encoded.sentences), encoded.owners, encoded.firsts
    )


def encode_gallery(
    encoder: Encoder,
    source: Source,
    n_images: int,
    *,
    token: CancellationToken | None = None,
    on_progress: OnProgress | None = None,
) -> np.ndarray:
    """Embeddings of the first photos or clips of a split alone, float32 (n, dim); raises as :func:`encode_pairs`."""
    n = min(n_images, len(source))
    progress = _Progress(n, token or CancellationToken(), on_progress)
    if isinstance(source, CaptionedClips):
        source = source.at(range(n), split=source.split)
    return _real(_encode_seen(encoder, source, ClipReading(), progress, n)[0])


def require_readable(encoder: Encoder, source: Source) -> None:
    """See that a model can read what the split holds; :class:`ConfigError` where it cannot: features, clips, photos."""
    if isinstance(source, CaptionedClips):
        require_seen(encoder, source)
    else:
        _reader_of(encoder, source)


def _encode_seen(
    encoder: Encoder, source: Source, clips: ClipReading, progress: "_Progress", n_images: int | None = None
) -> tuple[Embeddings | BinaryCodes, np.ndarray | None]:
    """What sentences are about, and where the rows of each clip begin if clips have several."""
    if not isinstance(source, CaptionedClips):
        batches = _image_batches(len(source) if n_images is None else n_images)
        return _encode_in_batches(_reader_of(encoder, source), batches, progress), None
    progress.add(0)
    encoded = encode_clips(encoder, source, clips, token=progress.token, on_clip=lambda: progress.add(1))
    return encoded.rows, encoded.firsts if clips.rows is ClipRows.BEST_SHOT else None


def _reader_of(encoder: Encoder, source: Source) -> EncodeRows:
    """What encodes some images of the split."""
    if isinstance(source, CaptionedImages):
        return lambda rows: encoder.encode_images(_load_squares(source.image_paths[rows], encoder.side_px))
    if not isinstance(encoder, FeatureReader):
        raise ConfigError(
            f"The model {encoder.name} reads photos, but {source.name} is a folder of feature files.",
            "Choose a model of such features (`retrieval-explorer models import`), or a data set with photos.",
        )
    reader: FeatureReader = encoder
    return lambda rows: reader.encode_features(*source.batch(rows).parts())


class _Progress:
    """Counts what is encoded, tells it, and stops when asked to."""

    def __init__(self, n_total: int, token: CancellationToken, on_progress: OnProgress | None) -> None:
        self._n_total = n_total
        self.token = token
        self._on_progress = on_progress
        self._n_done = 0

    def add(self, n: int) -> None:
        self._n_done += n
        if self._on_progress is not None:
            self._on_progress(self._n_done, self._n_total)
        self.token.check()


def _image_batches(n: int) -> Iterator[slice]:
    return (slice(start, min(start + _IMAGE_BATCH, n)) for start in range(0, n, _IMAGE_BATCH))


def _text_batches(texts: Sequence[str]) -> Iterator[slice]:
    """Consecutive sentences, fewer at a time where they are long; one that is too long stands alone."""
    start = longest = 0
    for place, text in enumerate(texts):
        n_words = len(text.split()) + 1
        n = place - start
        if n == _TEXT_BATCH or (n and (n + 1) * max(longest, n_words) > _BATCH_WORDS):
            yield slice(start, place)
            start, longest = place, 0
        longest = max(longest, n_words)
    if start < len(texts):
        yield slice(start, len(texts))


def _encode_in_batches(
    encode: EncodeRows, batches: Iterable[slice], progress: _Progress
) -> Embeddings | BinaryCodes:
    """What all batches became, in one piece."""
    progress.add(0)
    values: list[np.ndarray] = []
    packed: list[np.ndarray] = []
    for rows in batches:
        encoded = encode(rows)
        if isinstance(encoded, Embeddings):
            values.append(encoded.values)
        else:
            packed.append(encoded.packed)
        progress.add(rows.stop - rows.start)
    return BinaryCodes(np.concatenate(packed)) if packed else Embeddings(np.concatenate(values))


def _real(encoded: Embeddings | BinaryCodes) -> np.ndarray:
    """Embeddings as float32 (n, dim)."""
    if isinstance(encoded, BinaryCodes):
        raise ConfigError(
            "The protocol image-sentence needs real embeddings of photos, and this model makes binary codes.",
            "Choose another model, or --protocol hashing.",
        )
    return encoded.values


def _signs(encoded: Embeddings | BinaryCodes) -> np.ndarray:
    """Embeddings, or the signs of codes, as float32 (n, dim); whole numbers, so that equal distances stay equal."""
    return encoded.values if isinstance(encoded, Embeddings) else encoded.signs.astype(np.float32)


def _load_squares(paths: Sequence[Path], side_px: int) -> np.ndarray:
    """Photos as uint8 RGB (n, side_px, side_px, 3)."""
    squares = np.empty((len(paths), side_px, side_px, 3), np.uint8)
    for square, path in zip(squares, paths, strict=True):
        try:
            square[:] = squash(decode_image(read_content(os.fsencode(path)), min_edge_px=side_px).pixels, side_px)
        except MediaError as error:
            raise DatasetError(
                f"The photo {path} cannot be read. {error}",
                "Put a sound copy in its place; leaving it out would not do.",
            ) from error
    return squares
