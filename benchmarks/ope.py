"""Off-policy evaluation against the truth: how far off, and how often the 95 % interval holds it.

In each of several worlds of the marketplace a champion pushes the item that its model thinks most likely to
be clicked, with Magpie's own exploration (5 % drawn evenly over 20 items and no-send, 2 % not sent), and from
each of many logs of 100,000 decisions the clicks that a challenger would have had are estimated. Challengers:

    fewer    the champion's scores, but no push below a value that 40 % of the best items do not reach
    next     the next release: the champion's trees with five more from two more days
    anew     trees learnt anew from fourteen days, with another seed
    popular  no model: what is popular, and of aisles that the user looks at

The headline is `next` by Switch-DR: what a release train asks every day. Both were chosen on other worlds
(1 to 5, 901, 902). Users are drawn with replacement from a world's, arms and clicks from their true chances;
the truth is exact. With --data, the same estimators on the real logs of the Open Bandit Dataset.
"""

import argparse
import time
from collections import defaultdict
from pathlib import Path

import harness
import numpy as np
from ope_logs import open_bandit
from ope_policies import Setting, settings
from ope_world import live

from magpie_services.core.clustered import Clusters, Function, Interval
from magpie_services.core.off_policy import Estimator, evaluate
from magpie_services.core.off_policy_log import Log

HEADLINE, ESTIMATOR = "next", Estimator.SWITCH_DR
DECISIONS, ARMS = 100_000, 20
FIRST_SEED = 11


class Judged:
    """What came of the replications of one challenger."""

    def __init__(self) -> None:
        self.errors = defaultdict[Estimator, list[float]](list)
        self.held = defaultdict[Estimator, list[bool]](list)
        self.held_by_percentile = defaultdict[Estimator, list[bool]](list)
        self.gains_held = defaultdict[Estimator, list[bool]](list)
        self.widths = defaultdict[Estimator, list[float]](list)
        self.effective = list[float]()
        self.agreement = list[float]()

    def add(self, log: Log, setting: Setting, population: "Population", seed: int) -> None:
        """One replication."""
        truth, before = population.worth(setting.target, setting), population.worth(setting.logging, setting)
        simple = list[Interval]()

        def ends(clusters: Clusters, function: Function) -> Interval:
            simple.append(clusters.percentile(function))
            return clusters.studentised(function)

        found = evaluate(log, replicates=500, seed=seed, ends=ends)
        # The first interval is that of the log's own reward.
        by_percentile = dict(zip(found.values, simple[1:], strict=False))
        for name, interval in found.values.items():
            self.errors[name].append(abs(interval.value / truth - 1))
            self.held[name].append(interval.low <= truth <= interval.high)
            self.widths[name].append((interval.high - interval.low) / truth)
            gain, other = found.gains[name], by_percentile[name]
            self.gains_held[name].append(gain.low <= truth - before <= gain.high)
            self.held_by_percentile[name].append(other.low <= truth <= other.high)
        self.effective.append(found.effective / found.decisions)
        self.agreement.append(setting.agreement)

    def tell(self, name: str) -> None:
        """The table of one challenger, on standard error."""
        harness.say(
            f"\n{name}: same best arm in {np.mean(self.agreement):.0%}, effective sample"
            f" {np.mean(self.effective):.2%} of the log, {len(self.effective)} replications"
        )
        harness.say("  estimator   median error   held: value, gain, value by percentiles   width")
        for one in Estimator:
            held = ", ".join(
                f"{np.mean(kept[one]):.3f}" for kept in (self.held, self.gains_held, self.held_by_percentile)
            )
            harness.say(
                f"  {one:<10}  {np.median(self.errors[one]):>12.2%}   {held}"
                f"   {np.median(self.widths[one]):>12.1%}"
            )


class Population:
    """The users of a world with their contexts, to draw logs from."""

    def __init__(self, user: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        self._order = np.argsort(user, kind="stable")
        _, self._starts, self._counts = np.unique(user[self._order], return_index=True, return_counts=True)
        self._size = len(user)

    def worth(self, chances: np.ndarray[tuple[int, int], np.dtype[np.float64]], setting: Setting) -> float:
        """Clicks a decision of a policy, over all contexts."""
        return float((chances * setting.truth).sum()) / self._size

    def draw(self, setting: Setting, rng: np.random.Generator, decisions: int) -> Log:
        """A log of about `decisions` decisions: whole users, each as a new one."""
        users = round(decisions / self._counts.mean())
        picks = rng.integers(0, len(self._counts), users)
        lengths = self._counts[picks]
        within = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        rows = self._order[np.repeat(self._starts[picks], lengths) + within]
        arms = setting.logging.shape[1]
        logging = setting.logging[rows]
        drawn = (rng.random((len(rows), 1)) > logging.cumsum(1)).sum(1).clip(max=arms - 1)
        clicked = rng.random(len(rows)) < setting.truth[rows, drawn]
        return Log(
            user=np.repeat(np.arange(users), lengths),
            reward=clicked.astype(np.float64),
            drawn=np.arange(len(rows)) * arms + drawn,
            owner=np.repeat(np.arange(len(rows)), arms),
            logging=logging.ravel(),
            target=setting.target[rows].ravel(),
            model=setting.model[rows].ravel(),
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--worlds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=FIRST_SEED)
    parser.add_argument("--replications", type=int, default=50, help="of the headline, in each world")
    parser.add_argument("--others", type=int, default=10, help="replications of the other challengers")
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--data", type=Path, help="a folder with random/men.csv and bts/men.csv")
    options = parser.parse_args()
    if options.data:
        open_bandit(options.data)
    started, judged, by_world = time.perf_counter(), defaultdict[str, Judged](Judged), []
    for seed in range(options.first_seed, options.first_seed + options.worlds):
        harness.say(f"world {seed}: living it")
        rng = np.random.default_rng(seed)
        contexts = live(seed, users=options.users, items=300, days=28, settling=7, arms=ARMS)
        late, challengers = settings(contexts, rng)
        population = Population(late.user)
        before = len(judged[HEADLINE].effective)
        for setting in challengers:
            headline = setting.name == HEADLINE
            for number in range(options.replications if headline else options.others):
                log = population.draw(setting, rng, DECISIONS)
                judged[setting.name].add(log, setting, population, number)
        by_world.append(float(np.median(judged[HEADLINE].errors[ESTIMATOR][before:])))
        held = float(np.mean(judged[HEADLINE].held[ESTIMATOR][before:]))
        harness.say(f"world {seed}: {HEADLINE} off by {by_world[-1]:.2%}, interval holds in {held:.3f}")
    for name, one in judged.items():
        one.tell(name)
    best = judged[HEADLINE]
    figures = {
        "rel_error": float(np.median(best.errors[ESTIMATOR])),
        "coverage": float(np.mean(best.held[ESTIMATOR])),
        "rel_error_worst_world": max(by_world),
        "effective_share": float(np.mean(best.effective)),
        "seconds": time.perf_counter() - started,
    }
    for name, one in judged.items():
        figures[f"rel_error_{name}_{ESTIMATOR}"] = float(np.median(one.errors[ESTIMATOR]))
        figures[f"coverage_{name}_{ESTIMATOR}"] = float(np.mean(one.held[ESTIMATOR]))
    conditions = {
        "worlds": options.worlds,
        "first_seed": options.first_seed,
        "replications": len(best.effective),
        "decisions": DECISIONS,
        "arms": ARMS,
        "exploration": 0.05,
        "challenger": HEADLINE,
        "estimator": ESTIMATOR.value,
    }
    harness.report("ope", figures, conditions)


if __name__ == "__main__":
    main()
