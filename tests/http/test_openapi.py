"""The OpenAPI file: every route is in it, every reference leads somewhere, and the page for people shows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from livesale.http import openapi
from livesale.kernel.routing import ACCOUNT, Answer, Call, Route
from tests.http.served import Connect, Made, Room, application


async def nothing(_call: Call) -> Answer:
    """A handler."""
    return Answer()


def references(node: Any) -> Iterator[str]:
    """Every $ref in a document."""
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def found(document: dict[str, Any], reference: str) -> Any:
    """What a $ref leads to; KeyError when it leads nowhere."""
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node


def test_every_route_is_described() -> None:
    """No route without its entry, each with an id of its own."""
    routes = Room().routes()
    document = openapi.document(routes)
    described = {(method.upper(), path) for path, one in document["paths"].items() for method in one}
    assert {(route.method, f"/api/v1{route.path}") for route in routes} <= described
    ids = [operation["operationId"] for one in document["paths"].values() for operation in one.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere() -> None:
    """Each $ref resolves within the file."""
    document = openapi.document(Room().routes())
    assert len([found(document, reference) for reference in references(document)]) > 5


def test_types_of_one_name_stay_apart() -> None:
    """Two rooms may each have a `Line`."""
    one = msgspec.defstruct("Line", [("a", int)], module="livesale.one")
    two = msgspec.defstruct("Line", [("b", str)], module="livesale.two")
    routes = [Route("POST", "/one", nothing, "One", body=one), Route("POST", "/two", nothing, "Two", body=two)]
    document = openapi.document(routes)
    contents = [document["paths"][f"/api/v1/{name}"]["post"]["requestBody"]["content"] for name in ("one", "two")]
    bodies = [found(document, content["application/json"]["schema"]["$ref"]) for content in contents]
    assert [list(body["properties"]) for body in bodies] == [["a"], ["b"]]


def test_the_ways_to_sign_in_are_named() -> None:
    """Bearer, or cookie with the CSRF header named; a write with the cookie needs both."""
    document = openapi.document([Route("POST", "/a", nothing, "A", ACCOUNT), Route("GET", "/b", nothing, "B")])
    assert document["components"]["securitySchemes"]["csrf"]["name"] == "X-CSRF-Token"
    assert document["paths"]["/api/v1/a"]["post"]["security"] == [{"bearer": []}, {"session": [], "csrf": []}]
    assert {} in document["paths"]["/api/v1/b"]["get"]["security"]


def test_parameters_are_described() -> None:
    """Path, query and Idempotency-Key parameters, the key required where it is."""
    document = openapi.document(Room().routes())
    keyed = document["paths"]["/api/v1/shows/{show}/keyed"]["post"]["parameters"]
    assert [(one["name"], one["required"]) for one in keyed] == [("show", True), ("Idempotency-Key", True)]
    listed = document["paths"]["/api/v1/echo/{name}"]["get"]["parameters"]
    kinds = {one["name"]: one["schema"]["type"] for one in listed}
    assert kinds == {"name": "string", "limit": "integer", "after": "string"}


def test_refusals_are_described() -> None:
    """A room's own codes stand beside those any call may meet, by status."""
    route = Route("POST", "/a/{b}", nothing, "A", ACCOUNT, refuses=("sold_out", "short"))
    responses = openapi.document([route])["paths"]["/api/v1/a/{b}"]["post"]["responses"]
    assert responses["409"]["x-codes"] == ["in_progress", "short", "sold_out"]
    assert {"400", "401", "403", "404", "413", "422", "429", "503"} <= set(responses)
    assert "Retry-After" in responses["429"]["headers"]


def test_a_body_that_may_be_left_out_is_not_required() -> None:
    """`required` says what the server does with an empty body."""
    routes = [Route("POST", "/a", nothing, "A", body=Made), Route("POST", "/b", nothing, "B", body=Made | None)]
    paths = openapi.document(routes)["paths"]
    assert [paths[f"/api/v1/{name}"]["post"]["requestBody"]["required"] for name in "ab"] == [True, False]


async def test_the_server_serves_both_forms(aiohttp_client: Connect) -> None:
    """The file for programs and the page for people, without scripts or inline styles."""
    client = await aiohttp_client(application(Room()))
    response = await client.get("/api/v1/openapi.json")
    assert (response.status, (await response.json())["openapi"]) == (200, "3.1.0")
    page = await client.get("/api/docs")
    text = await page.text()
    assert page.status == 200
    assert "<script" not in text
    assert "style=" not in text
    assert all(f"/api/v1{route.path}" in text for route in Room().routes())
    assert (await client.get("/api/docs.css")).headers["Content-Type"].startswith("text/css")
