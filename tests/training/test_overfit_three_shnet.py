"""3SHNet learns eight pairs by heart in seconds, from cells and from regions, with either loss."""

import pytest
import torch

from explorer.networks.three_shnet.config import RecurrentTextConfig
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.training.captions import build_word_bank
from explorer.training.config import TailSection
from explorer.training.network import NetworkPhase
from explorer.training.phases import seed_step
from explorer.training.photos import Split
from explorer.training.tail import TailPhase

INFO_NCE = {"loss": "info-nce", "sentences": 1}
TRIPLET = {"loss": "triplet", "sentences": 1, "warmup_epochs": 5}
REGIONS = TokenConfig(kind="regions", trunk_cells=True, n_labels=3)


def _train(phase):
    losses = []
    for epoch in range(phase.n_epochs):
        for step in range(phase.n_steps):
            seed_step(phase.seed, epoch, step)
            losses.append(phase.step(epoch, step)["loss"])
    return losses


def _knows_all(metrics):
    return metrics["i2t_r1"] == metrics["t2i_r1"] == 100.0


@pytest.mark.parametrize("tokens", [None, REGIONS], ids=["cells", "regions"])
@pytest.mark.parametrize("loss", [INFO_NCE, TRIPLET], ids=["info-nce", "triplet"])
def test_eight_pairs_are_learnt_by_heart(make_phase, loss, tokens):
    phase = make_phase(n_sentences=1, epochs=40, batch_size=8, tokens=tokens, **loss)
    assert not _knows_all(phase.measure())
    losses = _train(phase)
    assert _knows_all(phase.measure())
    assert losses[-1] < losses[0] / 5


def test_trained_words_learn_them_too(make_phase):
    tiny = make_phase(epochs=40, batch_size=8, learning_rate=1e-2, **INFO_NCE)
    sentences = [(f"thing{number}",) for number in range(8)]
    words = {"<pad>": 0, "<start>": 1, "<end>": 2, "<unk>": 3} | {f"thing{number}": 4 + number for number in range(8)}
    split = Split(tiny._train.photos, sentences, tiny._train.views, build_word_bank(sentences, words))
    text = RecurrentTextConfig(n_words=len(words), word_dim=12, embed_dim=32)
    parts = (split, tiny._train_source)
    phase = NetworkPhase((tiny.model.image.config, text), tiny._training, parts, parts)
    _train(phase)
    assert _knows_all(phase.measure())


def test_a_tail_and_its_head_learn_them_too(make_phase):
    split = make_phase(n_sentences=1)._train
    torch.manual_seed(1)
    tail = torch.nn.Sequential(torch.nn.Conv2d(4, 12, 3, stride=2, padding=1), torch.nn.BatchNorm2d(12)).eval()
    before = tail[0].weight.clone()
    config = TailSection(epochs=60, batch_size=8, embed_dim=32, dropout=0.1, sentences=1, tail_learning_rate=1e-3)
    phase = TailPhase(tail, config, split, split, seed=0)
    losses = _train(phase)
    assert _knows_all(phase.measure())
    assert losses[-1] < losses[0] / 5
    tuned = phase.tuned_tail()
    assert torch.equal(tail[0].weight, before)
    assert not torch.equal(tuned[0].weight, before)
    assert torch.equal(tuned[1].running_mean, tail[1].running_mean)  # frozen statistics
