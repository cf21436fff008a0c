"""Items that were never seen in training, against items as popular as they would have been.

    benchmarks/cold_items.py --data FOLDER [--share 0.1] [--seeds 3] [--id-dropout 0.2 0.5] [--lift 0 0.02]

All events of a share of the items leave training. Users whose test item is one of them are the cold exam;
users whose test item is another of the same popularity are the warm one; all items are ranked in both.
`ratio` is the cold hit rate at 10 over the warm one, with what the catalogue says of items and without, and
without the lift. Item tower and encoder are measured: transitions know nothing of what never happened.
Without content there is nothing to find such items by, so one seed is enough to see it.

How often an id is left out in training, and how much is added to the cosine of items that are new
(`MAGPIE_CANDIDATE_NEWCOMER_LIFT`), are chosen on validation items, with other items withheld, by the hit rate
over all users: those who want a new item are as many as they are. The test is asked only of what was chosen.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from table import deviation, mean, sequences, use_threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from magpie_services.training.retrieval.leave_one_out import Data
    from magpie_services.training.retrieval.sequences import History

CHOOSING = 1_000  # seeds of the splits on which is chosen; those of the test count from 1
# A fit stops soon, by few users: six of them are to take a quarter of an hour on one core.
PATIENCE, STOPPING_USERS = 2, 3_000

LIFTS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.06, 0.08)


@dataclass(frozen=True)
class Hits:
    """Hit rates at 10 of users who want a cold item, of their warm match, and of all users."""

    cold: float
    warm: float
    everybody: float


#: Hits of a split by seed and by whose items are asked, at some share of ids left out, for each lift.
Trial = Callable[[int, int, float, bool, Sequence[float]], list[Hits]]


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
        default=[0.2, 0.5],
        help="how often an id is left out in training; of several the best on validation",
    )
    parser.add_argument("--lift", type=float, nargs="+", default=LIFTS, help="of new items; the same")
    parser.add_argument("--choices", type=int, default=1, help="splits on which is chosen")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    told = parser.parse_args()
    use_threads(told.threads)
    from harness import report, say

    data = sequences(told.data)
    trial = _trial(data, told.share, say)
    tried = choose(trial, told.id_dropout, told.lift, told.choices)
    dropout, lift = max(tried, key=lambda one: tried[one])
    figures = {"id_dropout": dropout, "lift": lift}
    figures |= {f"validation_hit_{a:g}_{b:g}": round(found, 5) for (a, b), found in tried.items()}
    for (name, left_out, content), seeds in (
        (("", dropout, True), told.seeds),
        (("without_content_", 0.0, False), 1),
    ):
        found = [trial(seed, 1, left_out, content, (lift, 0.0)) for seed in range(1, seeds + 1)]
        figures |= _figures(name, [lifted for lifted, _ in found])
        figures |= _figures(f"{name}without_lift_", [plain for _, plain in found])
    for name, figure in figures.items():
        print(f"{name:<28} {figure}")
    report("cold_items", figures, {"data": data.name, "share": told.share, "seeds": told.seeds})


def choose(
    trial: Trial, shares: Sequence[float], lifts: Sequence[float], splits: int
) -> dict[tuple[float, float], float]:
    """The hit rate over all users of validation, by the share of ids left out and the lift."""
    tried: dict[tuple[float, float], float] = {}
    for share in shares:
        found = [trial(CHOOSING + split, 2, share, True, lifts) for split in range(splits)]
        for at, lift in enumerate(lifts):
            tried[share, lift] = mean([some[at].everybody for some in found])
    return tried


def _figures(name: str, found: Sequence[Hits]) -> dict[str, float]:
    cold, warm = [one.cold for one in found], [one.warm for one in found]
    ratios = [a / max(b, 1e-9) for a, b in zip(cold, warm, strict=True)]
    return {
        f"{name}cold_hit": round(mean(cold), 5),
        f"{name}cold_hit_sd": round(deviation(cold), 5),
        f"{name}warm_hit": round(mean(warm), 5),
        f"{name}warm_hit_sd": round(deviation(warm), 5),
        f"{name}everybody_hit": round(mean([one.everybody for one in found]), 5),
        f"{name}ratio": round(mean(cold) / max(mean(warm), 1e-9), 3),
        f"{name}ratio_sd": round(deviation(ratios), 3),
    }


def _trial(data: "Data", share: float, say: Callable[[str], None]) -> Trial:
    import numpy as np
    from msgspec.structs import replace

    from magpie_services.training.retrieval import leave_one_out, recipe

    def trial(seed: int, last: int, id_dropout: float, content: bool, lifts: Sequence[float]) -> list[Hits]:
        split = leave_one_out.cold_split(data, share, seed, last)
        plan = recipe.settings(split.known)
        plan = replace(plan, content=content, id_dropout=id_dropout, patience=PATIENCE)
        exam = split.validation.sample(STOPPING_USERS, 0)
        found = recipe.encoder(data, split.known, exam, plan, seed, lambda *_: None)
        asked = split.asked
        new = New(np.isin(np.arange(len(data.vocabulary)), split.items).astype(np.float32))
        ranks = [marks.ranks for marks in asked.marks((found.scorer, new), [(1.0, lift) for lift in lifts])]
        cold, warm = (np.isin(asked.wanted, items) for items in (split.items, split.matches))
        if not (cold.any() and warm.any()):
            raise SystemExit(
                "nobody wants one of the withheld items, or of their matches: withhold a larger share"
            )
        results = [Hits(*(float(np.mean(some[who] <= 10)) for who in (cold, warm, ...))) for some in ranks]
        for lift, hits in zip(lifts, results, strict=True):
            say(
                f"seed {seed}, {id_dropout:g} of ids left out, lift {lift:g}, {found.epochs} epochs in "
                f"{found.seconds:.0f} s: {cold.sum()} cold users {hits.cold:.4f}, {warm.sum()} warm "
                f"{hits.warm:.4f}, all {hits.everybody:.4f}"
            )
        return results

    return trial


@dataclass(frozen=True)
class New:
    """Scores 1 for a new item and 0 for any other: `items` float32 [size]."""

    items: "NDArray[np.float32]"

    def scores(self, asked: "History") -> "NDArray[np.float32]":
        """See Scorer."""
        import numpy as np

        return np.broadcast_to(self.items, (len(asked.users), len(self.items)))


if __name__ == "__main__":
    main()
