"""Secrets of a state folder: drawn once, kept in a file that only its owner can read, shown nowhere."""

import base64
import json
import os
import secrets
from pathlib import Path

from magpie_cli.suite.options import SuiteFailed

KEY_BYTES = 32
NAMES = ("profile_key", "attribution_secret", "webhook_secret", "celery_secret")


def load_secrets(folder: Path) -> dict[str, str]:
    """The secrets by name, each 32 random bytes in base64; missing ones are drawn and written first.

    Raises SuiteFailed where the file cannot be read: a new profile key would make every portrait unreadable.
    """
    path = folder / "secrets.json"
    known: dict[str, str] = {}
    if path.exists():
        try:
            known = json.loads(path.read_text("utf-8"))
            if not isinstance(known, dict):
                raise TypeError
            values = {name: str(known[name]) for name in NAMES if name in known}
        except (OSError, ValueError, TypeError):
            raise SuiteFailed(f"{path} is unreadable or no JSON object; restore it from a backup") from None
        if len(values) == len(NAMES):
            return values
    known = {**{name: _draw() for name in NAMES}, **known}
    staging = path.with_suffix(".staging")
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(known, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    staging.replace(path)
    return {name: known[name] for name in NAMES}


def _draw() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
