"""Which files are media, and reading them."""

import os

import pytest

from explorer.errors import MediaError
from explorer.media import item
from explorer.media.item import display_path, is_supported, kind_of, read_content


@pytest.mark.parametrize("name", ["a.jpg", "A.JPG", "b.jpeg", "c d.PNG", "e.webp", "f.gif", "g.bmp", "h.tif", "i.heic"])
def test_supported(name):
    assert is_supported(name)
    assert is_supported(os.fsencode(name))


@pytest.mark.parametrize("name", ["a.txt", "jpg", ".jpg", "a.jpg.part", "a.mp3", "a.mp4.part", ""])
def test_unsupported(name):
    assert not is_supported(name)
    assert not is_supported(os.fsencode(name))


@pytest.mark.parametrize("name", ["a.mp4", "B.AVI", "c.mkv", "d.MOV", "e.webm", "f.m4v"])
def test_videos(name):
    assert is_supported(name)
    assert is_supported(os.fsencode(name))
    assert kind_of(name) == kind_of(os.fsencode(name)) == "video"


@pytest.mark.parametrize(("name", "kind"), [("a.jpg", "image"), ("b.MKV", "video"), ("d.heic", "image")])
def test_kinds(name, kind):
    assert kind_of(name) == kind
    assert kind_of(os.fsencode(name)) == kind


def test_names_that_are_not_utf8():
    assert is_supported(b"\xff\xfe.jpg")
    assert display_path(b"/a/\xff.jpg") == r"/a/\xff.jpg"
    assert display_path("/ä/日本.jpg".encode()) == "/ä/日本.jpg"


def test_reads_bytes(tmp_path):
    path = os.fsencode(tmp_path / "a b'\"\n.jpg")
    with open(path, "wb") as stream:
        stream.write(b"abc")
    assert read_content(path) == b"abc"


def test_missing_file(tmp_path):
    with pytest.raises(MediaError, match="no longer there"):
        read_content(os.fsencode(tmp_path / "none.jpg"))


def test_folder_with_an_image_name(tmp_path):
    (tmp_path / "a.jpg").mkdir()
    with pytest.raises(MediaError, match=r"(?i)is a directory|not a regular file"):
        read_content(os.fsencode(tmp_path / "a.jpg"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(MediaError, match="not a regular file"):
        read_content(os.fsencode(tmp_path / "a.jpg"))


def test_a_file_larger_than_any_image(tmp_path, monkeypatch):
    monkeypatch.setattr(item, "MAX_FILE_BYTES", 10)
    (tmp_path / "a.jpg").write_bytes(bytes(11))
    with pytest.raises(MediaError, match="GB"):
        read_content(os.fsencode(tmp_path / "a.jpg"))
