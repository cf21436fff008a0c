"""Wiring of the push process: settings, adapters, domain, servicers, loops."""

from magpie_services.kit import serving
from magpie_services.push.settings import PushSettings
from magpie_services.push.wiring import build


async def main(settings: PushSettings) -> None:
    """Serve until told to stop."""
    room = await build(settings)
    await serving.serve(
        settings,
        room.register,
        clock=room.clock,
        ready=room.ready,
        background=room.background,
        closers=room.closers,
    )


if __name__ == "__main__":
    serving.run("push", PushSettings, main)
