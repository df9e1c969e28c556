"""Texts of JSON Schema's formats, and of those that Pydantic and zod write; the one of a number is like no other."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def _moment(number: int) -> str:
    return (START + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")


def _day(number: int) -> str:
    return (date(2026, 1, 1) + timedelta(days=number)).isoformat()


def _base64(number: int) -> str:
    return base64.urlsafe_b64encode(f"text {number:4}".encode()).decode()


FORMATS: dict[str, Callable[[int], str]] = {
    "date": _day,
    "date-time": _moment,
    "time": lambda number: _moment(number).partition("T")[2],
    "duration": lambda number: f"P{number + 1}D",
    "email": lambda number: f"name{number}@example.com",
    "idn-email": lambda number: f"name{number}@example.com",
    "hostname": lambda number: f"host{number}.example.com",
    "idn-hostname": lambda number: f"host{number}.example.com",
    "ipv4": lambda number: f"192.0.2.{number % 256}",
    "ipv6": lambda number: f"2001:db8::{number:x}",
    "uri": lambda number: f"https://example.com/{number}",
    "uri-reference": lambda number: f"/{number}",
    "iri": lambda number: f"https://example.com/{number}",
    "iri-reference": lambda number: f"/{number}",
    "uri-template": lambda number: f"/{number}/{{name}}",
    "uuid": lambda number: str(uuid.UUID(int=number, version=4)),
    "json-pointer": lambda number: f"/{number}",
    "relative-json-pointer": str,
    "regex": lambda number: f"^{number}$",
}
# These no reader of a schema checks, so a sentence of the context would pass for one.
UNCHECKED: dict[str, Callable[[int], str]] = {
    "base64": _base64,
    "base64url": _base64,
    "byte": _base64,
    "binary": _base64,
    "json-string": str,
    "path": lambda number: f"/tmp/{number}",  # noqa: S108 - a text, no file
    "file-path": lambda number: f"/tmp/{number}",  # noqa: S108
    "directory-path": lambda number: f"/tmp/{number}",  # noqa: S108
    "multi-host-uri": lambda number: f"https://a.example.com,b.example.com/{number}",
    "ipvanyaddress": lambda number: f"192.0.2.{number % 256}",
    "ipvanynetwork": lambda number: f"10.{number % 256}.0.0/16",
    "ipvanyinterface": lambda number: f"192.0.2.{number % 256}/24",
    "ipv4network": lambda number: f"10.{number % 256}.0.0/16",
    "ipv4interface": lambda number: f"192.0.2.{number % 256}/24",
    "ipv6network": lambda number: f"2001:db8:{number:x}::/48",
    "ipv6interface": lambda number: f"2001:db8::{number:x}/48",
}
