"""What a search may set, and between what."""

from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from magpie_services.kit.errors import Invalid
from magpie_services.training.plan import Plan

Value = str | int | float | bool


@dataclass(frozen=True)
class Choice:
    """One of a few values."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Span:
    """A number between two, by its logarithm or not."""

    low: float
    high: float
    log: bool = False


class Draws(Protocol):
    """What is asked of an Optuna trial."""

    def suggest_categorical(self, name: str, choices: Any) -> Any: ...

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float: ...


@dataclass(frozen=True)
class Space:
    """The settings of one model that are searched, and the validation metric that judges them."""

    measure: str
    higher_is_better: bool
    settings: dict[str, Choice | Span]

    def draw(self, trial: Draws) -> dict[str, Value]:
        """One set of settings."""
        return {name: _draw(trial, name, domain) for name, domain in self.settings.items()}


SPACES: dict[str, Space] = {
    "retriever": Space(
        measure="ndcg_at_10",
        higher_is_better=True,
        settings={
            "encoder": Choice(("transformer", "recurrent", "convolutional")),
            "blocks": Choice((1, 2, 3)),
            "negatives": Choice((64, 256, 1_024)),
            "learning_rate": Span(5e-4, 1e-2, log=True),
            "dropout": Span(0.0, 0.5),
            "id_dropout": Span(0.0, 0.5),
            "batch": Choice((32, 64, 128, 256)),
        },
    ),
    "ranker": Space(
        measure="logloss",
        higher_is_better=False,
        settings={
            "learning_rate": Span(1e-4, 1e-2, log=True),
            "ridge": Span(1e-5, 1e-1, log=True),
            "batch": Choice((128, 512, 2_048)),
            "max_weight": Choice((5.0, 20.0, 100.0)),
        },
    ),
}


def apply(plan: Plan, model: str, settings: dict[str, Any]) -> Plan:
    """The plan with these settings of one model; names that plans no longer have are left out.

    Raises Invalid for a value out of range.
    """
    part = getattr(plan, model)
    held = msgspec.to_builtins(part)
    known = {name: value for name, value in settings.items() if name in held}
    try:
        changed = msgspec.convert({**held, **known}, type(part))
    except msgspec.ValidationError as error:
        raise Invalid(model, f"cannot learn with these settings: {error}") from error
    return msgspec.structs.replace(plan, **{model: changed})


def _draw(trial: Draws, name: str, domain: Choice | Span) -> Value:
    if isinstance(domain, Choice):
        chosen: Value = trial.suggest_categorical(name, domain.values)
        return chosen
    return trial.suggest_float(name, domain.low, domain.high, log=domain.log)
