"""Which versions serve: loads what is wanted, and drops what is not once something wanted can answer."""

import asyncio
import gc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from magpie_services.kit import metrics
from magpie_services.kit.errors import Invalid, NotAllowed, NotFound
from magpie_services.model_server.config import ModelConfig, parse, present_versions
from magpie_services.model_server.settings import ModelServerSettings

if TYPE_CHECKING:  # the registry itself needs no TensorFlow
    from magpie_services.model_server.servable import Servable

log = structlog.get_logger()


class CannotLoad(Exception):
    """A version that must not serve; the text says why."""


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
    state: State = State.LOADING
    error: str = ""
    servable: "Servable | None" = None


@dataclass
class Model:
    """One model: how it is configured, its versions, and labels for some of them.

    `wanted` is what was wanted at the last look: a version is brought up when it becomes wanted, so one that
    was given up is not tried for ever.
    """

    config: ModelConfig
    versions: dict[int, Version] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)
    wanted: set[int] = field(default_factory=set)

    def available(self) -> list[int]:
        """Versions that can answer, oldest first."""
        return sorted(number for number, version in self.versions.items() if version.state == State.AVAILABLE)

    def ready(self) -> bool:
        """Some version can answer, or none exists yet."""
        return bool(self.available()) or not self.versions

    def asked(self, version: int | None, label: str) -> int | None:
        """The version that a request names by number or label, None when by neither.

        Raises Invalid for a label that is not there.
        """
        if not label:
            return version
        if label not in self.labels:
            raise Invalid("model_spec.version_label", f"Unrecognized servable version label: {label}")
        return self.labels[label]


class Registry:
    """All models. `follow` and `configure` change it, one at a time; readers on the event loop need no lock.

    `load` gives the model of a folder or raises CannotLoad; it runs in a thread.
    """

    def __init__(self, settings: ModelServerSettings, load: "Callable[[Path], Servable]") -> None:
        self._settings = settings
        self._load = load
        self._models: dict[str, Model] = {}
        # Loading runs beside predictions, one version at a time: memory holds one more than is wanted.
        self._loader = ThreadPoolExecutor(1, thread_name_prefix="load")
        self._changing = asyncio.Lock()
        self._garbage = False
        self._looked = False
        self._file_content: bytes | None = None
        self._file_labels_due = False

    async def follow(self) -> None:
        """Looks at the configuration file and the folders for ever."""
        while True:
            await self._read_file()
            async with self._changing:
                await self._reconcile()
                self._move_labels_of_file()
            self._looked = True
            await asyncio.sleep(self._settings.poll_seconds)

    async def configure(self, configs: Sequence[ModelConfig]) -> None:
        """Replaces the whole configuration, loads what it wants, then moves the labels.

        Models that are left out are unloaded. Raises NotAllowed when a label names a version that cannot
        answer, or when no version of a model could be loaded; the rest of the configuration then holds, and
        the labels stay where they were.
        """
        async with self._changing:
            self._file_labels_due = False
            before = self._models
            # With nothing wanted yet, a version that was given up gets a new chance, and another base path
            # is looked into; what is loaded answers until then.
            self._models = {
                config.name: Model(config, known.versions, known.labels)
                if (known := before.get(config.name))
                else Model(config)
                for config in configs
            }
            self._garbage |= not before.keys() <= self._models.keys()
            await self._reconcile()
            self._move_labels()
            broken = [name for name, model in self._models.items() if not model.ready()]
            if broken:
                raise NotAllowed(
                    f"Some models did not become available: {', '.join(broken)}", reason="MODEL_NOT_AVAILABLE"
                )

    def model(self, name: str) -> Model:
        """A model by name. Raises NotFound."""
        model = self._models.get(name)
        if model is None:
            raise NotFound(f"Servable not found for request: Latest({name})")
        return model

    def find(self, name: str, version: int | None, label: str) -> "tuple[int, Servable]":
        """The version that answers a request: the one named, the one labelled, or the newest.

        Raises Invalid for a request without a model, NotFound when nothing fits.
        """
        if not name:
            raise Invalid("model_spec.name", "is required")
        model = self.model(name)
        version = model.asked(version, label)
        if version is None:
            version = max(model.available(), default=None)
            if version is None:
                raise NotFound(f"Servable not found for request: Latest({name})")
        found = model.versions.get(version)
        if found is None or found.servable is None or found.state != State.AVAILABLE:
            raise NotFound(f"Servable not found for request: Specific({name}, {version})")
        return version, found.servable

    def ready(self) -> bool:
        """After the first look: every configured model can answer, or none of its versions exists yet."""
        return self._looked and all(model.ready() for model in self._models.values())

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
            await self.configure(parse(content))
            log.info("config.applied", models=sorted(self._models))
        except Invalid as error:
            # Half written, perhaps. What served before goes on serving.
            log.error("config.refused", file=str(path), error=str(error))
        except NotAllowed as error:
            # Nobody asks a file again, as one does who calls: its labels move once their versions answer.
            self._file_labels_due = True
            log.error("config.incomplete", file=str(path), error=str(error))

    async def _reconcile(self) -> None:
        await self._collect_garbage()
        for model in self._models.values():
            await self._reconcile_model(model)

    async def _reconcile_model(self, model: Model) -> None:
        present = await asyncio.to_thread(present_versions, model.config.base_path)
        wanted = model.config.wanted(present)
        newly, model.wanted = wanted - model.wanted, wanted
        for number in sorted(newly):
            await self._bring_up(model, number, present[number])
        answering = wanted & set(model.available())
        for number, version in list(model.versions.items()):
            if number in wanted:
                continue
            # Availability first: the old stays until something wanted can answer.
            if version.state == State.AVAILABLE and answering:
                version.state, version.servable, self._garbage = State.END, None, True
                log.info("model.unloaded", model=model.config.name, version=number)
            elif version.state == State.END and number not in present:
                del model.versions[number]

    async def _bring_up(self, model: Model, number: int, folder: Path) -> None:
        name, held, version = model.config.name, model.versions.get(number), Version(folder)
        if held is None or held.state != State.AVAILABLE:
            model.versions[number] = version
        elif held.folder == folder:
            return
        # Else the base path has changed: the version of the old one answers until the new is loaded.
        loop = asyncio.get_running_loop()
        for attempt in range(1, self._settings.load_attempts + 1):
            await self._collect_garbage()
            try:
                version.servable = await loop.run_in_executor(self._loader, self._load, folder)
            except CannotLoad as error:
                version.error, self._garbage = str(error), True
                log.error("model.refused", model=name, version=number, attempt=attempt, error=version.error)
                if attempt < self._settings.load_attempts:
                    await asyncio.sleep(self._settings.load_retry_seconds)
            else:
                version.state, version.error = State.AVAILABLE, ""
                model.versions[number] = version
                self._garbage |= held is not None
                gc.freeze()
                log.info("model.loaded", model=name, version=number)
                return
        version.state = State.END
        metrics.MODELS_REFUSED.labels(name).inc()

    async def _collect_garbage(self) -> None:
        """Frees dropped models: they are full of cycles, and Python would let many of them gather."""
        if self._garbage:
            self._garbage = False
            await asyncio.get_running_loop().run_in_executor(self._loader, _sweep)

    def _move_labels_of_file(self) -> None:
        if self._file_labels_due:
            with suppress(NotAllowed):
                self._move_labels()
                self._file_labels_due = False

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


def _sweep() -> None:
    """Looks through what is kept frozen: a model is so many objects that passing them by saves every call
    a share of the collector's pauses.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
