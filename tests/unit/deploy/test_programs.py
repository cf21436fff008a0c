"""What the manifests and compose start exists, and every variable they set is one that the room reads."""

import ast
import importlib.util
import re

import pytest
from docs.generate_settings import PAGE, ROOMS, page, settings_class
from tests.unit.deploy.manifests import (
    K8S,
    OVERLAYS,
    ROOT,
    compose,
    containers,
    environment,
    kubectl,
    programs,
    render,
    workloads,
)

PROGRAMS = list(programs())
names = [where for where, _, _ in PROGRAMS]


@pytest.mark.parametrize(("where", "arguments", "variables"), PROGRAMS, ids=names)
def test_the_program_exists(where: str, arguments: list[str], variables: list[str]) -> None:
    module = arguments[0]
    assert importlib.util.find_spec(f"{module}.__main__") is not None
    for option in arguments:
        if option.startswith("--app="):
            spec = importlib.util.find_spec(option.removeprefix("--app="))
            assert spec is not None
            assert spec.origin is not None
            with open(spec.origin, encoding="utf-8") as file:
                assigned = {
                    target.id
                    for node in ast.parse(file.read()).body
                    if isinstance(node, ast.Assign)
                    for target in node.targets
                    if isinstance(target, ast.Name)
                }
            assert "app" in assigned


@pytest.mark.parametrize(("where", "arguments", "variables"), PROGRAMS, ids=names)
def test_a_variable_is_a_setting_and_no_required_one_is_missing(
    where: str, arguments: list[str], variables: list[str]
) -> None:
    room = "training" if arguments[0] == "celery" else arguments[0].removeprefix("magpie_services.")
    settings = settings_class(room)
    prefix = settings.model_config["env_prefix"]
    fields = {f"{prefix}{name.upper()}": field for name, field in settings.model_fields.items()}
    ours = {name for name in variables if name.startswith("MAGPIE_")}
    assert ours <= fields.keys()
    required = {name for name, field in fields.items() if field.is_required()}
    assert required <= ours
    # A service on loopback with the addresses of a laptop would start, and reach nobody.
    if arguments[0] != "celery":
        assert f"{prefix}LISTEN" in ours
    assert {name for name in fields if name.endswith("_ADDRESS")} <= ours
    assert room == "content" or f"{prefix}REDIS_URL" in ours or room == "model_server"


@pytest.mark.skipif(kubectl() is None, reason="no kubectl with kustomize 5 on the PATH")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_ports_are_those_of_the_settings(overlay: str) -> None:
    objects = render(K8S / "overlays" / overlay)
    for workload in workloads(objects).values():
        for container in containers(workload):
            module = container.get("args", [""])[0]
            if not module.startswith("magpie_services."):
                continue
            settings = settings_class(module.removeprefix("magpie_services."))
            prefix = settings.model_config["env_prefix"]
            ports = {port["name"]: port["containerPort"] for port in container["ports"]}
            variables = environment(container, objects)
            assert variables[f"{prefix}LISTEN"] == f"0.0.0.0:{ports['grpc']}"
            assert variables[f"{prefix}METRICS_LISTEN"] == f"0.0.0.0:{ports['metrics']}"
            default = int(settings.model_fields["listen"].default.rpartition(":")[2])
            assert default in (0, ports["grpc"])


def test_compose_publishes_on_loopback_only() -> None:
    for name, service in compose()["services"].items():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        assert not service["image"].endswith(":latest")


def test_compose_starts_every_room() -> None:
    started = {arguments[0] for where, arguments, _ in PROGRAMS if where.startswith("compose/")}
    assert started == {f"magpie_services.{room}" for room in ROOMS if room != "model_server"} | {"celery"}


def test_no_secret_has_a_value() -> None:
    for path in ROOT.glob("**/secrets.env.example"):
        values = re.findall(r"^#?[A-Za-z_-]+=(.*)$", path.read_text(), re.MULTILINE)
        assert values
        assert set(values) == {""}


def test_the_page_of_settings_is_fresh() -> None:
    assert PAGE.read_text("utf-8") == page(), "run .venv/bin/python docs/generate_settings.py"
