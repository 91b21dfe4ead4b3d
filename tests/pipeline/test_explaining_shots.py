"""Evidence of shots, with models that know colours."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from explorer import pipeline
from explorer.cancellation import CancellationToken, Cancelled
from explorer.evidence import ClipEvidence, Evidence, RegionWeights, Segmentation
from explorer.pipeline.explaining_shots import SHOWN_FRAMES
from explorer.protocol import Query
from explorer.representations import BinaryCodes, Embeddings, Modality, average

_HELPER = Path(__file__).resolve().parent.parent / "helpers" / "colour_model.py"


@pytest.fixture(scope="module")
def colour_model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("colour_model_of_shots", _HELPER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def encoders(colour_model: ModuleType) -> dict[str, object]:
    return dict(colour_model.ColourModels().encoders)


def fading(n: int, side_px: int) -> np.ndarray:
    """From red to blue."""
    part = np.linspace(0, 1, n)[:, None, None, None]
    red, blue = np.array([220, 20, 20]), np.array([20, 20, 220])
    return np.broadcast_to((1 - part) * red + part * blue, (n, side_px, side_px, 3)).round().astype(np.uint8)


def shot_for(encoder: object) -> pipeline.ShotFrames:
    indexed, shown = pipeline.samplings_of_shot(encoder)  # type: ignore[arg-type]
    times_s = np.linspace(3, 4, shown.n_frames, dtype=np.float32)
    return pipeline.ShotFrames(
        fading(indexed.n_frames, indexed.side_px), fading(shown.n_frames, shown.side_px), times_s
    )


def test_an_encoder_of_pictures_is_asked_frame_by_frame(encoders):
    encoder = encoders["colours"]
    shot = shot_for(encoder)
    evidence = pipeline.explain_shot(encoder, shot, Query(text="a red thing"))
    assert evidence.clip is not None
    assert len(shot.shown) == SHOWN_FRAMES
    np.testing.assert_array_equal(evidence.clip.times_s, shot.times_s)
    query = encoder.encode_texts(["a red thing"])
    assert evidence.score == pytest.approx(
        float(query.values[0] @ average(encoder.encode_images(shot.indexed)).values[0]), abs=1e-6
    )
    each = encoder.encode_images(shot.shown).values @ query.values[0]
    assert evidence.clip.temporal is not None
    np.testing.assert_allclose(evidence.clip.temporal.values, each, atol=1e-6)
    assert (np.diff(each) < 0).all()  # from red to blue
    (own,) = [layer for layer in evidence.clip.attention if layer.name == "brightness"]
    assert own.values.shape == (SHOWN_FRAMES, 8, 8)
    maps = [layer for square in shot.shown for layer in encoder.explain(square, query).attention]
    np.testing.assert_array_equal(own.values, [layer.values for layer in maps if layer.name == "brightness"])


def test_words_are_weighed_on_the_whole_shot(encoders):
    encoder = encoders["colours"]
    shot = shot_for(encoder)
    evidence = pipeline.explain_shot(encoder, shot, Query(text="red blue"))
    assert evidence.words is not None
    vector = average(encoder.encode_images(shot.indexed)).values[0]
    both, without_red, without_blue = encoder.encode_texts(["red blue", "blue", "red"]).values @ vector
    assert evidence.words.words == ("red", "blue")
    np.testing.assert_allclose(evidence.words.weights, [both - without_red, both - without_blue], atol=1e-6)
    assert pipeline.explain_shot(encoder, shot, Query(text="red"), words=False).words is None


def test_codes_bring_their_bits(encoders):
    encoder = encoders["colour-bits"]
    shot = shot_for(encoder)
    evidence = pipeline.explain_shot(encoder, shot, Query(text="blue"))
    query, own = encoder.encode_texts(["blue"]), average(encoder.encode_images(shot.indexed))
    assert isinstance(own, BinaryCodes)
    assert evidence.bits is not None
    np.testing.assert_array_equal(evidence.bits.item >= 0, own.signs[0] > 0)
    np.testing.assert_array_equal(evidence.bits.query >= 0, query.signs[0] > 0)
    assert evidence.score == pytest.approx(float(query.signs[0].astype(float) @ own.signs[0]) / query.n_bits)


def test_without_a_query_there_is_what_the_model_sees(encoders):
    evidence = pipeline.explain_shot(encoders["colours"], shot_for(encoders["colours"]))
    assert evidence.clip is not None
    assert (evidence.score, evidence.words, evidence.bits, evidence.clip.temporal) == (None, None, None, None)
    assert evidence.clip.attention


@pytest.mark.parametrize("name", ["colour-motion", "colour-clips"])
def test_an_encoder_that_sees_motion_is_asked_once(encoders, name):
    encoder = encoders[name]
    shot = shot_for(encoder)
    evidence = pipeline.explain_shot(encoder, shot, Query(text="red then blue"))
    query = encoder.encode_texts(["red then blue"])
    assert evidence.score == pytest.approx(
        float(query.values[0] @ encoder.encode_videos(shot.indexed[None]).values[0]), abs=1e-6
    )
    assert evidence.clip is not None
    np.testing.assert_array_equal(evidence.clip.times_s, shot.times_s)


class Segmenting:
    """Sees motion, and what each frame shows: class 1 is as certain as the frame is bright."""

    name, model_id, device, dim, side_px = "segmenting", "segmenting@0", "CPU", 2, 8
    modalities = frozenset({Modality.IMAGE, Modality.VIDEO, Modality.TEXT})
    overlays = ("segmentation",)
    clip_frames, clip_side_px = 12, 4

    def __init__(self):
        self.n_explained = 0

    def encode_texts(self, texts):
        return Embeddings(np.tile(np.float32([1, 0]), (len(texts), 1)))

    def encode_images(self, squares):
        return Embeddings(np.tile(np.float32([1, 0]), (len(squares), 1)))

    encode_videos = encode_images

    def explain(self, square, query=None, *, without=frozenset()):
        self.n_explained += 1
        sure = float(square.mean() / 255)
        seen = Segmentation(np.ones((2, 2), np.uint8), np.full((2, 2), sure, np.float32), ("none", "light"),
                            {"light": sure})
        x0 = min(sure, 0.5)
        regions = RegionWeights("regions", "Regions", np.float32([[x0, 0, x0 + 0.5, 1], [0, 0, 1, 1]]),
                                np.float32([-2, 1]), np.float32([1, 1]), ("", ""))
        return Evidence(segmentation=seen, score=sure, regions=(regions,))

    def explain_video(self, clip, times_s, query=None):
        return Evidence(score=0.5, clip=ClipEvidence(times_s))


def test_frames_of_a_clip_are_segmented_by_the_stream_for_pictures():
    encoder = Segmenting()
    shown = np.linspace(0, 255, 12).astype(np.uint8)[:, None, None, None] * np.ones((1, 8, 8, 3), np.uint8)
    shot = pipeline.ShotFrames(np.zeros((12, 4, 4, 3), np.uint8), shown, np.arange(12, dtype=np.float32))
    evidence = pipeline.explain_shot(encoder, shot, Query(text="x"), words=False)
    assert evidence.clip is not None
    sure = [float(frame.confidence[0, 0]) for frame in evidence.clip.segmentation]
    assert len(sure) == 12
    assert encoder.n_explained == SHOWN_FRAMES
    np.testing.assert_allclose(sure, shown[:, 0, 0, 0] / 255, atol=1.1 / 11)  # a neighbour's at most
    assert evidence.segmentation is not None
    assert evidence.segmentation.presence == {"light": pytest.approx(1.0)}


def test_regions_move_as_a_map():
    class OneByOne(Segmenting):
        modalities = frozenset({Modality.IMAGE, Modality.TEXT})

    shown = np.zeros((8, 8, 8, 3), np.uint8)
    shown[4:] = 255
    shot = pipeline.ShotFrames(shown[:3], shown, np.arange(8, dtype=np.float32))
    evidence = pipeline.explain_shot(OneByOne(), shot, Query(text="x"), words=False)
    assert evidence.clip is not None
    (layer,) = evidence.clip.attention
    assert layer.name == "regions"
    middle = layer.values.shape[2] // 2
    assert (layer.values[0, :, : middle - 1] == -2).all()
    assert (layer.values[0, :, middle + 1 :] == 1).all()
    assert (layer.values[7, :, : middle - 1] == 1).all()
    assert (layer.values[7, :, middle + 1 :] == -2).all()
    assert len(evidence.clip.segmentation) == 8


def test_a_stop_is_seen_between_frames(encoders):
    token = CancellationToken()
    encoder = encoders["colours"]
    asked = []

    class Stopping:
        def __getattr__(self, name):
            return getattr(encoder, name)

        def explain(self, square, query=None, *, without=frozenset()):
            asked.append(1)
            if len(asked) == 3:
                token.cancel()
            return encoder.explain(square, query, without=without)

    with pytest.raises(Cancelled):
        pipeline.explain_shot(Stopping(), shot_for(encoder), Query(text="red"), token=token)
    assert len(asked) == 3
