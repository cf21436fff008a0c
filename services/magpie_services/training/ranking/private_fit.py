"""Makes a ranker of weights that were learnt privately; its deep part stays as it starts, silent."""

import numpy as np

from magpie_services.kit.errors import Invalid
from magpie_services.training.plan import RankerPlan
from magpie_services.training.privacy import Guarantee
from magpie_services.training.ranking import private
from magpie_services.training.ranking.network import Ranker
from magpie_services.training.ranking.rows import Rows


def train(plan: RankerPlan, rows: Rows, end_ms: int, guarantee: Guarantee) -> Ranker:
    """Learns from the rows of a log that ends at `end_ms` with the noise of the guarantee.

    No two runs give the same weights: draws and noise come from the operating system.
    """
    if plan.privacy is None:
        raise Invalid("ranker.privacy", "is required")
    rng = np.random.default_rng()
    return Ranker(private.fit(plan.privacy, rows, end_ms, guarantee.noise, rng), plan)
