"""Words that advertising must not use, or only with evidence: versioned data, one module a language."""

VERSION = "2026-11"
