"""From the form to searching with what was trained: the real engine, real trainers, one family after the other.

And the same recipe from the panel and from the command line: the same package, byte for byte.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.engine.client import engine_command
from explorer.gui import app as window_app
from explorer.gui.pages import Step
from explorer.protocol import Query
from explorer.protocol.runs import RunBegan
from explorer.runs.journal import JournalReader
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunStatus
from tests.helpers.photo_data import write_library, write_photo

_CHECKOUT = Path(__file__).resolve().parents[2]
_PATIENCE_S = 240.0
"""For one stage on a machine that does much else."""

_THINGS = ("dog", "cat", "bus", "horse")
_DATA = '[dataset]\nannotations = "photos.json"\n'
_LOOKS = '[features]\nvision = "vision-lite0"\nflip = false\n'
_RECIPES = {
    "3SHNet": (
        "image-sentence",
        _DATA + _LOOKS + "n_crops = 0\n[tail]\nepochs = 0\n[network]\nembed_dim = 16\nhidden_dim = 12\nmap_size = 7\n",
    ),
    "TVDB": ("tvdb", _DATA + '[labels]\nsource = "sentences"\n' + _LOOKS + "[network]\nn_bits = 16\nhidden_dim = 16\n"),
    "DSMHN": ("dsmhn", _DATA + '[labels]\nsource = "sentences"\n' + _LOOKS + "[network]\nn_bits = 16\n"),
}
_FAMILIES = tuple(_RECIPES)


def recipe_of(family: str, n_epochs: int) -> tuple[str, bytes]:
    """Task and recipe; the photos come in two batches."""
    task, rest = _RECIPES[family]
    head = f'task = "{task}"\nname = "tiny-{task}"\ntitle = "Tiny {family}"\n'
    return task, f"{head}{rest}[training]\nepochs = {n_epochs}\nbatch_size = 4\nsentences = 2\n".encode()


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve rendered photos of four kinds of things, two sentences each, and a library of them."""
    folder = tmp_path_factory.mktemp("photos")
    images, said = [], {}
    for number in range(12):
        name, thing = f"{number:02}.jpg", _THINGS[number % 4]
        write_photo(folder / "images" / name, number)
        sentences = [f"a {thing} number {number}", f"the {number}th {thing} on a street"]
        split = "train" if number < 8 else "val"
        images.append({
            "filename": name, "split": split, "imgid": number, "sentences": [{"raw": each} for each in sentences],
        })
        said[os.fsencode(name)] = sentences
    (folder / "photos.json").write_text(json.dumps({"dataset": "tiny", "images": images}))
    write_library(folder / "library", folder / "images", said)
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder that the runs of all families share, so that photos are looked at once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def desk(qapp, home, photos, until):
    """The window on the library of the photos, its real engine not started; ends trainers that are left."""
    window_app.prepare_application(qapp)
    window, controller = window_app.build_window(
        photos / "library", data_dir=home, engine_command=engine_command(home)
    )
    window.resize(1280, 800)
    window.show()
    yield window, controller
    window.leave()
    window_app.leave_window(window, controller, home)
    window.deleteLater()
    for journal in (home / "runs").glob("*/journal"):
        for event in JournalReader(journal).read():
            if isinstance(event, RunBegan) and event.pid != os.getpid():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(event.pid, signal.SIGKILL)


def begin(window, family, photos, n_epochs, until):
    """Put the recipe into the form and press Train; the run's folder."""
    task, recipe = recipe_of(family, n_epochs)
    window.open_training()
    until(lambda: window.training.window is not None)
    training = window.training.window
    training.new.click()
    until(lambda: training.form.drafting.forms, _PATIENCE_S)
    training.form.show_recipe(recipe, task=task, recipe_folder=photos, device="cpu")
    until(lambda: training.form.foot.train.isEnabled(), _PATIENCE_S)
    training.form.foot.train.click()
    until(lambda: training.view.path is not None and training.stack.currentWidget() is training.view)
    return training.view.path


def status(window, path):
    return window.training.control.state(path).status


def reached(window, path, wanted):
    """Whether the run is so; a run that cannot go on ends the test with its own words."""
    state = window.training.control.state(path)
    assert state.failed is None, f"{state.failed.message} {state.failed.details}"
    return state.status is wanted


@pytest.mark.timeout(900)
@pytest.mark.parametrize("family", _FAMILIES)
def test_from_the_form_to_searching_with_it(desk, photos, until, family):
    window, controller = desk
    controller.start()
    task, _ = recipe_of(family, 1)
    path = begin(window, family, photos, 4000, until)
    view = window.training.window.view
    control = window.training.control
    until(lambda: reached(window, path, RunStatus.RUNNING) and control.state(path).can_keep, _PATIENCE_S)
    for name in ("losses", "metrics"):
        until(lambda name=name: view.curves.plots[name].view.drawn is not None, _PATIENCE_S)
    assert "loss" in [curve.name for curve in view.curves.plots["losses"].view.drawn.spec.curves]
    view.header.pause.click()
    until(lambda: reached(window, path, RunStatus.PAUSED), _PATIENCE_S)
    view.tabs.setCurrentWidget(view.queries)
    until(lambda: view.queries.rows and all(not image.isNull() for _, image in view.queries.rows[0].strip.pictures))
    assert any(top.own for row in view.queries.rows for top in row.query.top)
    assert view.tabs.isTabVisible(view.tabs.indexOf(view.bits)) is (family != "3SHNet")
    n_done = control.state(path).n_done
    view.header.pause.click()
    until(lambda: reached(window, path, RunStatus.RUNNING) and control.state(path).n_done > n_done, _PATIENCE_S)
    view.header.keep.click()
    until(lambda: reached(window, path, RunStatus.FINISHED), _PATIENCE_S)
    assert control.state(path).finished.early
    listed = window.pane.notices
    until(lambda: listed.shown is not None and listed.shown.step is Step.INDEX_WITH, _PATIENCE_S)
    assert listed.shown.text == f"“Tiny {family}” is ready."
    assert window.models.findText(f"Tiny {family}") >= 0
    listed._step.click()
    session = controller.session
    until(lambda: session.model == f"tiny-{task}" and session.model_ready and session.indexing is None, _PATIENCE_S)
    controller.search(Query(text="a dog on a street"))
    until(lambda: session.ranking is not None and session.ranking.model == f"tiny-{task}", _PATIENCE_S)
    assert len(session.ranking.item_ids) == 12 * 8


@pytest.mark.timeout(900)
@pytest.mark.parametrize("family", _FAMILIES)
def test_the_command_line_makes_the_same_package(desk, photos, until, home, tmp_path, family):
    window, _ = desk
    task, recipe = recipe_of(family, 2)
    (tmp_path / "photos").symlink_to(photos)  # another place, from which the recipe's paths lead to the same photos
    file = tmp_path / "photos" / f"{family}.toml"
    file.write_bytes(recipe)
    command = [sys.executable, "-m", "explorer", "--data-dir", str(tmp_path), "train", str(file), "--device", "cpu"]
    with subprocess.Popen(command, cwd=_CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as other:
        control = window.training.control
        path = control.start(recipe, name=f"tiny-{task}", task=task, title="", recipe_folder=photos, device="cpu")
        until(lambda: reached(window, path, RunStatus.FINISHED), _PATIENCE_S)
        said = other.communicate(timeout=_PATIENCE_S)[1].decode()
    assert other.returncode == 0, said
    of_panel, of_command = files_of(home / "models" / f"tiny-{task}"), files_of(tmp_path / "models" / f"tiny-{task}")
    assert {"model.toml", "weights.safetensors", "CARD.md", "reference.json"} <= set(of_panel)
    assert set(of_command) == set(of_panel)
    assert [name for name in of_panel if of_panel[name] != of_command[name]] == []
    assert RunFolder(path).recipe_path.read_bytes() == recipe


def files_of(package: Path) -> dict[str, bytes]:
    """What is in a package, less the line of its card that names the run it is of."""
    files = {file.name: file.read_bytes() for file in sorted(package.iterdir())}
    lines = files["CARD.md"].splitlines()
    kept = [line for line in lines if not line.startswith(b"`retrieval-explorer train")]
    assert len(kept) == len(lines) - 1
    return {**files, "CARD.md": b"\n".join(kept)}
