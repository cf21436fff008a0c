"""Every overlay renders, is what Kubernetes accepts, and keeps the rules that a pod of ours lives by."""

import importlib.util
import re
import shutil
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from tests.unit.deploy.manifests import (
    FOREIGN,
    K8S,
    KUBERNETES,
    OVERLAYS,
    Object,
    containers,
    environment,
    kubectl,
    labels,
    load,
    of,
    pod,
    render,
    selects,
    workloads,
)

rendered = pytest.mark.skipif(kubectl() is None, reason="no kubectl with kustomize 5 on the PATH")
everywhere = pytest.mark.parametrize("overlay", OVERLAYS)
RAW = sorted(path for path in K8S.rglob("*.yaml") if path.name != "kustomization.yaml")


def check(found: Object) -> None:
    if not found["apiVersion"].startswith(FOREIGN):
        kubernetes_validate.validate(found, KUBERNETES, strict=True)


# What can be said without kubectl: patches aside, each file holds valid objects, and each is used.


@pytest.mark.parametrize("path", RAW, ids=lambda path: str(path.relative_to(K8S)))
def test_a_file_holds_valid_objects(path: Path) -> None:
    for found in load(path.read_text()):
        if path.name in ("hardening.yaml", "gpu.yaml"):  # patches are no objects of their own
            assert found["kind"] == "Deployment"
        else:
            check(found)


@pytest.mark.parametrize("path", sorted(K8S.rglob("kustomization.yaml")), ids=lambda path: path.parent.name)
def test_a_kustomization_uses_what_is_there_and_all_of_it(path: Path) -> None:
    text = path.read_text()
    kustomization = yaml.safe_load(text)
    for name in kustomization.get("resources", []) + kustomization.get("components", []):
        assert (path.parent / name).exists(), name
    unused = [found.name for found in path.parent.glob("*.yaml") if found != path and found.name not in text]
    assert not unused


# What an overlay renders.


@rendered
@everywhere
def test_an_overlay_is_valid(overlay: str) -> None:
    objects = render(K8S / "overlays" / overlay)
    for found in objects:
        check(found)
    keys = [(found["kind"], found["metadata"]["name"]) for found in objects]
    assert len(keys) == len(set(keys))


@rendered
@pytest.mark.parametrize("component", ["monitoring", "secrets", "training-together"])
def test_an_optional_component_renders_over_an_overlay(component: str, tmp_path: Path) -> None:
    shutil.copytree(K8S, tmp_path / "k8s")
    shutil.copytree(K8S.parent / "deploy/tf_serving", tmp_path / "deploy/tf_serving")
    example = tmp_path / "k8s/components/secrets/secrets.env.example"
    example.with_suffix("").write_text(example.read_text())
    mine = tmp_path / "k8s/overlays/mine"
    mine.mkdir()
    mine.joinpath("kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: magpie\n"
        f"resources: [../cpu]\ncomponents: [../../components/{component}]\n"
    )
    objects = render(mine)
    if component == "training-together":
        for found in objects:
            check(found)
    if component == "secrets":
        (secret,) = of(objects, "Secret").values()
        wanted = {
            variable["valueFrom"]["secretKeyRef"]["key"]
            for workload in workloads(objects).values()
            for container in containers(workload)
            for variable in container.get("env", ())
            if "valueFrom" in variable and not variable["valueFrom"]["secretKeyRef"].get("optional")
        }
        assert wanted == secret["data"].keys()
        assert {"".join(secret["data"].values())} == {""}  # no secret of ours has a default


@rendered
@everywhere
def test_a_pod_is_restricted(overlay: str) -> None:
    objects = render(K8S / "overlays" / overlay)
    accounts = of(objects, "ServiceAccount")
    used = []
    for name, workload in workloads(objects).items():
        spec = pod(workload)
        used.append(spec["serviceAccountName"])
        assert accounts[spec["serviceAccountName"]]["automountServiceAccountToken"] is False
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in spec["containers"] + spec.get("initContainers", []):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False, name
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["capabilities"] == {"drop": ["ALL"]}, name
    assert len(used) == len(set(used)), "each kind of pod has a service account of its own"


@rendered
@everywhere
def test_a_container_is_probed_and_bounded(overlay: str) -> None:
    objects = render(K8S / "overlays" / overlay)
    for name, workload in workloads(objects).items():
        for container in containers(workload):
            assert {"startupProbe", "livenessProbe"} <= container.keys(), name
            if name not in ("worker", "lake"):  # nobody calls these
                assert "readinessProbe" in container, name
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert limits["memory"] == requests["memory"], name
            assert "cpu" in requests and "cpu" not in limits, name  # noqa: PT018
            ports = {port["containerPort"] for port in container.get("ports", ())}
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert container.get(probe, {}).get("grpc", {}).get("port") in ports | {None}, name


@rendered
@everywhere
def test_readiness_asks_for_a_service_of_the_api(overlay: str) -> None:
    protos = "\n".join(path.read_text() for path in (K8S.parent / "protos").rglob("*.proto"))
    known = {f"magpie.v1.{name}" for name in re.findall(r"^service (\w+)", protos, re.MULTILINE)}
    for workload in workloads(render(K8S / "overlays" / overlay)).values():
        for container in containers(workload):
            service = container.get("readinessProbe", {}).get("grpc", {}).get("service")
            if container["image"].startswith("magpie/") and service is not None:
                assert service in known


@rendered
@everywhere
def test_an_image_has_a_version(overlay: str) -> None:
    for workload in workloads(render(K8S / "overlays" / overlay)).values():
        for container in containers(workload):
            _, _, tag = container["image"].partition(":")
            assert re.fullmatch(r"\d+\.\d+\.\d+(-\w+)?", tag), container["image"]


@rendered
@everywhere
def test_what_may_have_several_pods_survives_a_drain(overlay: str) -> None:
    objects = render(K8S / "overlays" / overlay)
    budgets = [found["spec"]["selector"] for found in of(objects, "PodDisruptionBudget").values()]
    scaled = {
        found["spec"]["scaleTargetRef"]["name"] for found in of(objects, "HorizontalPodAutoscaler").values()
    }
    deployments = of(objects, "Deployment")
    assert scaled <= deployments.keys()
    for name, deployment in deployments.items():
        if name in scaled:
            assert "replicas" not in deployment["spec"], f"{name}: the autoscaler owns the number"
        if name in scaled or deployment["spec"].get("replicas", 1) > 1:
            assert any(selects(selector, labels(deployment)) for selector in budgets), name


@rendered
@everywhere
def test_a_single_writer_is_never_two(overlay: str) -> None:
    deployments = of(render(K8S / "overlays" / overlay), "Deployment")
    for name in ("lake", "worker"):
        assert deployments[name]["spec"]["replicas"] == 1
        assert deployments[name]["spec"]["strategy"]["type"] == "Recreate"


@rendered
@everywhere
def test_every_pod_has_a_policy_that_lets_its_callers_in(overlay: str) -> None:
    objects = render(K8S / "overlays" / overlay)
    policies = of(objects, "NetworkPolicy")
    assert policies["default-deny"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    own = [found["spec"] for name, found in policies.items() if name not in ("default-deny", "dns")]
    every = workloads(objects)
    for name, workload in every.items():
        assert any(selects(spec["podSelector"], labels(workload)) for spec in own), name
    for caller, workload in every.items():
        for variable, value in environment(containers(workload)[0], objects).items():
            if variable.endswith("_ADDRESS") and value:
                service, _, port = value.removeprefix("dns:///").partition(":")
                target = of(objects, "Service")[service]
                assert target["spec"]["clusterIP"] == "None"
                assert int(port) in {each["port"] for each in target["spec"]["ports"]}
                callees = [
                    w
                    for w in every.values()
                    if selects({"matchLabels": target["spec"]["selector"]}, labels(w))
                ]
                assert len(callees) == 1, service
                assert allows(own, "ingress", "from", callees[0], workload, int(port)), (caller, service)
                assert allows(own, "egress", "to", workload, callees[0], int(port)), (caller, service)


def allows(policies: list[Object], way: str, peer: str, holder: Object, other: Object, port: int) -> bool:
    """Whether a policy that selects `holder` has a rule for pods like `other` at the port."""
    return any(
        selects(each["podSelector"], labels(other))
        for spec in policies
        if selects(spec["podSelector"], labels(holder))
        for rule in spec.get(way, ())
        if port in {entry["port"] for entry in rule["ports"]}
        for each in rule.get(peer, ())
        if "podSelector" in each
    )


@rendered
def test_the_gpu_overlay_asks_for_a_gpu_where_there_are_some() -> None:
    serving = pod(of(render(K8S / "overlays/gpu"), "Deployment")["tf-serving"])
    (container,) = serving["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert container["image"].endswith("-gpu")
    assert container["command"] == ["/usr/bin/tensorflow_model_server"]
    assert serving["shareProcessNamespace"] is True
    assert serving["nodeSelector"]
    assert serving["tolerations"]
    assert "--enable_profiler=false" in container["args"]


def test_the_members_of_a_fit_find_each_other() -> None:
    objects = load((K8S / "components/training-together/together.yaml").read_text())
    (job,), (service,) = of(objects, "Job").values(), of(objects, "Service").values()
    (policy,) = of(objects, "NetworkPolicy").values()
    spec, (container,) = pod(job), containers(job)
    members = container["args"][container["args"].index("--members") + 1 :]
    count, port = len(members), service["spec"]["ports"][0]["port"]
    assert job["spec"]["completionMode"] == "Indexed"
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == count
    # A pod of an indexed Job is named after the Job and its place, within the Service that is its subdomain.
    name, subdomain = job["metadata"]["name"], spec["subdomain"]
    assert members == [f"{name}-{place}.{subdomain}:{port}" for place in range(count)]
    assert subdomain == service["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"]
    assert selects({"matchLabels": service["spec"]["selector"]}, labels(job))
    assert allows([policy["spec"]], "ingress", "from", job, job, port)
    assert allows([policy["spec"]], "egress", "to", job, job, port)
    worker = load((K8S / "base/training/worker.yaml").read_text())
    (trained,) = containers(of(worker, "Deployment")["worker"])
    assert container["image"] == trained["image"]
    assert environment(container, objects=_training_config()).keys() >= {"MAGPIE_TRAINING_REDIS_URL"}
    assert importlib.util.find_spec(f"{container['args'][0]}.__main__") is not None
    # What every Deployment gets from hardening.yaml, a Job has to say itself.
    (hardening,) = load((K8S / "base/hardening.yaml").read_text())
    for name, value in pod(hardening)["securityContext"].items():
        assert spec["securityContext"][name] == value
    assert container["securityContext"] == containers(hardening)[0]["securityContext"]
    assert spec["automountServiceAccountToken"] is False
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]


def _training_config() -> list[Object]:
    return [{"kind": "ConfigMap", "metadata": {"name": "training"}, "data": {}}]
