"""3SHNet on a device that is not the CPU: nothing is left behind, and what comes out is the CPU's."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from explorer.cancellation import CancellationToken
from explorer.networks.common.language import WordStates
from explorer.networks.common.loading import packed
from explorer.networks.three_shnet.config import RecurrentTextConfig
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.training.captions import build_sentence_bank, build_word_bank
from explorer.training.compute import Compute
from explorer.training.config import GateSection, TailSection
from explorer.training.gates import GatePhase
from explorer.training.image_sentence import _cache_grid
from explorer.training.network import NetworkPhase
from explorer.training.phases import seed_step
from explorer.training.photos import Split
from explorer.training.pooled import pooled_features
from explorer.training.tail import TailPhase

_TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_TESTS / "helpers"))
from other_device import DEVICE, other_device  # noqa: E402
from ranks import load_file  # noqa: E402

sys.path.pop(0)

REGIONS = TokenConfig(kind="regions", trunk_cells=True, n_labels=3)
PEAKS = TokenConfig(kind="regions", pooling="max")
CASES = {
    "cells": {"gate_cost": 0.2, "gate_cost_epochs": 3},
    "regions": {"tokens": REGIONS, "image": {"gate": "softmax", "pooling": "mean"}},
    "few regions": {
        "tokens": PEAKS, "lengths": [1, 2, 3, 1, 4, 4, 4, 4], "loss": "triplet", "sentences": 1, "warmup_epochs": 0,
    },
}


def _words(compute):
    """Trained words and a BiGRU in the place of word states."""
    tiny = load_file(_TESTS / "training" / "conftest.py").tiny_phase()
    sentences = [(f"thing {photo}", "a thing") for photo in range(8)]
    words = {"<pad>": 0, "<start>": 1, "<end>": 2, "<unk>": 3, "thing": 4}
    split = Split(tiny._train.photos, sentences, tiny._train.views, build_word_bank(sentences, words))
    text = RecurrentTextConfig(n_words=5, word_dim=6, embed_dim=32, word_dropout=0.2)
    parts = (split, tiny._train_source)
    return NetworkPhase((tiny.model.image.config, text), tiny._training, parts, parts, compute)


def _tail(compute):
    torch.manual_seed(1)
    tail = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU()).eval()
    split = load_file(_TESTS / "training" / "conftest.py").tiny_split(8)
    return TailPhase(tail, TailSection(epochs=1, batch_size=4, embed_dim=16), split, split, seed=0, compute=compute)


def _gates(compute):
    network = load_file(_TESTS / "training" / "conftest.py").tiny_phase(compute=compute)
    return GatePhase(network, GateSection(epochs=1))


def _make(case, compute):
    made = {"words": _words, "tail": _tail, "gates": _gates}
    if case in made:
        return made[case](compute)
    return load_file(_TESTS / "training" / "conftest.py").tiny_phase(compute=compute, averaging=0.5, **CASES[case])


def _trained(case, compute):
    """A step, kept as a file, taken up again as a file is, and another step."""
    phase = _make(case, compute)
    seed_step(0, 0, 0)
    losses = [phase.step(0, 0)]
    state = _from_file(phase.state()) if compute.device.type == "cpu" else _on_cpu(phase.state())
    resumed = _make(case, compute)
    resumed.restore(state)
    seed_step(0, 0, 1)
    losses.append(resumed.step(0, 1))
    return resumed, losses


def _from_file(state):
    file = io.BytesIO()
    torch.save(state, file)
    return torch.load(io.BytesIO(file.getvalue()), map_location="cpu", weights_only=True)


def _on_cpu(state):
    """What a file of this state is read as: ``map_location`` leaves nothing on another device."""
    if isinstance(state, dict):
        return {name: _on_cpu(value) for name, value in state.items()}
    if isinstance(state, list):
        return [_on_cpu(value) for value in state]
    return state.cpu() if isinstance(state, torch.Tensor) else state


@pytest.mark.parametrize("case", [*CASES, "words", "tail", "gates"])
def test_every_tensor_is_on_the_device_and_the_losses_are_the_cpus(case):
    alone, expected = _trained(case, Compute())
    with other_device():
        phase, losses = _trained(case, Compute(device=DEVICE))
        tensors = [*phase.model.state_dict().values()]
        tensors += [value for slot in phase._optimizer.state.values() for name, value in slot.items() if name != "step"]
        assert {tensor.device for tensor in tensors} == {DEVICE}
        metrics = phase.measure()
        answers = phase.answer_queries(3, 2)
        part = phase.tuned_tail() if case == "tail" else phase.finished_model().image
        shipped = packed(part)
    for ours, theirs in zip(losses, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4)
    assert metrics["rsum"] == pytest.approx(alone.measure()["rsum"], abs=20)
    assert len(answers) == 3
    part = alone.tuned_tail() if case == "tail" else alone.finished_model().image
    # Adam's steps are as long for small gradients as for large ones, so that rounding shows in single weights.
    differences = [abs(shipped[name].astype(float) - value).mean() for name, value in packed(part).items()]
    assert max(differences) < 5e-3


def test_tensors_of_two_devices_do_not_mix_there():
    with other_device():
        layer = nn.Linear(3, 2).to(DEVICE)
        assert layer(torch.ones(1, 3).to(DEVICE)).device == DEVICE
        with pytest.raises(RuntimeError, match="on two devices"):
            layer(torch.ones(1, 3))


@pytest.mark.parametrize("case", ["regions", "few regions", "words", "tail"])
def test_half_precision_stays_within_the_encoders(case):
    """Autocast, which only accelerators use, tried on the CPU."""
    half, whole = _trained(case, Compute(amp=torch.bfloat16)), _trained(case, Compute())
    assert half[1][0]["loss"] != whole[1][0]["loss"]
    assert half[1][0] == pytest.approx(whole[1][0], rel=0.05)
    embedded = (half[0]._embed_val if case == "tail" else half[0].embed_val)()
    assert {tensor.dtype for tensor in embedded} == {torch.float32}
    assert {value.dtype for value in half[0].model.parameters()} == {torch.float32}


def test_tails_give_tokens_and_pooled_features_from_wherever_they_are(tmp_path):
    torch.manual_seed(1)
    tail = nn.Sequential(nn.Conv2d(4, 6, 3, stride=2, padding=1), nn.ReLU()).eval()
    split = load_file(_TESTS / "training" / "conftest.py").tiny_split(8)
    list(_cache_grid(split, 0, tail, tmp_path / "here.npy", CancellationToken()))
    expected = pooled_features(split, tail)
    with other_device():
        tail.to(DEVICE)
        list(_cache_grid(split, 0, tail, tmp_path / "there.npy", CancellationToken()))
        pooled = pooled_features(split, tail)
    np.testing.assert_allclose(np.load(tmp_path / "there.npy"), np.load(tmp_path / "here.npy"), rtol=1e-2, atol=1e-3)
    assert type(pooled) is torch.Tensor
    torch.testing.assert_close(pooled, expected)


class _Reader:
    """A language model of three numbers a word."""

    dim = 3

    def __init__(self, device):
        self._device = device

    def word_states(self, texts):
        lengths = torch.tensor([len(text.split()) for text in texts])
        states = torch.stack([torch.arange(12.0).view(4, 3) * len(text) for text in texts])
        states = states * (torch.arange(4) < lengths[:, None])[..., None]
        return WordStates(states.to(self._device), lengths.to(self._device))


def test_sentences_are_read_on_the_device_and_kept_on_the_cpu(tmp_path):
    sentences = [["a dog runs", "two dogs play in"], ["red"]]
    expected = build_sentence_bank(sentences, tmp_path / "here", _Reader)
    with other_device():
        build_sentence_bank(sentences, tmp_path / "there", _Reader, Compute(device=DEVICE))
    bank = build_sentence_bank(sentences, tmp_path / "there", _Reader)
    assert bank.starts.tolist() == expected.starts.tolist() == [0, 3, 7, 8]
    assert torch.equal(bank.flat, expected.flat)
    assert torch.equal(bank.embeddings, expected.embeddings)
