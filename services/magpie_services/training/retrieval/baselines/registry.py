"""Every baseline with the settings that are tried for it on validation; the first is the default."""

from itertools import product

from magpie_services.training.retrieval.baselines import Baseline
from magpie_services.training.retrieval.baselines.bpr import Bpr
from magpie_services.training.retrieval.baselines.ease import Ease
from magpie_services.training.retrieval.baselines.ials import Ials
from magpie_services.training.retrieval.baselines.itemcf import ItemCF
from magpie_services.training.retrieval.baselines.popular import Popular
from magpie_services.training.retrieval.baselines.repeats import MostFrequent, RepeatLast

GRIDS: dict[str, tuple[Baseline, ...]] = {
    "popular": (Popular(),),
    "popular_week": (Popular(days=7.0),),
    "repeat_last": (RepeatLast(),),
    "most_frequent": tuple(
        MostFrequent(half_life_days=days, newest=newest)
        for newest, days in product((True, False), (0.0, 30.0, 90.0, 180.0))
    ),
    "itemcf": tuple(
        ItemCF(shrinkage=shrinkage, half_life_days=days, own=own)
        for own, shrinkage, days in product((False, True), (10.0, 1.0, 50.0), (0.0, 30.0, 90.0))
    ),
    "ease": tuple(
        Ease(ridge=ridge, power=power, half_life_days=days)
        for power, ridge, days in (
            *product((0.0,), (300.0, 100.0, 1_000.0), (0.0, 60.0)),
            *product((0.5, 1.0), (100.0, 300.0, 30.0), (0.0, 60.0)),
        )
    ),
    "ials": tuple(
        Ials(factors=factors, ridge=ridge, weight=weight)
        for factors, ridge, weight in product((64, 128), (30.0, 10.0, 100.0), (3.0, 10.0, 1.0))
    ),
    "bpr": tuple(
        Bpr(learning_rate=rate, ridge=ridge) for rate, ridge in product((0.1, 0.05), (0.01, 0.1, 0.001))
    ),
}
