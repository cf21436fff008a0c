"""Which versions serve: loads what is wanted, and drops what is not once something newer can answer."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path

import structlog

from magpie_services.kit.errors import Invalid, NotAllowed, NotFound
from magpie_services.model_server.config import ModelConfig, present_versions, read_file
from magpie_services.model_server.servable import CannotLoad, Servable
from magpie_services.model_server.settings import ModelServerSettings

log = structlog.get_logger()


class State(IntEnum):
    """Life of a version, with TensorFlow Serving's numbers."""

    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass
class Version:
    """One version: where it stands, why it failed, and the model itself while it can answer."""

    folder: Path
    state: State = State.START
    error: str = ""
    servable: Servable | None = None


@dataclass
class Model:
    """One model: how it is configured, its versions, and labels for some of them."""

    config: ModelConfig
    versions: dict[int, Version] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)

    def available(self) -> list[int]:
        """Versions that can answer, oldest first."""
        return sorted(number for number, version in self.versions.items() if version.state == State.AVAILABLE)


class Registry:
    """All models. One `follow` loop changes it; reading is free of locks on the one event loop."""

    def __init__(self, settings: ModelServerSettings, load: Callable[[Path], Servable] = Servable) -> None:
        self._settings = settings
        self._load = load
        self._models: dict[str, Model] = {}
        # Loading runs beside predictions, one version at a time: two copies in memory are the most there are.
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._reconciling = asyncio.Lock()
        self._file_content: bytes | None = None

    async def follow(self) -> None:
        """Looks at the configuration file and the folders for ever."""
        while True:
            await self._read_file()
            await self._reconcile()
            await asyncio.sleep(self._settings.poll_seconds)

    async def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Replaces the whole configuration, loads what it wants, then moves the labels.

        Models that are left out are unloaded. Raises NotAllowed when a label names a version that cannot
        answer; the rest of the configuration then holds, the labels stay where they were.
        """
        self._models = {
            config.name: Model(config, known.versions, known.labels)
            if (known := self._models.get(config.name)) and known.config.base_path == config.base_path
            else Model(config)
            for config in configs
        }
        for model in self._models.values():
            # A new configuration is a new chance for a version that was given up.
            model.versions = {n: v for n, v in model.versions.items() if v.state != State.END}
        await self._reconcile()
        self._move_labels()

    def model(self, name: str) -> Model:
        """A model by name. Raises NotFound."""
        model = self._models.get(name)
        if model is None:
            raise NotFound(f"Servable not found for request: Latest({name})")
        return model

    def find(self, name: str, version: int | None, label: str) -> tuple[int, Servable]:
        """The version that answers a request: the one named, the one labelled, or the newest.

        Raises Invalid for a request without a model, NotFound when nothing fits.
        """
        if not name:
            raise Invalid("model_spec.name", "is required")
        model = self.model(name)
        if label:
            if label not in model.labels:
                raise Invalid("model_spec.version_label", f"Unrecognized servable version label: {label}")
            version = model.labels[label]
        elif version is None:
            version = max(model.available(), default=None)
            if version is None:
                raise NotFound(f"Servable not found for request: Latest({name})")
        found = model.versions.get(version)
        if found is None or found.servable is None or found.state != State.AVAILABLE:
            raise NotFound(f"Servable not found for request: Specific({name}, {version})")
        return version, found.servable

    def ready(self) -> bool:
        """Every configured model can answer, or none of its versions exists yet."""
        return all(model.available() or not model.versions for model in self._models.values())

    def close(self) -> None:
        """Stops loading."""
        self._loader.shutdown(wait=False, cancel_futures=True)

    async def _read_file(self) -> None:
        path = Path(self._settings.model_config_file)
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError:
            if self._file_content is None:
                log.info("config.waiting", file=str(path))
                self._file_content = b""
            return
        if content == self._file_content:
            return
        self._file_content = content
        try:
            await self.configure(read_file(path))
            log.info("config.applied", models=sorted(self._models))
        except (Invalid, NotAllowed, OSError) as error:
            # What served before goes on serving.
            log.error("config.refused", file=str(path), error=str(error))

    async def _reconcile(self) -> None:
        async with self._reconciling:
            for model in list(self._models.values()):
                await self._reconcile_model(model)

    async def _reconcile_model(self, model: Model) -> None:
        present = present_versions(model.config.base_path)
        wanted = model.config.wanted(present)
        for number in sorted(wanted - model.versions.keys()):
            model.versions[number] = Version(present[number])
            await self._bring_up(model.config.name, number, model.versions[number])
        answering = wanted & set(model.available())
        for number, version in model.versions.items():
            # Availability first: the old stays until something wanted can answer.
            if number not in wanted and version.state == State.AVAILABLE and answering:
                version.state = State.UNLOADING
                version.servable = None
                version.state = State.END
                log.info("model.unloaded", model=model.config.name, version=number)

    async def _bring_up(self, name: str, number: int, version: Version) -> None:
        version.state = State.LOADING
        loop = asyncio.get_running_loop()
        for attempt in range(1, self._settings.load_attempts + 1):
            try:
                version.servable = await loop.run_in_executor(self._loader, self._load, version.folder)
            except CannotLoad as error:
                version.error = str(error)
                log.error("model.refused", model=name, version=number, attempt=attempt, error=version.error)
                if attempt < self._settings.load_attempts:
                    await asyncio.sleep(self._settings.load_retry_seconds)
            else:
                version.state, version.error = State.AVAILABLE, ""
                log.info("model.loaded", model=name, version=number)
                return
        version.state = State.END

    def _move_labels(self) -> None:
        for model in self._models.values():
            for number in model.config.labels.values():
                if number not in model.available():
                    raise NotAllowed(
                        f"Request to assign label to version {number} of model {model.config.name}, "
                        "which is not currently available for inference",
                        reason="LABEL_OF_UNAVAILABLE_VERSION",
                    )
        for model in self._models.values():
            model.labels = dict(model.config.labels)
