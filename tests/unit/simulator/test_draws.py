"""Luck depends on its keys and on nothing else."""

import numpy as np

from magpie_simulator.draws import Luck


def test_the_same_keys_have_the_same_luck_in_any_order_and_company() -> None:
    luck, keys = Luck(7), np.arange(100)
    together = luck.uniform("push", 3, keys, 4)
    assert (Luck(7).uniform("push", 3, keys[::-1], 4)[::-1] == together).all()
    assert (luck.uniform("push", 3, keys[17:18], 2)[0] == together[17, :2]).all()


def test_seed_purpose_and_day_each_change_it() -> None:
    keys = np.arange(1_000)
    draws = [
        Luck(seed).one(purpose, day, keys)
        for seed, purpose, day in ((1, "a", 0), (2, "a", 0), (1, "b", 0), (1, "a", 1))
    ]
    for index, draw in enumerate(draws):
        for other in draws[:index]:
            assert abs(np.corrcoef(draw, other)[0, 1]) < 0.1


def test_the_numbers_are_uniform_and_normal() -> None:
    keys = np.arange(20_000)
    even = Luck(3).uniform("even", 0, keys, 3)
    assert (even > 0).all()
    assert (even < 1).all()
    assert abs(even.mean() - 0.5) < 0.01
    assert np.histogram(even, 10, (0, 1))[0].min() > 0.95 * even.size / 10
    bell = Luck(3).normal("bell", 0, keys)
    assert abs(bell.mean()) < 0.03
    assert abs(bell.std() - 1.0) < 0.03
