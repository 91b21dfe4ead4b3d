"""The families of codes on eight pairs: learned by heart in seconds, the same again, and the same after a stop."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from explorer.cancellation import CancellationToken, Cancelled
from explorer.protocol.runs import BitsMeasured, EpochFinished, QueriesAnswered
from explorer.training.phases import AnswersQueries, HasBits, run_phase
from explorer.training.run_directory import RunDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "helpers"))
from code_worlds import dsmhn_phase, hashing_split, picture_split, scene_split, scenes_phase, tvdb_phase

sys.path.pop(0)

EIGHT = np.array([[kind, colour, motion] for motion in (0, 1) for kind in (0, 1) for colour in (0, 1)])
FAMILIES = ("tvdb", "dsmhn", "scenes")
TERMS = {
    "tvdb": {"image_codes", "text_codes"},
    "dsmhn": {"nll", "classification", "quantisation"},
    "scenes": {"inner_product", "classification", "quantisation", "balance"},
}


def phase_of(family, **changes):
    """A phase on eight pairs, each of a class of its own; measured on the same eight."""
    settings = {"batch_size": 8, "averaging": 0.0, **changes}
    if family == "tvdb":
        split = hashing_split(8, 8, 0)
        chosen = {"similarity": "residual", "decorrelation": 0.5, "eta": 0.1, "normalised": True, "epochs": 60}
        return tvdb_phase((split, split), n_classes=8, **chosen | settings)
    if family == "dsmhn":
        split = picture_split(8, 8, 0)
        return dsmhn_phase((split, split), n_classes=8, **{"epochs": 60} | settings)
    split = scene_split(EIGHT, 0)
    chosen = {"epochs": 60, "learning_rate": 0.02, "kind": 0.3, "colour": 0.3, "motion": 0.4, "balance": 0.1}
    return scenes_phase((split, split), **chosen | settings)


def losses_of(phase, folder, stop_after=None):
    """What every step says; a stop is asked for after some steps."""
    folder.mkdir(exist_ok=True)
    said, token, step = [], CancellationToken(), phase.step

    def recorded(epoch, number):
        said.append(step(epoch, number))
        if len(said) == stop_after:
            token.cancel()
        return said[-1]

    phase.step, events = recorded, []
    try:
        events.extend(run_phase(phase, RunDirectory(folder), token=token))
    except Cancelled:
        assert len(said) == stop_after
    return said, events


@pytest.fixture(scope="module", params=FAMILIES)
def learned(request, tmp_path_factory):
    """A family, its phase after all epochs, and what the run said."""
    phase = phase_of(request.param)
    return request.param, phase, *losses_of(phase, tmp_path_factory.mktemp("learned"))


def test_eight_pairs_are_learned_by_heart(learned):
    family, phase, losses, events = learned
    metrics = phase.measure()
    names = ("t2v_full", "v2t_full") if family == "scenes" else ("i2t_map", "t2i_map", "mean_map")
    assert [metrics[name] for name in names] == pytest.approx([100.0] * len(names))
    assert losses[-1]["loss"] < 0.7 * losses[0]["loss"]
    for said in losses:
        assert set(said) == TERMS[family] | {"loss"}
        assert said["loss"] == pytest.approx(sum(value for name, value in said.items() if name != "loss"), rel=1e-4)
    assert 0 < phase.learning_rate < 1e-4
    assert phase.watched in metrics
    assert [event for event in events if isinstance(event, EpochFinished)][-1].metrics == metrics


def test_what_sentences_find_and_which_bits_are_set_is_that_of_the_measured_codes(learned):
    family, phase, _, events = learned
    assert isinstance(phase, AnswersQueries)
    assert isinstance(phase, HasBits)
    assert len([event for event in events if isinstance(event, BitsMeasured | QueriesAnswered)]) == 2 * phase.n_epochs
    fresh = phase_of(family)
    assert fresh.answer_queries(3, 2) == fresh.bit_shares() == ()
    phase.measure()
    answers = phase.answer_queries(4, 3)
    assert len({answer.text for answer in answers}) == 4
    for answer in answers:
        assert (answer.rank, answer.n_ranked) == (1, 8)
        assert answer.own == (True, False, False)
        assert list(answer.scores) == sorted(answer.scores, reverse=True)
        assert -1.0 <= answer.scores[-1] < answer.scores[0] <= 1.0
        if family != "scenes":
            assert answer.text.startswith(f"photo {answer.pictures[0].stem},")
    model = phase.finished_model()
    scenes = family == "scenes"
    looked_at = phase.encode(model.streams, phase.val).clips if scenes else phase.encode(model, phase.train)[0]
    assert phase.bit_shares() == pytest.approx((looked_at > 0).float().mean(dim=0).tolist())


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_gives_the_same_losses_and_another_one_does_not(tmp_path, family):
    losses = [
        losses_of(phase_of(family, epochs=3, batch_size=4, dropout=0.2, seed=seed), tmp_path / str(number))[0]
        for number, seed in enumerate((0, 0, 1))
    ]
    assert losses[0] == losses[1] != losses[2]
    assert len(losses[0]) == 6


@pytest.mark.parametrize("stop_after", [3, 4])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_that_goes_on_equals_an_undisturbed_one(tmp_path, family, stop_after):
    settings = {"epochs": 4, "batch_size": 4, "dropout": 0.2, "averaging": 0.9}
    whole = phase_of(family, **settings)
    expected, _ = losses_of(whole, tmp_path / "whole")
    before, _ = losses_of(phase_of(family, **settings), tmp_path / "parts", stop_after)
    torch.manual_seed(12345)  # whatever the program did in between
    resumed = phase_of(family, **settings)
    after, _ = losses_of(resumed, tmp_path / "parts")
    assert before + after == expected
    for (name, value), other in zip(whole.model.state_dict().items(), resumed.model.state_dict().values(), strict=True):
        assert torch.equal(value, other), name
    assert whole.measure() == resumed.measure()
