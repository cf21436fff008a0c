"""Where the services are."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Endpoints:
    """The address of each service, as gRPC targets. The defaults are those of `magpie up` on a laptop."""

    profile: str = "127.0.0.1:7001"
    candidate: str = "127.0.0.1:7002"
    ranking: str = "127.0.0.1:7003"
    content: str = "127.0.0.1:7004"
    push: str = "127.0.0.1:7005"
    feedback: str = "127.0.0.1:7006"
    training: str = "127.0.0.1:7007"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads addresses from a JSON object; services that it leaves out keep their defaults.

        Raises ValueError where it is no object of known services and addresses; OSError where unreadable.
        """
        try:
            values = json.loads(path.read_text("utf-8"))
        except ValueError:
            raise ValueError(f"{path}: is no JSON") from None
        known = {field.name for field in fields(cls)}
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise ValueError(f"{path}: must be an object of addresses")
        if unknown := sorted(set(values) - known):
            raise ValueError(f"{path}: unknown services {', '.join(unknown)}")
        return cls(**values)

    def save(self, path: Path) -> None:
        """Writes the addresses as JSON, whole or not at all."""
        staging = path.with_suffix(".staging")
        staging.write_text(json.dumps(asdict(self), indent=2) + "\n", "utf-8")
        staging.replace(path)
