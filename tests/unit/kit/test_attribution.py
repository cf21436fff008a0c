import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.kit.attribution import Attribution, AttributionTokens
from magpie_services.kit.errors import Invalid

OLD, NEW = b"old-secret-of-16", b"new-secret-of-16"
TOKENS = AttributionTokens(NEW, OLD)


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 2**53))
def test_a_token_says_what_was_signed_and_fits_a_url(decision: str, user: str, issued_ms: int) -> None:
    token = TOKENS.sign(decision, user, issued_ms)
    assert set(token) <= set(string.ascii_letters + string.digits + "-_.")
    assert TOKENS.verify(token) == Attribution(decision, user, issued_ms)


@given(st.integers(3, 60), st.sampled_from(string.ascii_letters + string.digits + "-_.="))
def test_a_changed_token_is_refused(place: int, letter: str) -> None:
    token = TOKENS.sign("d1", "u1", 1_700_000_000_000)
    place %= len(token) - 1  # the last letter carries spare bits
    if token[place] != letter:
        with pytest.raises(Invalid) as caught:
            TOKENS.verify(token[:place] + letter + token[place + 1 :])
        assert caught.value.violations[0][0] == "attribution_token"


@pytest.mark.parametrize("token", ["", "m1.", "m1.AAAA", "m1.é", "m2.AAAA", "m1." + "A" * 2000, "m1.!!!!"])
def test_any_other_text_is_refused(token: str) -> None:
    with pytest.raises(Invalid):
        TOKENS.verify(token)


def test_a_secret_can_be_changed_while_pushes_are_out() -> None:
    assert TOKENS.verify(AttributionTokens(OLD).sign("d", "u", 1)).decision_id == "d"
    with pytest.raises(Invalid):
        AttributionTokens(OLD).verify(AttributionTokens(NEW).sign("d", "u", 1))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        AttributionTokens(b"short")
