"""What videos say of themselves, and frames of odd ones."""

import os
from fractions import Fraction

import av
import numpy as np
import pytest

from explorer.errors import MediaError
from explorer.media import footage
from explorer.media.frame_pixels import fit_frame, turn_of
from explorer.media.image import encode_jpeg
from explorer.media.sampling import Sampling, read_frame, sample_frames
from explorer.media.shots import read_shots
from explorer.media.video import read_facts
from explorer.media.writing import write_video


def counting(n, height=48, width=64):
    for i in range(n):
        yield np.full((height, width, 3), 2 * i + 8, np.uint8)


def corners(height=32, width=64):
    """White, red / green, blue: tells every orientation."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (240, 240, 240)
    pixels[: height // 2, width // 2 :] = (220, 20, 20)
    pixels[height // 2 :, : width // 2] = (20, 200, 20)
    pixels[height // 2 :, width // 2 :] = (20, 20, 220)
    return pixels


def colours_at_corners(pixels):
    names = {"W": (240, 240, 240), "R": (220, 20, 20), "G": (20, 200, 20), "B": (20, 20, 220)}
    height, width = pixels.shape[:2]
    seen = ""
    for y, x in ((height // 4, width // 4), (height // 4, 3 * width // 4), (3 * height // 4, width // 4),
                 (3 * height // 4, 3 * width // 4)):
        far = {name: np.abs(pixels[y, x].astype(int) - colour).max() for name, colour in names.items()}
        seen += min(far, key=far.get)
        assert min(far.values()) < 40
    return seen


def one_shot(path, n=3, side_px=32):
    (shot,) = read_shots(os.fsencode(path), [Sampling(n, side_px)])
    return shot


@pytest.mark.parametrize(
    ("name", "container", "codec"),
    [("a.mp4", "mp4", "h264"), ("b.mkv", "mkv", "h264"), ("c.avi", "avi", "mpeg4"), ("d.mov", "mp4", "h264"),
     ("e.m4v", "mp4", "h264"), ("f.webm", "mkv", "vp9")],
)
def test_facts(tmp_path, name, container, codec):
    write_video(tmp_path / name, counting(30), 12.5)
    facts = read_facts(os.fsencode(tmp_path / name))
    assert (facts.width_px, facts.height_px) == (64, 48)
    assert facts.duration_s == pytest.approx(2.4, abs=0.09)
    assert facts.rate_fps == pytest.approx(12.5)
    assert (facts.container, facts.codec, facts.captured_at) == (container, codec, "")


@pytest.mark.parametrize(
    ("rotation", "seen"), [(0, "WRGB"), (90, "RBWG"), (-90, "GWBR"), (180, "BGRW")]  # counterclockwise
)
def test_frames_are_upright(render, rotation, seen):
    path = os.fsencode(render("turned.mp4", [corners()] * 8, rotation=rotation))
    upright = (64, 32) if rotation % 180 == 0 else (32, 64)
    facts = read_facts(path)
    assert (facts.width_px, facts.height_px) == upright
    assert read_frame(path, 0.1, 500).shape == (upright[1], upright[0], 3)
    assert colours_at_corners(read_frame(path, 0.1, 500)) == seen
    assert colours_at_corners(sample_frames(path, 0, 0.3, Sampling(1, 32)).pixels[0]) == seen
    assert colours_at_corners(one_shot(os.fsdecode(path)).frames[0][1]) == seen


def test_pixels_that_are_not_square(render):
    path = os.fsencode(render("wide.mp4", [corners(32, 64)] * 4, sample_aspect=Fraction(4, 3)))
    facts = read_facts(path)
    assert (facts.width_px, facts.height_px) == (85, 32)
    assert read_frame(path, 0, 500).shape == (32, 85, 3)
    assert read_frame(path, 0, 40).shape == (15, 40, 3)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [("a.mp4", "libx264", "yuv444p"), ("b.mkv", "libx264", "yuv420p10le"), ("c.mkv", "ffv1", "gray"),
     ("d.mkv", "ffv1", "gray16le"), ("e.avi", "rawvideo", "bgr24"), ("f.mkv", "ffv1", "yuva420p"),
     ("g.mov", "png", "rgba"), ("h.avi", "mjpeg", "yuvj420p"), ("i.mkv", "libx264", "yuvj420p")],
)
def test_pixel_formats(render, name, codec, pix_fmt):
    path = render(name, counting(20), codec=codec, pix_fmt=pix_fmt, rate=10)
    shot = one_shot(path, 4, 16)
    for time_s, square in zip(shot.times_s[0], shot.frames[0], strict=True):
        shown = 2 * int(time_s * 10 + 0.01) + 8
        np.testing.assert_allclose(square, shown, atol=4)


def test_what_is_transparent_lies_on_white(render):
    half = np.zeros((32, 32, 4), np.uint8)
    half[:, 16:] = (10, 20, 30, 255)
    square = one_shot(render("a.mov", [half] * 4, codec="png", pix_fmt="rgba")).frames[0][0]
    np.testing.assert_array_equal(square[16, 4], (255, 255, 255))
    np.testing.assert_allclose(square[16, 28], (10, 20, 30), atol=2)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm"])
@pytest.mark.parametrize("size", [(1, 1), (3, 7), (33, 47), (2, 200)])
def test_odd_sizes(tmp_path, suffix, size):
    path = tmp_path / f"small{suffix}"
    write_video(path, [np.full((*size, 3), (200, 30, 30), np.uint8)] * 5, 10)
    facts = read_facts(os.fsencode(path))
    assert (facts.height_px, facts.width_px) == size
    red = np.broadcast_to((200, 30, 30), (16, 24, 24, 3))
    np.testing.assert_allclose(one_shot(path, 16, 24).frames[0], red, atol=12)
    assert read_frame(os.fsencode(path), 0.2, 100).shape[:2] <= (100, 100)


def test_capture_time(render):
    path = render("a.mov", counting(4), metadata={"com.apple.quicktime.creationdate": "2019-05-04T11:12:13+0900"},
                  container_options={"movflags": "use_metadata_tags"})
    assert read_facts(os.fsencode(path)).captured_at == "2019-05-04T11:12:13"
    path = render("b.mp4", counting(4), metadata={"creation_time": "1904-01-01T00:00:00Z"})
    assert read_facts(os.fsencode(path)).captured_at == ""
    path = render("c.mp4", counting(4), metadata={"creation_time": "2015-07-08T12:00:00Z"})
    assert read_facts(os.fsencode(path)).captured_at.startswith("2015-07-0")


# --- what is no video


def refusals(path):
    """What every way of reading says; all say the same."""
    path = os.fsencode(path)
    ways = (
        lambda: read_facts(path), lambda: list(read_shots(path, [Sampling(3, 32)])),
        lambda: list(read_shots(path, [Sampling(3, 32)], spans=[(0.0, 1.0)])),
        lambda: sample_frames(path, 0, None, Sampling(3, 32)), lambda: read_frame(path, 0, 100),
    )
    said = set()
    for way in ways:
        with pytest.raises(MediaError) as caught:
            way()
        said.add(str(caught.value))
    assert len(said) == 1
    return said.pop()


def test_sound_only(tmp_path):
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        for i in range(8):
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            frame.sample_rate, frame.pts = 16000, 1024 * i
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    assert "sound and no moving pictures" in refusals(tmp_path / "song.mp4")


@pytest.mark.parametrize("name", ["none.mp4", "none.avi", "none.mkv"])
def test_not_one_frame(tmp_path, name):
    with av.open(str(tmp_path / name), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.start_encoding()
    assert refusals(tmp_path / name)


@pytest.mark.parametrize(
    "content", [b"", b"hello, I am a text\n" * 300, bytes(10_000), b"#EXTM3U\n#EXTINF:9,\nhttp://localhost/a.ts\n",
                b"ffconcat version 1.0\nfile other.mp4\n", b"RIFF\0\0\0\0AVI LIST"],
    ids=["empty", "text", "zeros", "playlist", "concatenation", "beginning"],
)
def test_a_renamed_file(tmp_path, content):
    write_video(tmp_path / "other.mp4", counting(5), 10)
    (tmp_path / "a.mp4").write_bytes(content)
    assert refusals(tmp_path / "a.mp4")


def test_a_photo_called_video(tmp_path):
    (tmp_path / "a.mp4").write_bytes(encode_jpeg(corners()))
    assert "not a video" in refusals(tmp_path / "a.mp4")


def test_a_video_of_another_name_is_read(tmp_path):
    write_video(tmp_path / "a.mkv", counting(5), 10)
    os.rename(tmp_path / "a.mkv", tmp_path / "a.mp4")
    assert read_facts(os.fsencode(tmp_path / "a.mp4")).container == "mkv"


def test_names_that_are_protocols_or_not_utf8(tmp_path, monkeypatch):
    write_video(tmp_path / "a.mp4", counting(5), 10)
    monkeypatch.chdir(tmp_path)
    for name in (b"concat:x.mp4", b"\xff\xfe %d.mp4"):
        os.rename(b"a.mp4", name)
        assert read_facts(name).width_px == 64
        os.rename(name, b"a.mp4")


def test_missing_folder_and_pipe(tmp_path):
    assert "no longer there" in refusals(tmp_path / "none.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert refusals(tmp_path / "folder.mp4")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.mp4")
        assert "not a regular file" in refusals(tmp_path / "pipe.mp4")


@pytest.mark.parametrize(("codec", "pix_fmt"), [("ffv1", "yuv420p"), ("mjpeg", "yuvj420p")])
def test_a_header_that_claims_too_much(render, codec, pix_fmt):
    path = render("a.avi", counting(5), codec=codec, pix_fmt=pix_fmt)
    content = path.read_bytes()
    claimed = (64).to_bytes(4, "little") + (48).to_bytes(4, "little")
    assert content.count(claimed) >= 1
    path.write_bytes(content.replace(claimed, (60000).to_bytes(4, "little") * 2))
    if codec == "mjpeg":  # whose pictures know better
        assert read_facts(os.fsencode(path)).width_px == 64
    else:
        assert refusals(path)


def test_the_limit_of_pixels(tmp_path, monkeypatch):
    write_video(tmp_path / "a.mp4", counting(5), 10)
    monkeypatch.setattr(footage, "MAX_FRAME_PIXELS", 64 * 48 - 1)
    assert "megapixels" in refusals(tmp_path / "a.mp4")


def test_a_cover_picture_is_no_video(tmp_path):
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=16000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 32, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        picture = av.Packet(encode_jpeg(corners()))
        picture.stream, picture.pts, picture.dts = cover, 0, 0
        container.start_encoding()
        container.mux(picture)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate = 16000
        container.mux([*sound.encode(frame), *sound.encode(None)])
    assert "sound and no moving pictures" in refusals(tmp_path / "song.mp4")


@pytest.mark.parametrize("rotation", [0, 90, -90, 180])
def test_frames_are_upright_beside_what_has_no_name(render, rotation):
    path = os.fsencode(render("turned.mp4", [corners()] * 4, rotation=rotation))
    upright = read_frame(path, 0, 500)

    class Unnamed:
        def __init__(self):
            self.rotation = rotation

        @property
        def side_data(self):
            raise ValueError("no such type")

    with footage.open_footage(path) as opened:
        first = next(opened.frames()).frame
        assert first.rotation % 360 == rotation % 360
        np.testing.assert_array_equal(fit_frame(first, 500, turn_of(Unnamed())), upright)
