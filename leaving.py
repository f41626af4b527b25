"""How a process that used Temporal's SDK ends."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from typing import NoReturn


def leave(status: int = 0) -> NoReturn:
    """Flush and end at once: the SDK's threads sometimes abort an interpreter that winds down."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # whoever read it may be gone
            stream.flush()
    os._exit(status)
