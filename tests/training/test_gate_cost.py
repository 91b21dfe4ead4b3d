"""The cost that keeps gates from all being open: least at the wished share, and never without a slope."""

import pytest
import torch

from explorer.training.network import gate_cost


def test_is_least_where_the_mean_gate_has_the_wished_share():
    costs = [gate_cost(torch.full((2, 9), value), 0.3).item() for value in (0.05, 0.2, 0.3, 0.4, 0.95)]
    assert min(costs) == costs[2]


def test_leaves_free_which_cells_open():
    even, one_sided = torch.full((1, 4), 0.25), torch.tensor([[1.0, 0.0, 0.0, 0.0]])
    assert gate_cost(even, 0.3).item() == pytest.approx(gate_cost(one_sided, 0.3).item())


@pytest.mark.parametrize("logit", [-8.0, 8.0])
def test_saturated_gates_still_feel_it(logit):
    logits = torch.full((1, 49), logit, requires_grad=True)
    gate_cost(torch.sigmoid(logits), 0.3).backward()
    # Gradient descent moves the mean towards the share: up when all are shut, down when all are open.
    assert (logits.grad.sign() == (1.0 if logit > 0 else -1.0)).all()
    assert logits.grad.abs().sum() > 0.2


def test_wished_gates_follow_the_fall_of_the_score_without_a_cell(make_phase):
    """Gradient times value against leaving each cell out, on a small network."""
    from explorer.training.gates import wished_gates

    phase = make_phase(sentences=1)
    model = phase.model.eval()
    batch, words, owners = phase._draw(0, 0)
    sentences = model.text(words.states, words.lengths).detach()
    inputs = (batch.scores, batch.class_map, batch.presence)
    encoded = model.image(batch.tokens, *inputs)
    wished = wished_gates(encoded, sentences, owners)
    n = batch.tokens.shape[1]
    falls = []
    with torch.inference_mode():
        whole = (encoded.embedding * sentences).sum(dim=1)
        for cell in range(n):
            order = [other for other in range(n) if other != cell] + [cell]
            lengths = torch.full((len(whole),), n - 1)
            without = model.image(batch.tokens[:, order], *inputs, lengths).embedding
            falls.append(whole - (without * sentences).sum(dim=1))
    falls = torch.stack(falls, dim=1)
    likeness = [torch.corrcoef(torch.stack([w, f]))[0, 1].item() for w, f in zip(wished.detach(), falls, strict=True)]
    assert wished.shape == (4, n)
    assert ((wished > 0) & (wished < 1)).all()
    assert sum(likeness) / len(likeness) > 0.5


def test_a_gate_phase_moves_the_gates_towards_what_is_wished(make_phase, tmp_path):
    from explorer.cancellation import CancellationToken
    from explorer.training.config import GateSection
    from explorer.training.gates import GatePhase
    from explorer.training.phases import run_phase
    from explorer.training.run_directory import RunDirectory

    trained = make_phase()
    phase = GatePhase(trained, GateSection(epochs=20, learning_rate=3e-3, weight=5.0))
    events = list(run_phase(phase, RunDirectory(tmp_path), token=CancellationToken()))
    losses = [event.loss for event in events if hasattr(event, "loss")]
    assert phase.name == "gates"
    assert losses[-1] < losses[0]
    assert phase.measure()["rsum"] > 0
