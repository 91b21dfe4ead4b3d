"""``reference.json``: inputs with the outputs they gave when the package was made.

The pictures are recipes, not files: integer arithmetic from a seed, the same on every machine and numpy
version.
"""

import hashlib
import math
from collections.abc import Callable, Sequence
from typing import Annotated

import msgspec
import numpy as np

from explorer.errors import PackageError

REFERENCE_TEXTS = (
    "a dog runs across a green field",
    "two people stand on a beach at sunset",
    "a red car is parked in front of a white house",
)
REFERENCE_PICTURE_SEEDS = (1, 2, 3)

TextFunction = Callable[[Sequence[str]], np.ndarray]
"""Sentences to an array (n, d)."""

ImageFunction = Callable[[np.ndarray], np.ndarray]
"""Squares, uint8 RGB (n, side_px, side_px, 3), to an array (n, d)."""

ClipFunction = Callable[[np.ndarray], np.ndarray]
"""Clips, uint8 RGB (n, n_frames, clip_side_px, clip_side_px, 3), to an array (n, d)."""

FeatureFunction = Callable[[Sequence[int]], np.ndarray]
"""Seeds of features that the model makes up for itself, to an array (n, d)."""

_Rows = tuple[tuple[float, ...], ...]


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs with expected outputs; a part that a model has not (a vision package reads no text) is empty.

    Attributes:
        side_px: side of the pictures.
        texts: sentences, with ``text_outputs`` (n, d).
        picture_seeds: recipes for :func:`synthetic_picture`, with ``picture_outputs`` (n, d).
        feature_seeds: recipes for :func:`synthetic_numbers`, of which a model that reads features instead of pictures
            makes its inputs, with ``feature_outputs`` (n, d).
        clip_seeds: recipes for :func:`synthetic_clip`, with ``clip_outputs`` (n, d).
        clip_frames: frames of those clips.
        clip_side_px: side of their frames.
        tolerance: greatest difference of any one number that still counts as the same output.
    """

    side_px: Annotated[int, msgspec.Meta(ge=1)]
    tolerance: Annotated[float, msgspec.Meta(ge=0)]
    texts: tuple[str, ...] = ()
    text_outputs: _Rows = ()
    picture_seeds: tuple[int, ...] = ()
    picture_outputs: _Rows = ()
    feature_seeds: tuple[int, ...] = ()
    feature_outputs: _Rows = ()
    clip_seeds: tuple[int, ...] = ()
    clip_outputs: _Rows = ()
    clip_frames: Annotated[int, msgspec.Meta(ge=0, le=256)] = 0
    clip_side_px: Annotated[int, msgspec.Meta(ge=0, le=512)] = 0
    schema_version: str = "1.0"


def synthetic_picture(seed: int, side_px: int) -> np.ndarray:
    """Colour gradient with six rectangles, uint8 RGB (side_px, side_px, 3); the same seed gives the same."""
    digits = [int(byte) for byte in hashlib.sha512(f"picture {seed}".encode()).digest()]
    y, x = np.mgrid[0:side_px, 0:side_px].astype(np.int64)
    slopes = np.array(digits[:6], dtype=np.int64).reshape(3, 2) - 128
    offsets = np.array(digits[6:9], dtype=np.int64)
    ramp = offsets + (x[..., None] * slopes[:, 0] + y[..., None] * slopes[:, 1]) // side_px
    picture: np.ndarray = np.clip(ramp, 0, 255).astype(np.uint8)
    for start in range(9, 9 + 6 * 7, 7):
        left, top, width, height, *colour = digits[start : start + 7]
        x0, y0 = left * side_px // 256, top * side_px // 256
        x1, y1 = x0 + (width + 32) * side_px // 512, y0 + (height + 32) * side_px // 512
        picture[y0:y1, x0:x1] = colour
    return picture


def synthetic_clip(seed: int, n_frames: int, side_px: int) -> np.ndarray:
    """A picture that moves over its own edges, uint8 RGB (n_frames, side_px, side_px, 3)."""
    picture = synthetic_picture(seed, side_px)
    dy, dx = (int(byte) - 128 for byte in hashlib.sha512(f"clip {seed}".encode()).digest()[:2])
    # Over the whole clip it moves by up to half of its side.
    shifts = [(number * dy * side_px // (256 * n_frames), number * dx * side_px // (256 * n_frames))
              for number in range(n_frames)]
    return np.stack([np.roll(picture, shift, axis=(0, 1)) for shift in shifts])


def synthetic_numbers(seed: int, shape: Sequence[int]) -> np.ndarray:
    """Numbers in [-1, 1), float32 of this shape; the same seed and shape give the same everywhere."""
    digits = hashlib.shake_256(f"features {seed} {tuple(shape)}".encode()).digest(math.prod(shape))
    values: np.ndarray = np.frombuffer(digits, dtype=np.uint8).reshape(tuple(shape)).astype(np.float32) / 128 - 1
    return values


def make_reference(
    encode_texts: TextFunction | None,
    encode_images: ImageFunction | None,
    side_px: int,
    *,
    encode_features: FeatureFunction | None = None,
    encode_clips: ClipFunction | None = None,
    clip_shape: tuple[int, int] = (0, 0),
    tolerance: float = 2e-3,
) -> Reference:
    """Run the reference inputs through a model; a function that is None leaves its part out.

    clip_shape: frames of a clip, and their side; only with ``encode_clips``.

    Outputs may be anything of shape (n, d), embeddings or flattened maps; they are kept to six decimals.
    """
    texts = REFERENCE_TEXTS if encode_texts else ()
    seeds = REFERENCE_PICTURE_SEEDS if encode_images else ()
    clips = REFERENCE_PICTURE_SEEDS if encode_clips else ()
    return Reference(
        side_px=side_px,
        tolerance=tolerance,
        texts=texts,
        text_outputs=_rounded(encode_texts(texts)) if encode_texts else (),
        picture_seeds=seeds,
        picture_outputs=_rounded(encode_images(_pictures(seeds, side_px))) if encode_images else (),
        feature_seeds=REFERENCE_PICTURE_SEEDS if encode_features else (),
        feature_outputs=_rounded(encode_features(REFERENCE_PICTURE_SEEDS)) if encode_features else (),
        clip_seeds=clips,
        clip_outputs=_rounded(encode_clips(_clips(clips, *clip_shape))) if encode_clips else (),
        clip_frames=clip_shape[0] if encode_clips else 0,
        clip_side_px=clip_shape[1] if encode_clips else 0,
    )


def check_reference(
    reference: Reference,
    encode_texts: TextFunction | None,
    encode_images: ImageFunction | None,
    encode_features: FeatureFunction | None = None,
    encode_clips: ClipFunction | None = None,
) -> list[str]:
    """Recompute the reference; one sentence for each output that differs, an empty list where all agree."""
    problems: list[str] = []
    if reference.text_outputs and encode_texts is None:
        problems.append("The reference has sentences, but this model reads none.")
    elif reference.text_outputs and encode_texts is not None:
        actual = encode_texts(reference.texts)
        problems += _differences("sentence", reference.text_outputs, actual, reference.tolerance)
    if reference.picture_outputs and encode_images is None:
        problems.append("The reference has pictures, but this model reads none.")
    elif reference.picture_outputs and encode_images is not None:
        actual = encode_images(_pictures(reference.picture_seeds, reference.side_px))
        problems += _differences("picture", reference.picture_outputs, actual, reference.tolerance)
    if reference.feature_outputs and encode_features is None:
        problems.append("The reference has features, but this model reads none.")
    elif reference.feature_outputs and encode_features is not None:
        actual = encode_features(reference.feature_seeds)
        problems += _differences("feature set", reference.feature_outputs, actual, reference.tolerance)
    problems += _clip_problems(reference, encode_clips)
    if not (reference.text_outputs or reference.picture_outputs or reference.feature_outputs or reference.clip_outputs):
        problems.append("The reference holds no outputs at all.")
    return problems


def _clip_problems(reference: Reference, encode_clips: ClipFunction | None) -> list[str]:
    if not reference.clip_outputs:
        return []
    if encode_clips is None:
        return ["The reference has clips, but this model sees none."]
    clips = _clips(reference.clip_seeds, reference.clip_frames, reference.clip_side_px)
    try:
        actual = encode_clips(clips)
    except ValueError as error:
        return [f"The reference's clips do not suit this model: {error}."]
    return _differences("clip", reference.clip_outputs, actual, reference.tolerance)


def decode_reference(content: bytes, *, where: str) -> Reference:
    """Read the bytes of a ``reference.json``; :class:`PackageError` if they do not say what they should."""
    try:
        reference = msgspec.json.decode(content, type=Reference)
    except msgspec.DecodeError as error:
        raise PackageError(f"{where} is not a valid reference: {error}.") from error
    lengths = [
        ("texts", len(reference.texts), reference.text_outputs),
        ("pictures", len(reference.picture_seeds), reference.picture_outputs),
        ("feature sets", len(reference.feature_seeds), reference.feature_outputs),
        ("clips", len(reference.clip_seeds), reference.clip_outputs),
    ]
    for kind, n_inputs, outputs in lengths:
        if n_inputs != len(outputs) or len({len(row) for row in outputs}) > 1:
            raise PackageError(
                f"{where} is not a valid reference: {n_inputs} {kind} but {len(outputs)} outputs, "
                "or outputs of different widths."
            )
    if reference.clip_seeds and not (reference.clip_frames and reference.clip_side_px):
        raise PackageError(f"{where} is not a valid reference: its clips have no frames.")
    return reference


def _differences(kind: str, rows: _Rows, outputs: np.ndarray, tolerance: float) -> list[str]:
    expected, actual = np.asarray(rows, np.float64), np.asarray(outputs, np.float64)
    if actual.shape != expected.shape:
        return [f"The {kind} outputs have shape {actual.shape}, the reference {expected.shape}."]
    # A NaN must not pass as "not greater than the tolerance".
    largest = np.where(np.isfinite(actual), np.abs(actual - expected), np.inf).max(axis=1, initial=0.0)
    return [
        f"Output of {kind} {row + 1} differs from the reference by {value:.2g}, allowed is {tolerance:.2g}."
        for row, value in enumerate(largest)
        if not value <= tolerance
    ]


def _pictures(seeds: Sequence[int], side_px: int) -> np.ndarray:
    return np.stack([synthetic_picture(seed, side_px) for seed in seeds])


def _clips(seeds: Sequence[int], n_frames: int, side_px: int) -> np.ndarray:
    return np.stack([synthetic_clip(seed, n_frames, side_px) for seed in seeds])


def _rounded(outputs: np.ndarray) -> _Rows:
    values = np.asarray(outputs, dtype=np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise ValueError(f"reference outputs must be finite and of shape (n, d), got shape {values.shape}")
    return tuple(tuple(row) for row in values.round(6).tolist())
