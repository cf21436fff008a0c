"""Typed facts: everything that a message may claim, each with where it comes from."""

from magpie_services.content.facts.extra import NO_EXTRA, Extra, extra_facts

__all__ = ["NO_EXTRA", "Extra", "extra_facts"]
