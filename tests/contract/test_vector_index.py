"""What every vector index promises."""

from collections.abc import Callable

import numpy as np
import pytest
from structlog.testing import capture_logs
from tests import shop

from magpie_services.candidate import vector_index
from magpie_services.candidate.vector_index import ExactIndex, Floats, HnswIndex, Kind, VectorIndex

SIZE = 6_000
VECTORS = shop.vectors(SIZE, 32)
QUERIES = shop.vectors(40, 32)[::-1] * np.float32(1)
TRUTH, BEST = ExactIndex(VECTORS).search(QUERIES, 100)


Build = Callable[[Floats], VectorIndex]
BUILDS: dict[str, Build] = {
    "exact": ExactIndex,
    "hnsw": HnswIndex,
    "hnsw of bytes": lambda vectors: HnswIndex(vectors, int8=True),
}


@pytest.fixture(scope="module", params=list(BUILDS.values()), ids=list(BUILDS))
def build(request: pytest.FixtureRequest) -> Build:
    made: Build = request.param
    return made


@pytest.fixture(scope="module")
def index(build: Build) -> VectorIndex:
    return build(VECTORS)


@pytest.fixture(scope="module")
def tolerance(index: VectorIndex) -> float:
    """A byte a number rounds."""
    return 1e-5 if index.search(VECTORS[:1], 1)[1][0, 0] == pytest.approx(1.0, abs=1e-6) else 0.02


def test_it_finds_the_nearest(index: VectorIndex, tolerance: float) -> None:
    rows, scores = index.search(QUERIES, 100)
    recall = np.mean([len(set(mine) & set(true)) / 100 for mine, true in zip(rows, TRUTH, strict=True)])
    assert recall >= 0.95
    assert scores == pytest.approx(np.einsum("bd,bkd->bk", QUERIES, VECTORS[rows]), abs=tolerance)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.parametrize("share", [0.9, 0.01])
def test_it_finds_only_what_is_allowed(
    index: VectorIndex, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vector_index, "SELECTIVE_ROWS", 1_000)
    allowed = np.random.default_rng(3).random(SIZE) < share
    rows, _ = index.search(QUERIES, 50, allowed)
    exact, _ = ExactIndex(VECTORS).search(QUERIES, 50, allowed)
    assert allowed[rows].all()
    assert np.mean([len(set(a) & set(b)) / 50 for a, b in zip(rows, exact, strict=True)]) >= 0.95


def test_it_fills_up_where_there_are_too_few(index: VectorIndex) -> None:
    allowed = np.zeros(SIZE, dtype=np.bool_)
    allowed[[3, 5]] = True
    rows, scores = index.search(QUERIES[:2], 4, allowed)
    assert [sorted(row) for row in rows.tolist()] == [[-1, -1, 3, 5]] * 2
    assert np.isneginf(scores[:, 2:]).all()
    none, _ = index.search(QUERIES[:1], 3, np.zeros(SIZE, dtype=np.bool_))
    assert none.tolist() == [[-1, -1, -1]]


def test_what_is_added_is_found_at_once_and_what_is_not_allowed_never(build: Build) -> None:
    index = build(VECTORS[:-40])
    for start in range(SIZE - 40, SIZE, 8):
        index.add(VECTORS[start : start + 8])
    assert np.array_equal(index.vectors, VECTORS)
    rows, _ = index.search(VECTORS[-40:], 1)
    assert np.mean(rows[:, 0] == np.arange(SIZE - 40, SIZE)) >= 0.95
    withdrawn = np.ones(SIZE, dtype=np.bool_)
    withdrawn[-40:] = False
    rows, _ = index.search(VECTORS[-40:], 10, withdrawn)
    assert rows.max() < SIZE - 40


def test_the_size_chooses_the_index() -> None:
    kind = Kind(exact_items=5_000, recall=0.9)
    assert isinstance(vector_index.build(VECTORS[:5_000], kind), ExactIndex)
    assert isinstance(vector_index.build(VECTORS[:5_101], kind), HnswIndex)


def test_an_index_that_finds_too_little_is_not_used() -> None:
    with capture_logs() as logs:
        index = vector_index.build(VECTORS, Kind(exact_items=100, recall=1.01))
    assert isinstance(index, ExactIndex)
    (line,) = [line for line in logs if line["event"] == "index.exact_instead"]
    assert 0.9 < line["recall"] <= 1.0
