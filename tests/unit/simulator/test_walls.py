"""The marketplace is a client like any other: no module of it brings a service's code along."""

import ast
import sys
from pathlib import Path

import magpie_simulator

ALLOWED = {"grpc", "google", "magpie", "magpie_simulator", "msgspec", "numpy"}


def test_it_imports_the_sdk_numpy_msgspec_and_the_standard_library_only() -> None:
    found = set()
    for path in Path(magpie_simulator.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add((node.module or "").partition(".")[0])
    assert found - set(sys.stdlib_module_names) <= ALLOWED
