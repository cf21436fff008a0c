"""What a training child that cannot go on tells the worker."""

import json
import sys
from pathlib import Path

import pytest

from magpie_services.kit.errors import CannotStart, Invalid
from magpie_services.training import child
from magpie_services.training.plan import Plan


@pytest.mark.parametrize(
    "error", [Invalid("lake", "has too little"), CannotStart("plan.toml: ranker.rank: is unknown")]
)
def test_a_typed_error_is_told_and_no_other_try_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    Plan(run_id="r", folder=str(tmp_path), lake_folder="l").save()
    monkeypatch.setattr(sys, "argv", ["child", "--run", str(tmp_path)])

    def work(plan: Plan) -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        child.main(work)
    assert ended.value.code == child.REFUSED
    assert json.loads(capsys.readouterr().out)["problem"] == str(error)
