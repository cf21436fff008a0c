"""Items that were never seen in training, against items as popular as they would have been.

    benchmarks/cold_items.py --data FOLDER [--share 0.1] [--seeds 3] [--id-dropout 0.2 0.5 0.8]

All events of a share of the items leave training. Users whose test item is one of them are the cold exam;
users whose test item is another of the same popularity are the warm one; all items are ranked in both.
`ratio` is the cold hit rate at 10 over the warm one, with what the catalogue says of items and without. Item
tower and encoder are measured: transitions know nothing of what never happened. Without content there is
nothing to find such items by, so one seed is enough to see it.

How often an id is left out in training is chosen on validation items, with other items withheld: the share
whose mean of cold and warm hit rate is highest. The test is asked only of what was chosen.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from table import deviation, mean, sequences, use_threads

if TYPE_CHECKING:
    from magpie_services.training.retrieval.leave_one_out import Data

CHOOSING = 1_000  # seeds of the splits on which is chosen; those of the test count from 1
# A fit stops soon, by few users: seven of them are to take a quarter of an hour on one core.
PATIENCE, STOPPING_USERS = 2, 3_000

#: Cold and warm hit rate of a split by seed and by whose items are asked, at some share of ids left out.
Hits = Callable[[int, int, float, bool], tuple[float, float]]


def main() -> None:
    """Prints the figures as one JSON line, last."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with sequences.txt and attributes")
    parser.add_argument("--share", type=float, default=0.1, help="of the items that are withheld")
    parser.add_argument(
        "--id-dropout",
        type=float,
        nargs="+",
        default=[0.2, 0.5, 0.8],
        help="how often an id is left out in training; of several the best on validation",
    )
    parser.add_argument("--choices", type=int, default=1, help="splits on which is chosen")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    told = parser.parse_args()
    use_threads(told.threads)
    from harness import report, say

    data = sequences(told.data)
    hits = _hits(data, told.share, say)
    figures: dict[str, float] = {}
    chosen = told.id_dropout[0]
    if len(told.id_dropout) > 1:
        chosen, tried = choose(hits, told.id_dropout, told.choices)
        figures |= {f"validation_id_dropout_{dropout:g}": round(found, 5) for dropout, found in tried.items()}
    figures["id_dropout"] = chosen
    for prefix, dropout, content, seeds in (
        ("", chosen, True, told.seeds),
        ("without_content_", 0.0, False, 1),
    ):
        cold, warm = [], []
        for seed in range(1, seeds + 1):
            found = hits(seed, 1, dropout, content)
            cold.append(found[0])
            warm.append(found[1])
        ratios = [a / max(b, 1e-9) for a, b in zip(cold, warm, strict=True)]
        figures |= {
            f"{prefix}cold_hit": round(mean(cold), 5),
            f"{prefix}cold_hit_sd": round(deviation(cold), 5),
            f"{prefix}warm_hit": round(mean(warm), 5),
            f"{prefix}warm_hit_sd": round(deviation(warm), 5),
            f"{prefix}ratio": round(mean(cold) / max(mean(warm), 1e-9), 3),
            f"{prefix}ratio_sd": round(deviation(ratios), 3),
        }
    for name, figure in figures.items():
        print(f"{name:<28} {figure}")
    report("cold_items", figures, {"data": data.name, "share": told.share, "seeds": told.seeds})


def choose(hits: Hits, shares: Sequence[float], splits: int) -> tuple[float, dict[float, float]]:
    """The share of ids left out that does best on validation, and the mean hit rate of each."""
    tried: dict[float, float] = {}
    for share in shares:
        found = [hits(CHOOSING + split, 2, share, True) for split in range(splits)]
        tried[share] = mean([(cold + warm) / 2 for cold, warm in found])
    return max(tried, key=lambda share: tried[share]), tried


def _hits(data: "Data", share: float, say: Callable[[str], None]) -> Hits:
    from msgspec.structs import replace

    from magpie_services.training.retrieval import leave_one_out, recipe

    def hits(seed: int, last: int, id_dropout: float, content: bool) -> tuple[float, float]:
        split = leave_one_out.cold_split(data, share, seed, last)
        plan = recipe.settings(split.known)
        plan = replace(plan, content=content, id_dropout=id_dropout, patience=PATIENCE)
        exam = split.validation.sample(STOPPING_USERS, 0)
        found = recipe.encoder(data, split.known, exam, plan, seed, lambda *_: None)
        cold, warm = (part.mark(found.scorer).recall for part in (split.cold, split.warm))
        say(
            f"seed {seed}, {id_dropout:g} of ids left out, {found.epochs} epochs in {found.seconds:.0f} s: "
            f"{split.cold.asked} cold users {cold:.4f}, {split.warm.asked} warm {warm:.4f}"
        )
        return cold, warm

    return hits


if __name__ == "__main__":
    main()
