"""The phases of 3SHNet: what they say of a step, what they keep, and what they find."""

from pathlib import Path

import pytest
import torch

from explorer.training.config import GateSection, TailSection
from explorer.training.gates import GatePhase
from explorer.training.phases import AnswersQueries, seed_step
from explorer.training.query_answers import answer_query, evenly
from explorer.training.schedule import RunningAverage
from explorer.training.tail import TailPhase


def _tail_phase(make_phase):
    split = make_phase()._train
    torch.manual_seed(1)
    tail = torch.nn.Conv2d(4, 6, 3, stride=2, padding=1).eval()
    return TailPhase(tail, TailSection(epochs=2, batch_size=4, embed_dim=16), split, split, seed=0)


def _gate_phase(make_phase):
    return GatePhase(make_phase(), GateSection(epochs=2, weight=3.0))


def _network_phase(make_phase):
    return make_phase(epochs=2, averaging=0.9, gate_cost=0.5, gate_cost_epochs=1)


MAKERS = {"network": _network_phase, "tail": _tail_phase, "gates": _gate_phase}
TERMS = {"network": {"info-nce"}, "tail": {"info-nce"}, "gates": {"matching", "attributions"}}


def _steps(phase, begin, end):
    losses = []
    for number in range(begin, end):
        epoch, step = divmod(number, phase.n_steps)
        seed_step(phase.seed, epoch, step)
        losses.append(phase.step(epoch, step))
    return losses


@pytest.mark.parametrize("name", MAKERS)
def test_a_step_says_its_terms_which_add_up_and_its_rate(make_phase, name):
    phase = MAKERS[name](make_phase)
    assert (phase.name, phase.watched) == (name, "rsum")
    (losses,) = _steps(phase, 0, 1)
    assert losses.keys() == {"loss"} | TERMS[name]
    assert losses["loss"] == pytest.approx(sum(losses[term] for term in TERMS[name]), rel=1e-6)
    rates = [group["lr"] for group in phase._optimizer.param_groups]
    assert phase.learning_rate == max(rates) > 0
    assert phase.watched in phase.measure()


def test_the_gates_cost_counts_in_the_last_epochs_with_its_weight(make_phase):
    phase = _network_phase(make_phase)
    first, *_, last = _steps(phase, 0, 4)
    assert "gate cost" not in first
    assert last["loss"] == pytest.approx(last["info-nce"] + last["gate cost"], rel=1e-6)
    dearer = make_phase(epochs=2, gate_cost=1.0, gate_cost_epochs=2)
    cheaper = make_phase(epochs=2, gate_cost=0.5, gate_cost_epochs=2)
    ours, theirs = _steps(dearer, 0, 1)[0], _steps(cheaper, 0, 1)[0]
    assert ours["gate cost"] == pytest.approx(2 * theirs["gate cost"])


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("halfway", [1, 3])
def test_resumed_in_the_middle_it_takes_the_very_same_steps(make_phase, name, halfway):
    undisturbed = MAKERS[name](make_phase)
    expected = _steps(undisturbed, 0, 4)
    first = MAKERS[name](make_phase)
    before = _steps(first, 0, halfway)
    resumed = MAKERS[name](make_phase)
    _steps(resumed, 0, 1)  # whatever it was in the middle of
    resumed.restore(first.state())
    assert before + _steps(resumed, halfway, 4) == expected
    for key, value in undisturbed.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key
    assert resumed.measure() == undisturbed.measure()


@pytest.mark.parametrize("name", MAKERS)
def test_what_was_embedded_before_a_step_is_not_measured_after_it(make_phase, name):
    phase = MAKERS[name](make_phase)
    embed = phase._embed_val if name == "tail" else phase.embed_val
    before = embed()
    assert embed() is before
    _steps(phase, 0, 1)
    assert not torch.equal(embed()[0], before[0])
    now, state = embed(), phase.state()
    phase.restore(state)
    assert embed() is not now
    assert torch.equal(embed()[0], now[0])


@pytest.mark.parametrize("name", MAKERS)
def test_fixed_queries_find_what_their_embeddings_say(make_phase, name):
    phase = MAKERS[name](make_phase)
    assert isinstance(phase, AnswersQueries)
    images, sentences = (phase._embed_val if name == "tail" else phase.embed_val)()
    answers = phase.answer_queries(4, 3)
    assert len(answers) == 4
    # Sixteen sentences, two of each photo, evenly taken: 2, 6, 10, 14.
    for answer, sentence in zip(answers, (2, 6, 10, 14), strict=True):
        scores = images @ sentences[sentence]
        order = scores.argsort(descending=True).tolist()
        assert answer.pictures == tuple(Path(f"{photo}.jpg") for photo in order[:3])
        assert answer.rank == order.index(sentence // 2) + 1
        assert answer.own == tuple(photo == sentence // 2 for photo in order[:3])
        assert answer.scores == pytest.approx(scores[order[:3]].tolist())
        assert answer.n_ranked == 8


def test_equal_scores_are_answered_in_the_pictures_order():
    pictures = [Path(name) for name in "abc"]
    own = torch.tensor([False, True, True])
    answer = answer_query("x", torch.zeros(3), own, pictures, 2)
    assert (answer.pictures, answer.rank, answer.own) == ((Path("a"), Path("b")), 2, (False, True))


@pytest.mark.parametrize(("n", "wanted", "rows"), [(16, 4, [2, 6, 10, 14]), (2, 5, [0, 1]), (1, 3, [0]), (0, 3, [])])
def test_queries_are_taken_evenly_and_once(n, wanted, rows):
    assert evenly(n, wanted) == rows


def test_a_restored_average_does_not_follow_what_it_was_restored_from(make_phase):
    phase, other = make_phase(averaging=0.9), make_phase(averaging=0.9)
    _steps(phase, 0, 1)
    other.restore(phase.state())
    kept = {name: tensor.clone() for name, tensor in phase._average.tensors.items()}
    _steps(other, 1, 2)
    assert isinstance(other._average, RunningAverage)
    assert all(torch.equal(phase._average.tensors[name], tensor) for name, tensor in kept.items())
