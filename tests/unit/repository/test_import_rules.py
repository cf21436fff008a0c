"""The import rules of the architecture hold, and each of them is noticed when it is broken."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINTER = Path(sys.executable).with_name("lint-imports")
PACKAGE_FOLDERS = ["clients/python", "clients/cli", "clients/simulator", "clients/console", "services"]

# Contract → a module that breaks it, and the line that does.
VIOLATIONS = {
    "clients": ("clients/cli/magpie_cli/broken.py", "import magpie_services.core"),
    "clients-apart": ("clients/console/magpie_console/broken.py", "import magpie_simulator"),
    "sealed": ("services/magpie_services/training/broken.py", "import magpie_simulator.people"),
    "stubs": ("services/magpie_services/push/broken.py", "import magpie"),
    "rooms": ("services/magpie_services/push/broken.py", "import magpie_services.profile"),
    "layers": ("services/magpie_services/attic/__init__.py", ""),
    "core": ("services/magpie_services/core/broken.py", "import redis"),
    "kit": ("services/magpie_services/kit/broken.py", "import magpie.v1"),
    "wire": ("services/magpie_services/wire/broken.py", "import magpie_services.kit"),
    "domain": ("services/magpie_services/content/domain.py", "import grpc"),
    "servicers": ("services/magpie_services/content/servicer.py", "import redis"),
    "tensorflow": ("services/magpie_services/ranking/broken.py", "import tensorflow"),
}


def lint(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(str(tree / name) for name in PACKAGE_FOLDERS)}
    command = [str(LINTER), "--no-cache", "--no-logo", *arguments]
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources that a test may break."""
    copy = tmp_path_factory.mktemp("tree")
    shutil.copy(ROOT / "pyproject.toml", copy)
    for name in PACKAGE_FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.pyi"))
    return copy


def test_the_import_rules_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_broken_rule_is_noticed(contract: str, tree: Path) -> None:
    path, line = VIOLATIONS[contract]
    module = tree / path
    before = module.read_text() if module.exists() else None
    module.parent.mkdir(exist_ok=True)
    module.write_text(f"{before or ''}\n{line}\n")
    try:
        result = lint(tree, "--contract", contract)
    finally:
        if before is None:
            module.unlink()
        else:
            module.write_text(before)
        if contract == "layers":
            module.parent.rmdir()
    assert result.returncode == 1
    assert "0 kept, 1 broken" in result.stdout
