"""Goal 3: exact search of 100 float queries costs at most 1.3 times the bare matrix product of the same run.

And how one query grows from 1,000 to 25,000 items (papers.md 3.10): no worse than the bare product of the same run, and
its sorting no worse than n log n.

Run with ``pytest tests/benchmarks/test_retrieval_benchmarks.py --benchmark-enable -s``; the timings alternate, so that
other work on the machine hits all sides alike, and the best of each counts.
"""

import time
from collections.abc import Callable

import numpy as np
import pytest

from explorer.evaluation.timing import growth, time_queries
from explorer.representations import Embeddings
from explorer.retrieval import InnerProductIndex

N_ITEMS, DIM, K = 100_000, 1024, 100
ROUNDS = 7


@pytest.fixture(scope="module")
def gallery(request: pytest.FixtureRequest) -> np.ndarray:
    if not request.config.getoption("benchmark_enable"):
        pytest.skip("a measurement; run with --benchmark-enable")
    return unit_vectors(0, N_ITEMS)


def unit_vectors(seed: int, n: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, DIM), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def best_times_ms(**calls: Callable[[], object]) -> dict[str, float]:
    best = dict.fromkeys(calls, np.inf)
    for _ in range(ROUNDS):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            best[name] = min(best[name], 1e3 * (time.perf_counter() - started))
    return best


def tell(capsys: pytest.CaptureFixture[str], what: str, times: dict[str, float]) -> None:
    ratios = ", ".join(f"{name} {ms:.1f} ms ({ms / times['product']:.2f})" for name, ms in times.items())
    with capsys.disabled():
        print(f"\n{what}: {ratios}")


def test_100_queries_cost_little_more_than_their_product(
    gallery: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    faiss = pytest.importorskip("faiss")
    flat = faiss.IndexFlatIP(DIM)
    flat.add(gallery)
    queries = Embeddings(unit_vectors(1, 100))
    index = InnerProductIndex(np.arange(N_ITEMS), gallery)
    np.testing.assert_array_equal(index.search(queries, K).item_ids[:, 0], flat.search(queries.values, K)[1][:, 0])
    times = best_times_ms(
        product=lambda: queries.values @ gallery.T,
        search=lambda: index.search(queries, K),
        flat=lambda: flat.search(queries.values, K),
    )
    tell(capsys, "100 queries, 100k x 1024, top 100", times)
    assert times["search"] <= 1.3 * times["product"]
    assert times["search"] <= times["flat"]


def test_one_query_is_not_slower_than_faiss(gallery: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    faiss = pytest.importorskip("faiss")
    flat = faiss.IndexFlatIP(DIM)
    flat.add(gallery)
    query = Embeddings(unit_vectors(2, 1))
    index = InnerProductIndex(np.arange(N_ITEMS), gallery)
    times = best_times_ms(
        product=lambda: query.values @ gallery.T,
        search=lambda: index.search(query, K),
        flat=lambda: flat.search(query.values, K),
    )
    tell(capsys, "one query, 100k x 1024, top 100", times)
    assert times["search"] <= times["flat"]


class _NoEncoder:
    """Every sentence is the same vector: only scoring and sorting are looked at."""

    def __init__(self) -> None:
        self._query = Embeddings(unit_vectors(3, 1))

    def encode_texts(self, _texts: list[str]) -> Embeddings:
        return self._query


def test_one_query_grows_as_its_product_and_n_log_n(gallery: np.ndarray, capsys: pytest.CaptureFixture[str]) -> None:
    sizes = (1_000, 5_000, 25_000)
    timings = time_queries(_NoEncoder(), ["?"] * 40, [gallery[:n] for n in sizes])  # type: ignore[arg-type]
    steps = growth(timings)
    with capsys.disabled():
        for timing, step in zip(timings, steps, strict=True):
            best = timing.best
            print(
                f"\none query, {timing.n_items:,} x {DIM}: score {best.score_ms:.3f} ms (x{step.score:.1f}), sort "
                f"{best.sort_ms:.3f} ms (x{step.sort:.1f}), product {best.product_ms:.3f} ms (x{step.product:.1f})",
                end="",
            )
        print()
    largest, grown = timings[-1].best, steps[-1]
    assert largest.score_ms <= 1.5 * largest.product_ms
    assert grown.score <= 1.5 * grown.product
    assert grown.sort <= 1.5 * grown.items * np.log(sizes[-1]) / np.log(sizes[0])
