"""The operations of an OpenAPI document, as both client generators need them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: `body` and `reply` are JSON Schemas, None where the document has none."""

    name: str
    method: str
    path: str
    summary: str
    parameters: tuple[str, ...]
    body: Schema | None
    reply: Schema | None

    @property
    def words(self) -> list[str]:
        return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+|\d+", self.name)]

    @property
    def snake(self) -> str:
        return "_".join(self.words)

    @property
    def camel(self) -> str:
        head, *rest = self.words
        return head + "".join(word.capitalize() for word in rest)

    @property
    def pascal(self) -> str:
        return "".join(word.capitalize() for word in self.words)


@dataclass(frozen=True, slots=True)
class Service:
    """A Worker and its operations."""

    key: str
    operations: list[Operation]

    @property
    def pascal(self) -> str:
        return "".join(part.capitalize() for part in self.key.split("-"))


def operations(document: dict[str, Any]) -> list[Operation]:
    found = []
    for path, methods in document["paths"].items():
        for method, entry in methods.items():
            reply = entry.get("responses", {}).get("200", {})
            found.append(
                Operation(
                    name=entry["operationId"],
                    method=method.upper(),
                    path=path,
                    summary=entry.get("summary", ""),
                    parameters=tuple(parameter["name"] for parameter in entry.get("parameters", [])),
                    body=_schema(entry.get("requestBody")),
                    reply=_schema(reply),
                )
            )
    return found


def _schema(part: dict[str, Any] | None) -> Schema | None:
    content = (part or {}).get("content", {}).get("application/json", {})
    schema = content.get("schema")
    return schema if isinstance(schema, dict) else None
