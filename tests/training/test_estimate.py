"""An estimate: real steps, scaled to all that there is to do."""

import pytest

from explorer.cancellation import CancellationToken, Cancelled
from explorer.errors import ConfigError
from explorer.protocol.runs import (
    EpochFinished,
    Estimated,
    Finished,
    PhaseStarted,
    Progressed,
    Saved,
    Stepped,
)
from explorer.training import estimate as estimating
from explorer.training.compute import Compute
from explorer.training.estimate import estimate
from explorer.training.trainer import train
from tests.helpers.killable import MODELS
from tests.helpers.photo_data import write_karpathy

RECIPE = """
task = "dsmhn"
name = "tiny"
[dataset]
annotations = "photos.json"
[features]
flip = true
[network]
n_bits = 16
[image]
hidden_dim = 8
[text]
readers = ["bow"]
hidden_dim = 8
min_word_count = 1
[training]
epochs = 50
batch_size = 4
"""
N_TRAIN, N_VAL = 70, 10


@pytest.fixture
def recipe(tmp_path):
    write_karpathy(tmp_path / "data", ("train",) * N_TRAIN + ("val",) * N_VAL)
    path = tmp_path / "data" / "tiny.toml"
    path.write_text(RECIPE)
    return path


def run_estimate(recipe, home, token=None):
    return list(
        estimate(
            recipe, recipe_folder=recipe.parent, work_folder=home / "work", runs_folder=home / "runs",
            search_folders=[MODELS], compute=Compute(), token=token or CancellationToken(),
        )
    )  # fmt: skip


class Road:
    """The road of a recipe, at known speeds: what an estimate of it has to come to can be told by hand."""

    load_s, photo_s, step_s, measure_s, save_s, package_s = 3.0, 0.02, 0.1, 0.4, 0.1, 2.0

    def __init__(self, monkeypatch):
        self.now, self.recipes = 0.0, []
        monkeypatch.setattr(estimating.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(estimating, "train_encoder", self.train)

    def train(self, recipe, places, token):
        self.recipes.append(recipe)
        n = recipe.dataset.max_photos
        yield PhaseStarted(phase="features", n_done=0, n_steps=2, n_epochs=1)
        self.now += self.load_s
        for n_here in (n, min(n, N_VAL)):
            self.now += n_here * self.photo_s
            yield Progressed(message="features, photo", n_done=n_here, n_total=n_here, rate_per_s=1 / self.photo_s)
        n_steps = n // recipe.training.batch_size
        n_all = n_steps * recipe.training.epochs
        yield PhaseStarted(phase="network", n_done=0, n_steps=n_all, n_epochs=recipe.training.epochs)
        for epoch in range(1, recipe.training.epochs + 1):
            self.now += n_steps * self.step_s * (3 if epoch == 1 else 1)  # the first ones are slow everywhere
            yield Stepped(phase="network", epoch=epoch, step=epoch * n_steps, n_steps=n_all, losses={"loss": 1.0},
                          learning_rate=0.1, items_per_s=1.0)  # fmt: skip
            self.now += self.measure_s
            yield EpochFinished(phase="network", epoch=epoch, metrics={})
            self.now += self.save_s
            yield Saved(phase="network", step=epoch * n_steps)
        self.now += self.package_s
        yield Finished(path=b"x", metrics={})


def test_what_is_measured_on_few_photos_is_scaled_to_all(recipe, tmp_path, monkeypatch):
    road = Road(monkeypatch)
    found = run_estimate(recipe, tmp_path / "home")[-1]
    (little,) = road.recipes
    assert (little.dataset.max_photos, little.training.epochs, little.features.flip) == (64, 3, False)
    views = 2 * N_TRAIN + N_VAL
    assert found.by_phase["features"] == pytest.approx(road.load_s + views * road.photo_s)
    measured = road.measure_s * (N_TRAIN + N_VAL) / (64 + N_VAL)
    assert found.by_phase["network"] == pytest.approx(50 * (N_TRAIN // 4 * road.step_s + measured + road.save_s))
    assert found.by_phase["package"] == road.package_s
    assert found.seconds == pytest.approx(sum(found.by_phase.values()))
    assert found.n_steps == 3 * 16


def test_it_ends_once_it_took_long_and_knows_enough(recipe, tmp_path, monkeypatch):
    road = Road(monkeypatch)
    road.step_s = 100.0
    found = run_estimate(recipe, tmp_path / "home")[-1]
    assert isinstance(found, Estimated)
    assert found.n_steps == 16
    assert found.by_phase["package"] == 0.0


def test_features_that_are_there_already_are_not_counted_and_none_are_left(recipe, tmp_path):
    home = tmp_path / "home"
    recipe.write_text(RECIPE.replace("epochs = 50", "epochs = 1"))
    before = run_estimate(recipe, home)[-1]
    assert not home.exists() or not list(home.rglob("*.npy"))
    assert before.disk_mb > 0
    assert before.memory_mb > 100
    events = train(recipe, runs_folder=home / "runs", search_folders=[MODELS], token=CancellationToken())
    assert isinstance(list(events)[-1], Finished)
    cached = sum(path.stat().st_size for path in (home / "features").rglob("*") if path.is_file()) / 1e6
    after = run_estimate(recipe, home)[-1]
    assert before.disk_mb - after.disk_mb == pytest.approx(cached, rel=0.2)


def test_it_can_be_stopped_and_leaves_nothing(recipe, tmp_path):
    token = CancellationToken()
    home = tmp_path / "home"
    events = estimate(
        recipe, recipe_folder=recipe.parent, work_folder=home / "work", runs_folder=home / "runs",
        search_folders=[MODELS], compute=Compute(), token=token,
    )  # fmt: skip
    assert isinstance(next(events), Progressed)
    token.cancel()
    with pytest.raises(Cancelled):
        list(events)
    assert not (home / "work").exists()


def test_the_training_of_a_vision_package_is_not_estimated(tmp_path):
    recipe = tmp_path / "vision.toml"
    recipe.write_text('task = "distillation"\n')
    with pytest.raises(ConfigError, match="cannot be told beforehand"):
        run_estimate(recipe, tmp_path / "home")
