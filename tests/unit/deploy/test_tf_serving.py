"""The batching of TensorFlow Serving fits what candidate, ranking and the warm-up send."""

import re
from pathlib import Path

import pytest
import yaml
from tests.unit.deploy.manifests import K8S, ROOT, containers, kubectl, load, of, render

from magpie_services.candidate import fetching
from magpie_services.candidate.servicer import MAX_PORTRAITS
from magpie_services.core import buckets

CPU = ROOT / "deploy/tf_serving/batching.txt"
GPU = K8S / "components/tf-serving-gpu/batching.txt"
FLAG = "--batching_parameters_file=/etc/magpie/tf_serving/"


def number(name: str, text: str) -> int:
    (found,) = re.findall(rf"^{name} {{ value: (\d+) }}", text, re.MULTILINE)
    return int(found)


@pytest.mark.parametrize("path", [CPU, GPU], ids=["cpu", "gpu"])
def test_every_call_fits_into_a_batch(path: Path) -> None:
    text = path.read_text("utf-8")
    largest = number("max_batch_size", text)
    allowed = [int(size) for size in re.findall(r"^allowed_batch_sizes: (\d+)", text, re.MULTILINE)]
    assert allowed == sorted(set(allowed))
    assert allowed[-1] == largest  # the server does not start otherwise
    assert largest >= max(MAX_PORTRAITS, fetching.PAGE)
    # A call that comes alone is padded no further than its client did.
    assert {*buckets.USERS, *buckets.READERS} <= set(allowed)
    assert "\npad_variable_length_inputs: true\n" in text
    assert number("num_batch_threads", text) >= 1
    assert number("max_enqueued_batches", text) >= 1


def test_only_a_gpu_waits_for_others() -> None:
    assert number("batch_timeout_micros", CPU.read_text("utf-8")) == 0
    assert 0 < number("batch_timeout_micros", GPU.read_text("utf-8")) <= 5_000


def test_the_server_is_told_and_finds_the_file() -> None:
    (compose,) = load((ROOT / "deploy/compose.yaml").read_text("utf-8"))
    (serving,) = (
        containers(found)[0]
        for found in of(
            load((K8S / "components/tf-serving/tf-serving.yaml").read_text("utf-8")), "Deployment"
        ).values()
    )
    files = yaml.safe_load((CPU.parent / "kustomization.yaml").read_text("utf-8"))
    (held,) = files["configMapGenerator"]
    for told in (compose["services"]["models"]["command"], serving["args"]):
        assert "--enable_batching=true" in told
        (name,) = (flag.removeprefix(FLAG) for flag in told if flag.startswith(FLAG))
        assert name in held["files"]
        assert (CPU.parent / name).is_file()


@pytest.mark.skipif(kubectl() is None, reason="no kubectl with kustomize 5 on the PATH")
@pytest.mark.parametrize(("overlay", "path"), [("cpu", CPU), ("gpu", GPU)])
def test_each_overlay_has_its_own(overlay: str, path: Path) -> None:
    maps = of(render(K8S / "overlays" / overlay), "ConfigMap")
    (found,) = (data for name, data in maps.items() if name.startswith("tf-serving"))
    assert found["data"]["batching.txt"] == path.read_text("utf-8")
    assert "monitoring.txt" in found["data"]
