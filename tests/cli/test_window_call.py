"""Which calls open the window."""

from pathlib import Path

import pytest

from explorer.__main__ import COMMANDS, window_call


@pytest.mark.parametrize(
    ("call", "data_dir", "library"),
    [
        ([], None, None),
        (["window"], None, None),
        (["/photos/library"], None, Path("/photos/library")),
        (["window", "/photos/library"], None, Path("/photos/library")),
        (["--data-dir", "/d"], Path("/d"), None),
        (["--data-dir", "/d", "window", "/l"], Path("/d"), Path("/l")),
        (["--data-dir", "/d", "/l"], Path("/d"), Path("/l")),
        (["--data-dir=/d", "/l=1"], Path("/d"), Path("/l=1")),
    ],
)
def test_these_open_the_window(
    call: list[str], data_dir: Path | None, library: Path | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETRIEVAL_EXPLORER_DATA", raising=False)
    assert window_call(call) == (data_dir, library)


@pytest.mark.parametrize(
    "call", [["--help"], ["--version"], ["/l", "/m"], ["--data-dir"], *([name] for name in sorted(COMMANDS))]
)
def test_these_do_not(call: list[str]) -> None:
    assert window_call(call) is None


def test_the_variable_names_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETRIEVAL_EXPLORER_DATA", "/elsewhere")
    assert window_call([]) == (Path("/elsewhere"), None)
    assert window_call(["--data-dir", "/d"]) == (Path("/d"), None)
