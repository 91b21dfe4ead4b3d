"""Tiny worlds of the families of codes, in which everything can be told, and phases that learn them in seconds."""

import json
from pathlib import Path

import numpy as np
import torch

from explorer.networks.dsmhn.config import ImageStreamConfig, StreamConfigs, TextStreamConfig, VideoStreamConfig
from explorer.networks.dsmhn.preprocess import Sentences
from explorer.networks.dsmhn.video_network import VideoNetworkConfig
from explorer.networks.tvdb.config import ImageEncoderConfig, TextEncoderConfig
from explorer.training.config import decode_recipe
from explorer.training.dsmhn_phase import DSMHNPhase, PictureSplit
from explorer.training.hashing_config import TVDBTrainingSection
from explorer.training.region_features import RegionFeatures
from explorer.training.scenes_config import ScenesTrainingSection
from explorer.training.scenes_phase import Said, ScenesPhase, SceneSplit
from explorer.training.scenes_set import N_CLASSES
from explorer.training.tvdb_phase import HashingSplit, TVDBPhase


def shown(n_photos):
    """Files and sentences of photos, two each, to be shown."""
    texts = [f"photo {number // 2}, version {number % 2}" for number in range(2 * n_photos)]
    return [Path(f"{number}.jpg") for number in range(n_photos)], texts


def hashing_split(n_photos, n_classes, seed):
    """Photos whose regions and words tell their class, one in ``n_classes`` alike."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(n_photos) % n_classes
    directions = torch.randn(n_classes, 8, generator=torch.Generator().manual_seed(99))
    values = directions[classes][:, None] + 0.3 * torch.randn(n_photos, 3, 8, generator=generator)
    boxes = torch.tensor([0.0, 0.0, 1.0, 1.0]).expand(n_photos, 3, 4)
    rows = torch.zeros(2 * n_photos, 12, dtype=torch.int64)
    rows[:, -1] = 2 + classes.repeat_interleave(2)
    labels = torch.nn.functional.one_hot(classes, n_classes).bool()
    first = 2 * torch.arange(n_photos + 1)
    return HashingSplit([RegionFeatures(boxes, values.half())], rows, first, labels, *shown(n_photos))


def tvdb_phase(splits=None, *, n_classes=20, dropout=0.0, normalised=False, compute=None, **training):
    """TVDB on photos of some classes."""
    train, val = splits or (hashing_split(200, n_classes, 0), hashing_split(40, n_classes, 1))
    sizes = {"n_bits": 16, "fc_dim": 24, "dropout": dropout, "normalised": normalised}
    configs = (
        ImageEncoderConfig(**sizes, feature_dim=8, position_dim=4, n_regions=2, hidden_dim=12),
        TextEncoderConfig(**sizes, n_words=n_classes + 2, word_dim=8, n_filters=8),
    )
    section = TVDBTrainingSection(
        **{"batch_size": 50, "learning_rate": 5e-3, "warmup_steps": 2, "epochs": 12, **training}
    )
    return TVDBPhase(configs, section, (torch.zeros(8), torch.ones(8)), train, val, compute)


def picture_split(n_photos, n_classes, seed):
    """Photos whose features and words tell their class, one in ``n_classes`` alike."""
    generator = torch.Generator().manual_seed(seed)
    classes = torch.arange(n_photos) % n_classes
    directions = torch.randn(n_classes, 8, generator=torch.Generator().manual_seed(99))
    values = directions[classes] + 0.3 * torch.randn(n_photos, 8, generator=generator)
    rows = 2 + classes.repeat_interleave(2)[:, None]
    labels = torch.nn.functional.one_hot(classes, n_classes).bool()
    sentences = Sentences(rows, torch.zeros(2 * n_photos, 0))
    return PictureSplit([values.half()], sentences, 2 * torch.arange(n_photos + 1), labels, *shown(n_photos))


def dsmhn_phase(splits=None, *, n_classes=10, network="", loss="", dropout=0.0, compute=None, **training):
    """DSMHN on photos of some classes; ``network`` and ``loss`` are lines of these sections of its recipe."""
    train, val = splits or (picture_split(200, n_classes, 0), picture_split(40, n_classes, 1))
    settings = {"batch_size": 50, "learning_rate": 5e-3, "warmup_steps": 2, "epochs": 10, **training}
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in settings.items())
    recipe = decode_recipe(
        f"""task = "dsmhn"\nname = "x"\ndataset.annotations = "x"
        image = {{learning_rate = 5e-3, dropout = 0.0}}\ntext = {{learning_rate = 5e-3, dropout = 0.0}}
        [network]\nn_bits = 16\n{network}\n[loss]\n{loss}\n[training]\n{lines}""".encode(),
        where="recipe",
    )
    sizes = {"n_bits": 16, "hidden_dim": 24, "normalised": recipe.network.normalised, "dropout": dropout}
    configs = StreamConfigs(
        image=ImageStreamConfig(**sizes, feature_dim=8), text=TextStreamConfig(**sizes, n_words=n_classes + 2)
    )
    return DSMHNPhase(configs, recipe, train, val, compute)


def drawn_classes(n, seed):
    """Two kinds, two colours and four motions in any combination, int64 (n, 3)."""
    generator = np.random.default_rng(seed)
    return np.stack([generator.integers(0, 2, n), generator.integers(0, 2, n), generator.integers(0, 4, n)], axis=1)


def scene_split(classes, seed, n_features=12):
    """Clips of a blob that goes one of four ways, and pictures of one that stands still."""
    n, generator = len(classes), np.random.default_rng(seed)
    clips = np.zeros((n, 16, 16, 16, 3), np.uint8)
    for row, (kind, colour, motion) in enumerate(classes):
        for time in range(16):
            along = 3 + time * 10 // 15 if motion % 2 else 13 - time * 10 // 15
            x, y = (along, 8) if motion < 2 else (8, along)
            half = 2 + kind
            clips[row, time, y - half : y + half, x - half : x + half, colour] = 250
    pictures = np.stack([classes[:, 0], classes[:, 1]], axis=1).repeat(n_features // 2, axis=1).astype(np.float32)
    pictures += generator.normal(0, 0.1, pictures.shape).astype(np.float32)
    still = classes.copy()
    still[:, 2] = 8
    clip_texts, picture_texts = (
        Said(Sentences(torch.tensor(part) + torch.tensor([2, 4, 6]), torch.zeros(n, 0)), torch.arange(n + 1),
             [" ".join(map(str, row)) for row in part.tolist()])
        for part in (classes, still)
    )
    return SceneSplit(
        clips, torch.tensor(classes), clip_texts, torch.from_numpy(pictures), torch.tensor(still), picture_texts,
        [Path(f"{number}.jpg") for number in range(n)],
    )


def scenes_phase(splits=None, *, sees_time=True, dropout=0.0, compute=None, **training):
    """All three streams on clips, pictures and sentences."""
    train, val = splits or (scene_split(drawn_classes(48, 0), 2), scene_split(drawn_classes(40, 1), 3))
    network = VideoNetworkConfig(side_px=16, channels=(8, 12, 16), sees_time=sees_time)
    sizes = {"n_bits": 32, "dropout": dropout}
    configs = StreamConfigs(
        image=ImageStreamConfig(**sizes, hidden_dim=8, normalised=False, feature_dim=12, parts=("grid_mean",)),
        video=VideoStreamConfig(**sizes, hidden_dim=0, normalised=True, network=network),
        text=TextStreamConfig(**sizes, hidden_dim=16, normalised=False, n_words=20),
    )
    section = ScenesTrainingSection(**{"epochs": 2, "batch_size": 16, "warmup_steps": 2, "averaging": 0.0, **training})
    return ScenesPhase(configs, section, N_CLASSES, train, val, compute)
