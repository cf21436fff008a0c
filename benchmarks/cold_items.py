"""Items that were never seen in training, against items as popular as they would have been.

    benchmarks/cold_items.py --data FOLDER [--share 0.1] [--seeds 3]

All events of a share of the items leave training. Users whose test item is one of them are the cold exam;
users whose test item is another of the same popularity are the warm one; all items are ranked in both.
`ratio` is the cold hit rate at 10 over the warm one, with what the catalogue says of items (`content`) and
without. Item tower and encoder are measured: transitions know nothing of what never happened.
"""

import argparse
import os
from pathlib import Path

from table import deviation, mean, sequences, use_threads


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with sequences.txt and attributes")
    parser.add_argument("--share", type=float, default=0.1, help="of the items that are withheld")
    parser.add_argument(
        "--id-dropout", type=float, default=0.5, help="how often an id is left out in training"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    told = parser.parse_args()
    use_threads(told.threads)
    from harness import report, say
    from msgspec.structs import replace

    from magpie_services.training.retrieval import leave_one_out, recipe

    data = sequences(told.data)
    figures: dict[str, float] = {}
    for name, content in (("content", True), ("ids_only", False)):
        cold, warm = [], []
        for seed in range(1, told.seeds + 1):
            split = leave_one_out.cold_split(data, told.share, seed)
            plan = replace(
                recipe.settings(split.known), content=content, id_dropout=told.id_dropout * content
            )
            exam = split.validation.sample(recipe.VALIDATION_USERS, 0)
            found = recipe.encoder(data, split.known, exam, plan, seed, lambda *_: None).scorer
            cold.append(split.cold.mark(found).recall)
            warm.append(split.warm.mark(found).recall)
            say(f"{name}, seed {seed}: {split.cold.asked} cold users {cold[-1]:.4f}, warm {warm[-1]:.4f}")
        figures |= {
            f"{name}_cold_recall10": round(mean(cold), 5),
            f"{name}_cold_recall10_sd": round(deviation(cold), 5),
            f"{name}_warm_recall10": round(mean(warm), 5),
            f"{name}_ratio": round(mean(cold) / max(mean(warm), 1e-9), 3),
        }
    for name, figure in figures.items():
        print(f"{name:<26} {figure}")
    conditions = {"data": data.name, "share": told.share, "seeds": told.seeds, "id_dropout": told.id_dropout}
    report("cold_items", figures, conditions)


if __name__ == "__main__":
    main()
