"""Benchmarks run only when asked for: ``pytest tests/benchmarks --benchmark-enable -s``.

Their assertions compare times of one run; on a busy machine they would fail for reasons that are not the code's.
"""

from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("benchmark_enable"):
        return
    skip = pytest.mark.skip(reason="a benchmark: add --benchmark-enable")
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(skip)
