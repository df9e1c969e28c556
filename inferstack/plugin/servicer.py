"""The gRPC side of both providers: Pulumi's ResourceProvider service over `ResourceType`s.

One servicer for both: secrets and previews accepted, check failures by property path, detailed diffs with replaces,
partial failures that the engine keeps, cancellation, timeouts. Errors are one message, never a traceback.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf import empty_pb2

from inferstack.cloudflare import Cancelled, Clock, Unreachable
from inferstack.plugin.properties import conceal, from_struct, reveal, secret_texts, to_struct
from inferstack.plugin.protocol import (
    log_to_engine,
    plugin_pb2,
    provider_pb2,
    provider_pb2_grpc,
    serve,
    status_pb2,
)
from inferstack.plugin.resource import (
    DEFAULT_TIMEOUT,
    Gone,
    Operation,
    PartialFailure,
    Properties,
    ProviderError,
    ResourceType,
    State,
)

if TYPE_CHECKING:
    from inferstack.cloudflare.client import Client

API = "https://api.cloudflare.com/client/v4"
Configure = Callable[[Properties], str | None]
KINDS = {
    "add": (provider_pb2.PropertyDiff.ADD, provider_pb2.PropertyDiff.ADD_REPLACE),
    "delete": (provider_pb2.PropertyDiff.DELETE, provider_pb2.PropertyDiff.DELETE_REPLACE),
    "update": (provider_pb2.PropertyDiff.UPDATE, provider_pb2.PropertyDiff.UPDATE_REPLACE),
}


class Servicer(provider_pb2_grpc.ResourceProviderServicer):
    """`refuse(config)` may name a reason not to serve (the stand-in's: only loopback)."""

    def __init__(self, version: str, types: dict[str, ResourceType], refuse: Configure) -> None:
        self._version, self._types, self._refuse = version, types, refuse
        self._base_url = self._token = self._account = ""
        self._client: Client | None = None
        self._client_lock = threading.Lock()
        self._secrets: set[str] = set()
        self._clock = Clock()

    def Handshake(self, request: Any, context: Any) -> Any:
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=True, accept_resources=False, accept_outputs=False)

    def Attach(self, request: Any, context: Any) -> Any:
        return empty_pb2.Empty()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        return plugin_pb2.PluginInfo(version=self._version)

    def GetSchema(self, request: Any, context: Any) -> Any:
        return provider_pb2.GetSchemaResponse(schema="{}")

    def CheckConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: Any) -> Any:
        return provider_pb2.DiffResponse(changes=provider_pb2.DiffResponse.DIFF_NONE)

    def Configure(self, request: Any, context: Any) -> Any:
        config = reveal(from_struct(request.args))
        token = config.get("apiToken") or os.environ.get("CLOUDFLARE_API_TOKEN")
        self._token = token if isinstance(token, str) else ""  # in a preview it may be unknown
        self._base_url = config.get("baseUrl") or os.environ.get("CLOUDFLARE_BASE_URL") or API
        self._account = config.get("accountId") or os.environ.get("CLOUDFLARE_ACCOUNT_ID") or ""
        reason = self._refuse({"baseUrl": self._base_url})
        if reason:
            _abort(context, reason)
        self._secrets = {self._token} if self._token else set()
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def Cancel(self, request: Any, context: Any) -> Any:
        self._clock.cancelled.set()
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: Any) -> Any:
        """No functions; a program may ask for one that the engine starts this process (`engine/plugins_ahead.py`)."""
        _abort(context, f"{request.tok} is no function of this provider: it has none", grpc.StatusCode.NOT_FOUND)

    def Check(self, request: Any, context: Any) -> Any:
        news = from_struct(request.news)
        with self._errors(context, news):
            kind = self._type(request.urn)
            failures = kind.check(reveal(news))
        listed = [provider_pb2.CheckFailure(property=f.path, reason=f.reason) for f in failures]
        return provider_pb2.CheckResponse(inputs=to_struct(kind.mark_inputs(news)), failures=listed)

    def Diff(self, request: Any, context: Any) -> Any:
        news, state = from_struct(request.news), self._state(request.id, request.olds, request.old_inputs)
        with self._errors(context, news):
            found = self._type(request.urn).diff(state, reveal(news))
        response = provider_pb2.DiffResponse(hasDetailedDiff=True, deleteBeforeReplace=found.delete_before_replace)
        ignored = set(request.ignoreChanges)
        for path, kind in found.changes.items():
            if path in ignored:
                continue
            replaces = path in found.replaces
            entry = provider_pb2.PropertyDiff(kind=KINDS[kind][int(replaces)], inputDiff=True)
            response.detailedDiff[path].CopyFrom(entry)
            top = path.replace("[", ".").split(".")[0]
            response.diffs.append(top)
            if replaces:
                response.replaces.append(top)
        changed = provider_pb2.DiffResponse.DIFF_SOME if response.diffs else provider_pb2.DiffResponse.DIFF_NONE
        response.changes = changed
        return response

    def Create(self, request: Any, context: Any) -> Any:
        news = from_struct(request.properties)
        kind = self._type(request.urn)
        if request.preview:
            return provider_pb2.CreateResponse(properties=self._outputs(kind, kind.preview(reveal(news), None), news))
        with self._errors(context, news):
            made = kind.create(self._operation(request), reveal(news))
        return provider_pb2.CreateResponse(id=made.identifier, properties=self._outputs(kind, made.outputs, news))

    def Read(self, request: Any, context: Any) -> Any:
        inputs = from_struct(request.inputs)
        known = bool(request.properties.fields)
        state = self._state(request.id, request.properties, request.inputs) if known else None
        try:
            with self._errors(context, inputs):
                kind = self._type(request.urn)
                found = kind.read(self._operation(request), request.id, state)
        except Gone:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(
            id=found.identifier,
            properties=self._outputs(kind, found.outputs, inputs),
            inputs=to_struct(kind.mark_inputs(conceal(found.inputs, inputs))),
        )

    def Update(self, request: Any, context: Any) -> Any:
        news, state = from_struct(request.news), self._state(request.id, request.olds, request.old_inputs)
        kind = self._type(request.urn)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=self._outputs(kind, kind.preview(reveal(news), state), news))
        with self._errors(context, news):
            made = kind.update(self._operation(request), state, reveal(news))
        return provider_pb2.UpdateResponse(properties=self._outputs(kind, made.outputs, news))

    def Delete(self, request: Any, context: Any) -> Any:
        state = self._state(request.id, request.properties, request.old_inputs)
        with self._errors(context, from_struct(request.properties)):
            self._type(request.urn).delete(self._operation(request), state)
        return empty_pb2.Empty()

    def _type(self, urn: str) -> ResourceType:
        token = urn.split("::")[2].split("$")[-1]
        if token not in self._types:
            covered = ", ".join(sorted(t.split(":")[-1] for t in self._types))
            raise ProviderError(f"resource type {token} is not served by this provider; it serves: {covered}")
        return self._types[token]

    def _state(self, identifier: str, outputs: Any, inputs: Any) -> State:
        read = reveal(from_struct(outputs))
        return State(identifier=identifier, outputs=read, inputs=reveal(from_struct(inputs)) or read)

    def _outputs(self, kind: ResourceType, outputs: Properties, inputs: Properties) -> Any:
        return to_struct(kind.mark_outputs(conceal(outputs, inputs)))

    def _operation(self, request: Any) -> Operation:
        if not self._base_url:
            raise ProviderError("the provider was not configured")
        deadline = time.monotonic() + (getattr(request, "timeout", 0) or DEFAULT_TIMEOUT)
        client, urn = self._connected(), request.urn
        say = partial(log_to_engine, urn)
        return Operation(urn=urn, client=client, account_id=self._account, say=say, deadline=deadline)

    def _connected(self) -> Client:
        """The client, made at the first operation: a run without changes does not pay for an HTTP library."""
        with self._client_lock:
            if self._client is None:
                from inferstack.cloudflare.client import Client

                self._client = Client(self._base_url, self._token, self._clock)
            return self._client

    @contextlib.contextmanager
    def _errors(self, context: Any, inputs: Properties) -> Iterator[None]:
        secrets = self._secrets | secret_texts(inputs)
        try:
            yield
        except Gone:
            raise
        except PartialFailure as error:
            _abort_partially(context, error, inputs, secrets)
        except ProviderError as error:
            _abort(context, _scrub(str(error), secrets))
        except Cancelled:
            _abort(context, "cancelled", grpc.StatusCode.CANCELLED)
        except Unreachable as error:
            _abort(context, f"the API does not answer ({error})")
        except Exception as error:
            traceback.print_exc(file=sys.stderr)  # the engine keeps it in its debug log
            _abort(context, _scrub(f"internal error of the provider, please report it: {error!r}", secrets))


def _scrub(text: str, secrets: set[str]) -> str:
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return text


def _abort(context: Any, message: str, code: Any = grpc.StatusCode.UNKNOWN) -> NoReturn:
    context.abort(code, message)
    raise AssertionError("abort raises")


def _abort_partially(context: Any, error: PartialFailure, inputs: Properties, secrets: set[str]) -> NoReturn:
    """The engine saves the resource when the status carries ErrorResourceInitFailed (pulumi `provider_plugin.go`)."""
    reason = _scrub(str(error), secrets)
    given = inputs if error.inputs is None else conceal(error.inputs, inputs)
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.identifier,
        properties=to_struct(conceal(error.outputs, inputs)),
        reasons=[reason],
        inputs=to_struct(given),
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=reason)
    status.details.add().Pack(detail)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    _abort(context, reason)


def serve_provider(servicer: Servicer) -> None:
    serve(lambda server: provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server), threads=32)
