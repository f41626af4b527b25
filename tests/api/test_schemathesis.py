"""Whatever is sent to any operation, the answer is one that the OpenAPI document announces."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import assemble
from api.auth import TokenVerifier, roles_by_route
from config import Settings
from crypto import Keyring, generate_key
from domain.access import Role
from domain.rollout.people import Function
from embedded.postgres import EmbeddedPostgres
from tests.api.backstage import Backstage
from tests.conftest import TEMPLATE
from tests.rollout_files import subject

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
Token: TypeAlias = tuple[str, Role] | tuple[()]
"""Subject and role, or none at all."""

CALLERS: Mapping[Role, str] = {
    Role.CLINICIAN: "clinician-demo",
    Role.PATIENT: "patient-demo",
    Role.SPECIALIST: "specialist-dermatology",
    Role.SUPPORT: "support-1",
    Role.OPERATIONS: "ops-1",
    Role.ADMINISTRATOR: "admin-1",
    Role.SYSTEM_ADMIN: subject(Function.IT_LEAD),
    Role.EXECUTIVE: subject(Function.VP_OPERATIONS),
    Role.REGIONAL_ADMIN: subject(Function.REGIONAL_MANAGER, "north"),
    Role.LOCATION_ADMIN: subject(Function.OFFICE_MANAGER, "l00"),
    Role.STANDARD_USER: subject(Function.CHAMPION, "l00"),
    Role.READ_ONLY: subject(Function.PROVIDER, "l00"),
    Role.VENDOR: subject(Function.VENDOR_SUPPORT),
}
OUTSIDERS: list[Token] = [(), ("nobody", Role.CLINICIAN)]
EXAMPLES = 6


def _operations() -> list[tuple[str, str]]:
    app = assemble(
        Settings(stripe_webhook_secret=SecretStr("whsec_test"), codec_keys=SecretStr(generate_key("codec"))),
        cast("TokenVerifier", None),
    )
    return [(method, path) for path, item in app.openapi()["paths"].items() for method in item]


def _callers(backstage: Backstage, method: str, path: str) -> st.SearchStrategy[Token]:
    """More often those whom the operation is for."""
    roles = roles_by_route(backstage.app)[f"{method.upper()} {path}"] or frozenset(Role)
    inside: list[Token] = [(subject, role) for role, subject in CALLERS.items() if role in roles]
    others: list[Token] = [(subject, role) for role, subject in CALLERS.items() if role not in roles]
    return st.sampled_from([*inside * max(1, 8 // len(inside)), *others[:1], *OUTSIDERS])


@pytest.fixture(scope="module")
def backstage(postgres: EmbeddedPostgres, keyring: Keyring, tmp_path_factory: pytest.TempPathFactory) -> Backstage:
    url = postgres.create_database("schemathesis", template=TEMPLATE)
    return Backstage(url, keyring, tmp_path_factory.mktemp("issuer"))


@pytest.fixture(scope="module")
def document(backstage: Backstage) -> Any:
    config = SchemathesisConfig.from_dict({"cache": {"enabled": False}})
    return schemathesis.openapi.from_asgi("/openapi.json", backstage.app, config=config)


@pytest.mark.parametrize(("method", "path"), _operations())
def test_answers_as_announced(document: Any, backstage: Backstage, method: str, path: str) -> None:
    operation = document[path][method]
    valid, invalid = (operation.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE))

    @given(
        case=valid | valid | invalid,
        token=_callers(backstage, method, path),
        known=st.sampled_from([True, True, True, False]),
    )
    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],  # shrinking takes its time
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, token: Token, known: bool) -> None:
        if known:
            case.path_parameters = backstage.known_instead(case.path_parameters)
            case.body = backstage.known_instead(case.body)
        case.call_and_validate(checks=CHECKS, headers=backstage.headers(*token))

    ask()
