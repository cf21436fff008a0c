"""Every metric this project exposes, in one place, so that names and labels stay one language.

A room's own counters are added at the end, not declared where they are used.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

RPC_SECONDS = Histogram(
    "magpie_rpc_duration_seconds",
    "Time a served call took, by its final status.",
    ["service", "method", "code"],
    registry=REGISTRY,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
RPC_IN_FLIGHT = Gauge(
    "magpie_rpc_in_flight", "Calls being served now.", ["service", "method"], registry=REGISTRY
)

BACKGROUND_DEATHS = Counter(
    "magpie_background_deaths_total",
    "Deaths of background loops that begin anew; the log says why.",
    ["loop"],
    registry=REGISTRY,
)

BREAKER_OPEN = Gauge(
    "magpie_breaker_open", "1 while calls to a dependency are held back.", ["dependency"], registry=REGISTRY
)
DEGRADED = Counter(
    "magpie_degraded_total",
    "Answers given the second-best way, by what was missing.",
    ["what"],
    registry=REGISTRY,
)
MODELS_REFUSED = Counter(
    "magpie_models_refused_total",
    "Versions of a model that were refused; the log says why.",
    ["model"],
    registry=REGISTRY,
)
INDEX_RECALL = Gauge(
    "magpie_index_recall", "Recall@100 of the approximate index against exact search.", registry=REGISTRY
)

PUSH_DECISIONS = Counter(
    "magpie_push_decisions_total",
    "Decisions closed, by what they came to and the predicate that said no.",
    ["mode", "verdict", "predicate"],
    registry=REGISTRY,
)

PUSH_WORDS = Counter(
    "magpie_push_words_total",
    "Words of pushes that waited, at their hand-over: held, renewed, safe, dropped or waiting on.",
    ["what"],
    registry=REGISTRY,
)

VARIANTS_COUNTED = Counter(
    "magpie_variants_counted_total",
    "Pushes and answers that the choice of words counted, by what they are.",
    ["what"],
    registry=REGISTRY,
)
VARIANT_LESSON = Gauge(
    "magpie_variants_lesson", "Number of the lesson by which words are chosen now.", registry=REGISTRY
)
VARIANTS_LOST = Counter(
    "magpie_variants_streams_lost_total",
    "Streams of which entries were trimmed before the choice of words counted them, with no lake to ask.",
    registry=REGISTRY,
)

LAKE_ROWS = Counter("magpie_lake_rows_total", "Rows committed, by table.", ["table"], registry=REGISTRY)
LAKE_DEAD = Counter("magpie_lake_dead_letters_total", "Entries that no table could take.", registry=REGISTRY)
LAKE_COMMIT_SECONDS = Histogram(
    "magpie_lake_commit_seconds", "Time a commit took, by table.", ["table"], registry=REGISTRY
)
LAKE_LAG_SECONDS = Gauge(
    "magpie_lake_lag_seconds", "Age of the newest entry when it was committed.", registry=REGISTRY
)

PROFILE_EVENTS = Counter(
    "magpie_profile_events_total",
    "Events of RecordEvents, by what became of them.",
    ["what"],
    registry=REGISTRY,
)
FEEDBACK_OUTCOMES = Counter(
    "magpie_feedback_outcomes_total",
    "Outcomes of RecordOutcomes, by what became of them.",
    ["what"],
    registry=REGISTRY,
)

MODEL_CALLS = Counter(
    "magpie_content_model_calls_total",
    "Calls of the language model that writes, by what became of them.",
    ["what"],
    registry=REGISTRY,
)
MODEL_TOKENS = Counter(
    "magpie_content_model_tokens_total",
    "Tokens that the language model was paid for.",
    ["what"],
    registry=REGISTRY,
)
MODEL_MONEY = Counter(
    "magpie_content_model_money_total",
    "What the language model cost, in the currency of its prices.",
    registry=REGISTRY,
)
MODEL_TEXTS = Counter(
    "magpie_content_model_texts_total",
    "Texts of the language model: kept, or why not.",
    ["what"],
    registry=REGISTRY,
)
