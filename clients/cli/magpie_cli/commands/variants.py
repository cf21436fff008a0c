"""`magpie variants`: what was learnt of the forms of words."""

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from magpie.v1 import content_service_pb2 as content
from magpie_cli.commands.compose import StrategyName
from magpie_cli.commands.push import message as as_dict
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import run
from magpie_cli.render import print_json, wide_console
from magpie_cli.words import choices

PAGE = 1_000


def variants(
    locale: Annotated[str, typer.Option(help="Language of the forms, for example zh-CN.")],
    strategy: StrategyName = "",
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """List the forms of words that were sent, most often first, and what is known of each part of a form."""

    async def work() -> None:
        request = content.ListVariantsRequest(
            locale=locale, strategy=choices.strategy(strategy), page_size=PAGE
        )
        found = content.ListVariantsResponse()
        async with connect(state, endpoints) as magpie:
            while True:
                page = await magpie.content.ListVariants(request)
                found.variants.extend(page.variants)
                found.weights.extend(page.weights)
                if not page.next_page_token:
                    break
                request.page_token = page.next_page_token
        if as_json:
            print_json(as_dict(found))
            return
        console = wide_console()
        console.print(_forms(found))
        console.print(_weights(found))

    run(work(), as_json=as_json)


def _forms(found: content.ListVariantsResponse) -> Table:
    table = Table(title="forms")
    table.add_column("form", overflow="fold")
    for title in ("sent", "followed", "refused", "share followed"):
        table.add_column(title, justify="right")
    for one in sorted(found.variants, key=lambda one: (-one.sent_count, one.variant_id)):
        share = f"{one.clicked_count / one.sent_count:.1%}" if one.sent_count else ""
        counts = (str(one.sent_count), str(one.clicked_count), str(one.refused_count), share)
        table.add_row(Text(one.variant_id), *counts)
    return table


def _weights(found: content.ListVariantsResponse) -> Table:
    table = Table(title="weights, in log-odds of a click")
    table.add_column("part", overflow="fold")
    for title in ("mean", "deviation"):
        table.add_column(title, justify="right")
    for one in sorted(found.weights, key=lambda one: -one.mean):
        table.add_row(Text(one.feature), f"{one.mean:+.3f}", f"{one.deviation:.3f}")
    return table
