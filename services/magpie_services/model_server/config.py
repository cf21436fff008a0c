"""Which models to serve, and which of their versions: TensorFlow Serving's configuration, checked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2 as config_pb

from magpie_services.kit.errors import Invalid


@dataclass(frozen=True)
class ModelConfig:
    """One model. `latest` > 0 serves that many newest versions, else `specific` names them, else all."""

    name: str
    base_path: Path
    latest: int = 1
    specific: frozenset[int] = frozenset()
    labels: Mapping[str, int] = field(default_factory=dict)

    def wanted(self, present: Iterable[int]) -> set[int]:
        """The versions to serve among those present."""
        versions = set(present)
        if self.latest:
            return set(sorted(versions)[-self.latest :])
        return versions & self.specific if self.specific else versions


def present_versions(base_path: Path) -> dict[int, Path]:
    """The version folders of a model: names that are whole numbers; everything else is somebody's staging.

    Two spellings of one number ("7", "007") are one version: the shorter name counts. A folder that is not
    there yet has no versions.
    """
    try:
        names = [entry.name for entry in base_path.iterdir() if _is_version(entry.name) and entry.is_dir()]
    except OSError:
        return {}
    return {int(name): base_path / name for name in sorted(names, key=len, reverse=True)}


def parse(content: bytes) -> list[ModelConfig]:
    """The models of a configuration file. Raises Invalid for a faulty one."""
    message = config_pb.ModelServerConfig()
    try:
        text_format.Parse(content.decode("utf-8"), message)
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise Invalid("model_config_file", str(error)) from error
    return from_proto(message)


def from_proto(message: config_pb.ModelServerConfig) -> list[ModelConfig]:
    """The models of a configuration message. Raises Invalid naming the entry at fault."""
    if message.WhichOneof("config") != "model_config_list":
        raise Invalid("config", "only model_config_list is supported")
    models = [
        _model(f"config[{index}]", entry) for index, entry in enumerate(message.model_config_list.config)
    ]
    names = [model.name for model in models]
    for name in names:
        if names.count(name) > 1:
            raise Invalid("config.name", f"{name} is there twice")
    return models


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdecimal() and int(name) < 2**63


def _model(where: str, entry: config_pb.ModelConfig) -> ModelConfig:
    if not entry.name:
        raise Invalid(f"{where}.name", "is required")
    if not entry.base_path:
        raise Invalid(f"{where}.base_path", "is required")
    if not Path(entry.base_path).is_absolute():
        raise Invalid(f"{where}.base_path", "must be an absolute path")
    if entry.model_platform not in ("", "tensorflow"):
        raise Invalid(f"{where}.model_platform", f"{entry.model_platform} is not served here")
    latest, specific = 1, frozenset[int]()
    policy = entry.model_version_policy
    match policy.WhichOneof("policy_choice"):
        case "latest":
            latest = policy.latest.num_versions or 1
        case "all":
            latest = 0
        case "specific":
            latest, specific = 0, frozenset(policy.specific.versions)
            if not specific:
                raise Invalid(f"{where}.model_version_policy.specific.versions", "is required")
    return ModelConfig(entry.name, Path(entry.base_path), latest, specific, dict(entry.version_labels))
