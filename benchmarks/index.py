"""The index of 500,000 unit vectors of 64 numbers: the graph (HNSW) against exact search.

`recall100`: share of the true 100 nearest that the graph finds. `speedup`: one query at a time, one thread,
the graph against the quicker of two exact ways, a matrix product and FAISS's flat index. Building may use all
cores. `int8_…` is the graph whose vectors take a byte a number.
"""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import resource
import statistics
import time
from typing import Any

import faiss
import numpy as np
from harness import report, say

from magpie_services.candidate.vector_index import ExactIndex, Floats, HnswIndex, VectorIndex, recall

SIZE, WIDTH, CLUSTERS, QUERIES, NEAREST, NEWCOMERS = 500_000, 64, 2_000, 300, 100, 1_000
_faiss: Any = faiss


def main() -> None:
    dice = np.random.default_rng(11)
    vectors, queries = clustered(dice)
    exact = ExactIndex(vectors)
    flat = _faiss.IndexFlatIP(WIDTH)
    flat.add(vectors)
    faiss.omp_set_num_threads(1)
    say("exact search, two ways")
    product_ms = milliseconds(lambda query: exact.search(query, NEAREST), queries[:60])
    flat_ms = milliseconds(lambda query: flat.search(query, NEAREST), queries[:60])
    figures = {"exact_ms": round(min(product_ms, flat_ms), 3), "items": SIZE}
    for name, int8 in (("", False), ("int8_", True)):
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        say(f"building the {name}graph")
        before, started = peak_mb(), time.perf_counter()
        index = HnswIndex(vectors, int8=int8)
        figures[f"{name}build_s"] = round(time.perf_counter() - started, 1)
        figures[f"{name}graph_mb"] = round(graph_mb(index))
        say(f"peak of memory {peak_mb() - before:+.0f} MB")
        figures[f"{name}recall100"] = round(recall(index, queries), 4)
        faiss.omp_set_num_threads(1)
        taken = milliseconds(lambda query, index=index: index.search(query, NEAREST), queries)
        figures[f"{name}query_ms"] = round(taken, 3)
        figures[f"{name}speedup"] = round(min(product_ms, flat_ms) / taken, 1)
        if not int8:
            figures |= newcomers(index, dice)
        del index
    figures["peak_mb"] = round(peak_mb())
    report("index", figures, {"width": WIDTH, "clusters": CLUSTERS, "threads": 1})


def clustered(dice: np.random.Generator) -> tuple[Floats, Floats]:
    """Items around centres of taste, and users near to items: unit vectors float32 [n, 64], [300, 64]."""
    centres = unit(dice.normal(size=(CLUSTERS, WIDTH)))
    vectors = unit(centres[dice.integers(0, CLUSTERS, SIZE)] + around(dice, SIZE))
    queries = unit(vectors[dice.integers(0, SIZE, QUERIES)] + around(dice, QUERIES))
    return vectors, queries


def around(dice: np.random.Generator, count: int) -> Floats:
    return dice.normal(size=(count, WIDTH), scale=0.5 / WIDTH**0.5).astype(np.float32)


def unit(vectors: Any) -> Floats:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def milliseconds(search: Any, queries: Floats) -> float:
    """Median of one query at a time, after a few to warm up."""
    taken = []
    for query in (*queries[:5], *queries):
        started = time.perf_counter()
        search(query[None])
        taken.append(1_000 * (time.perf_counter() - started))
    return statistics.median(taken[5:])


def newcomers(index: VectorIndex, dice: np.random.Generator) -> dict[str, float]:
    """New items join one by one and are found by their own vector; withdrawn ones are not found."""
    size = len(index.vectors)
    fresh = unit(dice.normal(size=(NEWCOMERS, WIDTH)))
    started = time.perf_counter()
    for vector in fresh:
        index.add(vector[None])
    seconds = time.perf_counter() - started
    found, _ = index.search(fresh, 1)
    listed = np.ones(size + NEWCOMERS, dtype=np.bool_)
    listed[size:] = False
    gone, _ = index.search(fresh, NEAREST, listed)
    if gone.max() >= size:
        raise SystemExit("a withdrawn item was found")
    masked = milliseconds(lambda query: index.search(query, NEAREST, listed), fresh[:100])
    return {
        "add_ms": round(1_000 * seconds / NEWCOMERS, 3),
        "added_found": float(np.mean(found[:, 0] == np.arange(size, size + NEWCOMERS))),
        "masked_query_ms": round(masked, 3),
    }


def graph_mb(index: HnswIndex) -> float:
    """Size of the graph as it would be written to a file."""
    return len(faiss.serialize_index(index._graph)) / 2**20


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
