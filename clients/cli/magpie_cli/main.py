"""The command line: every subcommand lives in a module of its own."""

import typer

from magpie_cli.commands import (
    campaign,
    card,
    compose,
    demo,
    doctor,
    experiments,
    import_,
    push,
    replay,
    search,
    train,
    up,
    variants,
)

app = typer.Typer(name="magpie", no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def root() -> None:
    """Decides whom to push, what, with which words and when; this is its command line.

    Exit codes: 0 well, 1 failed, 2 bad input, 3 a service does not answer, 130 interrupted.
    """


app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("import")(import_.import_)
app.command("push")(push.push)
app.command("explain")(push.explain)
app.command("replay")(replay.replay)
app.command("compose")(compose.compose)
app.command("card")(card.card)
app.command("variants")(variants.variants)
train.train.command("search")(search.search)
train.train.command("adopt")(search.adopt)
app.add_typer(train.train, name="train")
app.add_typer(train.releases, name="releases")
app.add_typer(experiments.experiments, name="experiments")
app.add_typer(campaign.campaign, name="campaign")

if __name__ == "__main__":
    app()
