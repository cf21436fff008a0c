"""What one training run is told: plain values that travel to the child process as a JSON file."""

from pathlib import Path
from typing import Literal

import msgspec

from magpie_services.kit.errors import Invalid
from magpie_services.training import whole
from magpie_services.training.privacy import Privacy

HISTORY = 50
VECTOR = 64
RECENT = 20

Encoder = Literal["transformer", "recurrent", "convolutional", "sasrec"]

# What may be asked for, ends included.
_RANGES: dict[str, tuple[float, float]] = {
    "blocks": (1, 8),
    "heads": (1, 16),
    "loudness": (0.01, 100),
    "scale": (1, 40),
    "negatives": (1, 65_536),
    "full_below": (0, 1_000_000),
    "mixed": (0, 1),
    "gbce_t": (0, 1),
    "dropout": (0, 0.9),
    "input_dropout": (0, 0.9),
    "id_dropout": (0, 0.9),
    "l1": (0, 1),
    "l2": (0, 1),
    "crop": (0, 1),
    "mask": (0, 0.9),
    "reorder": (0, 1),
    "ema": (0, 0.99999),
    "learning_rate": (1e-6, 1),
    "beta_2": (0.5, 0.99999),
    "batch": (1, 65_536),
    "tokens": (HISTORY, 1_000_000),
    "epochs": (1, 10_000),
    "patience": (1, 10_000),
    "seconds": (0, 1e7),
    "max_events": (1, 1e10),
}


class RetrieverPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the retriever learns. Making one raises Invalid naming the field that is out of range.

    What it is: `encoder` (`sasrec` is the published block, for comparison), `blocks`, `heads`; `loudness` of
    what an item is beside where and when it stands (loud ones learn in fewer epochs); `scoring` by cosine or
    inner product; `scale` is the first inverse temperature of the cosine; `content` False leaves only ids to
    the item tower; `projected` adds a dense layer at the end.

    What it learns from: `objective` softmax, gbce (with `gbce_t`) or bce. The softmax is over all items where
    there are at most `full_below` or `negatives` of them, else over `negatives` drawn items, of which a share
    `mixed` comes from the batch's own targets; `logq` corrects for how often each is drawn; `shared` draws
    once a batch rather than once a position.

    What holds it back: dropout in blocks, on inputs and of whole ids, `l1` and `l2` on the encoder's kernels;
    `crop` and `reorder` are shares of windows, `mask` the share of events; `ema` is the decay of the averaged
    weights that are kept (0: the last ones).

    How: Adam with `learning_rate` and `beta_2`. A batch has at most `batch` windows and `tokens` positions.
    `seconds` bounds the first fit; the refit on all data may take half of it again.
    """

    encoder: Encoder = "transformer"
    blocks: int = 1
    heads: int = 2
    loudness: float = 16.0
    scoring: Literal["cosine", "dot"] = "cosine"
    scale: float = 12.0
    content: bool = True
    projected: bool = False
    objective: Literal["softmax", "gbce", "bce"] = "softmax"
    negatives: int = 256
    full_below: int = 0
    shared: bool = True
    mixed: float = 0.0
    logq: bool = False
    gbce_t: float = 0.75
    dropout: float = 0.1
    input_dropout: float = 0.1
    id_dropout: float = 0.2
    l1: float = 0.0
    l2: float = 0.0
    crop: float = 0.0
    mask: float = 0.0
    reorder: float = 0.0
    ema: float = 0.0
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    learning_rate: float = 4e-3
    beta_2: float = 0.999
    batch: int = 64
    tokens: int = 64 * HISTORY
    epochs: int = 30
    patience: int = 3
    seconds: float = 30.0
    max_events: int = 2_000_000

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise Invalid(f"retriever.{name}", f"is not between {low:g} and {high:g}")
        if VECTOR % self.heads:
            raise Invalid("retriever.heads", f"does not divide {VECTOR}")


# The same of the ranker.
_RANKER_RANGES: dict[str, tuple[float, float]] = {
    "width": (4, 1_024),
    "rank": (1, 256),
    "cross_layers": (0, 8),
    "experts": (1, 32),
    "expert_width": (1, 512),
    "embedding": (1, 256),
    "dropout": (0, 0.9),
    "epochs": (0, 10_000),
    "seconds": (0, 1e7),
    "learning_rate": (1e-6, 1),
    "batch": (1, 65_536),
    "ridge": (0, 1),
    "max_rows": (1, 1e9),
    "max_weight": (1, 1e6),
    "max_rarity": (1, 1e6),
    "strength": (1e-3, 1e6),
    "level_noise": (0, 10),
}


class RankerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How the ranker learns. Making one raises Invalid naming the field that is out of range.

    What it is: vectors of `width` through `cross_layers` of rank `rank`, then `experts` of `expert_width`;
    ids and the past in `embedding` numbers each.

    What holds it back: dropout on the experts, and `ridge`, which pulls it towards the light model. That is
    pulled towards its prior, each weight as if seen in `strength` rows. With `level_noise` what a campaign or
    none, sends on a day has a level of its own, by so many standard deviations of log-odds: what made one do
    well is not learnt as a trait of its items and of those it went to. For logs of few and large campaigns.

    What it learns from: at most about `max_rows` arms; `max_weight` bounds 1 / inclusion, `max_rarity`
    1 / propensity of what was done (1: all exposures count alike).

    With `privacy` only the light part learns, and so that its weights hardly depend on any one user.
    """

    width: int = 64
    rank: int = 16
    cross_layers: int = 2
    experts: int = 4
    expert_width: int = 32
    embedding: int = 16
    dropout: float = 0.2
    epochs: int = 6
    seconds: float = 15.0
    learning_rate: float = 1e-3
    batch: int = 1_024
    ridge: float = 1e-3
    max_rows: int = 300_000
    max_weight: float = 20.0
    max_rarity: float = 2.0
    strength: float = 20.0
    level_noise: float = 0.0
    privacy: Privacy | None = None

    def __post_init__(self) -> None:
        for name, (low, high) in _RANKER_RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise Invalid(f"ranker.{name}", f"is not between {low:g} and {high:g}")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `folder` is its work folder; `as_of_ms` 0 means up to the newest event; `champion` 0 means
    none; `ledger` is the file that what privacy costs is written to.
    """

    run_id: str
    folder: str
    lake_folder: str
    as_of_ms: int = 0
    seed: int = 1
    champion: int = 0
    champion_folder: str = ""
    ledger: str = ""
    threads: int = 2
    retriever: RetrieverPlan = RetrieverPlan()
    ranker: RankerPlan = RankerPlan()

    @property
    def path(self) -> Path:
        return Path(self.folder)

    def save(self) -> None:
        """Writes `plan.json` into the work folder, which is made."""
        self.path.mkdir(parents=True, exist_ok=True)
        whole.write(self.path / "plan.json", msgspec.json.encode(self))


def load(folder: Path) -> Plan:
    """The plan in a work folder. Raises Invalid where there is none or it cannot be read."""
    try:
        return msgspec.json.decode((folder / "plan.json").read_bytes(), type=Plan)
    except (OSError, msgspec.DecodeError) as error:
        raise Invalid("run", "has no readable plan.json") from error
