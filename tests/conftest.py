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
# Torch's threads wait for each other by spinning: with two test processes on two cores all tests took twice as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

_CHECKOUT = Path(__file__).resolve().parent.parent


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process for each core, four at most, where all tests run; one for some files, and for benchmarks."""
    given = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else ["tests"]
    whole = any((config.rootpath / each).resolve() in (_CHECKOUT, _CHECKOUT / "tests") for each in given)
    if not whole or config.getoption("benchmark_enable"):
        return 0
    # Not more: each holds Qt, torch and models, some two gigabytes, and a container may see cores that it has not.
    return min(4, os.cpu_count() or 1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real photos, sentences, masks and clips; skips where it is absent."""
    folder = Path(os.environ.get("EXPLORER_TEST_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not (folder / "flickr8k" / "dataset_flickr8k.json").is_file():
        pytest.skip(f"no test data in {folder}; set EXPLORER_TEST_DATA to use it")
    return folder
