"""Goal 4: a thumbnail costs at most 1.2 times what the entropy decoder alone needs, and a file is decoded once."""

import io
import time
from unittest import mock

import cv2
import numpy as np
import pytest
from PIL import Image

from explorer.media import image as image_module
from explorer.media.image import decode_image, make_thumbnail, squash

_SIDE_PX = 224


@pytest.fixture(scope="module")
def photo_12_mp() -> bytes:
    """A 4000 x 3000 JPEG with structure at all scales and grain, as a camera writes it (about 4 MB)."""
    rng = np.random.default_rng(0)
    pixels = np.zeros((3000, 4000, 3), np.float32)
    for step in (1000, 250, 60, 15, 4):
        noise = rng.standard_normal((3000 // step + 1, 4000 // step + 1, 3)).astype(np.float32)
        pixels += cv2.resize(noise, (4000, 3000), interpolation=cv2.INTER_CUBIC) * (8 + step**0.5)
    pixels += cv2.randn(np.empty_like(pixels), (0, 0, 0), (3, 3, 3))
    done, buffer = cv2.imencode(
        ".jpg", np.clip(pixels + 128, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 92]
    )
    assert done
    return buffer.tobytes()


def test_thumbnail_beside_the_entropy_decoder(photo_12_mp, pytestconfig):
    # In the everyday suite, among other work, it only has to show that nothing is decoded in full or twice.
    limit = 1.2 if pytestconfig.getoption("benchmark_enable") else 1.5

    def floor() -> None:
        # At an eighth only the mean of each block is left to compute: what remains is reading the bits.
        cv2.imdecode(np.frombuffer(photo_12_mp, np.uint8), cv2.IMREAD_REDUCED_COLOR_8)

    def road() -> None:
        pixels = decode_image(photo_12_mp, min_edge_px=_SIDE_PX).pixels
        make_thumbnail(pixels)
        squash(pixels, _SIDE_PX)

    best_s = {floor: float("inf"), road: float("inf")}
    for n_rounds in range(1, 101):
        for function in best_s:  # in turns, so that other work on the machine hits both; the least of each counts
            start = time.process_time()
            function()
            best_s[function] = min(best_s[function], time.process_time() - start)
        ratio = best_s[road] / best_s[floor]
        if n_rounds >= 10 and ratio <= 0.95 * limit:
            break
    print(
        f"12 MP, {len(photo_12_mp) / 1e6:.1f} MB: floor {best_s[floor] * 1e3:.1f} ms,"
        f" thumbnail and {_SIDE_PX} px square {best_s[road] * 1e3:.1f} ms, {ratio:.2f}"
    )
    assert ratio <= limit


def test_one_decode_serves_thumbnail_and_encoder():
    stream = io.BytesIO()
    Image.fromarray(np.zeros((600, 800, 3), np.uint8)).save(stream, "JPEG")
    with mock.patch.object(image_module.Image, "open", wraps=Image.open) as opened:
        pixels = decode_image(stream.getvalue(), min_edge_px=_SIDE_PX).pixels
        thumbnail = make_thumbnail(pixels)
        square = squash(pixels, _SIDE_PX)
    assert opened.call_count == 1
    assert square.shape == (_SIDE_PX, _SIDE_PX, 3)
    assert max(decode_image(thumbnail).pixels.shape) == 256
