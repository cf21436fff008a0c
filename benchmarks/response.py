"""Does the ranker foretell who answers? Redemptions of later campaigns of a real log, from earlier ones.

    .venv/bin/python benchmarks/response.py --data completejourney

Rolling origin: before each campaign every model learns anew from campaigns that had started, with the
redemptions of the days before. The newest, from `--test` on, are the test. Those from `--validation` on chose
each model's setting, by the AUC over all of their contacts and the first seed. The interval of the difference
to a baseline is by bootstrap over households.
"""

import argparse
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import response_features
import response_log
from harness import report, say
from numpy.typing import NDArray
from response_models import MODELS, NEVER, SETTINGS, Contacts, Doubles, Setting, ranker_rows_of
from table import deviation, mean

from magpie_services.core.feature_schema import HEADS
from magpie_services.kit.errors import Invalid
from magpie_services.training.metrics import auc, calibration_error, logloss, sigmoid
from magpie_services.training.ranking import calibration
from magpie_services.training.ranking.rows import CLICK

BINS = 10
# A campaign with fewer redeemers tells nothing about an order.
FEW = 5
# Purchases of a week at least must lie before a campaign.
PAST_DAYS = 7
SAMPLES = 1_000


def main() -> None:
    told = _arguments()
    try:
        log = response_log.read(Path(told.data))
    except Invalid as error:
        raise SystemExit(error.message) from None
    contacts = contacts_of(log)
    validation, test = (_day(told.validation), _day(told.test))
    say(f"{len(contacts)} contacts, {int(contacts.labels.sum())} redeemers, {sum(contacts.widths)} features")
    given = json.loads(told.settings)
    chosen = {name: given.get(name) or tuned(name, contacts, validation, test) for name in MODELS}
    exam = contacts.take(contacts.start >= test)
    answers: dict[str, list[Doubles]] = {name: [] for name in MODELS}
    raw: dict[str, list[Doubles]] = {name: [] for name in MODELS}
    for name in MODELS:
        started = time.process_time()
        for seed in range(1, told.seeds + 1):
            said = walked(name, contacts, validation, chosen[name], seed)
            raw[name].append(said[contacts.start >= test])
            answers[name].append(calibrated(contacts, said)[contacts.start >= test])
        say(f"{name}: {time.process_time() - started:.0f} s of processor time, {told.seeds} seeds")
    # Of a campaign that runs on after the log ends nobody knows who redeemed at last.
    ended = exam.end <= int(log.redemptions["day"].max())
    figures = _figures(exam, ended, answers, raw)
    _campaigns(log, exam, answers)
    if told.picture:
        from response_picture import draw

        first = {name: some[0][ended] for name, some in answers.items()}
        draw(Path(told.picture), exam.labels[ended], first, BINS)
    conditions = {"data": Path(told.data).name, "seeds": told.seeds}
    conditions |= {f"{name}_settings": len(some) for name, some in SETTINGS.items()}
    conditions |= {"validation": told.validation, "test": told.test, "bins": BINS}
    conditions |= {name: dict(setting) for name, setting in chosen.items()}
    report("response", figures, conditions)


def contacts_of(log: response_log.Log) -> Contacts:
    """All contacts whose campaign has a past, campaign by campaign."""
    first = int(log.purchases["day"].min())
    usable = np.flatnonzero(log.campaigns["start"] >= first + PAST_DAYS).tolist()
    parts = [response_features.of(log, campaign) for campaign in usable]
    mine = [np.flatnonzero(log.contacts["campaign"] == campaign) for campaign in usable]
    rows = np.concatenate(mine)
    campaign, household = log.contacts["campaign"][rows], log.contacts["household"][rows]
    redeemed = np.full((len(log.campaigns), log.households), NEVER)
    of = log.redemptions
    np.minimum.at(redeemed, (of["campaign"], of["household"]), of["day"])
    return Contacts(
        features=np.concatenate([part.values for part in parts]),
        widths=parts[0].widths,
        campaign=campaign,
        household=household,
        start=log.campaigns["start"][campaign],
        end=log.campaigns["end"][campaign],
        redeemed=redeemed[campaign, household],
    )


def walked(name: str, contacts: Contacts, since: int, setting: Setting, seed: int) -> Doubles:
    """Log-odds [R] of contacts since a day, each by a model that learnt before it; NaN for earlier ones."""
    found = np.full(len(contacts), np.nan)
    for day in np.unique(contacts.start[contacts.start >= since]).tolist():
        now = contacts.start == day
        known = contacts.as_of(day)
        found[now] = MODELS[name](known, day, contacts.take(now), setting, seed)
    return found


def tuned(name: str, contacts: Contacts, validation: int, test: int) -> Setting:
    """The setting with which a model foretells the validation campaigns best."""
    before = contacts.take(contacts.start < test)
    exam = before.start >= validation
    best, kept = -1.0, SETTINGS[name][0]
    for setting in SETTINGS[name]:
        said = walked(name, before, validation, setting, 1)[exam]
        found = auc(before.labels[exam], said)
        within = within_auc(before.take(exam), said)
        say(f"  {name} {dict(setting)}: validation AUC {found:.4f}, within campaigns {within:.4f}")
        if found > best:
            best, kept = found, setting
    say(f"{name}: {dict(kept)} chosen, validation AUC {best:.4f}")
    return kept


def calibrated(contacts: Contacts, said: Doubles) -> Doubles:
    """Probabilities [R]: each campaign's by the ranker's calibration of what was said of those before
    it, with their redemptions so far.
    """
    found = np.full(len(said), np.nan)
    for day in np.unique(contacts.start[np.isfinite(said)]).tolist():
        now, before = contacts.start == day, np.isfinite(said) & (contacts.start < day)
        known = contacts.take(before).as_of(day)
        curves = calibration.fit(_heads(said[before]), ranker_rows_of(known, day))
        found[now] = curves.probabilities(_heads(said[now]))[:, CLICK]
    return found


def within_auc(contacts: Contacts, said: Doubles) -> float:
    """The mean AUC inside campaigns with five redeemers or more."""
    parts = [contacts.campaign == number for number in np.unique(contacts.campaign)]
    labels = contacts.labels
    return mean([auc(labels[part], said[part]) for part in parts if labels[part].sum() >= FEW])


def interval(contacts: Contacts, ours: list[Doubles], theirs: list[Doubles]) -> tuple[float, float]:
    """The middle 95 % of the difference in AUC, seeds averaged, over households drawn with replacement."""
    rng = np.random.default_rng(1)
    names, owner = np.unique(contacts.household, return_inverse=True)
    found, labels = [], contacts.labels
    for _ in range(SAMPLES):
        times = np.bincount(rng.integers(0, len(names), len(names)), minlength=len(names))[owner.reshape(-1)]
        drawn = np.repeat(np.arange(len(owner)), times)
        pair = zip(ours, theirs, strict=True)
        found.append(mean([auc(labels[drawn], a[drawn]) - auc(labels[drawn], b[drawn]) for a, b in pair]))
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _figures(
    exam: Contacts,
    ended: NDArray[np.bool_],
    answers: dict[str, list[Doubles]],
    raw: dict[str, list[Doubles]],
) -> dict[str, float]:
    """Orders are measured on all contacts, and on those of campaigns that `ended` in the log [R]; chances on
    the latter.
    """
    every, labels = exam.labels, exam.labels[ended]
    figures: dict[str, float] = {"base_rate": float(labels.mean())}
    print(f"{len(every)} contacts, {int(every.sum())} redeemers")
    print(
        f"of campaigns that ended in the log {len(labels)}, {int(labels.sum())}: *, rate {labels.mean():.4f}"
    )
    measures: dict[str, Callable[[Doubles], float]] = {
        "auc": lambda said: auc(every, said),
        "within_auc": lambda said: within_auc(exam, said),
        "ended_auc": lambda said: auc(labels, said[ended]),
        "ece": lambda said: calibration_error(labels, said[ended], bins=BINS),
        "brier": lambda said: float(np.mean((said[ended] - labels) ** 2)),
        "logloss": lambda said: float(logloss(labels, said[ended], np.ones(len(labels))).mean()),
        "rate": lambda said: float(said[ended].mean() / labels.mean()),
    }
    shown = ("auc", "auc_sd", "within_auc", "raw_auc", "ended_auc", "ece", "raw_ece", "rate", "brier")
    heads = ("AUC", "sd", "within", "raw", "AUC*", "ECE/base*", "raw*", "rate*", "Brier*")
    print(f"{'':10} {' '.join(f'{head:>9}' for head in heads)}")
    for name, some in answers.items():
        prefix = "" if name == "magpie" else f"{name}_"
        each = {measure: [of(said) for said in some] for measure, of in measures.items()}
        figures |= {f"{prefix}{measure}": mean(values) for measure, values in each.items()}
        figures[f"{prefix}auc_sd"] = deviation(each["auc"])
        figures[f"{prefix}raw_auc"] = mean([auc(every, said) for said in raw[name]])
        figures[f"{prefix}raw_ece"] = mean([measures["ece"](sigmoid(said)) for said in raw[name]])
        print(f"{name:10} {' '.join(f'{figures[prefix + key]:9.4f}' for key in shown)}")
    figures["ece_of_chance"] = _chance(answers["magpie"][0][ended])
    baselines = [name for name in answers if name != "magpie"]
    best = max(baselines, key=lambda name: figures[f"{name}_auc"])
    figures["best_baseline_auc"] = figures[f"{best}_auc"]
    for name in baselines:
        low, high = interval(exam, answers["magpie"], answers[name])
        figures |= {f"over_{name}_low": low, f"over_{name}_high": high}
        print(f"magpie over {name}: {figures['auc'] - figures[f'{name}_auc']:+.4f} [{low:+.4f}, {high:+.4f}]")
    return {name: round(value, 4) for name, value in figures.items()}


def _chance(said: Doubles) -> float:
    """The calibration error that somebody would make who knows the chances, were they as the ranker says."""
    rng = np.random.default_rng(1)
    drawn = ((rng.random(len(said)) < said).astype(np.float64) for _ in range(200))
    return mean([calibration_error(labels, said, bins=BINS) for labels in drawn])


def _campaigns(log: response_log.Log, exam: Contacts, answers: dict[str, list[Doubles]]) -> None:
    """Each test campaign by itself, means over the seeds."""
    print(f"\ncampaign kind contacts redeemers foretold {' '.join(f'{name:>9}' for name in answers)}")
    for number in np.unique(exam.campaign).tolist():
        part, labels = exam.campaign == number, exam.labels[exam.campaign == number]
        foretold = mean([float(said[part].sum()) for said in answers["magpie"]])
        found = [mean([auc(labels, said[part]) for said in some]) for some in answers.values()]
        about = f"{log.campaigns['id'][number]:8} {log.campaigns['kind'][number]:>4} {len(labels):8}"
        print(f"{about} {int(labels.sum()):9} {foretold:8.1f} {' '.join(f'{one:9.4f}' for one in found)}")


def _heads(logits: Doubles) -> NDArray[np.float32]:
    """The same for every head: [R] → [R, H]."""
    return np.repeat(logits[:, None], len(HEADS), 1).astype(np.float32)


def _day(text: str) -> int:
    return int(np.datetime64(text, "D").astype(np.int64))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="a folder with the CSV files of Complete Journey")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--validation", default="2017-05-08", help="first day of the campaigns that choose settings"
    )
    parser.add_argument("--test", default="2017-10-04", help="first day of the campaigns that test")
    parser.add_argument("--settings", default="{}", help="JSON: settings of models that shall not be chosen")
    parser.add_argument("--picture", help="draw the reliability of all models into this SVG file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
