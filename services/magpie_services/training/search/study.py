"""Optuna's side of a trial: drawn, told, pruned and ended in a study that all workers share through Redis."""

import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalRedisBackend
from optuna.trial import TrialState

from magpie_services.kit.errors import Invalid
from magpie_services.training.search.redis_store import study_prefix
from magpie_services.training.search.space import Space, Value

Pruned = optuna.TrialPruned
# Trials that always come to their end, so that there is something to compare with.
STARTUP_TRIALS = 4
WARMUP_EPOCHS = 1
_SLOT = "slot"


class Attempt:
    """One trial on its way."""

    def __init__(self, trial: optuna.Trial, space: Space) -> None:
        self.settings: dict[str, Value] = space.draw(trial)
        self.best: float | None = None
        self.pruned = False
        self._trial = trial
        self._better: Callable[[float, float], float] = max if space.higher_is_better else min

    def heard(self, epoch: int, metric: float) -> None:
        """The metric after an epoch. Raises Pruned where the other trials were better by then, Invalid where
        it is not a number.
        """
        if not math.isfinite(metric):
            raise Invalid("settings", f"made learning diverge in epoch {epoch}")
        self.best = metric if self.best is None else self._better(self.best, metric)
        # A fit keeps its best weights: that is what it is worth so far.
        self._trial.report(self.best, epoch)
        if self._trial.should_prune():
            raise Pruned


@contextmanager
def attempt(redis_url: str, search_id: str, space: Space, seed: int, slot: int) -> Iterator[Attempt]:
    """Draws the trial of a slot and tells the study how it ended; a pruned one ends the block quietly.

    What another process began in the same slot, and died over, is counted as failed.
    """
    study = _study(redis_url, search_id, space, seed + slot)
    for earlier in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if earlier.user_attrs.get(_SLOT) == slot:
            study.tell(earlier.number, state=TrialState.FAIL)
    trial = study.ask()
    trial.set_user_attr(_SLOT, slot)
    begun = Attempt(trial, space)
    try:
        yield begun
    except Pruned:
        begun.pruned = True
        study.tell(trial, state=TrialState.PRUNED)
        return
    except BaseException:
        study.tell(trial, state=TrialState.FAIL)
        raise
    if begun.best is None:
        study.tell(trial, state=TrialState.FAIL)
    else:
        study.tell(trial, begun.best)


def _study(redis_url: str, search_id: str, space: Space, seed: int) -> Any:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        # The journal in Redis, and what makes parallel trials spread, are called experimental since years.
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        backend = JournalRedisBackend(redis_url, prefix=study_prefix(search_id))
        sampler = optuna.samplers.TPESampler(
            seed=seed % 2**32, n_startup_trials=STARTUP_TRIALS, constant_liar=True, multivariate=True
        )
    return optuna.create_study(
        storage=JournalStorage(backend),
        study_name=search_id,
        direction="maximize" if space.higher_is_better else "minimize",
        sampler=sampler,
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARMUP_EPOCHS),
        load_if_exists=True,
    )
