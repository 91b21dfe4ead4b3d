import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.overlays import class_colours
from explorer.overlays.class_colours import N_SAFE, PALETTE

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
VISION = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    "usual": np.eye(3).tolist(),
}


def _lab(rgb, matrix):
    linear = np.where((rgb := rgb / 255) <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.asarray(matrix).T, 0, 1)
    xyz = seen @ np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]).T
    f = np.cbrt(xyz / [0.9505, 1.0, 1.089])
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


@pytest.mark.parametrize("vision", list(VISION))
def test_the_first_colours_differ_for_every_kind_of_colour_vision(vision):
    lab = _lab(np.array(PALETTE[:N_SAFE], float), VISION[vision])
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    # 10 is five times what is just noticed side by side.
    assert distance[~np.eye(N_SAFE, dtype=bool)].min() > 10


def test_a_plain_rainbow_would_not_pass():
    rainbow = np.array([[255, 0, 0], [255, 128, 0], [128, 255, 0], [0, 255, 0], [0, 255, 255], [0, 0, 255]], float)
    lab = _lab(rainbow, VISION["deutan"])
    distance = np.linalg.norm(lab[:, None] - lab[None], axis=2)
    assert distance[~np.eye(len(rainbow), dtype=bool)].min() < 10


@settings(deadline=None)
@given(st.lists(st.integers(1, 255), unique=True, max_size=len(PALETTE)))
def test_classes_of_one_picture_never_share_a_colour(ids):
    colours = class_colours(ids)
    assert list(colours) == ids
    assert len(set(colours.values())) == len(ids)


@settings(deadline=None)
@given(st.lists(st.integers(1, 255), unique=True, min_size=1, max_size=60))
def test_the_most_important_class_has_its_usual_colour(ids):
    assert class_colours(ids)[ids[0]] == class_colours([ids[0]])[ids[0]]
    assert len(class_colours(ids)) == len(ids)
