"""The command line: every subcommand lives in a module of its own."""

import typer

from magpie_cli.commands import demo, import_, up

app = typer.Typer(
    name="magpie",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def root() -> None:
    """Decides whom to push, what, with which words and when; this is its command line."""


app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("import")(import_.import_)

if __name__ == "__main__":
    app()
