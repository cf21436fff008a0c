"""The lake's writer process. It serves health and metrics only."""

import asyncio

from magpie_services.kit import serving
from magpie_services.kit.redis import connect, wait_until_ready
from magpie_services.lake.delta import LakeTable
from magpie_services.lake.schemas import TABLES
from magpie_services.lake.settings import LakeSettings
from magpie_services.lake.writer import Writer


async def main(settings: LakeSettings) -> None:
    redis = connect(settings.redis_url)
    await wait_until_ready(redis, timeout_seconds=settings.wait_seconds)
    tables = {
        name: await asyncio.to_thread(LakeTable, settings.folder, spec) for name, spec in TABLES.items()
    }
    writer = Writer(redis, tables, settings)
    await serving.serve(settings, lambda server: None, background=[writer.run], closers=[redis.aclose])


if __name__ == "__main__":
    serving.run("lake", LakeSettings, main)
