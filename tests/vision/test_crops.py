"""AlexNet on crops, with random weights in a temporary cache."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.models import AlexNet_Weights, get_model

from explorer.errors import ConfigError
from explorer.packages.reference import synthetic_picture
from explorer.vision.crops import CROP_DIM, CROP_NETWORK, cut_box, load_crop_network
from explorer.vision.hub import weights_path

SIDE = 48


@pytest.fixture(scope="module")
def hub(tmp_path_factory) -> Path:
    """A cache with weights under the name that torch hub gives the real ones."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("hub")
        patch.setenv("TORCH_HOME", str(folder))
        patch.setattr(torch.hub, "_hub_dir", None)  # else what another test chose
        torch.manual_seed(0)
        path = weights_path(CROP_NETWORK)
        path.parent.mkdir(parents=True)
        torch.save(get_model(CROP_NETWORK, weights=None).state_dict(), path)
        yield folder


@pytest.fixture(scope="module")
def network(hub):
    return load_crop_network()


def squares(n: int) -> np.ndarray:
    return np.stack([synthetic_picture(seed, SIDE) for seed in range(n)])


def test_a_crop_is_what_torchvision_makes_of_the_cut_picture(network) -> None:
    """Pixels 12 to 36 and 6 to 30, by torchvision's own transforms and whole AlexNet, read before its last layer."""
    box = torch.tensor([[[0.25, 0.125, 0.75, 0.625]]])
    picture = squares(1)
    whole = get_model(CROP_NETWORK, weights=None).eval()
    whole.load_state_dict(torch.load(weights_path(CROP_NETWORK), weights_only=True))
    whole.classifier[6] = torch.nn.Identity()
    preset = AlexNet_Weights.DEFAULT.transforms(crop_size=224, resize_size=224)
    cut = torch.from_numpy(picture[0, 6:30, 12:36].transpose(2, 0, 1).copy())
    with torch.inference_mode():
        expected = whole(preset(cut)[None])
    # torchvision rounds resized pixels to bytes.
    torch.testing.assert_close(network(picture, box)[0], expected, atol=2e-3, rtol=1e-3)


def test_every_box_of_every_picture_is_seen_on_its_own(network) -> None:
    boxes = torch.tensor([[[0, 0, 1, 1], [0.1, 0.2, 0.5, 0.9], [0, 0, 1, 1]]]).repeat(2, 1, 1)
    boxes[1, 1] = torch.tensor([0.5, 0.5, 0.5, 0.5])  # no area: the pixel there
    rows = network(squares(2), boxes)
    assert rows.shape == (2, 3, CROP_DIM)
    assert torch.equal(rows[:, 0], rows[:, 2])
    assert (rows >= 0).all()
    for picture in range(2):
        for place in range(3):
            alone = network(squares(2)[picture : picture + 1], boxes[picture : picture + 1, place : place + 1])
            torch.testing.assert_close(alone[0, 0], rows[picture, place], atol=1e-5, rtol=1e-4)


def test_no_pictures_and_wrong_pictures(network) -> None:
    assert network(squares(1)[:0], torch.zeros(0, 3, 4)).shape == (0, 3, CROP_DIM)
    with pytest.raises(ValueError, match="uint8 squares"):
        network(squares(1).astype(np.float32), torch.zeros(1, 1, 4))
    with pytest.raises(ValueError, match="2 pictures"):
        network(squares(1), torch.zeros(2, 1, 4))


def test_a_cut_keeps_to_the_picture() -> None:
    square = squares(1)[0]
    whole = cut_box(square, [-0.5, -0.5, 1.5, 1.5])
    assert torch.equal(whole, cut_box(square, [0.0, 0.0, 1.0, 1.0]))
    assert cut_box(square, [1.0, 1.0, 1.0, 1.0])[:, 0, 0].tolist() == square[-1, -1].tolist()


def test_missing_weights_are_never_fetched_unasked(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda *_, **__: pytest.fail("a download was started"))
    with pytest.raises(ConfigError, match=r"alexnet are not on this computer.*models fetch alexnet"):
        load_crop_network()
