"""The whole suite on one machine: real processes on loopback, started in order, watched, restarted, stopped.

`async with Suite(SuiteOptions(state=folder)) as suite: suite.endpoints, suite.pids()`.
"""

from magpie_cli.suite.options import SuiteFailed, SuiteOptions
from magpie_cli.suite.process import Process
from magpie_cli.suite.suite import Suite

__all__ = ["Process", "Suite", "SuiteFailed", "SuiteOptions"]
