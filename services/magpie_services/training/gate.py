"""May a bundle be released? Never when it is worse than the champion on the newest week beyond the noise.

Measures are compared user by user on the same exam. The noise band of a difference is 1.645 standard errors
of its mean by a paired bootstrap over users, and at least 1 % of the champion's figure. All of these must
hold:

- every figure is finite;
- with a champion: NDCG@10 of retrieval and log loss of purchases are not worse than the champion's beyond
  the band;
- without, or with one that cannot be loaded any more: NDCG@10 is not below half of that of the items popular
  in the week before (retrieval has other sources beside the model, so that a first model may be weaker than
  that, but not dead);
- the bundle to release, which learnt from the newest week too, is not worse there than its twin that did not.

A measure with fewer than 20 users is not judged.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MIN_USERS = 20
RESAMPLES = 500
RELATIVE_BAND = 0.01
POPULAR_SHARE = 0.5


@dataclass(frozen=True)
class Marks:
    """What one bundle got, by user: NDCG@10 and recall@100 [A]; sum and weight of purchase log loss [G]; and
    the `probabilities` [R, H] of the exam's rows, None where it could not be asked.
    """

    ndcg: NDArray[np.float64]
    recall: NDArray[np.float64]
    loss: NDArray[np.float64]
    weight: NDArray[np.float64]
    extra: dict[str, float] = field(default_factory=dict)
    probabilities: NDArray[np.floating] | None = None

    def metrics(self, prefix: str = "") -> dict[str, float]:
        """Means by name; a measure that nobody was asked for is left out."""
        found = {f"{prefix}{name}": value for name, value in self.extra.items()}
        if len(self.ndcg):
            found |= {
                f"{prefix}ndcg_at_10": float(self.ndcg.mean()),
                f"{prefix}recall_at_100": float(self.recall.mean()),
            }
        if self.weight.sum() > 0:
            found[f"{prefix}purchase_logloss"] = float(self.loss.sum() / self.weight.sum())
        return found


@dataclass(frozen=True)
class Verdict:
    """Whether a bundle may be released, why not, and all figures."""

    passed: bool
    reasons: tuple[str, ...]
    metrics: dict[str, float]


def judge(
    twin: Marks, release: Marks, champion: Marks | None, popular_ndcg: NDArray[np.float64], seed: int
) -> Verdict:
    """The gate. `twin` and `champion` have not seen the newest week; `release` is what would serve."""
    rng = np.random.default_rng(seed)
    metrics = twin.metrics()
    if len(popular_ndcg):
        metrics["popular_ndcg_at_10"] = float(popular_ndcg.mean())
    reasons = []
    for name, marks in (("model", twin), ("model to release", release)):
        broken = [measure for measure, value in marks.metrics().items() if not np.isfinite(value)]
        reasons += [f"{measure} of the {name} is not a number" for measure in broken]
    if reasons:
        return Verdict(False, tuple(reasons), {k: v for k, v in metrics.items() if np.isfinite(v)})
    if champion is not None:  # of one that no longer loads there is nothing to compare
        metrics |= {k: v for k, v in champion.metrics("champion_").items() if np.isfinite(v)}
    if champion is not None and np.isfinite(champion.ndcg).all():
        reasons += _compare("the champion", twin, champion, metrics, "", rng)
    elif len(popular_ndcg) >= MIN_USERS:
        band = _band(twin.ndcg - POPULAR_SHARE * popular_ndcg, np.ones(len(popular_ndcg)), rng)
        if twin.ndcg.mean() < POPULAR_SHARE * popular_ndcg.mean() - band:
            reasons.append(
                f"NDCG@10 {twin.ndcg.mean():.4f} is below half of {popular_ndcg.mean():.4f} of popular items"
            )
    reasons += _compare("its own twin", release, twin, metrics, "release_", rng)
    return Verdict(not reasons, tuple(reasons), metrics)


def _compare(
    whom: str, new: Marks, old: Marks, metrics: dict[str, float], prefix: str, rng: np.random.Generator
) -> list[str]:
    """Reasons why `new` is worse than `old`; notes the bands."""
    reasons = []
    if len(new.ndcg) >= MIN_USERS:
        mine, theirs = float(new.ndcg.mean()), float(old.ndcg.mean())
        band = max(_band(new.ndcg - old.ndcg, np.ones(len(new.ndcg)), rng), RELATIVE_BAND * theirs)
        metrics[f"{prefix}band_ndcg_at_10"] = band
        if mine < theirs - band:
            reasons.append(f"NDCG@10 {mine:.4f} is worse than {theirs:.4f} of {whom} (noise band {band:.4f})")
    comparable = np.isfinite(old.loss).all() and old.weight.sum() > 0
    if np.count_nonzero(new.weight) >= MIN_USERS and comparable:
        total = new.weight.sum()
        mine, theirs = float(new.loss.sum() / total), float(old.loss.sum() / total)
        band = max(_band(new.loss - old.loss, new.weight, rng), RELATIVE_BAND * theirs)
        metrics[f"{prefix}band_purchase_logloss"] = band
        if mine > theirs + band:
            reasons.append(
                f"log loss of purchases {mine:.4f} is worse than {theirs:.4f} of {whom} "
                f"(noise band {band:.4f})"
            )
    return reasons


def _band(differences: NDArray[np.float64], weights: NDArray[np.float64], rng: np.random.Generator) -> float:
    """1.645 standard errors of sum(differences) / sum(weights) over resampled users."""
    counts = rng.multinomial(len(differences), np.full(len(differences), 1 / len(differences)), RESAMPLES)
    return float(1.645 * np.std((counts @ differences) / np.maximum(counts @ weights, 1e-9)))
