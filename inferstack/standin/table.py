"""Which requests each resource type makes. Source: recordings of the official plugin 6.17.0 (2026-11-23).

Paths are filled from the inputs and, after creation, from `{id}`. A type without `update` never changes in place; one
without `delete` is only forgotten, as the official provider does.
"""

from __future__ import annotations

from dataclasses import dataclass, field

JURISDICTION = "Cf-R2-Jurisdiction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One resource type.

    `wire` renames body fields, `camel` says that the API's fields are camelCase; `id_field` is the answer's field that
    identifies the object in paths, `resource_id` Pulumi's id where that differs, `import_id` the parts of an import id;
    `marks_inputs` says that sensitive inputs are marked secret at once.
    """

    name: str
    create: tuple[str, str]
    read: tuple[str, str]
    update: tuple[str, str] | None = None
    delete: tuple[str, str] | None = None
    id_field: str = "id"
    resource_id: str = "{id}"
    id_output: str | None = "{id}"
    import_id: str = "account_id/id"
    meta: bool = False
    marks_inputs: bool = False
    encoding: str = "json"
    camel: bool = False
    path_only: frozenset[str] = frozenset()
    headers: dict[str, str] = field(default_factory=dict)
    update_headers: dict[str, str] = field(default_factory=dict)
    wire: dict[str, str] = field(default_factory=dict)
    read_query: str = ""
    replace_also: frozenset[str] = frozenset()
    any_case: frozenset[str] = frozenset()
    answer_key: str | None = None


A = "/accounts/{account_id}"
SCRIPT = A + "/workers/scripts/{script_name}"
WORKER = A + "/workers/workers"
BUCKET = A + "/r2/buckets/{bucket_name}"
EVENTS = A + "/event_notifications/r2/{bucket_name}/configuration/queues/{queue_id}"
KV = A + "/storage/kv/namespaces"
GATEWAY = A + "/ai-gateway/gateways"
SEARCH = A + "/ai-search/instances"
GUARD_CODES = {code.lower(): code for code in ("P1", *(f"S{number}" for number in range(1, 14)))}
R2_HEADERS = {JURISDICTION: "{jurisdiction}"}
CONSUMERS = A + "/queues/{queue_id}/consumers"

ANNOTATIONS = {f"workers_{name}": f"workers/{name}" for name in ("message", "tag", "triggered_by")}

SPECS = (
    Spec(
        name="worker",
        create=("POST", WORKER),
        read=("GET", WORKER + "/{id}"),
        update=("PUT", WORKER + "/{id}"),
        delete=("DELETE", WORKER + "/{id}"),
    ),
    Spec(
        name="worker_version",
        create=("POST", WORKER + "/{worker_id}/versions"),
        read=("GET", WORKER + "/{worker_id}/versions/{id}"),
        read_query="include=modules",
        import_id="account_id/worker_id/id",
        path_only=frozenset({"worker_id"}),
        replace_also=frozenset({"modules"}),
        wire=ANNOTATIONS,
        marks_inputs=True,
        meta=True,
    ),
    Spec(
        name="workers_deployment",
        create=("POST", SCRIPT + "/deployments"),
        read=("GET", SCRIPT + "/deployments/{id}"),
        wire=ANNOTATIONS,
        import_id="account_id/script_name/id",
        path_only=frozenset({"script_name"}),
    ),
    Spec(
        name="workers_script",
        create=("PUT", SCRIPT),
        read=("GET", A + "/workers/services/{script_name}"),
        update=("PUT", SCRIPT),
        delete=("DELETE", SCRIPT),
        encoding="script",
        path_only=frozenset({"script_name"}),
        import_id="account_id/script_name",
        meta=True,
    ),
    Spec(
        name="workers_script_subdomain",
        create=("POST", SCRIPT + "/subdomain"),
        read=("GET", SCRIPT + "/subdomain"),
        update=("POST", SCRIPT + "/subdomain"),
        delete=("DELETE", SCRIPT + "/subdomain"),
        path_only=frozenset({"script_name"}),
        resource_id="{account_id}",
        id_output="{script_name}",
        import_id="account_id/script_name",
    ),
    Spec(
        name="workers_cron_trigger",
        create=("PUT", SCRIPT + "/schedules"),
        read=("GET", SCRIPT + "/schedules"),
        update=("PUT", SCRIPT + "/schedules"),
        path_only=frozenset({"script_name"}),
        resource_id="{script_name}",
        id_output="{script_name}",
        import_id="account_id/script_name",
        encoding="schedules",
        meta=True,
    ),
    Spec(
        name="workers_route",
        create=("POST", "/zones/{zone_id}/workers/routes"),
        read=("GET", "/zones/{zone_id}/workers/routes/{id}"),
        update=("PUT", "/zones/{zone_id}/workers/routes/{id}"),
        delete=("DELETE", "/zones/{zone_id}/workers/routes/{id}"),
        path_only=frozenset({"zone_id"}),
        import_id="zone_id/id",
        meta=True,
    ),
    Spec(
        name="workers_custom_domain",
        create=("PUT", A + "/workers/domains"),
        read=("GET", A + "/workers/domains/{id}"),
        delete=("DELETE", A + "/workers/domains/{id}"),
        meta=True,
    ),
    Spec(
        name="d1_database",
        create=("POST", A + "/d1/database"),
        read=("GET", A + "/d1/database/{id}"),
        update=("PUT", A + "/d1/database/{id}"),
        delete=("DELETE", A + "/d1/database/{id}"),
        id_field="uuid",
    ),
    Spec(
        name="queue",
        create=("POST", A + "/queues"),
        read=("GET", A + "/queues/{id}"),
        update=("PUT", A + "/queues/{id}"),
        delete=("DELETE", A + "/queues/{id}"),
        id_field="queue_id",
        meta=True,
    ),
    # By the schema of the official provider alone: the plugin itself is not recorded.
    Spec(
        name="hyperdrive_config",
        create=("POST", A + "/hyperdrive/configs"),
        read=("GET", A + "/hyperdrive/configs/{id}"),
        update=("PUT", A + "/hyperdrive/configs/{id}"),
        delete=("DELETE", A + "/hyperdrive/configs/{id}"),
    ),
    Spec(
        name="workers_for_platforms_dispatch_namespace",
        create=("POST", A + "/workers/dispatch/namespaces"),
        read=("GET", A + "/workers/dispatch/namespaces/{id}"),
        delete=("DELETE", A + "/workers/dispatch/namespaces/{id}"),
        id_field="namespace_name",
    ),
    Spec(
        name="queue_consumer",
        create=("POST", CONSUMERS),
        read=("GET", CONSUMERS + "/{consumer_id}"),
        update=("PUT", CONSUMERS + "/{consumer_id}"),
        delete=("DELETE", CONSUMERS + "/{consumer_id}"),
        id_field="consumer_id",
        resource_id="missing ID",
        id_output=None,
        path_only=frozenset({"queue_id"}),
        meta=True,
    ),
    Spec(
        name="r2_bucket",
        create=("POST", A + "/r2/buckets"),
        read=("GET", A + "/r2/buckets/{name}"),
        update=("PATCH", A + "/r2/buckets/{name}"),
        delete=("DELETE", A + "/r2/buckets/{name}"),
        id_field="name",
        import_id="account_id/name/jurisdiction",
        path_only=frozenset({"jurisdiction"}),
        headers=R2_HEADERS,
        update_headers={"Cf-R2-Storage-Class": "{storage_class}"},
        wire={"location": "locationHint", "storage_class": "storageClass"},
        any_case=frozenset({"location"}),
        meta=True,
    ),
    Spec(
        name="r2_bucket_event_notification",
        create=("PUT", EVENTS),
        read=("GET", EVENTS),
        update=("PUT", EVENTS),
        delete=("DELETE", EVENTS),
        resource_id="missing ID",
        id_output=None,
        path_only=frozenset({"bucket_name", "queue_id", "jurisdiction"}),
        headers=R2_HEADERS,
        camel=True,
    ),
    Spec(
        name="r2_bucket_lifecycle",
        create=("PUT", BUCKET + "/lifecycle"),
        read=("GET", BUCKET + "/lifecycle"),
        update=("PUT", BUCKET + "/lifecycle"),
        resource_id="missing ID",
        id_output=None,
        path_only=frozenset({"bucket_name", "jurisdiction"}),
        headers=R2_HEADERS,
        camel=True,
    ),
    Spec(
        name="r2_bucket_cors",
        create=("PUT", BUCKET + "/cors"),
        read=("GET", BUCKET + "/cors"),
        update=("PUT", BUCKET + "/cors"),
        delete=("DELETE", BUCKET + "/cors"),
        resource_id="missing ID",
        id_output=None,
        path_only=frozenset({"bucket_name", "jurisdiction"}),
        headers=R2_HEADERS,
        camel=True,
    ),
    # The next two by the schema of the official provider and the API's description: the plugin itself is not recorded.
    Spec(
        name="r2_bucket_lock",
        create=("PUT", BUCKET + "/lock"),
        read=("GET", BUCKET + "/lock"),
        update=("PUT", BUCKET + "/lock"),
        resource_id="missing ID",
        id_output=None,
        path_only=frozenset({"bucket_name", "jurisdiction"}),
        headers=R2_HEADERS,
        camel=True,
    ),
    Spec(
        name="r2_custom_domain",
        create=("POST", BUCKET + "/domains/custom"),
        read=("GET", BUCKET + "/domains/custom/{domain}"),
        update=("PUT", BUCKET + "/domains/custom/{domain}"),
        delete=("DELETE", BUCKET + "/domains/custom/{domain}"),
        resource_id="missing ID",
        id_output=None,
        path_only=frozenset({"bucket_name", "jurisdiction"}),
        headers=R2_HEADERS,
        camel=True,
        wire={"min_tls": "minTLS"},
    ),
    Spec(
        name="workers_kv_namespace",
        create=("POST", KV),
        read=("GET", KV + "/{id}"),
        update=("PUT", KV + "/{id}"),
        delete=("DELETE", KV + "/{id}"),
        meta=True,
    ),
    Spec(
        name="workers_kv",
        create=("PUT", KV + "/{namespace_id}/values/{key_name}"),
        read=("GET", KV + "/{namespace_id}/values/{key_name}"),
        update=("PUT", KV + "/{namespace_id}/values/{key_name}"),
        delete=("DELETE", KV + "/{namespace_id}/values/{key_name}"),
        encoding="kv",
        resource_id="{key_name}",
        id_output="{key_name}",
        import_id="account_id/namespace_id/key_name",
        path_only=frozenset({"namespace_id", "key_name"}),
    ),
    Spec(
        name="ai_gateway",
        create=("POST", GATEWAY),
        read=("GET", GATEWAY + "/{id}"),
        update=("PUT", GATEWAY + "/{id}"),
        delete=("DELETE", GATEWAY + "/{id}"),
        id_output=None,
        wire={"ai_gateway_provider": "provider", "limit_type": "limitType", **GUARD_CODES},
    ),
    Spec(
        name="ai_search_instance",
        create=("POST", SEARCH),
        read=("GET", SEARCH + "/{id}"),
        update=("PUT", SEARCH + "/{id}"),
        delete=("DELETE", SEARCH + "/{id}"),
        id_output=None,
        # By the Python SDK of provider 6.23.1 and the API's description: what the plugin itself does is not recorded.
        wire={
            "aisearch_model": "ai_search_model",
            "system_prompt_aisearch": "system_prompt_ai_search",
        },
    ),
    Spec(
        name="ai_gateway_dynamic_routing",
        create=("POST", GATEWAY + "/{gateway_id}/routes"),
        read=("GET", GATEWAY + "/{gateway_id}/routes/{id}"),
        update=("PATCH", GATEWAY + "/{gateway_id}/routes/{id}"),
        delete=("DELETE", GATEWAY + "/{gateway_id}/routes/{id}"),
        path_only=frozenset({"gateway_id"}),
        import_id="account_id/gateway_id/id",
        wire={"ai_gateway_dynamic_routing_provider": "provider", "element_id": "elementId", "limit_type": "limitType"},
        answer_key="route",
    ),
    Spec(
        name="workflow",
        create=("PUT", A + "/workflows/{workflow_name}"),
        read=("GET", A + "/workflows/{workflow_name}"),
        update=("PUT", A + "/workflows/{workflow_name}"),
        delete=("DELETE", A + "/workflows/{workflow_name}"),
        resource_id="{workflow_name}",
        import_id="account_id/workflow_name",
        path_only=frozenset({"workflow_name"}),
    ),
)
