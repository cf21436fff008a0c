"""A group over TensorFlow's own collectives: `tf.distribute.MultiWorkerMirroredStrategy`, ring over gRPC.

Of the strategy only its cluster and its all-reduce are used. Variables are those of every process itself and
the optimiser runs in each: they start from one seed and see the same sums, so that they stay equal.
"""

import json
import os
from collections.abc import Sequence
from typing import Any

from magpie_services.training.parallel import Group


def join(addresses: Sequence[str], member: int) -> Group:
    """Waits until all are there. Before TensorFlow is used for anything else, once a process."""
    cluster = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": member}}
    os.environ["TF_CONFIG"] = json.dumps(cluster)
    import tensorflow as tf

    options = tf.distribute.experimental.CommunicationOptions(
        implementation=tf.distribute.experimental.CommunicationImplementation.RING
    )
    strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    return _Workers(strategy, member, len(addresses))


class _Workers:
    def __init__(self, strategy: Any, member: int, members: int) -> None:
        import tensorflow as tf

        self.member = member
        self.members = members
        self._strategy = strategy

        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)], autograph=False)
        def votes(vote: Any) -> Any:
            return self.total([vote])[0]

        self._votes = votes

    def total(self, tensors: Sequence[Any]) -> list[Any]:
        import tensorflow as tf

        def added() -> Any:
            # Named anew here, for the reduction asks on which device of the replica they are.
            own = [tf.identity(tensor) for tensor in tensors]
            return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, own)

        return list(self._strategy.run(added))

    def any(self, yes: bool) -> bool:
        import tensorflow as tf

        return float(self._votes(tf.constant(float(yes)))) > 0
