"""Where the training report of a run or a release is."""

import re
from dataclasses import dataclass
from pathlib import Path

from magpie_services.kit.errors import Invalid, NotFound
from magpie_services.training import publish
from magpie_services.training.redis_store import RedisStore
from magpie_services.training.report.write import PAGE

MAX_BYTES = 3 << 20
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True)
class Reports:
    """Reads reports from the model folder."""

    store: RedisStore
    models: Path

    async def page(self, run_id: str, version: int) -> tuple[str, str]:
        """The run's id and its report, by either name. Raises Invalid, NotFound."""
        if bool(run_id) == bool(version):
            raise Invalid("run_id", "or version is required, and not both")
        if version:
            release = await self.store.release(version)
            run_id, kept = release.run_id, publish.report_page(self.models, version)
        else:
            if not _RUN_ID.fullmatch(run_id):
                raise Invalid("run_id", "is not one that this service gave")
            kept = self.models / ".runs" / run_id / PAGE
        try:
            content = kept.read_bytes()
        except OSError:
            raise NotFound(f"there is no report of {f'release {version}' if version else run_id}") from None
        if len(content) > MAX_BYTES:
            raise NotFound("the report is too long to be sent; it is in the model folder")
        return run_id, content.decode(errors="replace")
