"""The video stream of DSMHN: networks for clips, clips of any kind, maps that say where and when."""

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import get_model

from explorer.cli.fetching import models_fetch
from explorer.errors import ConfigError
from explorer.networks.dsmhn.video_explaining import _evened, explain_clip, explained_block, see_clip
from explorer.networks.dsmhn.video_network import (
    KINETICS_NETWORK,
    KINETICS_SIDE_PX,
    VideoNetworkConfig,
    answering_form,
    build_network,
)
from explorer.networks.dsmhn.video_stream import VideoStream, to_clip
from explorer.representations import BinaryCodes
from explorer.vision.hub import weights_path

TINY = VideoNetworkConfig(side_px=32, channels=(4, 6, 8, 10))
FLAT = VideoNetworkConfig(side_px=32, channels=(4, 6, 8, 10), sees_time=False)
KINETICS = VideoNetworkConfig(kind=KINETICS_NETWORK, side_px=KINETICS_SIDE_PX)
N_BITS = 16


def clips_of(n: int, config: VideoNetworkConfig = TINY, seed: int = 0) -> np.ndarray:
    shape = (n, config.n_frames, config.side_px, config.side_px, 3)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def settled(network):
    """With normalisations that are not the identity."""
    torch.manual_seed(1)
    for part in network.modules():
        if isinstance(part, nn.BatchNorm3d):
            nn.init.normal_(part.running_mean, 0, 0.1)
            nn.init.uniform_(part.running_var, 0.5, 2.0)
            nn.init.uniform_(part.weight, 0.5, 1.5)
            nn.init.normal_(part.bias, 0, 0.1)
    return network.eval()


def stream_of(config: VideoNetworkConfig = TINY) -> VideoStream:
    torch.manual_seed(0)
    network = settled(build_network(config))
    return VideoStream(network, nn.Sequential(nn.Linear(network.dim, N_BITS), nn.Tanh())).eval()


@pytest.mark.parametrize("config", [TINY, FLAT])
@pytest.mark.parametrize("n", [1, 3])
def test_a_network_gives_one_row_a_clip(config, n):
    network = settled(build_network(config))
    frames = network.normalised(torch.from_numpy(clips_of(n, config)))
    assert frames.shape == (n, 4 if config.sees_time else 3, 16, 32, 32)
    maps = network.maps(frames)
    times = [8, 8, 4] if config.sees_time else [16, 16, 16]
    assert [tuple(values.shape) for values in maps] == [
        (n, width, time, side, side) for width, time, side in zip((6, 8, 10), times, (8, 4, 2), strict=True)
    ]
    features = network(frames)
    assert features.shape == (n, network.dim) == (n, 20)
    for block, values in enumerate(maps):
        torch.testing.assert_close(network.from_map(values, block), features)


def test_a_network_that_sees_time_knows_the_order_of_frames_and_one_that_does_not_is_blind_to_it():
    clips = clips_of(2)
    orders = [np.arange(16)[::-1], np.roll(np.arange(16), 5), np.random.default_rng(3).permutation(16)]
    for order in orders:
        seeing, blind = (settled(build_network(config)).double() for config in (TINY, FLAT))
        with torch.no_grad():
            found = [[network(network.normalised(torch.from_numpy(np.ascontiguousarray(part))))
                      for part in (clips, clips[:, order])] for network in (seeing, blind)]
        assert (found[0][0] - found[0][1]).abs().max() > 1e-3
        # What is averaged is the same in every order, but for the last digit of a sum.
        torch.testing.assert_close(found[1][0], found[1][1], rtol=0, atol=1e-7)


def test_the_baseline_reads_every_frame_as_if_it_were_alone():
    network = settled(build_network(FLAT)).double()
    frames = network.normalised(torch.from_numpy(clips_of(1)))
    with torch.no_grad():
        whole = network(frames)
        alone = torch.stack([network(frames[:, :, time : time + 1]) for time in range(16)]).mean(dim=0)
    torch.testing.assert_close(whole, alone)


@pytest.mark.parametrize("config", [TINY, FLAT])
def test_the_form_that_only_answers_gives_the_same(config):
    stream = stream_of(config)
    clips = clips_of(5, config)
    before = stream.encode(clips)
    state = {key: value.shape for key, value in stream.state_dict().items()}
    after = stream.only_answers().encode(clips)
    assert any("norm" in key for key in state)
    assert not any("norm" in key for key in stream.state_dict())
    np.testing.assert_allclose(after, before, atol=1e-5)
    assert before.shape == (5, N_BITS)
    assert before.dtype == np.float32
    assert np.abs(before - before[0]).max() > 1e-4


def test_no_clips_are_a_table_without_rows():
    for stream in (stream_of(), stream_of().only_answers()):
        assert stream.encode(clips_of(0)).shape == (0, N_BITS)


@pytest.mark.parametrize("wrong", [
    np.zeros((1, 16, 32, 32, 3), np.float32), np.zeros((1, 15, 32, 32, 3), np.uint8),
    np.zeros((1, 16, 30, 32, 3), np.uint8), np.zeros((16, 32, 32, 3), np.uint8),
])
def test_what_is_no_clip_is_refused(wrong):
    with pytest.raises(ValueError, match="clips must be uint8"):
        stream_of().encode(wrong)


@pytest.mark.parametrize("settings", [
    {"n_frames": 2}, {"side_px": 8}, {"channels": (4, 6)}, {"channels": (0, 6, 8)},
    {"kind": KINETICS_NETWORK}, {"kind": KINETICS_NETWORK, "side_px": 112, "sees_time": False},
])
def test_settings_that_make_no_network_are_refused(settings):
    with pytest.raises(ValueError, match=r"clips of|needs a stem|frames of 112"):
        VideoNetworkConfig(**settings)


def test_five_frames_are_looped():
    frames = clips_of(1)[0, :5]
    clip = to_clip(frames, 16, 32)
    assert clip.shape == (16, 32, 32, 3)
    np.testing.assert_array_equal(clip, frames[np.arange(16) % 5])
    assert np.isfinite(stream_of().encode(clip[None])).all()


def test_many_frames_are_thinned_evenly():
    clip = to_clip([np.full((32, 32, 3), value, np.uint8) for value in range(160)], 16, 32)
    np.testing.assert_array_equal(clip[:, 0, 0, 0], 5 + 10 * np.arange(16))


@pytest.mark.parametrize("shape", [(33, 47), (33, 47, 1), (1, 301, 3), (32, 32), (240, 7, 3)])
def test_grey_and_odd_frames_work(shape):
    frames = np.random.default_rng(0).integers(0, 256, (7, *shape), dtype=np.uint8)
    clip = to_clip(list(frames), 16, 32)
    assert clip.shape == (16, 32, 32, 3)
    assert clip.dtype == np.uint8
    if shape[-1] != 3:
        assert (clip == clip[..., :1]).all()
    assert abs(float(clip[:7].mean()) - float(frames.mean())) < 12
    assert np.isfinite(stream_of().encode(clip[None])).all()


@pytest.mark.parametrize("frames", [[], [np.zeros((4, 4, 2), np.uint8)], [np.zeros((4, 4, 3), np.float32)],
                                    [np.zeros((0, 4, 3), np.uint8)]])
def test_what_is_no_frame_is_refused(frames):
    with pytest.raises(ValueError, match="frame"):
        to_clip(frames, 16, 32)


@pytest.fixture(scope="module")
def kinetics(tmp_path_factory):
    """A cache with weights under the name that torch hub gives the real ones, and what they are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(tmp_path_factory.mktemp("hub")))
        patch.setattr(torch.hub, "_hub_dir", None)  # else what another test chose
        torch.manual_seed(5)
        network = get_model(KINETICS_NETWORK, weights=None)
        path = weights_path(KINETICS_NETWORK)
        path.parent.mkdir(parents=True)
        torch.save(network.state_dict(), path)
        yield network.eval(), build_network(KINETICS).eval()


def test_the_weights_of_kinetics_fill_the_network_and_give_what_torchvision_gives(kinetics):
    theirs, ours = kinetics
    frames = ours.normalised(torch.from_numpy(clips_of(1, KINETICS)))
    with torch.no_grad():
        features = ours(frames)
        torch.testing.assert_close(theirs.fc(features), theirs(frames), rtol=1e-4, atol=1e-5)
        maps = ours.maps(frames)
    assert features.shape == (1, 512)
    assert [tuple(values.shape[2:]) for values in maps] == [(16, 56, 56), (8, 28, 28), (4, 14, 14), (2, 7, 7)]
    assert explained_block(maps) == 2


def test_nothing_is_downloaded_unasked(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *_, **__: pytest.fail("a download was started"))
    with pytest.raises(ConfigError, match=r"r3d_18 are not on this computer.*models fetch r3d_18"):
        build_network(KINETICS)


def test_weights_of_another_network_are_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    path = weights_path(KINETICS_NETWORK)
    path.parent.mkdir(parents=True)
    state = get_model(KINETICS_NETWORK, weights=None).state_dict()
    state.pop("fc.bias")
    torch.save(state, path)
    with pytest.raises(ConfigError, match="another network"):
        build_network(KINETICS)


def query_of(n_rows: int, seed: int = 2) -> BinaryCodes:
    return BinaryCodes.from_activations(np.random.default_rng(seed).uniform(-1, 1, (n_rows, N_BITS)))


@pytest.mark.parametrize("query", [None, query_of(1), query_of(3), BinaryCodes(query_of(1).packed)])
def test_an_explanation_has_a_map_for_every_frame_and_a_curve(query):
    stream = stream_of().only_answers()
    times_s = np.linspace(2, 5, 16, dtype=np.float32)
    clip = clips_of(1)[0]
    evidence = explain_clip(stream, clip, times_s, query)
    assert evidence.clip is not None
    (layer,) = evidence.clip.attention
    assert layer.values.shape == (16, 16, 16)
    assert (layer.values >= 0).all()
    assert layer.values.max() > 0
    np.testing.assert_allclose(evidence.clip.temporal.values, layer.values.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_array_equal(evidence.clip.times_s, times_s)
    activations = stream.encode(clip[None])[0]
    if query is None:
        assert evidence.score is None
        return
    code = BinaryCodes.from_activations(activations[None])
    assert evidence.score == pytest.approx(float(query.signs[0].astype(int) @ code.signs[0].astype(int)) / N_BITS)
    rows = query.activations if query.activations is not None else query.signs.astype(np.float32)
    np.testing.assert_allclose(evidence.row_scores, rows @ activations / N_BITS, atol=1e-6)
    np.testing.assert_allclose(evidence.bits.item, activations, atol=1e-6)
    np.testing.assert_allclose(evidence.bits.query, rows[0], atol=1e-6)


def test_explaining_leaves_nothing_behind_and_works_where_gradients_are_off():
    stream = stream_of().only_answers()
    clip, query = clips_of(1)[0], query_of(1).activations[0]
    first = see_clip(stream, clip, query)
    with torch.inference_mode():
        second = see_clip(stream, clip, query)
    np.testing.assert_array_equal(first.map, second.map)
    assert all(parameter.grad is None for parameter in stream.parameters())


def test_the_map_of_the_last_block_adds_up_to_what_it_gives():
    """Above the last block's means there is only a linear layer: places times slopes are the whole score."""
    torch.manual_seed(0)
    network = answering_form(settled(build_network(VideoNetworkConfig(side_px=64, channels=(4, 6, 8)))))
    stream = VideoStream(network, nn.Linear(network.dim, N_BITS, bias=False)).eval()
    stream.hash.weight.data[:, 8:] = 0.0
    clip, query = clips_of(1, network.config)[0], query_of(1).activations[0]
    maps = network.maps(network.normalised(torch.from_numpy(clip)[None]))
    assert explained_block(maps) == len(maps) - 1
    values = maps[-1].detach()[0].numpy()
    assert values.shape == (8, 4, 8, 8)
    weights = stream.hash.weight.detach().numpy()[:, :8]
    places = np.tensordot(query @ weights / N_BITS, values, axes=(0, 0)) / values[0].size
    assert query @ stream.encode(clip[None])[0] / N_BITS == pytest.approx(places.sum(), abs=1e-5)
    shown = see_clip(stream, clip, query).map
    # Column k of 16 has its middle at pixel 4k + 1.5, which is entry (4k + 1.5) / 8 of 8; frame 6 is entry 1.5.
    kept = np.clip(places, 0, None)
    after = np.array([0.8125, 0.1875])
    np.testing.assert_allclose(shown[0, 0, 0], after @ kept[0, :2, :2] @ after, rtol=1e-4)
    np.testing.assert_allclose(shown[6, 4, 0], after @ kept[1:3, 2:4, :2].mean(axis=0) @ after, rtol=1e-4)


def test_differences_say_what_changed_and_nothing_where_nothing_did():
    network = build_network(TINY)
    clip = clips_of(1)
    clip[0, 5:9] = clip[0, 5]
    inputs = network.normalised(torch.from_numpy(clip))
    changes = inputs[0, 3]
    assert (changes[0] == 0).all()
    assert (changes[6:9] == 0).all()
    grey = clip[0].astype(np.float32).mean(axis=-1) / 255
    np.testing.assert_allclose(changes[1:].numpy(), np.diff(grey, axis=0) / 0.1, atol=1e-4)
    plain = VideoNetworkConfig(side_px=32, channels=(4, 6, 8, 10), differences=False)
    assert torch.equal(build_network(plain).normalised(torch.from_numpy(clip)), inputs[:, :3])
    assert [config.n_inputs for config in (TINY, plain, FLAT, KINETICS)] == [4, 3, 3, 3]


def test_models_fetch_brings_the_weights_and_no_other_command_does(monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    asked = []

    def bring(url, path, *_, **__):
        asked.append(url)
        torch.save(get_model(KINETICS_NETWORK, weights=None).state_dict(), path)

    monkeypatch.setattr(torch.hub, "download_url_to_file", bring)
    models_fetch(KINETICS_NETWORK)
    assert [KINETICS_NETWORK in url for url in asked] == [True]
    assert build_network(KINETICS).dim == 512
    assert len(asked) == 1


def test_what_alternates_is_taken_out_and_the_rest_keeps_its_sum():
    """Of a map below strided convolutions: teeth of every second place vanish, a constant stays."""
    teeth = torch.tensor([1.0, -1.0] * 4)[:, None, None].expand(8, 4, 4)
    constant = torch.full((8, 4, 4), 3.0)
    np.testing.assert_allclose(_evened(constant), constant, rtol=1e-6)
    np.testing.assert_allclose(_evened(teeth)[1:-1], 0.0, atol=1e-6)
    values = torch.rand(8, 5, 6)
    assert float(_evened(values).sum()) == pytest.approx(float(values.sum()), rel=1e-5)
