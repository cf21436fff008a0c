"""The three encoder families on one data set: quality against training time and the cost of an answer.

    benchmarks/encoders.py --data FOLDER [--seeds 3] [--picture encoders.svg]

Leave one out, all items ranked, each family with the shipped settings and its dropout chosen on validation.
`us_per_user` is the time to read a full window of 50, in batches of 256; `ms_alone` that of one user. Writes
a table to standard output and a picture to `--picture`.
"""

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from table import HEAD, Row, deviation, mean, sequences, use_threads

FAMILIES = ("transformer", "recurrent", "convolutional")
COLOURS = ("#1b6ca8", "#c8553d", "#4b8f4b")
WIDTH, HEIGHT, EDGE = 640, 400, 70


@dataclass
class Family(Row):
    """A family's row with the cost of its answers."""

    us_per_user: float = 0.0
    ms_alone: float = 0.0

    def __str__(self) -> str:
        return f"{Row.__str__(self)}; {self.us_per_user:.0f} us a user, {self.ms_alone:.2f} ms alone"


def costs(model: Any, repeats: int = 20) -> tuple[float, float]:
    """Microseconds a user in batches of 256, and milliseconds of one user, medians."""
    import numpy as np

    rng, table = np.random.default_rng(0), model.vectors()
    items = rng.integers(1, len(table), (256, 50)).astype(np.int32)
    kinds, gaps = np.zeros_like(items), np.zeros(items.shape, np.float32)
    found = []
    for users in (256, 1):
        taken = []
        for _ in range(repeats):
            begun = time.perf_counter()
            model.read(table, items[:users], kinds[:users], gaps[:users])
            taken.append(time.perf_counter() - begun)
        found.append(sorted(taken)[repeats // 2])
    return found[0] / 256 * 1e6, found[1] * 1e3


def picture(rows: list[Family]) -> str:
    """An SVG: NDCG@10 with its deviation against minutes; the area of a dot is the cost of an answer."""
    longest = 1.15 * max(mean(row.minutes) for row in rows)
    low = 0.98 * min(mean(row.ndcg) - deviation(row.ndcg) for row in rows)
    high = 1.02 * max(mean(row.ndcg) + deviation(row.ndcg) for row in rows)
    high = max(high, low + 1e-6)  # all may have found nothing
    dearest = max(row.us_per_user for row in rows)

    def across(minutes: float) -> float:
        return EDGE + (WIDTH - 2 * EDGE) * minutes / longest

    def up(ndcg: float) -> float:
        return HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (ndcg - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        f'<path d="M{EDGE} {EDGE / 2}V{HEIGHT - EDGE}H{WIDTH - EDGE / 2}" fill="none" stroke="#444"/>',
        f'<text x="{WIDTH / 2}" y="{HEIGHT - 20}" text-anchor="middle">training, minutes</text>',
        f'<text x="20" y="{HEIGHT / 2}" transform="rotate(-90 20 {HEIGHT / 2})" text-anchor="middle">'
        "NDCG@10, mean ± sd</text>",
    ]
    for tick in range(5):
        minutes, ndcg = longest * tick / 4, low + (high - low) * tick / 4
        parts += [
            f'<text x="{across(minutes):.0f}" y="{HEIGHT - EDGE + 18}" text-anchor="middle">'
            f"{minutes:.1f}</text>",
            f'<text x="{EDGE - 8}" y="{up(ndcg) + 4:.0f}" text-anchor="end">{ndcg:.4f}</text>',
        ]
    for row, colour in zip(rows, COLOURS, strict=False):
        x, y, spread = across(mean(row.minutes)), up(mean(row.ndcg)), deviation(row.ndcg)
        size = 4 + 10 * (row.us_per_user / dearest) ** 0.5
        side, anchor = (1, "start") if x < WIDTH / 2 else (-1, "end")  # the label stays inside
        parts += [
            f'<path d="M{x:.1f} {up(mean(row.ndcg) - spread):.1f}V{up(mean(row.ndcg) + spread):.1f}" '
            f'stroke="{colour}" stroke-width="2"/>',
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:.1f}" fill="{colour}" fill-opacity="0.6"/>',
            f'<text x="{x + side * (size + 5):.1f}" y="{y - 6:.1f}" text-anchor="{anchor}" '
            f'fill="{colour}">{row.name}, {row.us_per_user:.0f} µs a user</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with sequences.txt")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--picture", type=Path, default=Path("encoders.svg"))
    parser.add_argument("--log", type=Path, default=Path("encoders-tuning.jsonl"), help="the tuning log")
    told = parser.parse_args()
    use_threads(told.threads)
    from harness import report, say
    from retrieval import Bench

    data = sequences(told.data)
    rows: list[Family] = []
    with told.log.open("w") as log:
        bench = Bench(data, log, told.seeds, say)
        for name in FAMILIES:
            row = bench.encoder(name)
            us_per_user, ms_alone = costs(bench.newest)
            rows.append(Family(**vars(row), us_per_user=us_per_user, ms_alone=ms_alone))
    print(HEAD)
    for row in sorted(rows, key=lambda row: -mean(row.ndcg)):
        print(row)
    told.picture.write_text(picture(rows), encoding="utf-8")
    say(f"the picture is in {told.picture}")
    figures: dict[str, float] = {}
    for row in rows:
        figures |= {
            f"{row.name}_ndcg10": round(mean(row.ndcg), 5),
            f"{row.name}_ndcg10_sd": round(deviation(row.ndcg), 5),
            f"{row.name}_train_minutes": round(mean(row.minutes), 2),
            f"{row.name}_us_per_user": round(row.us_per_user, 1),
            f"{row.name}_ms_alone": round(row.ms_alone, 3),
        }
    report("encoders", figures, {"data": data.name, "seeds": told.seeds, "threads": told.threads})


if __name__ == "__main__":
    main()
