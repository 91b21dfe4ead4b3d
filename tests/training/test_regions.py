"""Training on regions: ragged pictures, padding that says nothing, and a run that goes on where it was."""

import copy

import pytest
import torch

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.protocol.runs import EpochFinished
from explorer.training.config import decode_recipe
from explorer.training.phases import run_phase
from explorer.training.photos import gather_regions
from explorer.training.run_directory import RunDirectory

REGIONS = TokenConfig(kind="regions", trunk_cells=True, n_labels=3)
RAGGED = [4, 1, 2, 4, 3, 1, 4, 2]
RECIPE = 'task = "image-sentence"\nname = "x"\n[dataset]\nannotations = "a.json"\n'


@pytest.mark.parametrize("lengths", [None, RAGGED])
def test_it_learns_the_photos_it_is_shown(make_phase, lengths):
    phase = make_phase(tokens=REGIONS, lengths=lengths, epochs=12)
    before = phase.measure()["rsum"]
    for epoch in range(phase.n_epochs):
        for step in range(phase.n_steps):
            torch.manual_seed(epoch * 10 + step)
            phase.step(epoch, step)
    assert phase.measure()["rsum"] > before + 50


def test_what_pads_a_picture_does_not_reach_its_embedding(make_phase):
    phase = make_phase(tokens=REGIONS, lengths=RAGGED)
    before = phase.embed_val()[0]
    for view in phase._val.views:
        for row, n in enumerate(RAGGED):
            view.regions.boxes[row, n:] = torch.tensor([0.1, 0.2, 0.9, 0.95])
            view.regions.scores[row, n:] = 0.9
            view.regions.labels[row, n:] = 2
    torch.testing.assert_close(embedded_anew(phase), before)
    phase._val.views[0].regions.boxes[0, 0] = torch.tensor([0.0, 0.0, 0.1, 0.1])
    assert not torch.allclose(embedded_anew(phase)[0], before[0], atol=1e-4)


def embedded_anew(phase):
    """The photos' embeddings; what was kept of them is let go."""
    phase.restore(phase.state())
    return phase.embed_val()[0]


def test_a_stopped_run_takes_the_steps_of_an_undisturbed_one(make_phase, tmp_path):
    whole, first, second = (make_phase(tokens=REGIONS, lengths=RAGGED) for _ in range(3))
    undisturbed, stopped = tmp_path / "a", tmp_path / "b"
    undisturbed.mkdir()
    stopped.mkdir()
    list(run_phase(whole, RunDirectory(undisturbed), token=CancellationToken()))
    for event in run_phase(first, RunDirectory(stopped), token=CancellationToken()):
        if isinstance(event, EpochFinished):
            break
    list(run_phase(second, RunDirectory(stopped), token=CancellationToken()))
    for name, tensor in whole.finished_model().state_dict().items():
        torch.testing.assert_close(second.finished_model().state_dict()[name], tensor, msg=name)


def test_regions_are_gathered_view_by_view(make_phase):
    views = make_phase(tokens=REGIONS, lengths=RAGGED)._val.views
    which, photos = torch.tensor([0, 1, 1]), torch.tensor([2, 2, 5])
    found = gather_regions(views, which, photos)
    for row in range(3):
        source = views[which[row]].regions
        torch.testing.assert_close(found.boxes[row], source.boxes[photos[row]])
        assert torch.equal(found.labels[row], source.labels[photos[row]])
    assert found.lengths.tolist() == [2, 2, 1]
    assert found.labels.dtype == found.lengths.dtype == torch.int64


def test_a_vision_package_without_proposer_is_named(make_phase):
    phase = make_phase(tokens=REGIONS)
    without = copy.copy(phase._val.views[0])
    without.regions = None
    with pytest.raises(ConfigError, match="have no regions"):
        gather_regions([without], torch.zeros(1), torch.zeros(1, dtype=torch.int64))


def test_products_in_half_precision_change_little(make_phase):
    exact, rough = make_phase(tokens=REGIONS), make_phase(tokens=REGIONS, precision="bfloat16")
    losses = []
    for phase in (exact, rough):
        torch.manual_seed(5)
        losses.append(phase.step(0, 0))
    assert losses[0] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (RECIPE + '[network]\ntokens = "boxes"\n', "tokens"),
        (RECIPE + '[network]\nregion_positon = true\n', "Did you mean network.region_positions"),
        (RECIPE + '[network]\ntokens = "regions"\n[gates]\nepochs = 1\n', "cells of a grid only"),
        (RECIPE + '[training]\nprecision = "float8"\n', "precision"),
    ],
)
def test_a_wrong_recipe_is_refused_with_a_sentence(text, sentence):
    with pytest.raises(ConfigError, match=sentence):
        decode_recipe(text.encode(), where="x.toml")
