"""Tables of models, a row each, with mean and deviation over seeds; and how a benchmark of models starts."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magpie_services.training.retrieval.leave_one_out import Data


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


def sequences(folder: Path) -> "Data":
    """The data set in a folder; one that cannot be used ends the program with the file and line at fault."""
    from magpie_services.kit.errors import Invalid
    from magpie_services.training.retrieval import leave_one_out

    try:
        return leave_one_out.read(folder)
    except Invalid as error:
        raise SystemExit(error.message) from None
