"""The Kubernetes objects of an overlay as `kubectl kustomize` renders them, and what compose starts."""

import functools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
K8S = ROOT / "k8s"
OVERLAYS = ("local", "cpu", "gpu")
KUBERNETES = "1.32"
# Kinds of operators, unknown to the schemas of Kubernetes itself.
FOREIGN = ("monitoring.coreos.com/",)

Object = dict[str, Any]


def kubectl() -> str | None:
    """The program that renders, of a version that knows components; None where there is none."""
    program = shutil.which("kubectl")
    if program is None:
        return None
    version = subprocess.run([program, "version", "--client"], capture_output=True, text=True, timeout=30)
    return program if "Kustomize Version: v5" in version.stdout else None


@functools.cache
def render(folder: Path) -> list[Object]:
    """The objects of a kustomization. Raises AssertionError with kubectl's words when it does not render."""
    program = kubectl()
    assert program is not None
    run = subprocess.run([program, "kustomize", str(folder)], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr
    return load(run.stdout)


def load(text: str) -> list[Object]:
    """The objects in a file of YAML documents."""
    return [document for document in yaml.safe_load_all(text) if document is not None]


def of(objects: list[Object], *kinds: str) -> dict[str, Object]:
    """Those of these kinds, by name."""
    return {found["metadata"]["name"]: found for found in objects if found["kind"] in kinds}


def workloads(objects: list[Object]) -> dict[str, Object]:
    return of(objects, "Deployment", "StatefulSet")


def pod(workload: Object) -> Object:
    """The pod's specification."""
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def containers(workload: Object) -> list[Object]:
    found: list[Object] = pod(workload)["containers"]
    return found


def labels(workload: Object) -> dict[str, str]:
    """Labels of the pods."""
    found: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return found


def selects(selector: Object, pod_labels: dict[str, str]) -> bool:
    """Whether a label selector (matchLabels alone) selects such a pod; an empty one selects all."""
    assert selector.keys() <= {"matchLabels"}
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= pod_labels.items()


def environment(container: Object, objects: list[Object]) -> dict[str, str | None]:
    """Variables by name; None for those that come from a Secret."""
    configs = of(objects, "ConfigMap")
    found: dict[str, str | None] = {}
    for source in container.get("envFrom", ()):
        found |= configs[source["configMapRef"]["name"]]["data"]
    for variable in container.get("env", ()):
        found[variable["name"]] = variable.get("value")
    return found


def programs() -> Iterator[tuple[str, list[str], list[str]]]:
    """(where, arguments, names of variables) of every container of ours, in Kubernetes and in compose."""
    for overlay in OVERLAYS if kubectl() else ():
        objects = render(K8S / "overlays" / overlay)
        for name, workload in workloads(objects).items():
            for container in containers(workload):
                if container["image"].startswith("magpie/"):
                    yield f"{overlay}/{name}", container["args"], list(environment(container, objects))
    for name, service in compose()["services"].items():
        if service["image"].startswith("magpie/"):
            yield f"compose/{name}", service["command"], list(service["environment"])


def compose() -> Object:
    """deploy/compose.yaml."""
    found: Object = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    return found
