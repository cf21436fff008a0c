"""Takes TensorFlow out of an installed environment, all but its message definitions.

`candidate` and `ranking` speak PredictionService and compute nothing with TensorFlow: of 1.8 GB they
need some hundred generated modules. Runs once while their image is built, as
`python strip_tensorflow.py SITE_PACKAGES SERVICE`. What is left of `tensorflow` says so to whoever imports
it; the packages that only TensorFlow needed go too.
"""

import shutil
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PACKAGE = "tensorflow"
NOTICE = '''"""Only TensorFlow's message definitions are in this image: see deploy/strip_tensorflow.py."""

raise ImportError("this image carries TensorFlow's message definitions, not TensorFlow")
'''


def strip(site_packages: Path, service: str) -> None:
    """Removes TensorFlow's code, and all that magpie[service] needs through TensorFlow alone."""
    installed = {
        str(canonicalize_name(found.name)): found for found in distributions(path=[str(site_packages)])
    }
    needed = _needed(installed, Requirement(f"magpie[{service}]"))
    for name in installed.keys() - needed:
        _remove(installed[name], site_packages)
    _keep_messages(site_packages / PACKAGE)


def _needed(installed: dict[str, Distribution], root: Requirement) -> set[str]:
    names: set[str] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [root]
    while waiting:
        wanted = waiting.pop()
        name = str(canonicalize_name(wanted.name))
        names.add(name)
        if name == PACKAGE or name not in installed:
            continue  # what TensorFlow needs, nobody needs any more
        for extra in ("", *wanted.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            further = map(Requirement, installed[name].requires or ())
            waiting += [need for need in further if not need.marker or need.marker.evaluate({"extra": extra})]
    return names


def _remove(distribution: Distribution, site_packages: Path) -> None:
    paths = [site_packages / file for file in distribution.files or ()]
    for path in paths:
        path.unlink(missing_ok=True)
    folders = {folder for path in paths for folder in path.parents if site_packages in folder.parents}
    for folder in sorted(folders, reverse=True):
        shutil.rmtree(folder / "__pycache__", ignore_errors=True)
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _keep_messages(package: Path) -> None:
    for path in sorted(package.rglob("*"), reverse=True):  # what is in a folder comes before the folder
        if path.is_symlink() or (path.is_file() and not path.name.endswith("_pb2.py")):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    (package / "__init__.py").write_text(NOTICE, "utf-8")


if __name__ == "__main__":
    strip(Path(sys.argv[1]), sys.argv[2])
