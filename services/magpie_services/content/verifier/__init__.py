"""Checks a text, whoever wrote it, against the facts of its items. Independent of what writes.

Levels: `BLOCK` must not be sent whatever the facts (words that the law forbids, hidden characters, markup,
links, personal data, sensitive matters, texts too long, a reason that does not hold now). `NEEDS_EVIDENCE`
must not be sent for want of a fact that says so (numbers, prices, dates, brands, colours, materials, quality,
scarcity, popularity …). `WARN` may be sent: praise that nobody could check.
"""

from magpie_services.content.verifier.checks import holds, presentable, verify
from magpie_services.content.verifier.dossiers import Dossiers
from magpie_services.content.verifier.evidence import Facts
from magpie_services.content.verifier.findings import Finding, Severity, passed

__all__ = ["Dossiers", "Facts", "Finding", "Severity", "holds", "passed", "presentable", "verify"]
