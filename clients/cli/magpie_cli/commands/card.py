"""`magpie card`: the picture card of an item, into a file."""

from pathlib import Path
from typing import Annotated

import typer

from magpie.v1 import content_service_pb2 as content
from magpie_cli.commands.compose import ItemFile, ItemId, Locale
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import BadInput, run
from magpie_cli.render import print_json
from magpie_cli.words import material


def card(
    out: Annotated[Path, typer.Option(help="The file to write, for example card.jpg.")],
    item: ItemId = "",
    item_file: ItemFile = None,
    locale: Locale = "",
    ratio: Annotated[float, typer.Option(help="Width over height: 2, or 1 for a square.")] = 2.0,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Draw the picture card of an item."""

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            found = await material.item_of(magpie, item, item_file)
            request = content.RenderCardRequest(item=found, locale=locale, aspect_ratio=ratio)
            drawn = await magpie.content.RenderCard(request)
        try:
            out.write_bytes(drawn.image)
        except OSError as error:
            raise BadInput(f"--out {out}: {error.strerror}") from None
        told = {
            "file": str(out),
            "media_type": drawn.media_type,
            "width": drawn.width,
            "height": drawn.height,
            "bytes": len(drawn.image),
            "plain": drawn.plain,
        }
        if as_json:
            print_json(told)
        else:
            plain = "; without a picture of the item" if drawn.plain else ""
            print(f"{out}: {drawn.width} × {drawn.height}, {len(drawn.image) / 1000:.0f} kB{plain}")

    run(work(), as_json=as_json)
