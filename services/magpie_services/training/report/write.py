"""Writes the report of a run from what its processes left in the folder."""

import msgspec

from magpie_services.training import progress, results, whole
from magpie_services.training.plan import Plan
from magpie_services.training.report import page
from magpie_services.training.report.findings import FINDINGS, Findings

PAGE = "report.html"


def write(plan: Plan) -> None:
    """Leaves `report.html`. Raises Invalid where the run is not that far."""
    try:
        findings = msgspec.json.decode((plan.path / FINDINGS).read_bytes(), type=Findings)
    except (OSError, msgspec.DecodeError):
        findings = Findings()
    found = page.render(
        plan,
        results.report(plan.path),
        results.outcome(plan.path),
        progress.curves(plan.path),
        findings,
    )
    whole.write(plan.path / PAGE, found.encode())
