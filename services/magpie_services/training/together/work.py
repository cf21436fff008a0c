"""What every process of a fit by several machines does."""

import shutil
from collections.abc import Callable
from pathlib import Path

from magpie_services.training import child, fit, parallel, progress
from magpie_services.training import plan as plans
from magpie_services.training.parallel import Group
from magpie_services.training.plan import Plan
from magpie_services.training.progress import News
from magpie_services.training.results import PARTIAL, REPORT


def learn(group: Group, folder: Path, planned: Callable[[], Plan]) -> Plan:
    """Fits in a group that has met. The first one plans and leaves the results in the run's folder, which all
    see; answers the plan. Killed and started again, all go on from the last checkpoint.
    """
    if group.member == 0 and not (folder / "plan.json").exists():
        planned().save()
    group.any(False)  # the others wait for the plan
    plan = plans.load(folder)
    told = folder if group.member == 0 else folder / f"member-{group.member}"
    told.mkdir(exist_ok=True)
    with (
        parallel.joined(group),
        progress.journal(told, child.tell if group.member == 0 else _ignore) as journal,
    ):
        found = fit.fit(plan, journal)
    if group.member == 0:
        child.leave(folder / REPORT, found)
        shutil.rmtree(folder / PARTIAL, ignore_errors=True)
    else:
        shutil.rmtree(told, ignore_errors=True)
    return plan


def _ignore(news: News) -> None:
    """The first one speaks for all."""
