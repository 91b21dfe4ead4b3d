"""What every test may use."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# Properties are checked at whatever pace the machine has.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

_CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos, sentences, masks and clips; skips where it is absent."""
    folder = Path(os.environ.get("EXPLORER_TEST_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not (folder / "flickr8k" / "dataset_flickr8k.json").is_file():
        pytest.skip(f"no test data in {folder}; set EXPLORER_TEST_DATA to use it")
    return folder
