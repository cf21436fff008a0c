"""Puts a bundle where the model server looks: staged beside it, flushed to the disk, then renamed, never
half-visible.

<models>/retriever/<version>/            SavedModel, its manifest in assets.extra/
<models>/retriever/<version>.manifest.json
<models>/ranker/...                      the same version
<models>/ranker/<version>.report.html    the training report
<models>/.twins/<version>/               the twins that the next gate examines
"""

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from magpie_services.kit.errors import Invalid
from magpie_services.training import whole
from magpie_services.training.privacy import Guarantee

MODELS = ("retriever", "ranker")
# Without warm-up records no server would notice before its first caller that a model does not work.
NEEDED = ("saved_model.pb", "assets.extra/tf_serving_warmup_requests")
TWINS = ".twins"
STAGING = ".staging-"
STALE_SECONDS = 3_600.0

#: Called with the name of each point passed; a test raises there, as a crash would.
Passed = Callable[[str], None]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a release is: travels in the version's folder and beside it. Times in ms since the epoch.

    `privacy` is what its ranker guarantees, None where it was learnt without.
    """

    model: str
    version: int
    run_id: str
    parent_version: int
    schema_hash: str
    tensorflow: str
    window_start_ms: int
    window_end_ms: int
    created_ms: int
    metrics: dict[str, float]
    privacy: Guarantee | None = None
    files: dict[str, str] = {}


def publish(bundle: Path, models: Path, manifest: Manifest, passed: Passed = lambda point: None) -> None:
    """Makes the bundle (retriever/, ranker/) a version of both models. Safe to run again after a crash.

    `manifest.model` and `.files` are filled in for each. Raises Invalid where the bundle is not whole.
    """
    for name in MODELS:
        for file in NEEDED:
            if not (bundle / name / file).is_file():
                raise Invalid("bundle", f"has no {name}/{file}")
    for name in MODELS:
        base = models / name
        final = base / str(manifest.version)
        if final.exists():  # an earlier try got this far; what has its name is whole
            continue
        base.mkdir(parents=True, exist_ok=True)
        _sweep(base)
        staging = base / f"{STAGING}{uuid.uuid4().hex}"
        shutil.copytree(bundle / name, staging)
        passed(f"{name}.copied")
        own = msgspec.structs.replace(manifest, model=name, files=_hashes(staging))
        (staging / "assets.extra").mkdir(exist_ok=True)
        (staging / "assets.extra" / "manifest.json").write_bytes(_pretty(own))
        _flush(staging)
        passed(f"{name}.flushed")
        whole.write(base / f"{manifest.version}.manifest.json", _pretty(own))
        passed(f"{name}.described")
        staging.rename(final)
        whole.flush_folder(base)
        passed(f"{name}.renamed")


def keep_twin(twin: Path, models: Path, version: int) -> None:
    """Keeps the twin of a release for the next gate."""
    base = models / TWINS
    base.mkdir(parents=True, exist_ok=True)
    _sweep(base)
    if not (base / str(version)).exists():
        staging = base / f"{STAGING}{uuid.uuid4().hex}"
        shutil.copytree(twin, staging)
        staging.rename(base / str(version))


def keep_report(page: Path, models: Path, version: int) -> None:
    """Keeps the training report beside the manifest, where there is one."""
    if page.is_file():
        whole.write(report_page(models, version), page.read_bytes())


def report_page(models: Path, version: int) -> Path:
    """Where the training report of a release is."""
    return models / "ranker" / f"{version}.report.html"


def exam_folder(models: Path, version: int) -> Path:
    """The twin of a release. Where it was lost, a folder that is not there: then nothing can be compared."""
    return models / TWINS / str(version)


def newest(models: Path) -> int:
    """The highest version that any model has on disk, 0 where none."""
    return max((version for name in MODELS for version in versions(models / name)), default=0)


def versions(base: Path) -> list[int]:
    """Version folders of a model, ascending."""
    names = (path.name for path in base.glob("*") if path.is_dir())
    return sorted(int(name) for name in names if name.isdecimal())


def complete(models: Path, version: int) -> bool:
    """Both models have this version."""
    return all((models / name / str(version)).is_dir() for name in MODELS)


def retain(models: Path, keep: int, wanted: Iterable[int]) -> list[int]:
    """Removes all but the newest `keep` versions and the wanted ones; answers what went."""
    published = sorted({version for name in MODELS for version in versions(models / name)})
    gone = [version for version in published[:-keep] if version not in set(wanted)]
    for version in gone:
        for base in (*(models / name for name in MODELS), models / TWINS):
            folder = base / str(version)
            if folder.is_dir():
                # Renamed first: a server must not read a folder that is being emptied.
                doomed = base / f"{STAGING}{uuid.uuid4().hex}"
                folder.rename(doomed)
                shutil.rmtree(doomed, ignore_errors=True)
            (base / f"{version}.manifest.json").unlink(missing_ok=True)
        report_page(models, version).unlink(missing_ok=True)
    return gone


def _sweep(base: Path) -> None:
    """Removes what a publisher that died left behind an hour ago or more."""
    for left in base.glob(f"{STAGING}*"):
        if time.time() - left.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(left, ignore_errors=True)


def _hashes(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def _pretty(manifest: Manifest) -> bytes:
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_dir():
            whole.flush_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    whole.flush_folder(folder)
