"""What one training run is told: plain values that travel to the child process as a JSON file."""

from pathlib import Path
from typing import Literal

import msgspec

from magpie_services.kit.errors import Invalid

HISTORY = 50
VECTOR = 64
RECENT = 20

Encoder = Literal["transformer", "recurrent", "convolutional"]


class RetrieverPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the retriever learns. `seconds` bounds the first fit; the refit on all data may take half of it
    again.
    """

    encoder: Encoder = "transformer"
    blocks: int = 1
    heads: int = 2
    dropout: float = 0.1
    id_dropout: float = 0.2
    negatives: int = 256
    learning_rate: float = 4e-3
    batch: int = 64
    epochs: int = 30
    patience: int = 3
    seconds: float = 30.0
    max_events: int = 2_000_000


class RankerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the ranker learns; `ridge` pulls it towards the light model, `max_weight` clips 1 / inclusion."""

    epochs: int = 6
    seconds: float = 15.0
    learning_rate: float = 1e-3
    batch: int = 512
    ridge: float = 1e-3
    max_rows: int = 300_000
    max_weight: float = 20.0


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `folder` is its work folder; `as_of_ms` 0 means up to the newest event; `champion` 0 means
    none.
    """

    run_id: str
    folder: str
    lake_folder: str
    as_of_ms: int = 0
    seed: int = 1
    champion: int = 0
    champion_folder: str = ""
    threads: int = 2
    retriever: RetrieverPlan = RetrieverPlan()
    ranker: RankerPlan = RankerPlan()

    @property
    def path(self) -> Path:
        return Path(self.folder)

    def save(self) -> None:
        """Writes `plan.json` into the work folder, which is made."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "plan.json").write_bytes(msgspec.json.encode(self))


def load(folder: Path) -> Plan:
    """The plan in a work folder. Raises Invalid where there is none or it cannot be read."""
    try:
        return msgspec.json.decode((folder / "plan.json").read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid("run", "has no readable plan.json") from error
