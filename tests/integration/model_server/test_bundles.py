"""Bundles of every kind of poison: each is refused with its reason, and the version before goes on."""

import asyncio
import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from magpie_services.kit import metrics, tensors
from magpie_services.kit.errors import Invalid
from magpie_services.model_server.config import ModelConfig
from magpie_services.model_server.registry import CannotLoad, Registry, State
from magpie_services.model_server.settings import ModelServerSettings

pytestmark = [pytest.mark.tensorflow, pytest.mark.xdist_group("tensorflow"), pytest.mark.timeout(120)]

SHAPES = ((1, 4), (2, 8))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version that works: `halve` for any batch, warmed up for two shapes, with its manifest."""
    folder = tmp_path_factory.mktemp("sound") / "1"
    write(folder, 0.5)
    return folder


def write(
    folder: Path, factor: float, *, offset: float = 0.0, signature: str = "halve", width: int = 4
) -> None:
    import tensorflow as tf

    class Half(tf.Module):
        def __init__(self) -> None:
            super().__init__()
            self.factor = tf.Variable(factor, name="factor")

        @tf.function(
            input_signature=[tf.TensorSpec([None, None, width], tf.float32, name="x")], autograph=False
        )
        def halve(self, x: Any) -> dict[str, Any]:
            # Infinite for an offset of infinity, while every weight is finite.
            return {"y": tf.debugging.check_numerics(self.factor * x + offset, "y")}

    module = Half()
    tf.saved_model.save(module, str(folder), signatures={signature: module.halve})
    describe(folder, records())


def records() -> list[bytes]:
    from tensorflow_serving.apis import prediction_log_pb2

    found = []
    for users, items in SHAPES:
        record = prediction_log_pb2.PredictionLog()
        request = record.predict_log.request
        request.model_spec.name, request.model_spec.signature_name = "half", "halve"
        request.inputs["x"].CopyFrom(tensors.to_proto(np.ones((users, items, 4), np.float32)))
        found.append(record.SerializeToString())
    return found


def describe(folder: Path, warmup: list[bytes], **fields: Any) -> None:
    """Warm-up records and the manifest, as a publisher writes them."""
    import tensorflow as tf

    (folder / "assets.extra").mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / "assets.extra" / "tf_serving_warmup_requests")) as writer:
        for record in warmup:
            writer.write(record)
    manifest = folder / "assets.extra" / "manifest.json"
    manifest.unlink(missing_ok=True)
    files = [path for path in folder.rglob("*") if path.is_file()]
    hashes = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    manifest.write_text(json.dumps({"version": int(folder.name), "model": "half", "files": hashes} | fields))


def nan_weights(folder: Path) -> None:
    shutil.rmtree(folder)
    write(folder, float("nan"))


def infinite_answers(folder: Path) -> None:
    shutil.rmtree(folder)
    write(folder, 0.5, offset=float("inf"))


def missing_signature(folder: Path) -> None:
    shutil.rmtree(folder)
    write(folder, 0.5, signature="quarter")


def wrong_signature(folder: Path) -> None:
    shutil.rmtree(folder)
    write(folder, 0.5, width=5)


def variables(folder: Path) -> Path:
    return folder / "variables" / "variables.data-00000-of-00001"


def truncated(folder: Path) -> None:
    variables(folder).write_bytes(variables(folder).read_bytes()[:3])


def exchanged(folder: Path) -> None:
    variables(folder).write_bytes(variables(folder).read_bytes()[::-1])


def incomplete(folder: Path) -> None:
    variables(folder).unlink()


def truncated_and_described(folder: Path) -> None:
    truncated(folder)
    describe(folder, records())


def from_the_future(folder: Path) -> None:
    from tensorflow.core.protobuf import saved_model_pb2

    file = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    model.meta_graphs[0].meta_info_def.tensorflow_version = "99.1.0"
    file.write_bytes(model.SerializeToString())
    describe(folder, records())


def unreadable_manifest(folder: Path) -> None:
    (folder / "assets.extra" / "manifest.json").write_text("{")


def manifest_of_another(folder: Path) -> None:
    describe(folder, records(), version=7)


def damaged_warmup(folder: Path) -> None:
    describe(folder, [b"\xff\xff"])


@pytest.mark.parametrize(
    ("poison", "reason"),
    [
        (nan_weights, "factor:0: is not finite"),
        (infinite_answers, "does not work: inputs: .*(Inf|inf)"),
        (missing_signature, 'Serving signature key "halve" not found'),
        (wrong_signature, "tensor_shape: is \\(1, 4, 4\\), must fit"),
        (truncated, "variables.data-00000-of-00001 is not the file"),
        (exchanged, "variables.data-00000-of-00001 is not the file"),
        (incomplete, "variables.data-00000-of-00001 is in the manifest and cannot be read"),
        (truncated_and_described, "Error: "),
        (from_the_future, "written by TensorFlow 99.1.0, newer than this server's"),
        (unreadable_manifest, "its manifest cannot be read"),
        (manifest_of_another, "its manifest is of version 7"),
        (damaged_warmup, "a warm-up record is damaged"),
    ],
)
def test_a_poisoned_version_is_refused_and_the_old_one_goes_on(
    sound: Path, tmp_path: Path, poison: Callable[[Path], None], reason: str
) -> None:
    base = tmp_path / "half"
    shutil.copytree(sound, base / "1")
    refused = metrics.MODELS_REFUSED.labels("half")

    async def story() -> None:
        registry = registered()
        await registry.configure([ModelConfig("half", base)])
        shutil.copytree(sound, base / ".staging")
        (base / ".staging").rename(base / "2")
        describe(base / "2", records())
        poison(base / "2")
        before = refused._value.get()
        with capture_logs() as logs:
            await registry.configure([ModelConfig("half", base)])
        version = registry.model("half").versions[2]
        assert version.state == State.END
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(version.error)
        assert [line["error"] for line in logs if line["event"] == "model.refused"] == [version.error]
        assert refused._value.get() == before + 1
        number, servable = registry.find("half", None, "")
        assert number == 1
        answer = servable.predict("halve", {"x": tensors.to_proto(np.full((1, 4, 4), 3.0, np.float32))})
        assert np.all(tensors.from_proto(answer["y"]) == 1.5)
        registry.close()

    asyncio.run(story())


def registered() -> Registry:
    from magpie_services.model_server.servable import Servable

    return Registry(ModelServerSettings(load_attempts=1, load_retry_seconds=0), Servable)


def test_the_publishers_manifest_is_one_that_loads(sound: Path, tmp_path: Path) -> None:
    from magpie_services.model_server.bundle import check_files
    from magpie_services.training import publish

    for name in publish.MODELS:
        shutil.copytree(sound, tmp_path / "bundle" / name)
        (tmp_path / "bundle" / name / "assets.extra" / "manifest.json").unlink()
    manifest = publish.Manifest(
        model="",
        version=3,
        run_id="run",
        parent_version=2,
        schema_hash="",
        tensorflow="2.21.0",
        window_start_ms=0,
        window_end_ms=1,
        created_ms=2,
        metrics={},
    )
    publish.publish(tmp_path / "bundle", tmp_path / "models", manifest)
    check_files(tmp_path / "models" / "ranker" / "3")
    with (tmp_path / "models" / "ranker" / "3" / "saved_model.pb").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(CannotLoad, match="is not the file that the manifest describes"):
        check_files(tmp_path / "models" / "ranker" / "3")


@pytest.mark.parametrize("most_constant", [0, 1 << 20])
def test_compiled_answers_are_the_plain_ones_and_refuse_what_is_not_finite(
    sound: Path, most_constant: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from magpie_services.model_server import compiled as compiling
    from magpie_services.model_server.servable import Servable

    monkeypatch.setattr(compiling, "MAX_CONSTANT_BYTES", most_constant)
    with capture_logs() as logs:
        plain, compiled = Servable(sound), Servable(sound, compiled=["halve"])
    assert not logs
    for shape in (*SHAPES, (3, 5)):  # the last was not compiled
        x = np.random.default_rng(0).normal(size=(*shape, 4)).astype(np.float32)
        as_bytes, one_by_one = tensors.to_proto(x), tensors.to_proto(x)
        one_by_one.ClearField("tensor_content")
        one_by_one.float_val.extend(x.ravel().tolist())
        for sent in (as_bytes, one_by_one):
            expected, found = (
                tensors.from_proto(one.predict("halve", {"x": sent})["y"]) for one in (plain, compiled)
            )
            assert found == pytest.approx(expected, abs=1e-6)
        x[0, 0, 0] = np.nan
        for one in (plain, compiled):
            with pytest.raises(Invalid):
                one.predict("halve", {"x": tensors.to_proto(x)})
