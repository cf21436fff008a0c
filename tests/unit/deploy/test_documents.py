"""What the pages on operation name is there: files, calls, settings, metrics."""

import re
from pathlib import Path

import pytest
from docs.generate_settings import PAGE
from tests.unit.deploy.manifests import ROOT

PAGES = [ROOT / "docs/deploy.md", *sorted((ROOT / "docs/runbooks").glob("*.md"))]
PROTOS = "\n".join(path.read_text("utf-8") for path in (ROOT / "protos").rglob("*.proto"))
METRICS = (ROOT / "services/magpie_services/kit/metrics.py").read_text("utf-8")

pages = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)


@pages
def test_a_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


@pages
def test_a_call_is_one_of_the_api(path: Path) -> None:
    for method in re.findall(r"call (\w+) '", path.read_text("utf-8")):
        assert f"rpc {method}(" in PROTOS, method


@pages
def test_a_variable_or_metric_is_one_of_ours(path: Path) -> None:
    text = path.read_text("utf-8")
    settings = PAGE.read_text("utf-8")
    for variable in re.findall(r"\bMAGPIE_(?!TEST_)[A-Z_]+[A-Z]\b", text):
        assert f"`{variable}`" in settings, variable
    for metric in re.findall(r"`(magpie_[a-z_]+)`", text):
        assert f'"{metric}"' in METRICS, metric
