"""A world's private folder: made once, saved at the end of every day, whole or not at all."""

import os
from dataclasses import fields
from io import BytesIO
from pathlib import Path

import msgspec
import numpy as np

from magpie_simulator.acts import PUSH, Table
from magpie_simulator.inbox import Memory
from magpie_simulator.parameters import Parameters
from magpie_simulator.pictures import write_pictures
from magpie_simulator.shop import Shelf
from magpie_simulator.words import CATEGORIES
from magpie_simulator.world import Minds, World

PARAMETERS, STATE, JOURNAL, PICTURES = "world.json", "state.npz", "arrivals.jsonl", "pictures"
ARRIVALS = "arrivals"  # a file a day: with the parameters they are the whole history of a world


class NoWorld(Exception):
    """The folder holds no world, or one already; the text is one line for a person."""


def create(folder: Path, parameters: Parameters) -> World:
    """Makes a world's folder, readable by its owner only. Raises NoWorld when there is one already."""
    if (folder / PARAMETERS).exists():
        raise NoWorld(f"{folder}: holds a world already")
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    (folder / ARRIVALS).mkdir(exist_ok=True)
    write_pictures(folder / PICTURES, [aisle.key for aisle in CATEGORIES])
    world = World.create(parameters)
    save(folder, world, Memory())
    _write(folder / PARAMETERS, msgspec.json.format(msgspec.json.encode(parameters)) + b"\n")
    return world


def load(folder: Path) -> tuple[World, Memory]:
    """The world as of its last finished day. Raises NoWorld."""
    try:
        parameters = msgspec.json.decode((folder / PARAMETERS).read_bytes(), type=Parameters)
        world = World.create(parameters)
        with np.load(folder / STATE, allow_pickle=False) as kept:
            for group, cls in ((world.minds, Minds), (world.shelf, Shelf)):
                for each in fields(cls):
                    setattr(group, each.name, kept[f"{cls.__name__}.{each.name}"])
            world.minds.owned = np.zeros(world.matches.shape, np.int32)
            world.minds.owned[tuple(kept["owned_where"])] = kept["Minds.owned"]
            world.waiting, world.going_on = kept["waiting"], kept["going_on"]
            world.day = int(kept["day"])
            memory = msgspec.msgpack.decode(kept["memory"].tobytes(), type=Memory)
    except FileNotFoundError:
        raise NoWorld(f"{folder}: holds no world; make one with the command create") from None
    except (OSError, ValueError, KeyError, msgspec.DecodeError) as error:
        raise NoWorld(f"{folder}: the world cannot be read: {error}") from None
    return world, memory


def save(folder: Path, world: World, memory: Memory) -> None:
    """Keeps the world as it is, between two days."""
    arrays = {
        f"{type(group).__name__}.{each.name}": getattr(group, each.name)
        for group in (world.minds, world.shelf)
        for each in fields(group)
    }
    # Of all pairs of user and item hardly any has met.
    where = np.nonzero(world.minds.owned)
    arrays |= {"Minds.owned": world.minds.owned[where], "owned_where": np.stack(where)}
    packed = np.frombuffer(msgspec.msgpack.encode(memory), np.uint8)
    out = BytesIO()
    arrays |= {"waiting": world.waiting, "going_on": world.going_on, "memory": packed}
    np.savez(out, day=np.int64(world.day), **arrays)
    _write(folder / STATE, out.getvalue())


def save_arrivals(folder: Path, day: int, pushes: Table) -> None:
    """Keeps the pushes that arrived on a day, before the day itself is kept."""
    out = BytesIO()
    np.save(out, pushes)
    _write(folder / ARRIVALS / f"{day:05}.npy", out.getvalue())


def load_arrivals(folder: Path, day: int) -> Table:
    """The pushes of a day that was lived. Raises NoWorld."""
    try:
        return np.asarray(np.load(folder / ARRIVALS / f"{day:05}.npy", allow_pickle=False), dtype=PUSH)
    except (OSError, ValueError) as error:
        raise NoWorld(f"{folder}: the pushes of day {day} cannot be read: {error}") from None


def _write(path: Path, content: bytes) -> None:
    staging = path.with_suffix(".staging")
    with open(os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
