"""Starts the service that this image was built for: the same as `python -m magpie_services.@SERVICE@`."""

from runpy import run_module

run_module("magpie_services.@SERVICE@", run_name="__main__", alter_sys=True)
