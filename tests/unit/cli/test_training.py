"""How a run that is learning is told in one line."""

from google.protobuf.duration_pb2 import Duration

from magpie.v1.release_service_pb2 import Learning, Run
from magpie_cli.training import detail


def test_only_what_is_known_is_told() -> None:
    assert detail(Run(activity="reading the lake")) == "reading the lake"
    learning = Learning(
        stage="retriever",
        epoch=2,
        loss=1.25,
        metric=0.5,
        measure="ndcg_at_10",
        time_left=Duration(seconds=75),
    )
    assert (
        detail(Run(activity="retriever: epoch 2", learning=learning))
        == "retriever: epoch 2 · loss 1.2500 · ndcg_at_10 0.5000 · 1:15 left"
    )
