"""What the ReleaseService and the training worker can be told: MAGPIE_TRAINING_*."""

from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr
from pydantic_settings import SettingsConfigDict

from magpie_services.kit.settings import ServiceSettings
from magpie_services.training import plan_file
from magpie_services.training.plan import Encoder, RankerPlan, RetrieverPlan
from magpie_services.training.plan_file import PlanFile
from magpie_services.training.privacy import Privacy


class TrainingSettings(ServiceSettings):
    """One set of settings for the service and its workers: both must see the same Redis and model folder."""

    model_config = SettingsConfigDict(env_prefix="MAGPIE_TRAINING_", frozen=True, extra="ignore")

    listen: str = Field("127.0.0.1:7007", description="host:port of the gRPC server")
    broker_url: str = Field("", description="Redis of the task queue; empty means redis_url")
    lake_folder: str = Field(".magpie/lake", description="folder of the lake's tables")
    model_folder: Path = Field(Path(".magpie/models"), description="where releases are published")
    served_model_folder: str = Field(
        "", description="the model folder as the model server sees it; empty means the same path"
    )
    model_server_address: str = Field(
        "dns:///127.0.0.1:8500", description="who must serve a release; empty means not to wait"
    )
    candidate_address: str = Field(
        "dns:///127.0.0.1:7002", description="whose index must follow a release; empty means not to wait"
    )
    load_wait_seconds: float = Field(180.0, gt=0, description="how long a release may take to be served")
    index_wait_seconds: float = Field(60.0, gt=0, description="how long the index may take to follow")
    keep_releases: int = Field(5, ge=2, description="releases that stay on disk")
    keep_runs: int = Field(3, ge=1, description="work folders of runs that stay on disk")
    child_memory_mb: int = Field(6_144, ge=0, description="private memory of a training process; 0: no limit")
    child_timeout_seconds: float = Field(1_800.0, gt=0, description="how long one training process may take")
    threads: int = Field(2, ge=1, description="threads of a training process")
    plan_file: str = Field(
        "", description="TOML file of further settings of both models, which wins over these; empty: none"
    )
    encoder: Encoder = Field("transformer", description="family of the sequence encoder")
    retriever_epochs: int = Field(30, ge=1, description="most passes over the histories")
    retriever_seconds: float = Field(30.0, gt=0, description="time box of the retriever's first fit")
    retriever_negatives: int = Field(256, ge=1, description="items drawn against each wanted one")
    max_events: int = Field(2_000_000, ge=1_000, description="newest interactions to learn from")
    ranker_epochs: int = Field(6, ge=0, description="most passes over the logged arms")
    ranker_seconds: float = Field(15.0, gt=0, description="time box of a fit of the ranker")
    max_rows: int = Field(300_000, ge=1_000, description="logged arms to learn from")
    privacy: bool = Field(False, description="learn the ranker with differential privacy by user")
    privacy_epsilon: float = Field(2.0, gt=0, description="what one release may cost, at privacy_delta")
    privacy_delta: float = Field(1e-6, gt=0, lt=1e-3, description="well below one over the number of users")
    privacy_budget_epsilon: float = Field(
        8.0, gt=0, description="what all releases together may cost; a run that would go over is refused"
    )
    privacy_budget_delta: float = Field(1e-6, gt=0, lt=1e-3, description="the delta of that")
    privacy_clip: float = Field(0.5, gt=0, description="the most that all rows of a user may move a step")
    privacy_rate: float = Field(0.2, gt=0, le=1, description="chance of each user to be in a step")
    privacy_steps: int = Field(100, ge=1, description="steps of a private fit")

    _plan_file: PlanFile = PrivateAttr(default=PlanFile())

    def model_post_init(self, context: Any, /) -> None:
        """Reads the plan file. Raises CannotStart naming what is wrong with it."""
        if self.plan_file:
            self._plan_file = plan_file.read(Path(self.plan_file))

    @property
    def privacy_plan(self) -> Privacy | None:
        if not self.privacy:
            return None
        return Privacy(
            epsilon=self.privacy_epsilon,
            delta=self.privacy_delta,
            clip=self.privacy_clip,
            rate=self.privacy_rate,
            steps=self.privacy_steps,
            budget_epsilon=self.privacy_budget_epsilon,
            budget_delta=self.privacy_budget_delta,
        )

    @property
    def privacy_ledger(self) -> Path:
        """What all releases have spent, beside them."""
        return (self.model_folder / "privacy.json").resolve()

    @property
    def retriever(self) -> RetrieverPlan:
        settings: dict[str, Any] = {
            "encoder": self.encoder,
            "epochs": self.retriever_epochs,
            "seconds": self.retriever_seconds,
            "negatives": self.retriever_negatives,
            "max_events": self.max_events,
        }
        return RetrieverPlan(**settings | self._plan_file.retriever)

    @property
    def ranker(self) -> RankerPlan:
        settings: dict[str, Any] = {
            "epochs": self.ranker_epochs,
            "seconds": self.ranker_seconds,
            "max_rows": self.max_rows,
            "privacy": self.privacy_plan,
        }
        return RankerPlan(**settings | self._plan_file.ranker)
