"""`magpie compose`: words for an item and a user, what each claim stands on, and how a phone shows them."""

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from magpie.v1 import content_service_pb2 as content
from magpie.v1 import device_pb2
from magpie_cli.commands.push import message as as_dict
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import BadInput, CommandFailed, give_up, run
from magpie_cli.importing.mapping import parse_pairs
from magpie_cli.render import print_json, wide_console
from magpie_cli.words import choices, material, report
from magpie_cli.words.material import Material, Wanted
from magpie_cli.words.preview import letter, phone, visible

APP = "Magpie"
ItemId = Annotated[str, typer.Option("--item", help="The item, as the catalogue knows it.")]
ItemFile = Annotated[
    Path | None, typer.Option("--item-file", help="The item from a file instead, as proto JSON.")
]
Locale = Annotated[str, typer.Option("--locale", help="Language, for example zh-CN; else the user's.")]
StrategyName = Annotated[str, typer.Option("--strategy", help="The reason to give, for example price_drop.")]


def compose(
    item: ItemId = "",
    item_file: ItemFile = None,
    user: Annotated[str, typer.Option(help="For whom; for anybody otherwise.")] = "",
    portrait_file: Annotated[
        Path | None, typer.Option(help="The portrait from a file instead, as proto JSON.")
    ] = None,
    because: Annotated[
        str, typer.Option(help="An item of their past that speaks for it; else as a push would find it.")
    ] = "",
    strategy: StrategyName = "",
    tone: Annotated[str, typer.Option(help="plain, playful or premium.")] = "",
    locale: Locale = "",
    channel: Annotated[str, typer.Option(help="Where it is shown, for example email.")] = "",
    variants: Annotated[int, typer.Option(min=1, max=16, help="How many different forms.")] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**64 - 1, help="The same seed, the same words.")] = 0,
    description: Annotated[bool, typer.Option("--description", help="The long text too.")] = False,
    fact: Annotated[list[str] | None, typer.Option(help="A fact beyond the item's, as key=value.")] = None,
    title: Annotated[str, typer.Option(help="Verify your own title in place of composing.")] = "",
    text: Annotated[str, typer.Option(help="Verify your own body in place of composing.")] = "",
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Write words, or verify your own with --text: nothing is sent. Exit code 1: they must not be sent."""

    async def work() -> None:
        if variants > 1 and (title or text):
            raise BadInput("--variants: there is one form of your own words")
        wanted = Wanted(
            item=item,
            item_file=item_file,
            user=user,
            portrait_file=portrait_file,
            because=because,
            facts=parse_pairs("--fact", fact or ()),
        )
        brief = content.Brief(
            strategy=choices.strategy(strategy),
            tone=choices.tone(tone),
            locale=locale,
            channel=choices.channel(channel),
            seed=seed,
        )
        own = content.Message(title=title, body=text, locale=locale, strategy=brief.strategy)
        async with connect(state, endpoints) as magpie:
            found = await material.gather(magpie, wanted)
            composition = content.Composition(messages=[own])
            if not (title or text):
                request = content.ComposeMessagesRequest(
                    briefs=[_filled(brief, found)], variants=variants, with_description=description
                )
                composition = (await magpie.content.ComposeMessages(request)).compositions[0]
            drafts = [_draft(one, brief, found) for one in composition.messages]
            checked = await magpie.content.VerifyMessages(content.VerifyMessagesRequest(drafts=drafts))
        verdicts = list(checked.verdicts)
        if as_json:
            print_json(
                {
                    **as_dict(composition),
                    "verdicts": [{"passed": one.passed, **as_dict(one)} for one in verdicts],
                    "notes": found.notes,
                }
            )
        else:
            _show(composition, verdicts, brief, found)
        if not all(verdict.passed for verdict in verdicts):
            give_up(CommandFailed("the words must not be sent"), reported=True)

    run(work(), as_json=as_json)


def _filled(brief: content.Brief, found: Material) -> content.Brief:
    filled = content.Brief(item=found.item, portrait=found.portrait, facts=found.facts)
    if found.because is not None:
        filled.because_item.CopyFrom(found.because)
    filled.MergeFrom(brief)
    return filled


def _draft(one: content.Message, brief: content.Brief, found: Material) -> content.Draft:
    return content.Draft(
        title=one.title,
        body=one.body,
        description=one.description,
        item=found.item,
        because_item=found.because,
        locale=one.locale or found.portrait.locale,
        channel=brief.channel,
        traits=found.portrait.traits,
        facts=material.known(found, time.time()) | found.facts,
        strategy=one.strategy,
    )


def _show(
    composition: content.Composition, verdicts: list[content.Verdict], brief: content.Brief, found: Material
) -> None:
    console = wide_console()
    for note in found.notes:
        console.print(Text(visible(note), "yellow"))
    for one, verdict in zip(composition.messages, verdicts, strict=True):
        if brief.channel == device_pb2.CHANNEL_EMAIL:
            console.print(letter(one.title, one.body, APP))
        else:
            console.print(phone(one.title, one.body, APP, datetime.now()))
        report.show_spans(console, one)
        report.show_verdict(console, verdict, report.texts_of(one.title, one.body, one.description))
        if one.variant_id:
            report.show_form(console, one, composition.eligible_strategies)
        if brief.strategy and one.strategy != brief.strategy:
            asked = choices.word(content.Strategy.Name(brief.strategy))
            console.print(Text(f"there are no facts for {asked}: the words give another reason", "yellow"))
        console.print()
