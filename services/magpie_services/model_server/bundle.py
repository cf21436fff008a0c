"""Whether the files of a version are those that its manifest names: what was cut short must not serve.

TensorFlow Serving does not look at manifests. A version without one is served as it is.
"""

import hashlib
from pathlib import Path

import msgspec

from magpie_services.model_server.registry import CannotLoad

MANIFEST = Path("assets.extra") / "manifest.json"


class Manifest(msgspec.Struct, frozen=True):
    """What is read of a manifest: which version it is of, and the SHA-256 of each file by its path."""

    version: int
    files: dict[str, str]


def check_files(folder: Path) -> None:
    """Raises CannotLoad naming the first file that is missing or is another than the manifest's."""
    try:
        content = (folder / MANIFEST).read_bytes()
    except FileNotFoundError:
        return
    except OSError as error:
        raise CannotLoad(f"its manifest cannot be read: {error.strerror}") from error
    try:
        manifest = msgspec.json.decode(content, type=Manifest)
    except msgspec.DecodeError as error:
        raise CannotLoad(f"its manifest cannot be read: {error}") from error
    if str(manifest.version) != folder.name.lstrip("0"):
        raise CannotLoad(f"its manifest is of version {manifest.version}")
    for name, expected in manifest.files.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise CannotLoad(f"{name} is in the manifest and cannot be read: {error.strerror}") from error
        if found != expected:
            raise CannotLoad(f"{name} is not the file that the manifest describes")
