"""localstripe on a free loopback port, which it prints. Its own command line wants IPv6 and leaves a file behind."""

from __future__ import annotations

import socket

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app


def keep_in_memory(store: object) -> None:
    """In place of the write to disk that follows each change."""


if __name__ == "__main__":
    Store.dump_to_disk = keep_in_memory
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - how the test learns the port
    web.run_app(app, sock=listener, print=None)
