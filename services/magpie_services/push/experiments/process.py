"""The analysis of an experiment as a job."""

import msgspec

from magpie_services.push import child
from magpie_services.push.experiments.analysis import Analysis, analyse
from magpie_services.push.experiments.declared import Experiment


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Which experiment, from which lake, as it stood when."""

    experiment: Experiment
    folder: str
    now_ms: int


def run(job: Job) -> Analysis:
    """The analysis, in this process."""
    from magpie_services.push.experiments import log

    return analyse(job.experiment, log.users(job.folder, job.experiment, job.now_ms), job.now_ms)


if __name__ == "__main__":
    child.serve(Job, run)
