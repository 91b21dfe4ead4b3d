"""A tiny captioned world: features and word states drawn at random, no network behind them."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from explorer.networks.three_shnet.config import ImageEncoderConfig, TextEncoderConfig
from explorer.networks.three_shnet.tokens import TokenConfig
from explorer.training.captions import SentenceBank
from explorer.training.config import TrainingSection
from explorer.training.feature_cache import CachedView
from explorer.training.network import NetworkPhase, TokenSource, first_view_statistics
from explorer.training.photos import Split
from explorer.vision.features import Regions

N_CLASSES, SIDE = 5, 3


def tiny_split(n_photos=8, n_views=2, n_sentences=2, seed=0):
    generator = torch.Generator().manual_seed(seed)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    views = [
        CachedView(
            trunk=random(n_photos, 4, 2 * SIDE, 2 * SIDE).half(),
            scores=random(n_photos, N_CLASSES, SIDE, SIDE).half(),
            presence=torch.rand(n_photos, N_CLASSES, generator=generator).half(),
            class_map=torch.randint(0, N_CLASSES, (n_photos, 8, 8), generator=generator).to(torch.uint8),
        )
        for _ in range(n_views)
    ]
    lengths = torch.randint(3, 7, (n_photos * n_sentences,), generator=generator)
    starts = torch.cat([torch.zeros(1, dtype=torch.int64), lengths]).cumsum(0)
    bank = SentenceBank(
        flat=random(int(starts[-1]), 384).half(),
        starts=starts,
        first=torch.arange(n_photos + 1) * n_sentences,
        embeddings=torch.nn.functional.normalize(random(n_photos * n_sentences, 384), dim=1),
    )
    return Split([Path(f"{number}.jpg") for number in range(n_photos)], [("",) * n_sentences] * n_photos, views, bank)


def tiny_regions(n_photos, *, lengths=None, n_regions=4, seed=0):
    """Random boxes; every picture has all of them, or as many as ``lengths`` says."""
    generator = torch.Generator().manual_seed(seed)
    low = torch.rand(n_photos, n_regions, 2, generator=generator) * 0.6
    size = 0.1 + 0.3 * torch.rand(n_photos, n_regions, 2, generator=generator)
    return Regions(
        torch.cat([low, low + size], dim=-1),
        torch.rand(n_photos, n_regions, generator=generator),
        torch.randint(0, 4, (n_photos, n_regions), generator=generator),
        torch.full((n_photos,), n_regions) if lengths is None else torch.tensor(lengths),
    )


def with_regions(split, **settings):
    """The same split, its views with regions."""
    views = [
        SimpleNamespace(
            trunk=view.trunk, scores=view.scores, presence=view.presence, class_map=view.class_map,
            regions=tiny_regions(len(split), seed=number, **settings),
        )
        for number, view in enumerate(split.views)
    ]
    return Split(split.photos, split.sentences, views, split.bank)


def tiny_phase(*, tokens=None, lengths=None, image=None, text=None, compute=None, n_sentences=2, **changes):
    """A network phase on the tiny world; measured on the first view of its own training photos.

    image: changes of the image encoder's sizes.   text: the text encoder's, if not MiniLM's.
    """
    n_photos = 8
    split = tiny_split(n_photos, n_sentences=n_sentences)
    tokens = tokens or TokenConfig(trunk_cells=True)
    if tokens.kind == "regions":
        split = with_regions(split, lengths=lengths)
    generator = torch.Generator().manual_seed(9)
    grids = [torch.randn(n_photos, 6, SIDE, SIDE, generator=generator).half() for _ in split.views]
    mean, scale = first_view_statistics(tokens, split.views[0], grids[0])
    source = TokenSource(grids, mean, scale, tokens)
    sizes = {"embed_dim": 32, "map_size": 4, "hidden_dim": 24, "spatial_dim": 8, "map_mean": 0.4, "map_std": 0.3}
    config = ImageEncoderConfig(
        **{"visual_dim": len(mean), "n_classes": N_CLASSES, "score_size": SIDE} | sizes | (image or {})
    )
    training = TrainingSection(
        **{"epochs": 3, "batch_size": 4, "sentences": 2, "learning_rate": 5e-3, "warmup_steps": 2, **changes}
    )
    text = text or TextEncoderConfig(embed_dim=32)
    return NetworkPhase((config, text), training, (split, source), (split, source), compute)


@pytest.fixture
def make_phase():
    """Build a network phase on the tiny world."""
    return tiny_phase


@pytest.fixture(autouse=True)
def _leave_numpy_alone():
    state = np.random.get_state()  # noqa: NPY002 - only to see that nothing of ours touches it
    yield
    assert np.array_equal(state[1], np.random.get_state()[1])  # noqa: NPY002
