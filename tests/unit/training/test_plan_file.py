"""The plan file: what it names is what the models learn with, and what it has wrong is named at the start."""

from pathlib import Path

import pytest

from magpie_services.kit.errors import CannotStart
from magpie_services.training.settings import TrainingSettings


def settings(tmp_path: Path, text: str, **others: object) -> TrainingSettings:
    path = tmp_path / "plan.toml"
    path.write_text(text, "utf-8")
    return TrainingSettings(plan_file=str(path), **others)  # type: ignore[arg-type]


def test_without_a_file_the_settings_stand() -> None:
    assert TrainingSettings(encoder="recurrent").retriever.encoder == "recurrent"


def test_what_the_file_names_wins_and_the_rest_stays(tmp_path: Path) -> None:
    read = settings(
        tmp_path,
        """
        [retriever]
        encoder = "convolutional"
        objective = "gbce"
        negatives = 64
        dropout = 0
        content = false
        [ranker]
        experts = 2
        """,
        encoder="recurrent",
        retriever_epochs=7,
        ranker_epochs=3,
    )
    plan = read.retriever
    assert (plan.encoder, plan.objective, plan.negatives, plan.content) == (
        "convolutional",
        "gbce",
        64,
        False,
    )
    assert plan.dropout == 0.0
    assert isinstance(plan.dropout, float)
    assert plan.epochs == 7
    assert (read.ranker.experts, read.ranker.epochs) == (2, 3)


def test_the_environment_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plan.toml").write_text("[retriever]\nblocks = 9\n")
    monkeypatch.setenv("MAGPIE_TRAINING_PLAN_FILE", str(tmp_path / "plan.toml"))
    with pytest.raises(CannotStart, match=r"plan\.toml: retriever.blocks: is not between 1 and 8"):
        TrainingSettings.load()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[retriever]\nnegativs = 5", "retriever.negativs: is unknown; there are encoder, blocks"),
        ("[retriever]\nnegatives = 'many'", "retriever.negatives: Expected `int`, got `str`"),
        ("[retriever]\nnegatives = 6.5", "retriever.negatives: Expected `int`, got `float`"),
        ("[retriever]\nlogq = 1", "retriever.logq: Expected `bool`, got `int`"),
        ("[retriever]\nencoder = 'lstm'", "retriever.encoder: Invalid enum value 'lstm'"),
        ("[retriever]\nheads = 3", "retriever.heads: does not divide 64"),
        ("[retriever]\ndropout = nan", "retriever.dropout: is not between 0 and 0.9"),
        ("[ranker]\nexperts = 0", "ranker.experts: is not between 1 and 32"),
        ("[ranker.privacy]\nepsilon = 99", "ranker.privacy: is set by MAGPIE_TRAINING_PRIVACY"),
        ("[retreiver]\nblocks = 2", "retreiver: is no table of a plan; there are retriever, ranker"),
        ("ranker = 5", "ranker: must be a table"),
        ("[ranker", "is no TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    with pytest.raises(CannotStart, match=complaint):
        settings(tmp_path, text)


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(CannotStart) as caught:
        settings(tmp_path, "[retriever]\nblocks = 0\n[ranker]\nrank = 0\nwidht = 2\n")
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == [
        "retriever.blocks",
        "ranker.rank",
        "ranker.widht",
    ]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match=r"nothing\.toml: No such file"):
        TrainingSettings(plan_file=str(tmp_path / "nothing.toml"))


def test_the_example_of_the_documentation_is_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text("utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    read = settings(tmp_path, example)
    assert (read.retriever.encoder, read.ranker.experts) == ("convolutional", 2)
