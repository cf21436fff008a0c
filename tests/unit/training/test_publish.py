"""A release is there whole or not at all, wherever the publisher dies."""

import json
from pathlib import Path

import pytest

from magpie_services.kit.errors import Invalid
from magpie_services.training import publish
from magpie_services.training.publish import MODELS, Manifest

WARMUP = "assets.extra/tf_serving_warmup_requests"
MANIFEST = Manifest(
    model="",
    version=7,
    run_id="r",
    parent_version=6,
    schema_hash="h",
    tensorflow="2",
    window_start_ms=1,
    window_end_ms=2,
    created_ms=3,
    metrics={"ndcg_at_10": 0.1},
)
POINTS = [f"{model}.{point}" for model in MODELS for point in ("copied", "flushed", "described", "renamed")]


class Killed(BaseException):
    """The process is gone: nothing of ours may catch it."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    for model in MODELS:
        (tmp_path / "bundle" / model / "variables").mkdir(parents=True)
        (tmp_path / "bundle" / model / "saved_model.pb").write_bytes(b"graph of " + model.encode())
        (tmp_path / "bundle" / model / "variables" / "data").write_bytes(b"weights")
        (tmp_path / "bundle" / model / "assets.extra").mkdir()
        (tmp_path / "bundle" / model / WARMUP).write_bytes(b"records")
    return tmp_path / "bundle"


def whole(folder: Path) -> bool:
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    return names == {"saved_model.pb", "variables/data", WARMUP, "assets.extra/manifest.json"}


def test_both_models_get_the_version_with_a_manifest_inside_and_beside(bundle: Path, tmp_path: Path) -> None:
    publish.publish(bundle, tmp_path / "models", MANIFEST)
    for model in MODELS:
        base = tmp_path / "models" / model
        assert sorted(path.name for path in base.iterdir()) == ["7", "7.manifest.json"]
        inside = json.loads((base / "7" / "assets.extra" / "manifest.json").read_bytes())
        assert inside == json.loads((base / "7.manifest.json").read_bytes())
        assert (inside["model"], inside["version"], inside["parent_version"]) == (model, 7, 6)
        assert set(inside["files"]) == {"saved_model.pb", "variables/data", WARMUP}


@pytest.mark.parametrize("point", POINTS)
def test_killed_anywhere_no_folder_is_half_there_and_the_next_try_finishes(
    bundle: Path, tmp_path: Path, point: str
) -> None:
    models = tmp_path / "models"

    def die(passed: str) -> None:
        if passed == point:
            raise Killed

    with pytest.raises(Killed):
        publish.publish(bundle, models, MANIFEST, die)
    for model in MODELS:
        for version in publish.versions(models / model):
            assert whole(models / model / str(version))
            assert (models / model / f"{version}.manifest.json").is_file()
    publish.publish(bundle, models, MANIFEST)
    assert publish.complete(models, 7)
    assert all(whole(models / model / "7") for model in MODELS)


def test_again_changes_nothing(bundle: Path, tmp_path: Path) -> None:
    models = tmp_path / "models"
    publish.publish(bundle, models, MANIFEST)
    before = (models / "ranker" / "7" / "saved_model.pb").stat()
    publish.publish(bundle, models, MANIFEST)
    assert (models / "ranker" / "7" / "saved_model.pb").stat() == before


@pytest.mark.parametrize("file", ["saved_model.pb", WARMUP])
def test_half_a_bundle_is_refused(bundle: Path, tmp_path: Path, file: str) -> None:
    (bundle / "ranker" / file).unlink()
    with pytest.raises(Invalid, match=f"has no ranker/{file}"):
        publish.publish(bundle, tmp_path / "models", MANIFEST)
    assert not (tmp_path / "models" / "retriever").exists()


def test_retention_keeps_the_newest_and_the_wanted(tmp_path: Path) -> None:
    for version in range(1, 7):
        for model in MODELS:
            (tmp_path / model / str(version)).mkdir(parents=True)
            (tmp_path / model / f"{version}.manifest.json").touch()
    assert publish.retain(tmp_path, 2, [2]) == [1, 3, 4]
    assert publish.versions(tmp_path / "ranker") == [2, 5, 6]
    assert sorted(path.name for path in (tmp_path / "ranker").glob("*.json")) == [
        "2.manifest.json",
        "5.manifest.json",
        "6.manifest.json",
    ]
