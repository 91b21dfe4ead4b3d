"""Settings survive a round through the file; what is wrong in it is said in a sentence."""

import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import ConfigError
from explorer.settings import (
    SCHEMA_VERSION,
    LibrarySettings,
    SearchSettings,
    Settings,
    WindowSettings,
    read_settings,
    write_settings,
)

texts = st.text(st.characters(codec="utf-8"), max_size=40)
settings = st.builds(
    Settings,
    window=st.builds(
        WindowSettings, geometry=texts, pane_widths_px=st.tuples(*[st.integers(0, 9999)] * 3),
        library_shown=st.booleans(), viewer_shown=st.booleans(), cell_px=st.integers(1, 999),
    ),
    search=st.builds(SearchSettings, model=texts, every_moment=st.booleans(), pause_ms=st.integers(0, 9999)),
    library=st.builds(LibrarySettings, last=texts),
)


@given(settings)
def test_what_is_written_is_read(written):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "settings.toml"
        write_settings(path, written)
        assert read_settings(path) == written
        assert [p.name for p in path.parent.iterdir()] == ["settings.toml"]


def test_no_file_means_defaults(tmp_path):
    assert read_settings(tmp_path / "settings.toml") == Settings()


def test_keys_of_other_versions_are_skipped(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text("[window]\ncell_px = 99\nfrom_the_future = true\n[other]\nx = 1\n")
    assert read_settings(path) == Settings(window=WindowSettings(cell_px=99))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("this is [not toml", "cannot be read"),
        ("[window]\ncell_px = 'wide'", r"window.cell_px .* must be a int, got 'wide'"),
        ("[window]\ncell_px = true", r"window.cell_px .* must be a int"),
        ("[window]\npane_widths_px = [1, 2]", r"pane_widths_px .* must be a tuple"),
        ("window = 3", r"\[window\] .* must be a table"),
        (f"schema_version = {SCHEMA_VERSION + 1}", "knows version"),
    ],
)
def test_what_is_wrong_is_a_sentence(tmp_path, text, sentence):
    path = tmp_path / "settings.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=sentence):
        read_settings(path)


def test_not_utf8_is_a_sentence(tmp_path):
    path = tmp_path / "settings.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_settings(path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "settings.toml"
    write_settings(path, Settings())
    before = path.read_bytes()

    def full(self, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigError, match="No space left"):
        write_settings(path, replace(Settings(), search=SearchSettings(model="x")))
    assert path.read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_a_name_that_is_not_unicode_is_refused(tmp_path):
    with pytest.raises(ConfigError):
        write_settings(tmp_path / "s.toml", Settings(library=LibrarySettings(last="/photos/\udcff")))
    assert list(tmp_path.iterdir()) == []
