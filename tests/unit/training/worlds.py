"""A small world with tastes to learn: items in groups, users who stay within a group or two."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from deltalake import write_deltalake

from magpie_services.core.columns import HASH_BUCKETS
from magpie_services.core.decisions import Arm, Decision, DecisionVerdict, Mode
from magpie_services.core.events import KIND_CODES, Event, EventKind
from magpie_services.core.feature_schema import HEADS, SCHEMA_HASH
from magpie_services.core.items import Item
from magpie_services.core.money import Money
from magpie_services.core.outcomes import Outcome, OutcomeKind
from magpie_services.lake.schemas import DECISIONS, EVENTS, ITEMS, OUTCOMES, TableSpec
from magpie_services.training.plan import RECENT
from magpie_services.training.ranking.light import NAMES
from magpie_services.training.ranking.rows import PUSHED, RESPONSES, UNPUSHED, WIDTH, Rows
from magpie_services.training.retrieval import sequences, vocabulary
from magpie_services.training.retrieval.sequences import History
from magpie_services.training.retrieval.vocabulary import Vocabulary

DAY_MS = 86_400_000
START_MS = 1_760_000_000_000
END_MS = START_MS + 60 * DAY_MS
WORDS = ("red", "blue", "linen", "steel", "glass", "oak", "silk", "clay", "wool", "brass")


def catalogue(items: int = 120, groups: int = 8) -> list[Item]:
    """Items whose category, brand and title tell their group."""
    return [
        Item(
            item_id=f"i{number:04d}",
            title=f"{WORDS[number % groups % len(WORDS)]} thing {number % 7}",
            categories=[f"c{number % groups}"],
            brand=f"b{number % groups}",
            price=Money(currency="EUR", minor=500 + 100 * (number % groups)),
            published_ms=START_MS,
        )
        for number in range(items)
    ]


def history(known: Vocabulary, users: int = 200, events: int = 40, groups: int = 8, seed: int = 1) -> History:
    """Users who see and buy within a favourite group nine times in ten, over 60 days."""
    rng = np.random.default_rng(seed)
    size = len(known) - 1
    total = users * events
    user = np.repeat(np.arange(users), events)
    taste = rng.integers(0, groups, users)[user]
    own = taste + groups * rng.integers(0, size // groups, total)
    item = np.where(rng.random(total) < 0.9, own, rng.integers(0, size, total)) + 1
    kinds = np.where(rng.random(total) < 0.8, KIND_CODES[EventKind.VIEW_ITEM], KIND_CODES[EventKind.PURCHASE])
    at_ms = START_MS + rng.integers(0, 60 * DAY_MS, total)
    names = tuple(f"u{number:04d}" for number in range(users))
    return sequences.clean(
        names,
        user.astype(np.int64),
        item.astype(np.int32),
        kinds.astype(np.int32),
        at_ms,
        np.ones(total, np.int64),
    )


def world(users: int = 200, events: int = 40, items: int = 120) -> tuple[Vocabulary, History]:
    found = catalogue(items)
    known = vocabulary.build(found, [item.item_id for item in found])
    return known, history(known, users, events)


def rows(count: int = 3_000, users: int = 150, sent: bool = True, seed: int = 2) -> Rows:
    """Arms whose clicks and purchases follow `interest`; the first half of the log is a week older."""
    rng = np.random.default_rng(seed)
    features = rng.normal(0, 0.5, (count, WIDTH)).astype(np.float32)
    interest = features[:, NAMES.index("interest")]
    click, bought, dismiss, never = 2 * interest - 1, 2 * interest - 2, -interest - 2, 0 * interest - 14
    day = bought - 0.7
    logits = np.stack([click, bought, dismiss, never, day, bought, day], 1)
    labels = (rng.random((count, len(HEADS))) < 1 / (1 + np.exp(-logits))).astype(np.float32)
    pushed = (rng.random(count) < 0.4) & sent
    known = np.zeros((count, len(HEADS)), np.float32)
    known[:, RESPONSES + PUSHED] = pushed[:, None]
    known[:, UNPUSHED] = ~pushed[:, None]
    return Rows(
        features=features,
        hashes=rng.integers(0, HASH_BUCKETS, (count, 3)).astype(np.int32),
        recent=rng.integers(0, HASH_BUCKETS, (count, RECENT)).astype(np.int32),
        sent=pushed.astype(np.float32),
        told=np.ones(count, np.float32),
        exposure=np.ones(count, np.float32),
        delays=np.where(labels * known > 0, 60_000, -1).astype(np.int64),
        labels=labels * known,
        known=known,
        shares=np.ones((count, len(HEADS)), np.float32),
        weights=np.ones(count, np.float32),
        decided_ms=np.where(np.arange(count) < count // 2, END_MS - 10 * DAY_MS, END_MS - 2 * DAY_MS),
        groups=rng.integers(0, users, count),
        decisions=np.arange(count),
        campaigns=np.arange(count) % 3 - 1,
    )


def lake(folder: Path, *, users: int = 120, events: int = 30, items: int = 60, decisions: int = 600) -> None:
    """A lake of that world: items, events, shadow and live decisions with features, outcomes."""
    known, past = world(users, events, items)
    codes = {code: kind for kind, code in KIND_CODES.items()}
    owner = np.repeat(np.arange(users), np.diff(past.offsets))
    _write(
        folder,
        EVENTS,
        [
            Event(
                event_id=f"e{n}",
                user_id=past.users[owner[n]],
                kind=codes[int(past.kinds[n])],
                occurred_ms=int(past.at_ms[n]),
                item_id=known.ids[past.items[n]],
                quantity=1,
            )
            for n in range(len(past))
        ],
    )
    _write(
        folder,
        ITEMS,
        [msgspec.structs.replace(item, updated_ms=START_MS, version=1) for item in catalogue(items)],
    )
    rng = np.random.default_rng(3)
    interest = NAMES.index("interest")
    made, outcomes = [], []
    for number in range(decisions):
        user = int(rng.integers(users))
        at_ms = START_MS + int(rng.integers(10, 59)) * DAY_MS + number
        arms = []
        for _ in range(4):
            features = rng.normal(0, 0.5, WIDTH).astype("<f4")
            arms.append(
                Arm(
                    item_id=known.ids[int(rng.integers(1, len(known)))],
                    features=features.tobytes(),
                    inclusion=0.5,
                    propensity=0.25,
                )
            )
        live = number % 2 == 0
        made.append(
            Decision(
                decision_id=f"d{number}",
                user_id=past.users[user],
                mode=Mode.LIVE if live else Mode.SHADOW,
                verdict=DecisionVerdict.SENT if live else DecisionVerdict.NO_SEND,
                decided_ms=at_ms,
                arms=[*arms, Arm()],
                chosen=0 if live else 4,
                campaign_id=("", "spring", "autumn")[number % 3],
                schema_hash=SCHEMA_HASH,
            )
        )
        if live and np.frombuffer(arms[0].features, "<f4")[interest] > 0.2:
            outcomes.append(
                Outcome(
                    outcome_id=f"o{number}",
                    decision_id=f"d{number}",
                    kind=OutcomeKind.CLICKED,
                    user_id=past.users[user],
                    item_id=arms[0].item_id,
                    occurred_ms=at_ms + 60_000,
                )
            )
    _write(folder, DECISIONS, made)
    _write(folder, OUTCOMES, outcomes)


def _write(folder: Path, spec: TableSpec, rows: Sequence[msgspec.Struct]) -> None:
    batch = spec.batch(rows, range(len(rows)))
    write_deltalake(str(folder / spec.name), pa.table(batch), partition_by=["day"])
