from magpie_services.kit.breaker import CircuitBreaker, State


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[CircuitBreaker, Seconds]:
    seconds = Seconds()
    breaker = CircuitBreaker(failures=3, slow_seconds=0.2, cool_down_seconds=5, monotonic=seconds)
    for _ in range(3):
        assert breaker.allow()
        breaker.record(ok=False)
    return breaker, seconds


def test_it_opens_after_failures_in_a_row_only() -> None:
    breaker = CircuitBreaker(failures=3)
    for ok in (False, False, True, False, False):
        breaker.record(ok=ok)
    assert breaker.state is State.CLOSED
    breaker.record(ok=False)
    assert not breaker.allow()


def test_a_slow_answer_counts_as_a_failure() -> None:
    breaker = CircuitBreaker(failures=1, slow_seconds=0.2)
    breaker.record(ok=True, seconds=0.3)
    assert breaker.state is State.OPEN


def test_after_the_cool_down_one_probe_goes_through() -> None:
    breaker, seconds = opened()
    seconds.now += 4.9
    assert not breaker.allow()
    seconds.now += 0.2
    assert [breaker.allow(), breaker.allow()] == [True, False]


def test_a_good_probe_closes_it() -> None:
    breaker, seconds = opened()
    seconds.now += 6
    assert breaker.allow()
    breaker.record(ok=True, seconds=0.1)
    assert breaker.state is State.CLOSED


def test_a_bad_probe_starts_the_cool_down_again() -> None:
    breaker, seconds = opened()
    seconds.now += 6
    assert breaker.allow()
    breaker.record(ok=False)
    assert breaker.state is State.OPEN
    seconds.now += 6
    assert breaker.allow()


def test_a_probe_that_got_lost_is_followed_by_another() -> None:
    breaker, seconds = opened()
    seconds.now += 6
    assert breaker.allow()
    seconds.now += 6
    assert breaker.allow()
