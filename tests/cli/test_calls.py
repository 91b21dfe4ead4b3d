"""How the command line is called, and what a wrong call says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, data_dir: Path, **options: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "explorer", "--data-dir", str(data_dir), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )


def test_help_names_all_commands(tmp_path: Path) -> None:
    done = run("--help", data_dir=tmp_path)
    assert done.returncode == 0
    commands = "window index search explain train evaluate labels convert models engine doctor"
    for command in commands.split():
        assert command in done.stdout


def test_version(tmp_path: Path) -> None:
    assert run("--version", data_dir=tmp_path).stdout.strip() == "0.1.0"


@pytest.mark.parametrize(
    "call",
    [
        ("engine",),
        ("search", "a dog", "-k", "0"),
        ("explain", "--item", "not a number", "-o", "x.png"),
        ("models", "verify"),
        ("search", "--no-such-option"),
    ],
)
def test_a_wrong_call_has_status_2(call: tuple[str, ...], tmp_path: Path) -> None:
    done = run(*call, data_dir=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (("index", "/no/such/folder"), "/no/such/folder"),
        (("search", ""), "nothing to search for"),
        (("search", "a dog", "--model", "no-such-model"), "no-such-model"),
        (("explain", "--item", "7", "-o", "why.txt"), ".png"),
        (("evaluate", "--dataset", "/no/such.json"), "/no/such.json"),
        (("evaluate", "--dataset", "x.json", "--protocol", "guess"), "guess"),
        (("train", "/no/such.toml"), "/no/such.toml"),
        (("models", "verify", "no-such-model"), "no-such-model"),
    ],
)
def test_what_a_user_can_cause_is_a_sentence_and_status_1(call: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = run(*call, data_dir=tmp_path)
    assert done.returncode == 1, done.stderr
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_as_json_is_one_document(tmp_path: Path) -> None:
    done = run("doctor", "--json", data_dir=tmp_path)
    assert done.returncode == 0, done.stderr
    subjects = {finding["subject"] for finding in json.loads(done.stdout)}
    assert {"torch", "PySide6", "device", "playing videos", "data folder"} <= subjects


def test_without_a_display_the_window_says_so(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux has no display")
    import os

    hidden = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    done = run(data_dir=tmp_path, env=environment)
    assert done.returncode == 1
    assert "display" in done.stderr
    assert "Traceback" not in done.stderr
