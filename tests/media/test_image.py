"""Images of every kind and in every condition: decoded upright and right, or one clear sentence."""

import io
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from explorer.errors import MediaError
from explorer.media import image as image_module
from explorer.media.image import (
    decode_image,
    encode_jpeg,
    fit_within,
    make_thumbnail,
    squash,
)


def photo(width=96, height=64, seed=0) -> np.ndarray:
    """A smooth picture whose quarters differ, so that every orientation looks different."""
    small = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)


def saved(picture: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def mean_difference(a: np.ndarray, b: np.ndarray) -> float:
    assert a.shape == b.shape
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@pytest.mark.parametrize(
    ("kind", "name", "tolerance"),
    [("JPEG", "jpeg", 4), ("PNG", "png", 0), ("WEBP", "webp", 5), ("BMP", "bmp", 0), ("TIFF", "tiff", 0)],
)
def test_reads_colour(kind, name, tolerance):
    decoded = decode_image(saved(Image.fromarray(photo()), kind))
    assert decoded.format == name
    assert (decoded.full_width_px, decoded.full_height_px) == (96, 64)
    assert decoded.pixels.dtype == np.uint8
    assert decoded.pixels.flags.c_contiguous
    assert mean_difference(decoded.pixels, photo()) <= tolerance


def test_reads_first_frame_of_a_moving_gif():
    frames = [Image.fromarray(np.full((20, 30, 3), value, np.uint8)) for value in (200, 10)]
    decoded = decode_image(saved(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert decoded.pixels.shape == (20, 30, 3)
    assert decoded.pixels.min() == decoded.pixels.max() == 200


def test_reads_heic():
    heif = pytest.importorskip("pillow_heif")
    stream = io.BytesIO()
    heif.from_pillow(Image.fromarray(photo())).save(stream, quality=90)
    decoded = decode_image(stream.getvalue())
    assert decoded.format == "heic"
    assert mean_difference(decoded.pixels, photo()) <= 6


def test_heic_without_the_extra_names_it(monkeypatch):
    image_module._enable_heif.cache_clear()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MediaError, match=r"HEIC.*pip install 'retrieval-explorer\[heic\]'"):
        decode_image(b"\0\0\0\x18ftypheic" + bytes(64))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation_as_pillow_applies_it(kind, orientation):
    picture = Image.fromarray(photo())
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = saved(picture, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))
    with Image.open(io.BytesIO(content)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    decoded = decode_image(content)
    assert (decoded.full_height_px, decoded.full_width_px) == expected.shape[:2]
    np.testing.assert_array_equal(decoded.pixels, expected)


def test_orientation_six_turns_clockwise():
    """Against the definition, not against another program: the recorded top row is the right-hand column."""
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    upright = decode_image(saved(Image.fromarray(pixels), "PNG", exif=exif)).pixels
    assert upright.shape == (3, 2, 3)
    assert (upright[:, 1] == 255).all()
    assert (upright[:, 0] == 0).all()


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr"])
def test_modes(mode):
    picture = Image.fromarray(photo()).convert(mode)
    kind = {"CMYK": "TIFF", "YCbCr": "TIFF"}.get(mode, "PNG")
    decoded = decode_image(saved(picture, kind))
    assert mean_difference(decoded.pixels, np.asarray(picture.convert("RGB"))) <= 1


def test_cmyk_jpeg():
    decoded = decode_image(saved(Image.fromarray(photo()).convert("CMYK"), "JPEG", quality=95))
    assert mean_difference(decoded.pixels, photo()) <= 6


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_lies_on_white(mode):
    picture = Image.new("RGBA", (4, 1))
    for x, (grey, alpha) in enumerate([(0, 0), (0, 255), (100, 128), (255, 10)]):
        picture.putpixel((x, 0), (grey, grey, grey, alpha))
    decoded = decode_image(saved(picture.convert(mode), "PNG"))
    expected = [255, 0, round(100 * 128 / 255 + 127), 255]
    np.testing.assert_allclose(decoded.pixels[0, :, 0], expected, atol=1)


def test_transparent_palette_lies_on_white():
    picture = Image.new("P", (2, 1))
    picture.putpalette([10, 20, 30, 200, 100, 0])
    picture.putpixel((1, 0), 1)
    decoded = decode_image(saved(picture, "PNG", transparency=0))
    np.testing.assert_array_equal(decoded.pixels[0], [[255, 255, 255], [200, 100, 0]])


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_is_scaled(kind):
    values = np.array([[0, 257, 256 * 128, 65535]], np.uint16)
    decoded = decode_image(saved(Image.fromarray(values), kind))
    np.testing.assert_array_equal(decoded.pixels[0, :, 0], [0, 1, 128, 255])


def test_sixteen_bit_colour_is_scaled():
    values = (photo().astype(np.uint16) * 257)[..., ::-1]
    done, buffer = cv2.imencode(".png", values)
    assert done
    assert mean_difference(decode_image(buffer.tobytes()).pixels, photo()) <= 1


def test_floating_point_is_scaled():
    values = np.array([[0.0, 0.5, 1.0]], np.float32)
    np.testing.assert_array_equal(decode_image(saved(Image.fromarray(values), "TIFF")).pixels[0, :, 0], [0, 128, 255])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("min_edge_px", [30, 50, 100, 224, 479, 480, 481, 5000])
def test_reduced_keeps_the_short_edge(kind, min_edge_px):
    content = saved(Image.fromarray(photo(640, 480)), kind)
    decoded = decode_image(content, min_edge_px=min_edge_px)
    assert (decoded.full_width_px, decoded.full_height_px) == (640, 480)
    assert min(decoded.pixels.shape[:2]) >= min(min_edge_px, 480)
    assert decoded.pixels.shape[1] / decoded.pixels.shape[0] == pytest.approx(4 / 3, rel=0.04)
    height, width = decoded.pixels.shape[:2]
    if height >= 50:
        assert mean_difference(decoded.pixels, cv2.resize(photo(640, 480), (width, height), cv2.INTER_AREA)) <= 6


def test_reduced_picture_is_upright():
    exif = Image.Exif()
    exif[0x0112] = 8
    content = saved(Image.fromarray(photo(640, 480)), "JPEG", exif=exif)
    decoded = decode_image(content, min_edge_px=100)
    assert (decoded.full_width_px, decoded.full_height_px) == (480, 640)
    assert decoded.pixels.shape == (160, 120, 3)


def test_capture_time():
    exif = Image.Exif()
    exif[0x0132] = "2020:01:01 00:00:00"
    exif.get_ifd(0x8769)[0x9003] = "2019:07:21 13:14:15"
    assert decode_image(saved(Image.fromarray(photo()), "JPEG", exif=exif)).captured_at == "2019-07-21T13:14:15"
    assert decode_image(saved(Image.fromarray(photo()), "JPEG")).captured_at == ""


@pytest.mark.parametrize("written", ["0000:00:00 00:00:00", "yesterday", ""])
def test_nonsense_capture_time_is_none(written):
    exif = Image.Exif()
    exif[0x0132] = written
    assert decode_image(saved(Image.fromarray(photo()), "JPEG", exif=exif)).captured_at == ""


def test_damaged_exif_leaves_the_picture():
    content = saved(Image.fromarray(photo()), "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\x7fgarbage")
    assert decode_image(content).pixels.shape == (64, 96, 3)


# --- bad files ------------------------------------------------------------------------------------------------------


def test_empty_file():
    with pytest.raises(MediaError, match="empty"):
        decode_image(b"")


@pytest.mark.parametrize("content", [b"Dear Sir or Madam,\n" * 50, b"\0" * 4096, b"<svg></svg>", b"%PDF-1.7", b"x"])
def test_not_an_image(content):
    with pytest.raises(MediaError, match="not an image"):
        decode_image(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("kept", [0.01, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("min_edge_px", [None, 60])
def test_truncated(kind, kept, min_edge_px):
    noise = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    content = saved(Image.fromarray(noise), kind)
    with pytest.raises(MediaError):
        decode_image(content[: int(len(content) * kept)], min_edge_px=min_edge_px)


def test_progressive_jpeg_truncated():
    content = saved(Image.fromarray(photo(640, 480)), "JPEG", progressive=True)
    with pytest.raises(MediaError, match="JPEG image is damaged or cut off"):
        decode_image(content[: len(content) // 2])


def huge_png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_too_many_pixels_by_the_header():
    with pytest.raises(MediaError, match=r"251 megapixels, more than the 250"):
        decode_image(huge_png(251_000, 1_000))


def test_as_many_pixels_as_allowed_are_not_refused():
    """The limit itself passes the header; the content is what is wrong here."""
    with pytest.raises(MediaError, match="damaged or cut off"):
        decode_image(huge_png(250, 1_000))


@settings(max_examples=150, deadline=None)
@given(kind=st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"]), edits=st.data())
def test_damaged_anywhere_is_decoded_or_refused(kind, edits):
    content = bytearray(saved(Image.fromarray(photo(48, 32)), kind))
    for _ in range(edits.draw(st.integers(1, 8))):
        content[edits.draw(st.integers(0, len(content) - 1))] = edits.draw(st.integers(0, 255))
    try:
        decoded = decode_image(bytes(content), min_edge_px=edits.draw(st.sampled_from([None, 8])))
    except MediaError:
        return
    assert decoded.pixels.ndim == 3


def test_damaged_files_print_nothing(tmp_path):
    """In a child, because libjpeg and libpng would write to the process's own stderr."""
    script = tmp_path / "decode.py"
    script.write_text(
        "import io, sys\n"
        "import numpy as np\n"
        "from PIL import Image\n"
        "from explorer.errors import MediaError\n"
        "from explorer.media.image import decode_image\n"
        "rng = np.random.default_rng(0)\n"
        "n_refused = 0\n"
        "for kind in ['JPEG', 'PNG', 'WEBP', 'GIF', 'BMP', 'TIFF']:\n"
        "    stream = io.BytesIO()\n"
        "    Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)).save(stream, kind)\n"
        "    for _ in range(60):\n"
        "        content = bytearray(stream.getvalue())\n"
        "        for place in rng.integers(0, len(content), 6):\n"
        "            content[place] = rng.integers(0, 256)\n"
        "        try:\n"
        "            decode_image(bytes(content[: rng.integers(1, len(content) + 1)]))\n"
        "        except MediaError:\n"
        "            n_refused += 1\n"
        "print(n_refused)\n"
    )
    done = subprocess.run([sys.executable, "-W", "default", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert int(done.stdout) > 100


# --- to arrays and back ---------------------------------------------------------------------------------------------


def test_squash_resizes_both_axes_independently():
    pixels = np.zeros((100, 300, 3), np.uint8)
    pixels[:, 150:] = 255
    square = squash(pixels, 50)
    assert square.shape == (50, 50, 3)
    assert (square[:, :25] == 0).all()
    assert (square[:, 25:] == 255).all()


def test_squash_averages_when_shrinking():
    board = np.indices((64, 64)).sum(axis=0) % 2 * np.uint8(255)
    square = squash(np.repeat(board[..., None], 3, axis=2).astype(np.uint8), 8)
    assert abs(int(square.min()) - 127) <= 1
    assert abs(int(square.max()) - 127) <= 1


def test_squash_enlarges():
    assert squash(photo(10, 20), 64).shape == (64, 64, 3)


@given(width=st.integers(1, 500), height=st.integers(1, 500), edge=st.integers(1, 300))
@settings(max_examples=60, deadline=None)
def test_fit_within_keeps_the_aspect_and_never_enlarges(width, height, edge):
    fitted = fit_within(np.zeros((height, width, 3), np.uint8), edge)
    assert max(fitted.shape[:2]) == min(edge, max(width, height))
    scale = min(1.0, edge / max(width, height))
    assert abs(fitted.shape[0] - max(1, height * scale)) <= 0.5
    assert abs(fitted.shape[1] - max(1, width * scale)) <= 0.5


def test_thumbnail_is_a_jpeg_of_the_picture():
    thumbnail = decode_image(make_thumbnail(photo(1000, 500)))
    assert thumbnail.format == "jpeg"
    assert thumbnail.pixels.shape == (128, 256, 3)
    expected = cv2.resize(photo(1000, 500), (256, 128), interpolation=cv2.INTER_AREA)
    assert mean_difference(thumbnail.pixels, expected) <= 4


def test_jpeg_keeps_the_order_of_colours():
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 255
    decoded = decode_image(encode_jpeg(red)).pixels
    assert decoded[..., 0].min() > 240
    assert decoded[..., 1:].max() < 15
