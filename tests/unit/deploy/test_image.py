"""The Dockerfile fits the repository, and the environment of its lean images works without TensorFlow."""

import importlib.util
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from docs.generate_settings import ROOMS
from tests.unit.deploy.manifests import ROOT

DOCKERFILE = (ROOT / "deploy/Dockerfile").read_text()
LEAN = ("candidate", "ranking")
PACKAGES = ("grpcio", "protobuf", "tensorflow-serving-api", "typing-extensions")


def test_everything_that_is_copied_into_a_build_is_there_and_not_ignored() -> None:
    kept = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line[:1] == "!"
    ]
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    assert copied
    for source in copied:
        for room in ROOMS:
            path = source.replace("${SERVICE}", room)
            assert (ROOT / path).exists(), path
            assert any(path == keep or path.startswith(f"{keep}/") for keep in kept), path


def test_the_image_runs_as_nobody_in_particular_without_a_shell() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "USER 10001:10001" in final
    assert 'ENTRYPOINT ["python", "-m"]' in final
    assert 'CMD ["python", "-m", "magpie_services.kit.probe"]' in final
    assert importlib.util.find_spec("magpie_services.kit.probe") is not None
    assert "--require-hashes" in DOCKERFILE


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A folder like site-packages: real packages; of TensorFlow the messages and a little beside them."""
    site = tmp_path / "site-packages"
    for name in PACKAGES:
        for file in distribution(name).files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                copy(Path(str(file.locate())), site / file)
    tensorflow = distribution("tensorflow")
    for file in tensorflow.files or ():
        if file.name.endswith("_pb2.py") or file.parts[:2] == ("tensorflow", "__init__.py"):
            copy(Path(str(file.locate())), site / file)
    describe(site, "tensorflow", "2.21.0", ["keras", "protobuf"])
    describe(site, "keras", "3.15.1", [])
    describe(
        site,
        "magpie",
        "0.1.0",
        ["grpcio", "magpie[kit]; extra == 'ranking'"],
        ["tensorflow-serving-api; extra == 'kit'"],
    )
    (site / "keras").mkdir()
    (site / "keras/__init__.py").write_text("")
    (site / "tensorflow/libtensorflow_cc.so").write_bytes(b"\0")
    return site


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def describe(site: Path, name: str, version: str, *requirements: list[str]) -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir(exist_ok=True)
    lines = [f"Requires-Dist: {each}" for group in requirements for each in group]
    folder.joinpath("METADATA").write_text(
        "\n".join(["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines, ""])
    )
    folder.joinpath("RECORD").write_text(
        f"{name}/__init__.py,,\n{folder.name}/METADATA,,\n{folder.name}/RECORD,,\n"
    )


def test_a_lean_image_has_the_messages_and_not_tensorflow(environment: Path) -> None:
    script = ROOT / "deploy/strip_tensorflow.py"
    subprocess.run([sys.executable, script, environment, "ranking"], check=True, timeout=30)

    left = [path for path in (environment / "tensorflow").rglob("*") if path.is_file()]
    assert {path.name for path in left if not path.name.endswith("_pb2.py")} == {"__init__.py"}
    assert not (environment / "keras").exists()
    assert not list(environment.glob("keras-*"))

    # -I -S: nothing of the environment that runs the tests is in reach.
    program = (
        f"import sys; sys.path[:0] = [{str(environment)!r}, {str(ROOT / 'services')!r}]\n"
        "from magpie_services.kit import prediction_messages as messages\n"
        "request = messages.predict_pb2.PredictRequest()\n"
        "request.inputs['user'].tensor_content = b'x'\n"
        "assert messages.predict_pb2.PredictRequest.FromString(request.SerializeToString()) == request\n"
        "try:\n    import tensorflow\nexcept ImportError as error:\n    print(error)\n"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, timeout=30, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "message definitions" in run.stdout
