"""One application for all tests of a process: putting its routes together takes longer than most of them."""

from __future__ import annotations

from fastapi import FastAPI

from api.app import assemble
from api.auth import TokenVerifier
from api.dependencies import Services

_APPS: dict[str, FastAPI] = {}


def shared_app(services: Services, verifier: TokenVerifier) -> FastAPI:
    """As `create_app`, for one test at a time."""
    keys = services.settings.codec_keys.get_secret_value()  # all that an application takes over from its settings
    if keys not in _APPS:
        _APPS[keys] = assemble(services.settings, verifier)
    app = _APPS[keys]
    app.state.services, app.state.token_verifier = services, verifier
    return app
