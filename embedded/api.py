"""The API as the embedded stack runs it, which alone may open the codec to a Temporal UI without a login."""

from __future__ import annotations

from fastapi import FastAPI

from api import main as api
from cli import serve_api


def create() -> FastAPI:
    return api.create(embedded=True)


if __name__ == "__main__":
    serve_api("embedded.api:create")
