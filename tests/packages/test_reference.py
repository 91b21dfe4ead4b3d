"""A reference tells a model that still gives the same numbers from one that does not."""

import hashlib
from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from explorer.errors import PackageError
from explorer.packages.reference import (
    check_reference,
    decode_reference,
    make_reference,
    synthetic_clip,
    synthetic_numbers,
    synthetic_picture,
)

SIDE_PX = 32


def encode_texts(texts: object) -> np.ndarray:
    return np.array([[len(text), text.count("a"), text.count("e") / 7] for text in texts], dtype=np.float32)


def encode_images(squares: np.ndarray) -> np.ndarray:
    assert squares.shape[1:] == (SIDE_PX, SIDE_PX, 3)
    assert squares.dtype == np.uint8
    return squares.reshape(len(squares), -1)[:, ::97].astype(np.float32) / 255


def test_same_model_has_no_problems_after_json() -> None:
    reference = make_reference(encode_texts, encode_images, SIDE_PX)
    assert len(reference.text_outputs) == len(reference.picture_outputs) == 3
    reread = decode_reference(msgspec.json.encode(reference), where="reference.json")
    assert reread == reference
    assert check_reference(reread, encode_texts, encode_images) == []


def test_each_changed_output_is_named() -> None:
    reference = make_reference(encode_texts, encode_images, SIDE_PX, tolerance=1e-3)

    def other(squares: np.ndarray) -> np.ndarray:
        outputs = encode_images(squares)
        outputs[0, 0] += 9e-4
        outputs[1, 3] += 0.01
        outputs[2, 5] = np.nan
        return outputs

    problems = check_reference(reference, encode_texts, other)
    assert len(problems) == 2
    assert problems[0].startswith("Output of picture 2 differs from the reference by 0.01")
    assert problems[1].startswith("Output of picture 3 differs from the reference by inf")


def test_other_width_and_missing_parts_are_problems() -> None:
    reference = make_reference(encode_texts, encode_images, SIDE_PX)
    assert "shape (3, 2)" in check_reference(reference, lambda t: encode_texts(t)[:, :2], encode_images)[0]
    assert check_reference(reference, None, None) == [
        "The reference has sentences, but this model reads none.",
        "The reference has pictures, but this model reads none.",
    ]


def test_vision_package_has_pictures_only() -> None:
    reference = make_reference(None, encode_images, SIDE_PX)
    assert reference.texts == ()
    assert check_reference(reference, None, encode_images) == []


def test_reference_of_nothing_proves_nothing() -> None:
    assert check_reference(make_reference(None, None, SIDE_PX), encode_texts, encode_images) == [
        "The reference holds no outputs at all."
    ]


def test_nonsense_outputs_are_not_recorded() -> None:
    with pytest.raises(ValueError, match="finite"):
        make_reference(None, lambda squares: np.full((len(squares), 2), np.nan), SIDE_PX)


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b'{"side_px": 8, "tolerance": 0.1, "texts": ["a"], "text_outputs": []}',
        b'{"side_px": 8, "tolerance": 0.1, "texts": ["a", "b"], "text_outputs": [[1.0], [1.0, 2.0]]}',
        b'{"side_px": -1, "tolerance": 0.1}',
    ],
)
def test_wrong_reference_is_a_sentence(content: bytes) -> None:
    with pytest.raises(PackageError, match=r"reference\.json is not a valid reference"):
        decode_reference(content, where="reference.json")


def test_pictures_are_the_same_everywhere() -> None:
    pictures = [synthetic_picture(seed, 224) for seed in (1, 2, 3)]
    assert {(p.shape, p.dtype.str) for p in pictures} == {((224, 224, 3), "|u1")}
    assert all(len(np.unique(p.reshape(-1, 3), axis=0)) > 50 for p in pictures)
    digest = hashlib.sha256(b"".join(p.tobytes() for p in pictures)).hexdigest()
    # Shipped packages hold outputs for exactly these bytes.
    assert digest == "f27b6a377b6dba61db50952aaf2dc5e53d9b4776a59524cf7c7930328ffe5274"


def test_made_up_features_are_the_same_everywhere() -> None:
    numbers = synthetic_numbers(2, (3, 5, 7))
    assert (numbers.shape, numbers.dtype) == ((3, 5, 7), np.float32)
    assert -1 <= numbers.min() < -0.9
    assert 0.9 < numbers.max() < 1
    assert not np.array_equal(numbers, synthetic_numbers(3, (3, 5, 7)))
    # Imported packages hold outputs for exactly these numbers.
    digest = hashlib.sha256(numbers.astype("<f4").tobytes()).hexdigest()
    assert digest == "98d1ab9ed5bf26922fcd1f7f68243788301b50712fa24e84d19d8583bf16e563"


def test_features_are_checked_like_pictures() -> None:
    def outputs(seeds: Sequence[int]) -> np.ndarray:
        return np.array([[seed, 0.5] for seed in seeds])

    reference = make_reference(None, None, SIDE_PX, encode_features=outputs)
    assert reference.feature_seeds == (1, 2, 3)
    assert check_reference(reference, None, None, outputs) == []
    assert check_reference(reference, None, None) == ["The reference has features, but this model reads none."]
    change = np.array([[0, 0], [0, 0.1], [0, 0]])
    problems = check_reference(reference, None, None, lambda seeds: outputs(seeds) + change)
    assert len(problems) == 1
    assert problems[0].startswith("Output of feature set 2 differs")


def test_clips_are_checked_like_pictures_and_move():
    def outputs(clips):
        return clips.astype(np.float64).std(axis=1).reshape(len(clips), -1)[:, :4] / 255

    reference = make_reference(None, None, SIDE_PX, encode_clips=outputs, clip_shape=(16, 24))
    again = decode_reference(msgspec.json.encode(reference), where="here")
    assert (again.clip_frames, again.clip_side_px, len(again.clip_outputs)) == (16, 24, 3)
    assert check_reference(again, None, None, encode_clips=outputs) == []
    assert check_reference(again, None, None) == ["The reference has clips, but this model sees none."]
    problems = check_reference(again, None, None, encode_clips=lambda clips: outputs(clips[:, ::-1] // 2))
    assert problems[0].startswith("Output of clip 1 differs")

    def refuse(clips):
        raise ValueError(f"got {clips.shape}")

    assert check_reference(again, None, None, encode_clips=refuse) == [
        "The reference's clips do not suit this model: got (3, 16, 24, 24, 3)."
    ]
    clip = synthetic_clip(2, 16, 24)
    assert clip.shape == (16, 24, 24, 3)
    assert np.array_equal(clip[0], synthetic_picture(2, 24))
    assert not np.array_equal(clip[0], clip[-1])


def test_a_reference_of_clips_without_frames_is_refused():
    reference = make_reference(None, None, SIDE_PX, encode_clips=lambda clips: clips[:, 0, 0, 0], clip_shape=(4, 8))
    table = msgspec.to_builtins(reference) | {"clip_frames": 0}
    with pytest.raises(PackageError, match="no frames"):
        decode_reference(msgspec.json.encode(table), where="here")
