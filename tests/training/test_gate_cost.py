"""What is done so that gates say which cells matter: a cost of open gates, and a phase that teaches them."""

import pytest
import torch

from explorer.training.network import gate_cost


@pytest.mark.parametrize("logit", [-2.0, 0.0, 3.0])
def test_the_slope_of_the_cost_is_the_gate_itself(logit):
    logits = torch.full((1, 4), logit, requires_grad=True)
    gate_cost(torch.sigmoid(logits)).backward()
    torch.testing.assert_close(logits.grad * 4, torch.sigmoid(logits.detach()), atol=1e-5, rtol=1e-4)


def test_wished_gates_follow_the_fall_of_the_score_without_a_cell(make_phase):
    """Gradient times value against leaving each cell out, on a small network."""
    from explorer.training.gates import wished_gates

    phase = make_phase(sentences=1)
    model = phase.model.eval()
    draw = phase._draw(0, 0)
    batch, words, owners = draw.batch, draw.words, draw.own
    sentences = model.text(words.states, words.lengths).detach()
    inputs = (batch.scores, batch.class_map, batch.presence)
    encoded = model.image(batch.tokens.values, *inputs)
    wished = wished_gates(encoded, sentences, owners)
    n = batch.tokens.values.shape[1]
    falls = []
    with torch.inference_mode():
        whole = (encoded.embedding * sentences).sum(dim=1)
        for cell in range(n):
            order = [other for other in range(n) if other != cell] + [cell]
            lengths = torch.full((len(whole),), n - 1)
            without = model.image(batch.tokens.values[:, order], *inputs, lengths).embedding
            falls.append(whole - (without * sentences).sum(dim=1))
    falls = torch.stack(falls, dim=1)
    likeness = [torch.corrcoef(torch.stack([w, f]))[0, 1].item() for w, f in zip(wished.detach(), falls, strict=True)]
    assert wished.shape == (4, n)
    assert ((wished > 0) & (wished < 1)).all()
    assert sum(likeness) / len(likeness) > 0.5


def test_a_gate_phase_moves_the_gates_towards_what_is_wished(make_phase, tmp_path):
    from explorer.cancellation import CancellationToken
    from explorer.protocol.runs import Stepped
    from explorer.training.config import GateSection
    from explorer.training.gates import GatePhase
    from explorer.training.phases import run_phase
    from explorer.training.run_directory import RunDirectory

    trained = make_phase()
    phase = GatePhase(trained, GateSection(epochs=20, learning_rate=3e-3, weight=5.0))
    events = list(run_phase(phase, RunDirectory(tmp_path), token=CancellationToken()))
    losses = [event.losses["loss"] for event in events if isinstance(event, Stepped)]
    assert phase.name == "gates"
    assert losses[-1] < losses[0]
    assert phase.measure()["rsum"] > 0
