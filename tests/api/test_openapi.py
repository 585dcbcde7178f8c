"""The OpenAPI document says what the application has, and no more."""

import asyncio
import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from conf.models import Config
from conf.settings import Settings
from host.access.routes import NEEDS, NOTHING, Need
from host.access.scopes import INVOKE as INVOKE_VERB
from host.access.scopes import LOOK, READ
from host.compose import compose
from host.state import StateDir
from host.web.openapi.document import OPERATIONS, describe_api

DOCUMENT = describe_api(OPERATIONS)
INVOKE = ("POST", "/invoke/{target}")


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    """Those of a host as it is composed, which does not start."""
    state = StateDir(tmp_path_factory.mktemp("state"))
    settings = Settings("127.0.0.1", 0, state.root, False, Config(), None)

    async def build() -> list[Route]:
        door: Any = compose(settings, state).web._server.config.app
        application: Starlette = door._api._app
        return [each for each in application.routes if isinstance(each, Route)]

    state.lock()
    try:
        return asyncio.run(build())
    finally:
        state.unlock()


def test_every_route_is_in_the_document_and_everything_in_it_is_a_route(routes: list[Route]) -> None:
    there = {(method, each.path) for each in routes for method in (each.methods or {"GET"}) - {"HEAD"}}
    told = {(each.method, each.path) for each in OPERATIONS}
    assert told == there | {INVOKE}
    assert len(told) == len(OPERATIONS)


def test_every_parameter_of_a_path_is_described() -> None:
    for each in OPERATIONS:
        named = {parameter["name"] for parameter in each.parameters if parameter["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", each.path)), each.name


def test_every_shape_that_is_named_is_there_and_every_one_there_is_named() -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", repr(DOCUMENT)))
    # The lines of a log and the shape of a problem are told in words or by all.
    assert named | {"LogLine"} == set(DOCUMENT["components"]["schemas"])


def test_no_two_operations_have_one_name() -> None:
    names = [each.name for each in OPERATIONS]
    assert len(set(names)) == len(names)


def test_what_needs_a_token_says_so_and_what_it_is_answered_without() -> None:
    for each in OPERATIONS:
        told = DOCUMENT["paths"][each.path][each.method.lower()]
        # To sign in takes a token as well, in the body.
        refused = "401" in told["responses"] and each.name != "signIn"
        assert bool(told["security"]) == bool(each.scope) == refused
        assert "403" in told["responses"]


def test_the_document_tells_the_scopes_that_the_guard_asks_for() -> None:
    needs = {**NEEDS, " ".join(INVOKE): Need((INVOKE_VERB,))}
    for each in OPERATIONS:
        # Who may read may also look, which no token has alone.
        verbs = {READ if verb == LOOK else verb for verb in needs[f"{each.method} {each.path}"].verbs}
        assert (each.scope or NOTHING) in verbs, each.name
