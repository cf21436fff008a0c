"""What every vector index promises."""

from collections.abc import Callable

import numpy as np
import pytest
from tests import shop

from magpie_services.candidate import vector_index
from magpie_services.candidate.vector_index import ExactIndex, Floats, HnswIndex, VectorIndex

SIZE = 6_000
VECTORS = shop.vectors(SIZE, 32)
QUERIES = shop.vectors(40, 32)[::-1] * np.float32(1)
TRUTH, BEST = ExactIndex(VECTORS).search(QUERIES, 100)


@pytest.fixture(scope="module", params=[ExactIndex, HnswIndex])
def index(request: pytest.FixtureRequest) -> VectorIndex:
    build: Callable[[Floats], VectorIndex] = request.param
    return build(VECTORS)


def test_it_finds_the_nearest(index: VectorIndex) -> None:
    rows, scores = index.search(QUERIES, 100)
    recall = np.mean([len(set(mine) & set(true)) / 100 for mine, true in zip(rows, TRUTH, strict=True)])
    assert recall >= 0.95
    assert scores == pytest.approx(np.einsum("bd,bkd->bk", QUERIES, VECTORS[rows]), abs=1e-5)
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


def test_the_size_chooses_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_index, "EXACT_ITEMS", 100)
    assert isinstance(vector_index.build(VECTORS[:100]), ExactIndex)
    assert isinstance(vector_index.build(VECTORS[:101]), HnswIndex)
