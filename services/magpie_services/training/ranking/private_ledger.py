"""What privacy all releases have spent together: one file beside them, which outlives every one of them.

A user whom every training learnt from loses what all of them lost; the ledger composes them all, and refuses
a run that would go over. Whoever removes the file starts to count anew, and gives up the promise to those who
were in the log before.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from magpie_services.kit.errors import Invalid
from magpie_services.training import whole
from magpie_services.training.privacy import Guarantee, Privacy
from magpie_services.training.ranking import private_accounting as accounting
from magpie_services.training.ranking.private_accounting import Mechanism


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One run that spent: with what, and over which window of the log (ms since the epoch)."""

    run_id: str
    mechanism: Mechanism
    end_ms: int


def spend(path: Path, run_id: str, privacy: Privacy, end_ms: int) -> Guarantee:
    """Writes down what a run is about to spend; the same run again replaces what it wrote, for only what it
    comes to at last is released.

    Raises Invalid: `privacy.budget_epsilon` where all together would cost more, `privacy.epsilon` where it
    cannot be kept, `privacy.ledger` where the file cannot be read.
    """
    noise = privacy.noise or accounting.noise_for(privacy.epsilon, privacy.delta, privacy.rate, privacy.steps)
    mechanism = Mechanism(noise=noise, rate=privacy.rate, steps=privacy.steps)
    own = accounting.epsilon([mechanism], privacy.delta)
    with _locked(path):
        others = [entry for entry in entries(path) if entry.run_id != run_id]
        spent = accounting.epsilon([*(entry.mechanism for entry in others), mechanism], privacy.budget_delta)
        if spent > privacy.budget_epsilon:
            before = accounting.epsilon([entry.mechanism for entry in others], privacy.budget_delta)
            raise Invalid(
                "privacy.budget_epsilon",
                f"is {privacy.budget_epsilon:g} at delta {privacy.budget_delta:g}: {len(others)} runs have "
                f"spent {before:.3g}, with this one it would be {spent:.3g}",
            )
        whole.write(path, msgspec.json.encode([*others, _entry(run_id, mechanism, end_ms)]))
    return Guarantee(
        epsilon=own,
        delta=privacy.delta,
        spent_epsilon=spent,
        spent_delta=privacy.budget_delta,
        noise=noise,
        rate=privacy.rate,
        steps=privacy.steps,
        clip=privacy.clip,
    )


def entries(path: Path) -> list[Entry]:
    """All that was spent, oldest first. Raises Invalid where the file is there and cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Entry])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        # Not to be taken for an empty one: that would forget what was spent.
        raise Invalid("privacy.ledger", f"{path.name} cannot be read") from error


def _entry(run_id: str, mechanism: Mechanism, end_ms: int) -> Entry:
    return Entry(run_id=run_id, mechanism=mechanism, end_ms=end_ms)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One process at a time: two workers must not each find the same budget unspent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
