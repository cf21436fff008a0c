"""Versions that come, fail, go and come back, by a loader that the test holds in its hand. No TensorFlow."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

# Loads the messages without TensorFlow; must come before what imports them.
from magpie_services.kit import prediction_messages  # noqa: F401
from magpie_services.kit.errors import Invalid, NotAllowed, NotFound
from magpie_services.model_server.config import ModelConfig
from magpie_services.model_server.registry import CannotLoad, Registry, State
from magpie_services.model_server.settings import ModelServerSettings


class Loaded:
    """What a folder became; holds itself, as a TensorFlow module does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.itself = self


class Loader:
    """Loads folders; those named in `bad` fail, those in `held` wait until they are let go."""

    def __init__(self) -> None:
        self.bad: set[str] = set()
        self.held: dict[str, threading.Event] = {}
        self.tried: list[str] = []
        self.alive: weakref.WeakSet[Loaded] = weakref.WeakSet()

    def __call__(self, folder: Path) -> Any:
        self.tried.append(folder.name)
        loaded = Loaded(folder)
        self.alive.add(loaded)
        if folder.name in self.held:
            assert self.held[folder.name].wait(10)
        if folder.name in self.bad:
            raise CannotLoad("is bad")
        return loaded


class Bench:
    """A registry over a folder, and the hands to change both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "models.config"
        self.load = Loader()
        self.registry = Registry(
            ModelServerSettings(
                model_config_file=str(self.file), poll_seconds=0.01, load_attempts=2, load_retry_seconds=0
            ),
            self.load,
        )

    def put(self, *versions: int, base: str = "line") -> None:
        for version in versions:
            (self.folder / base / str(version)).mkdir(parents=True)

    def drop(self, version: int, base: str = "line") -> None:
        (self.folder / base / str(version)).rmdir()

    def write(self, policy: str = "latest {}", labels: str = "") -> None:
        self.file.write_text(
            f'model_config_list {{ config {{ name: "line" base_path: "{self.folder / "line"}" '
            f"model_version_policy {{ {policy} }} {labels} }} }}"
        )

    def config(self, *specific: int, base: str = "line", **labels: int) -> ModelConfig:
        return ModelConfig(
            "line", self.folder / base, 0 if specific else 1, frozenset(specific), dict(labels)
        )

    def states(self) -> dict[int, State]:
        return {number: version.state for number, version in self.registry.model("line").versions.items()}

    def newest(self) -> int:
        return self.registry.find("line", None, "")[0]

    def answering(self) -> Any:
        return self.registry.find("line", None, "")[1]

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        loop = asyncio.create_task(self.registry.follow())
        try:
            yield
        finally:
            loop.cancel()
            await asyncio.wait([loop])
            assert loop.cancelled()

    async def until(self, **states: Any) -> None:
        """Waits for states given as v1=State.END; None for a version that is unknown."""
        wanted = {int(name[1:]): state for name, state in states.items()}

        async def see() -> None:
            while True:
                try:
                    found = self.states()
                except NotFound:
                    found = {}
                if all(found.get(number) == state for number, state in wanted.items()):
                    return
                await asyncio.sleep(0.005)

        async with asyncio.timeout(10):
            await see()

    async def look_again(self) -> None:
        """Long enough for several looks at the folder."""
        await asyncio.sleep(0.1)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    for event in bench.load.held.values():
        event.set()
    bench.registry.close()


async def test_a_new_version_is_loaded_before_the_old_one_goes(bench: Bench) -> None:
    bench.put(1)
    bench.write()
    bench.load.held["2"] = threading.Event()
    async with bench.following():
        await bench.until(v1=State.AVAILABLE)
        bench.put(2)
        await bench.until(v2=State.LOADING)
        assert bench.newest() == 1
        bench.load.held["2"].set()
        await bench.until(v1=State.END, v2=State.AVAILABLE)
        assert bench.newest() == 2
        with pytest.raises(NotFound):
            bench.registry.find("line", 1, "")


async def test_a_version_that_fails_is_given_up_until_something_changes(bench: Bench) -> None:
    bench.put(1, 2)
    bench.load.bad = {"2"}
    bench.write("latest { num_versions: 2 }")
    async with bench.following():
        await bench.until(v1=State.AVAILABLE, v2=State.END)
        await bench.look_again()
        assert bench.load.tried == ["1", "2", "2"]
        assert bench.registry.model("line").versions[2].error == "is bad"
        # It leaves the disk and comes back mended.
        bench.drop(2)
        await bench.until(v2=None)
        bench.load.bad.clear()
        bench.put(2)
        await bench.until(v2=State.AVAILABLE)
        assert bench.registry.model("line").versions[2].error == ""


async def test_a_new_configuration_is_a_new_chance(bench: Bench) -> None:
    bench.put(1)
    bench.load.bad = {"1"}
    with pytest.raises(NotAllowed, match="line"):
        await bench.registry.configure([bench.config()])
    assert bench.states() == {1: State.END}
    bench.load.bad.clear()
    await bench.registry.configure([bench.config()])
    assert bench.newest() == 1


async def test_when_the_newest_version_is_deleted_the_one_before_serves_again(bench: Bench) -> None:
    bench.put(1, 2)
    bench.write()
    async with bench.following():
        await bench.until(v2=State.AVAILABLE)
        assert bench.load.tried == ["2"]
        bench.put(3)
        await bench.until(v2=State.END, v3=State.AVAILABLE)
        bench.drop(3)
        await bench.until(v2=State.AVAILABLE, v3=None)
        assert bench.newest() == 2


async def test_the_last_version_serves_on_when_its_folder_goes(bench: Bench) -> None:
    bench.put(1)
    bench.write()
    async with bench.following():
        await bench.until(v1=State.AVAILABLE)
        bench.drop(1)
        await bench.look_again()
        assert bench.newest() == 1
        bench.put(1)
        await bench.look_again()
        assert bench.load.tried == ["1"]


async def test_a_configuration_that_comes_while_loading_is_the_one_that_holds(bench: Bench) -> None:
    bench.put(1)
    bench.write()
    bench.load.held["2"] = threading.Event()
    async with bench.following():
        await bench.until(v1=State.AVAILABLE)
        bench.put(2)
        await bench.until(v2=State.LOADING)
        # The look under way wants only the newest; the configuration wants both, with labels.
        reload = asyncio.create_task(bench.registry.configure([bench.config(1, 2, stable=1, canary=2)]))
        await asyncio.sleep(0.02)
        bench.load.held["2"].set()
        await reload
        await bench.look_again()
        assert bench.states() == {1: State.AVAILABLE, 2: State.AVAILABLE}
        assert bench.registry.find("line", None, "stable")[0] == 1
        assert bench.registry.find("line", None, "canary")[0] == 2


async def test_configurations_apply_in_the_order_they_came(bench: Bench) -> None:
    bench.put(1, 2)
    bench.load.held["1"] = threading.Event()
    first = asyncio.create_task(bench.registry.configure([bench.config(1)]))
    await asyncio.sleep(0.02)
    second = asyncio.create_task(bench.registry.configure([bench.config(2)]))
    await asyncio.sleep(0.02)
    bench.load.held["1"].set()
    await asyncio.gather(first, second)
    assert bench.states() == {1: State.END, 2: State.AVAILABLE}


@pytest.mark.parametrize("version", [1, 2])
async def test_another_base_path_is_loaded_before_the_old_one_goes(bench: Bench, version: int) -> None:
    bench.put(1)
    bench.put(version, base="moved")
    await bench.registry.configure([bench.config()])
    bench.load.held[str(version)] = threading.Event()
    reload = asyncio.create_task(bench.registry.configure([bench.config(base="moved")]))
    await asyncio.sleep(0.02)
    assert bench.answering().folder == bench.folder / "line" / "1"
    bench.load.held[str(version)].set()
    await reload
    assert bench.answering().folder == bench.folder / "moved" / str(version)
    assert bench.registry.model("line").available() == [version]


async def test_labels_move_together_or_not_at_all(bench: Bench) -> None:
    bench.put(1, 2)
    await bench.registry.configure([bench.config(1, 2, stable=1)])
    with pytest.raises(NotAllowed, match="version 9"):
        await bench.registry.configure([bench.config(1, 2, canary=2, stable=9)])
    assert bench.registry.model("line").labels == {"stable": 1}
    with pytest.raises(Invalid, match="canary"):
        bench.registry.model("line").asked(None, "canary")
    await bench.registry.configure([bench.config(1, 2, stable=2)])
    assert bench.registry.model("line").asked(None, "stable") == 2


async def test_labels_of_the_file_wait_for_their_version(bench: Bench) -> None:
    bench.put(1)
    bench.write("specific { versions: 1 versions: 2 }", 'version_labels { key: "canary" value: 2 }')
    async with bench.following():
        await bench.until(v1=State.AVAILABLE)
        assert bench.registry.model("line").labels == {}
        bench.put(2)
        await bench.until(v2=State.AVAILABLE)
        await bench.look_again()
        assert bench.registry.find("line", None, "canary")[0] == 2


async def test_a_faulty_file_changes_nothing_and_the_next_one_counts(bench: Bench) -> None:
    bench.put(1, 2)
    bench.write("specific { versions: 1 }")
    async with bench.following():
        await bench.until(v1=State.AVAILABLE)
        whole = bench.file.read_bytes()
        for content in (b"", whole[:40], b"\xff"):
            bench.file.write_bytes(content)
            await bench.look_again()
            assert bench.newest() == 1
        bench.file.unlink()
        await bench.look_again()
        assert bench.newest() == 1
        bench.write("specific { versions: 2 }")
        await bench.until(v2=State.AVAILABLE, v1=State.END)


async def test_models_left_out_are_gone(bench: Bench) -> None:
    bench.put(1)
    await bench.registry.configure([bench.config()])
    await bench.registry.configure([])
    with pytest.raises(NotFound):
        bench.registry.find("line", None, "")


async def test_ready_only_after_a_look_and_when_every_model_answers(bench: Bench) -> None:
    bench.put(1)
    bench.write()
    bench.load.held["1"] = threading.Event()
    assert not bench.registry.ready()
    async with bench.following():
        await bench.until(v1=State.LOADING)
        assert not bench.registry.ready()
        bench.load.held["1"].set()
        await bench.until(v1=State.AVAILABLE)
        await bench.look_again()
        assert bench.registry.ready()


async def test_ready_without_any_release(bench: Bench) -> None:
    async with bench.following():
        await bench.look_again()
        assert bench.registry.ready()


async def test_dropped_and_failed_models_leave_memory(bench: Bench) -> None:
    bench.put(1)
    bench.write()
    gc.disable()  # as in a busy server, whose oldest generation is rarely looked at
    try:
        async with bench.following():
            await bench.until(v1=State.AVAILABLE)
            bench.load.bad = {"2"}
            for version in (2, 3, 4):
                bench.put(version)
                await bench.until(**{f"v{version}": State.END if version == 2 else State.AVAILABLE})
            await bench.look_again()
            assert {loaded.folder.name for loaded in bench.load.alive} == {"4"}
    finally:
        gc.enable()


async def test_closing_while_a_version_loads_ends_at_once(bench: Bench) -> None:
    bench.put(1)
    bench.write()
    bench.load.held["1"] = threading.Event()
    async with bench.following():
        await bench.until(v1=State.LOADING)
    bench.registry.close()
