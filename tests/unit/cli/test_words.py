"""Words on trial: lines of a phone, marks in place of what a terminal obeys, facts out of a portrait."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from magpie.v1 import content_service_pb2 as content
from magpie.v1 import device_pb2, event_pb2, item_pb2, portrait_pb2
from magpie_cli.failures import BadInput
from magpie_cli.words import choices, report
from magpie_cli.words.material import DAY_SECONDS, Material, known
from magpie_cli.words.preview import phone, visible, wrapped

NOW = 1_767_225_600


def drawn(*what: object) -> str:
    console = Console(width=120, no_color=True)
    with console.capture() as capture:
        console.print(*what)
    return capture.get()


@given(st.text(max_size=80), st.integers(4, 44))
def test_no_line_is_wider_than_the_card_and_nothing_is_lost(text: str, columns: int) -> None:
    shown = visible(text)
    lines = wrapped(shown, columns)
    assert all(cell_len(line) <= columns for line in lines)
    assert "".join("".join(lines).split()) == "".join(shown.split())


def test_lines_break_where_a_reader_would_break_them() -> None:
    assert wrapped("时尚简约蓝色真丝衬衫，现价 ¥1,299。", 20) == ["时尚简约蓝色真丝衬", "衫，现价 ¥1,299。"]
    assert wrapped("时尚简约蓝色真丝衬衫，好", 20) == ["时尚简约蓝色真丝衬", "衫，好"]
    assert wrapped("Brushed steel kettle", 13) == ["Brushed steel", "kettle"]
    assert wrapped("12345678", 4) == ["1234", "5678"]


def test_a_phone_has_straight_sides_whatever_is_on_it() -> None:
    lines = drawn(
        phone(
            "降价了 🎉：真丝衬衫", "叮咚～\x1b[31m现价 ¥1,299，e\u0301" * 20, "Magpie", datetime(2026, 1, 2)
        )
    )
    assert len({cell_len(line) for line in lines.splitlines()}) == 1
    assert "\x1b[31m" not in lines
    assert "…" in lines, "a phone shows the beginning"


def test_claims_are_numbered_with_the_fact_behind_each() -> None:
    span = content.Span(
        part=content.MESSAGE_PART_BODY,
        start=4,
        end=7,
        field="item.price",
        value="45.00 EUR",
        source="k",
        version=3,
    )
    console = Console(width=120, no_color=True)
    with console.capture() as capture:
        report.show_spans(console, content.Message(title="Kettle", body="Now €45 only", spans=[span]))
    shown = capture.get()
    assert "body: Now €45¹ only" in shown
    assert "1  €45    item.price  45.00 EUR  k       3" in shown


def test_names_are_taken_as_people_type_them() -> None:
    assert choices.strategy("price_drop") == choices.strategy("Price-Drop") == content.STRATEGY_PRICE_DROP
    assert choices.tone("") == content.TONE_UNSPECIFIED
    assert choices.channel("web push") == device_pb2.CHANNEL_WEB_PUSH
    with pytest.raises(BadInput, match="--tone 'loud': there are plain, playful, premium"):
        choices.tone("loud")
    with pytest.raises(BadInput, match="--strategy 'unspecified'"):
        choices.strategy("unspecified")


def test_a_portrait_says_what_was_done_with_the_item_and_with_the_other() -> None:
    bought = portrait_pb2.ItemActivity(item_id="i", purchases=1)
    bought.last_purchase_time.seconds = NOW - 40 * DAY_SECONDS - 9
    viewed = portrait_pb2.ItemActivity(item_id="other", views=2)
    put = portrait_pb2.RecentActivity(item_id="i", kind=event_pb2.EVENT_KIND_ADD_TO_CART)
    out = portrait_pb2.RecentActivity(item_id="i", kind=event_pb2.EVENT_KIND_REMOVE_FROM_CART)

    def facts(because: str = "", *recent: portrait_pb2.RecentActivity) -> dict[str, str]:
        portrait = portrait_pb2.Portrait(user_id="u", items=[bought, viewed], recent=recent)
        other = item_pb2.Item(item_id=because) if because else None
        item = item_pb2.Item(item_id="i")
        return known(Material(item=item, portrait=portrait, because=other, facts={}, notes=[]), NOW)

    assert facts() == {"bought_days_ago": "40", "bought": "true"}
    assert facts("other") == {"bought_days_ago": "40", "viewed": "true"}
    assert facts("other", put)["in_cart"] == "true"
    assert "in_cart" not in facts("other", put, out)
