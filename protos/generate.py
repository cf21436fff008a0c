"""Generates the committed stubs in clients/python/magpie/v1 from protos/magpie/v1.

`python protos/generate.py` writes them; `--check` compares and exits 1 when they are stale. The generator
is pinned (grpcio-tools 1.80.1: protobuf 6.31.1 code, which TensorFlow 2.21 accepts), so that the same
protos always give the same bytes.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from grpc_tools import protoc

PROTOS = Path(__file__).resolve().parent
STUBS = PROTOS.parent / "clients" / "python" / "magpie" / "v1"
GENERATOR = "1.80.1"
SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py", "_pb2_grpc.pyi")


def generate(target: Path) -> None:
    """Writes the stubs of every proto below `target`; raises SystemExit when the compiler refuses one."""
    if version("grpcio-tools") != GENERATOR:
        raise SystemExit(f"grpcio-tools {GENERATOR} is the generator, found {version('grpcio-tools')}")
    # The plug-in for typed stubs lies beside this interpreter, which need not be on the PATH.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    include = Path(protoc.__file__).parent / "_proto"
    sources = [str(path.relative_to(PROTOS)) for path in sorted((PROTOS / "magpie" / "v1").glob("*.proto"))]
    services = [source for source in sources if source.endswith("_service.proto")]
    paths = [f"-I{PROTOS}", f"-I{include}"]
    messages = ["protoc", *paths, f"--python_out={target}", f"--mypy_out=quiet:{target}", *sources]
    stubs = ["protoc", *paths, f"--grpc_python_out={target}", f"--mypy_grpc_out=quiet:{target}", *services]
    for arguments in (messages, stubs):
        if protoc.main(arguments) != 0:
            raise SystemExit("protoc failed")


def stale(fresh: Path) -> list[str]:
    """Names of stub files that are missing, different from `fresh`, or no longer generated."""
    wanted = {path.name for path in fresh.iterdir()}
    present = {path.name for path in STUBS.glob("*") if path.name.endswith(SUFFIXES)}
    _, different, missing = filecmp.cmpfiles(fresh, STUBS, sorted(wanted), shallow=False)
    return sorted({*different, *missing, *(present - wanted)})


def main() -> int:
    """Writes or checks the stubs; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        fresh = Path(folder) / "magpie" / "v1"
        names = stale(fresh)
        if arguments.check:
            if names:
                print("stale stubs, run `make protos`: " + ", ".join(names), file=sys.stderr)
            return 1 if names else 0
        STUBS.mkdir(parents=True, exist_ok=True)
        for name in names:
            (STUBS / name).unlink(missing_ok=True)
            if (fresh / name).exists():
                shutil.copyfile(fresh / name, STUBS / name)
        print(f"{len(names)} stub files written")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
