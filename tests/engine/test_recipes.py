"""Forms, checks of recipes and devices, as an engine answers."""

import os
from pathlib import Path

import msgspec
import pytest

from explorer import protocol
from explorer.engine import devices
from explorer.engine.engine import Engine
from explorer.engine.recipes import key_of_problem

GOOD = b'task = "pooled"\nname = "mine"\n[dataset]\nannotations = "a.json"\n'
HASHING = b'task = "tvdb"\nname = "mine"\n[dataset]\nannotations = "a.json"\n[labels]\nfile = "l.json"\n'


def check(engine: Engine, content: bytes, **how: bool) -> protocol.RecipeChecked:
    request = protocol.CheckRecipe(id=5, content=content, folder=os.fsencode(Path.cwd()), **how)
    (answer,) = engine.answer(request)
    assert isinstance(answer, protocol.RecipeChecked)
    assert answer.id == 5
    return answer


def test_forms_have_the_recipes_that_came_with_the_program(engine: Engine) -> None:
    (answer,) = engine.answer(protocol.GetRecipeForms(id=1))
    assert isinstance(answer, protocol.RecipeForms)
    starts = {start.name for form in answer.forms for start in form.starts}
    assert {"3shnet-flickr8k", "tvdb-flickr8k-64", "dsmhn-flickr8k-64", "pooled-flickr8k"} <= starts
    # As they travel.
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=protocol.Answer) == answer


def test_a_sound_recipe_has_no_problem_until_its_data_is_looked_at(tmp_path: Path) -> None:
    engine = Engine((tmp_path / "models",))
    assert check(engine, GOOD) == protocol.RecipeChecked(id=5)
    looked = check(engine, GOOD, data=True)
    assert "a.json" in looked.problem
    assert looked.key == "dataset.annotations"
    (tmp_path / "models" / "mine").mkdir(parents=True)
    assert "called mine already" in check(engine, GOOD).notes[0]


@pytest.mark.parametrize(
    ("content", "key", "says"),
    [
        (b"task = ", "", "not valid TOML"),
        (b'\xff\xfe', "", "not valid TOML"),
        (b'name = "x"', "", "needs a task"),
        (b'task = "distillation"\nname = "x"', "", "trains no encoder"),
        (GOOD.replace(b'name = "mine"', b""), "name", "name"),
        (GOOD.replace(b"pooled", b"image-sentence") + b"[training]\nlearning_rate = 1e6\n",
         "training.learning_rate", "<= 1.0"),
        (GOOD.replace(b"pooled", b"image-sentence") + b'[training]\nepochs = "many"\n', "training.epochs", "int"),
        (GOOD.replace(b"pooled", b"image-sentence") + b"[training]\nlearning_rat = 0.1\n",
         "training.learning_rat", "unknown key"),
        (GOOD + b"[tuning]\nx = 1\n", "tuning", "unknown key"),
        (HASHING + b"[network]\nn_bits = 12\n", "network.n_bits", "multiple of 8"),
        (GOOD.replace(b"annotations", b"library") + b'annotations = "b.json"', "dataset.annotations", "exactly one"),
        (HASHING.replace(b'file = "l.json"', b""), "labels.file", "exactly one"),
    ],
)
def test_a_recipe_that_cannot_be_followed_says_why_and_where(
    engine: Engine, content: bytes, key: str, says: str
) -> None:
    answer = check(engine, content, data=True)
    assert says in answer.problem
    assert answer.key == key


def test_a_missing_setting_is_named_with_its_section() -> None:
    of_section = "x cannot be followed: Object missing required field `file` - at `$.labels`."
    assert key_of_problem(of_section) == "labels.file"
    assert key_of_problem("Object missing required field `name`.") == "name"
    assert key_of_problem("Expected `str`, got `int` - at `$.labels.without[...]`.") == "labels.without"
    assert key_of_problem("nothing counts - at `$.loss`.") == "loss"


def test_a_check_that_nobody_waits_for_is_not_made(engine: Engine) -> None:
    from explorer.cancellation import CancellationToken

    token = CancellationToken()
    token.cancel()
    answers = list(engine.answer(protocol.CheckRecipe(id=1, content=GOOD, folder=b"/"), token))
    assert answers == [protocol.Cancelled(id=1)]


def test_the_processor_is_the_last_device_and_knows_its_memory(engine: Engine) -> None:
    (answer,) = engine.answer(protocol.ListDevices(id=1))
    assert isinstance(answer, protocol.Devices)
    processor = answer.devices[-1]
    assert processor.name == "cpu"
    assert processor.title.startswith("CPU (")
    assert 0 <= processor.free_mb <= processor.total_mb
    assert processor.total_mb > 100


def test_memory_that_cannot_be_told_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(devices, "_MEMORY_FILE", tmp_path / "none")
    free, total = devices.memory_mb()
    assert free == 0.0
    assert total > 100
    (tmp_path / "meminfo").write_text("MemTotal:  2000 kB\nMemAvailable:  500 kB\nHugePages: 0\n")
    monkeypatch.setattr(devices, "_MEMORY_FILE", tmp_path / "meminfo")
    assert devices.memory_mb() == pytest.approx((0.512, 2.048))


def test_graphics_cards_are_numbered_where_there_are_several(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    def memory_of(device: torch.device) -> tuple[int, int]:
        if device.index == 1:
            raise RuntimeError("CUDA error: out of memory")
        return 3_000_000, 8_000_000

    class Card:
        total_memory = 16_000_000

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "mem_get_info", memory_of)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: Card())
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Card {device.index}")
    (answer,) = engine.answer(protocol.ListDevices(id=1))
    assert isinstance(answer, protocol.Devices)
    assert [(d.name, d.title, d.free_mb, d.total_mb) for d in answer.devices[:2]] == [
        ("cuda:0", "Card 0", 3.0, 8.0), ("cuda:1", "Card 1", 0.0, 16.0),
    ]  # fmt: skip
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    (answer,) = engine.answer(protocol.ListDevices(id=1))
    assert isinstance(answer, protocol.Devices)
    assert answer.devices[0].name == "cuda"
