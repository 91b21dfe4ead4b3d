"""The comparison: what is measured is kept, goes on where it was, and is said in a table."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from explorer.cancellation import CancellationToken
from explorer.errors import ConfigError
from explorer.evaluation.comparison import paired_bootstrap
from explorer.networks.three_shnet.config import TextEncoderConfig
from explorer.training import comparison
from explorer.training.comparison import VARIANTS, comparison_table, main
from explorer.training.config import decode_recipe
from explorer.training.image_sentence import Ready
from explorer.training.photos import recall_metrics

RECIPE = """
task = "image-sentence"
name = "tiny"
[dataset]
annotations = "a.json"
[network]
embed_dim = 32
map_size = 4
[training]
epochs = 1
batch_size = 4
"""
SUMMARY = {
    "metrics": {"ridge": {"rsum": 200.0}, "3shnet-0": {"rsum": 300.0}, "3shnet-1": {"rsum": 310.0},
                "plain-0": {"rsum": 295.0}, "plain-1": {"rsum": 311.0}, "no-vsem-0": {"rsum": 290.04}},
    "paired": {
        "3shnet-0 less ridge": {"difference": 100.0, "low": 90.0, "high": 110.0},
        "3shnet-1 less ridge": {"difference": 110.0, "low": 100.0, "high": 120.0},
        "3shnet-0 less plain-0": {"difference": 5.0, "low": -1.0, "high": 11.0},
        "3shnet-1 less plain-1": {"difference": -1.0, "low": -7.0, "high": 5.0},
        "3shnet-0 less no-vsem-0": {"difference": 9.96, "low": 4.0, "high": 16.0},
    },
}
RUNS = [(name, seed) for seed in (0, 1) for name in ("3shnet", "plain", "no-vsem")]


def cells(line):
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_table_has_a_row_a_variant_and_a_column_a_seed():
    head, _, *rows = comparison_table(SUMMARY, RUNS).splitlines()
    assert cells(head)[:4] == ["variant", "seed 0", "seed 1", "mean"]
    assert [cells(row) for row in rows] == [
        ["ridge", "200.0", "200.0", "200.0", "+100.0 (+90.0 to +110.0)", "+110.0 (+100.0 to +120.0)", "+105.0"],
        ["3shnet", "300.0", "310.0", "305.0", "", "", ""],
        ["plain", "295.0", "311.0", "303.0", "+5.0 (-1.0 to +11.0)", "-1.0 (-7.0 to +5.0)", "+2.0"],
        # One seed of two: no mean that would be taken for one over both.
        ["no-vsem", "290.0", "", "", "+10.0 (+4.0 to +16.0)", "", ""],
    ]


@pytest.fixture
def tiny_world(monkeypatch, make_phase):
    """The tiny captioned world in the place of a recipe's."""
    phase = make_phase()
    split, source = phase._train, phase._train_source
    image = phase.model.image.config
    prepared = SimpleNamespace(train=split, val=split)
    ready = Ready(prepared, None, source, source, (image, TextEncoderConfig(embed_dim=32)))

    def configs(network, _prepared, _width):
        switches = {name: getattr(network, name) for name in ("vsem", "vspm", "category_token", "gate", "pooling")}
        changed = {field: getattr(image, field) for field in image.__dataclass_fields__} | switches
        return type(image)(**changed), TextEncoderConfig(embed_dim=32, pooling=network.pooling)

    def make_ready(*_):
        yield from ()
        return ready

    monkeypatch.setattr(comparison, "make_ready", make_ready)
    monkeypatch.setattr(comparison, "encoder_configs", configs)
    return split


def test_what_is_there_is_not_trained_again(tiny_world, tmp_path):
    recipe = decode_recipe(RECIPE.encode(), where="x")
    runs = [("3shnet", 0), ("no-vsem", 0)]
    list(comparison.compare(recipe, None, tmp_path, runs[:1], CancellationToken()))
    first = (tmp_path / "3shnet-0.npz").read_bytes()
    events = list(comparison.compare(recipe, None, tmp_path, runs, CancellationToken()))
    assert events
    assert (tmp_path / "3shnet-0.npz").read_bytes() == first
    assert list(comparison.compare(recipe, None, tmp_path, runs, CancellationToken())) == []
    summary = json.loads((tmp_path / "comparison.json").read_text())
    assert set(summary["metrics"]) == {"ridge", "3shnet-0", "no-vsem-0"}
    ranks = {name: comparison._read(tmp_path / f"{name}.npz") for name in summary["metrics"]}
    owners = np.repeat(np.arange(len(tiny_world)), 2)
    for name, value in ranks.items():
        assert summary["metrics"][name] == recall_metrics(value)
    expected = paired_bootstrap(ranks["3shnet-0"], ranks["no-vsem-0"], owners)
    assert summary["paired"]["3shnet-0 less no-vsem-0"]["difference"] == expected.difference
    assert (tmp_path / "comparison.md").read_text() == comparison_table(summary, runs)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (["--variants", "no-vse"], "is no variant"),
        (["--seeds", "0,x"], "are no seeds"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(tmp_path, capsys, changes, sentence):
    path = tmp_path / "x.toml"
    path.write_text(RECIPE)
    places = ["--run", str(tmp_path), "--models", str(tmp_path), "--results", str(tmp_path / "r")]
    assert main([str(path), *places, *changes]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def test_ridge_has_no_sentences_to_aim_at_without_minilm(tmp_path, capsys):
    path = tmp_path / "x.toml"
    path.write_text(RECIPE.replace("embed_dim", 'text = "bigru"\nembed_dim'))
    arguments = [str(path), "--run", str(tmp_path), "--models", str(tmp_path), "--results", str(tmp_path / "r")]
    assert main(arguments) == 1
    assert "MiniLM" in capsys.readouterr().err


def test_every_variant_is_a_recipe():
    recipe = decode_recipe(RECIPE.encode(), where="x")
    for changes in VARIANTS.values():
        assert all(hasattr(recipe.network, name) for name in changes)
    with pytest.raises(ConfigError, match="is no variant"):
        comparison._runs("all,plain", "0")
