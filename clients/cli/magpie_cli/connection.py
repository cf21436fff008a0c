"""Where the services are, for commands that talk to a suite which already runs."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated

import typer

from magpie import Endpoints, Magpie
from magpie_cli.failures import BadInput

State = Annotated[Path, typer.Option("--state", help="State folder of the suite to talk to.")]
EndpointsFile = Annotated[
    str,
    typer.Option(
        "--endpoints", envvar="MAGPIE_ENDPOINTS", help="JSON file with the address of each service."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object in place of tables.")]
DEFAULT_STATE = Path(".magpie")


def endpoints_of(state: Path, file: str = "") -> Endpoints:
    """Addresses from the file named, else of the suite on the state folder, else the defaults of a laptop.

    Raises BadInput for a file that is no list of addresses.
    """
    path = Path(file) if file else state / "endpoints.json"
    if not file and not path.exists():
        return Endpoints()
    try:
        return Endpoints.load(path)
    except OSError as error:
        raise BadInput(f"{path}: {error.strerror}") from None
    except ValueError as error:
        raise BadInput(str(error)) from None


def connect(
    state: Path, file: str = "", timeout_seconds: float = 30.0
) -> AbstractAsyncContextManager[Magpie]:
    """A client of that suite."""
    return Magpie(endpoints_of(state, file), timeout_seconds=timeout_seconds)
