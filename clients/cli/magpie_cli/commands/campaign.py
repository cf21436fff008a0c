"""`magpie campaign`: many users, one purpose: created, started, watched, stopped, listed."""

import uuid
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from magpie.v1 import campaign_service_pb2 as campaigns
from magpie.v1 import candidate_service_pb2 as candidates
from magpie.v1 import profile_service_pb2, push_service_pb2
from magpie_cli.commands.push import message
from magpie_cli.connection import DEFAULT_STATE, AsJson, EndpointsFile, State, connect
from magpie_cli.failures import run
from magpie_cli.render import print_json, progress_bar, when, wide_console

campaign = typer.Typer(help="Create, start and watch campaigns.", no_args_is_help=True)

CampaignId = Annotated[str, typer.Argument(help="The campaign.")]


@campaign.command()
def create(
    name: Annotated[str, typer.Argument(help="A name for people.")],
    stage: Annotated[str, typer.Option(help="Only users at this stage; everybody otherwise.")] = "",
    category: Annotated[str, typer.Option(help="Only items of this category.")] = "",
    budget: Annotated[int, typer.Option(min=0, help="At most this many pushes; 0: no limit.")] = 0,
    shadow: Annotated[bool, typer.Option("--shadow", help="Decide and log, send nothing.")] = False,
    start: Annotated[bool, typer.Option("--start", help="Start it at once.")] = False,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Create a campaign as a draft."""
    spec = campaigns.CampaignSpec(name=name, budget=budget, shadow=shadow)
    if stage:
        compare = profile_service_pb2.Audience.Compare(
            field="stage", operator=profile_service_pb2.Audience.Compare.OPERATOR_EQUAL, text=stage
        )
        spec.audience.CopyFrom(profile_service_pb2.Audience(compare=compare))
    if category:
        spec.policy.CopyFrom(push_service_pb2.Policy(filter=candidates.CatalogFilter(categories=[category])))

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            request = campaigns.CreateCampaignRequest(spec=spec, request_id=_request_id())
            created = (await magpie.campaigns.CreateCampaign(request)).campaign
            if start:
                begin = campaigns.StartCampaignRequest(
                    campaign_id=created.campaign_id, request_id=_request_id()
                )
                created = (await magpie.campaigns.StartCampaign(begin)).campaign
        _show(created, as_json)

    run(work(), as_json=as_json)


def _change(verb: str, words: str) -> None:
    """Adds a command that moves a campaign from one state to another."""
    request_type: Any = getattr(campaigns, f"{verb}CampaignRequest")

    def command(
        campaign_id: CampaignId,
        state: State = DEFAULT_STATE,
        endpoints: EndpointsFile = "",
        as_json: AsJson = False,
    ) -> None:
        async def work() -> None:
            async with connect(state, endpoints) as magpie:
                method = getattr(magpie.campaigns, f"{verb}Campaign")
                answer = await method(request_type(campaign_id=campaign_id, request_id=_request_id()))
            _show(answer.campaign, as_json)

        run(work(), as_json=as_json)

    campaign.command(verb.lower(), help=words)(command)


_change("Start", "Start a draft.")
_change("Pause", "Pause a running campaign.")
_change("Resume", "Go on with a paused campaign.")
_change("Cancel", "End a campaign for good.")


@campaign.command("list")
def list_campaigns(
    state: State = DEFAULT_STATE, endpoints: EndpointsFile = "", as_json: AsJson = False
) -> None:
    """List the newest 50 campaigns."""

    async def work() -> None:
        async with connect(state, endpoints) as magpie:
            answer = await magpie.campaigns.ListCampaigns(campaigns.ListCampaignsRequest())
        if as_json:
            print_json(message(answer))
            return
        table = Table(title="campaigns")
        for title in ("campaign", "name", "state", "decided", "created"):
            table.add_column(title)
        for one in answer.campaigns:
            decided = str(one.progress.decided_count)
            table.add_row(one.campaign_id, one.spec.name, _state(one), decided, when(one.create_time))
        wide_console().print(table, markup=False)  # names are anybody's

    run(work(), as_json=as_json)


@campaign.command()
def watch(
    campaign_id: CampaignId,
    state: State = DEFAULT_STATE,
    endpoints: EndpointsFile = "",
    as_json: AsJson = False,
) -> None:
    """Follow a campaign to its end."""

    async def work() -> None:
        newest = campaigns.Campaign()
        async with connect(state, endpoints, timeout_seconds=86_400) as magpie:
            with progress_bar(as_json) as progress:
                task = progress.add_task("campaign", total=None, detail="")
                request = campaigns.WatchCampaignRequest(campaign_id=campaign_id)
                async for answer in magpie.campaigns.WatchCampaign(request):
                    newest = answer.campaign
                    if as_json:
                        print_json(message(newest))
                    how_far = newest.progress
                    detail = f"{_state(newest)}: {how_far.decided_count} decided"
                    progress.update(task, detail=f"{detail}, {how_far.users_per_second:.0f} a second")
        if not as_json:
            _show(newest, as_json)

    run(work(), as_json=as_json)


def _request_id() -> str:
    return f"cli-{uuid.uuid4().hex}"


def _state(one: campaigns.Campaign) -> str:
    return campaigns.CampaignState.Name(one.state).removeprefix("CAMPAIGN_STATE_").lower()


def _show(one: campaigns.Campaign, as_json: bool) -> None:
    if as_json:
        print_json(message(one))
        return
    console = Console()
    console.print(f"{one.campaign_id}: {_state(one)} {one.error}".rstrip(), markup=False)
    for verdict, count in sorted(one.progress.verdict_counts.items()):
        console.print(f"  {verdict} {count}", markup=False)
    for reason, count in sorted(one.progress.reason_counts.items()):
        console.print(f"    {reason} {count}", markup=False)
