"""Tables of models, a row each, with mean and deviation over seeds; and how a benchmark of models starts."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Row:
    """One model's figures, one entry a seed."""

    name: str
    ndcg: list[float] = field(default_factory=list)
    recall: list[float] = field(default_factory=list)
    minutes: list[float] = field(default_factory=list)
    note: str = ""

    def __str__(self) -> str:
        if not self.ndcg:
            return f"{self.name:<16} n/a: {self.note}"
        ndcg, recall = (f"{mean(some):.4f} ± {deviation(some):.4f}" for some in (self.ndcg, self.recall))
        return f"{self.name:<16} {ndcg:<16} {recall:<16} {mean(self.minutes):7.2f}  {self.note}"


HEAD = f"{'model':<16} {'NDCG@10':<16} {'Recall@10':<16} {'minutes':>7}  settings"


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def deviation(values: Sequence[float]) -> float:
    """Sample standard deviation, 0 for one value."""
    middle = mean(values)
    return float((sum((one - middle) ** 2 for one in values) / max(len(values) - 1, 1)) ** 0.5)


def use_threads(count: int) -> None:
    """Limits TensorFlow and BLAS; to be called before either is loaded."""
    for name in ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = str(count)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
