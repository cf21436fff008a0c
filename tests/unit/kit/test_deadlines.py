import time

import pytest

from magpie_services.kit import context
from magpie_services.kit.deadlines import remaining
from magpie_services.kit.errors import DeadlineExceeded


def test_without_a_caller_the_own_setting_holds() -> None:
    assert remaining(0.3) == 0.3


def test_the_callers_deadline_less_the_margin_cuts_the_setting() -> None:
    token = context.deadline.set(time.monotonic() + 0.1)
    try:
        assert 0.085 < remaining(0.3) <= 0.095
        assert remaining(0.05) == 0.05
    finally:
        context.deadline.reset(token)


@pytest.mark.parametrize("left", [0.006, 0.0, -1.0])
def test_a_call_with_no_time_left_is_not_made(left: float) -> None:
    token = context.deadline.set(time.monotonic() + left)
    try:
        with pytest.raises(DeadlineExceeded):
            remaining(0.3)
    finally:
        context.deadline.reset(token)
