"""What the keys of gateways, and of where telemetry goes, mean; a part of `descriptions.py`."""

from __future__ import annotations

# ruff: noqa: E501 - one line a key reads best
GATEWAYS: dict[str, dict[str, str]] = {
    "RetrySpec": {
        "attempts": "How often a failed call is repeated, at most 5 times.",
        "delay_ms": "Milliseconds before the first repetition.",
        "backoff": "How the delay grows.",
    },
    "LogSpec": {"keep": "Number of logs.", "when_full": "Stop logging, or delete the oldest."},
    "SplitSpec": {"percent": "Share of the route's requests.", "model": "Alias of the model that gets it."},
    "ConditionSpec": {
        "metadata": "Names of the request's metadata, each with the value or values that it must have.",
        "models": "Aliases in order: each next one answers when the one before fails.",
    },
    "RouteLimitSpec": {
        "by": "Name in the request's metadata; each of its values is counted for itself.",
        "interval": "Seconds.",
        "requests": "The most requests in an interval.",
        "usd": "The most US dollars in an interval.",
        "models": "Aliases that answer above the limit; without any, the request is refused.",
    },
    "RouteSpec": {
        "models": "Aliases in order: each next one answers when the one before fails.",
        "conditions": "In order, the first that holds: requests that go to other models.",
        "limits": "Requests or dollars for each user, or whatever the metadata names.",
        "split": "Shares that go to another model first.",
        "timeout_ms": "Milliseconds after which a model counts as failed.",
        "retries": "How often a model is tried again.",
    },
    "RateLimitSpec": {
        "limit": "Requests in an interval.",
        "interval": "Seconds.",
        "technique": "`fixed` intervals, or a `sliding` one.",
    },
    "DestinationSpec": {
        "url": "The address that takes OTLP: `https://api.honeycomb.io/v1/traces`.",
        "sends": "`traces` or `logs`.",
        "headers": "Headers of each request, such as a key's: their values are secrets.",
    },
    "ObservabilitySpec": {"logs": "What is logged.", "traces": "Spans of each request, its bindings and its models."},
    "KeptSpec": {
        "sample": "The share that is kept, up to 1.",
        "keep": "Whether Cloudflare keeps it, too, where it is sent elsewhere.",
        "to": "Destinations, by their keys.",
    },
    "ProviderSpec": {"base_url": "What stands before `/chat/completions`: `https://llm.example.com/v1`."},
    "ProviderKeySpec": {
        "secret": "Where the key is: `env:NAME`, `file:path` or `config:name`.",
        "alias": "Name of the key at the gateway.",
    },
    "GuardrailSpec": {
        "prompt": "For each code (`P1` injection of prompts, `S1` to `S13` hazards), whether a prompt is flagged or blocked.",
        "response": "The same for responses.",
    },
    "DlpSpec": {
        "profiles": "Names or ids of Cloudflare's profiles, such as `Financial Information`, or ids of the account's own.",
        "action": "Flag a match in the log, or block the request.",
    },
    "SpendLimitSpec": {
        "usd": "US dollars in an interval; sent as cents.",
        "interval": "Seconds.",
        "technique": "`fixed` intervals, or a `sliding` one.",
        "models": "Only requests to these models, by their own names.",
        "providers": "Only requests to these providers.",
        "per": "Name in the request's metadata; each of its values has a limit of its own.",
    },
    "GatewayPolicySpec": {
        "action": "`allow`, `cap` by money, `block`, or `block_others` than those that are named.",
        "models": "By their own names, `*` for a part between slashes: `openai/gpt-*`. Without any, all.",
        "providers": "By name; with `models`, both must fit.",
        "actor": "Whose budget it is: one of all, or with fields in braces one for each value: `user:{metadata.user}`.",
        "when": "An expression of CEL over `cf.user.*`, `cf.country` and `metadata.*`.",
        "usd": "Of a cap, US dollars.",
        "per": "Of a cap, the calendar's interval in UTC.",
    },
    "GatewaySpec": {
        "authentication": "Whether callers must send a token of the account.",
        "byok_only": "Whether other providers are called with keys of yours only, and never on Cloudflare's bill.",
        "zdr": "Whether providers that Cloudflare pays are to retain nothing (OpenAI and Anthropic can); keys of yours are not concerned.",
        "billing": "How models of Workers AI are paid: `postpaid` by the account, `unified` from AI Gateway's credits.",
        "otel": "Destinations, by their keys, that take a span of each request, with what was asked and said.",
        "cache_ttl": "Seconds that answers are kept, at least 60; 0 for not at all.",
        "cache_invalidate_on_update": "Whether a change of the gateway empties its cache.",
        "collect_logs": "Whether requests and answers are logged.",
        "rate_limit": "At most so many requests.",
        "retries": "How the gateway itself repeats failed calls.",
        "logs": "How many logs are kept.",
        "guardrails": "What a guard model looks for, and what happens then.",
        "dlp": "Data loss prevention.",
        "spend_limits": "The most that may be spent; requests above it are refused.",
        "routes": "Dynamic routes by name.",
        "keys": "Keys of external providers, by provider.",
        "policies": "Who may call which models, for how much; with one, what none allows is denied.",
        "raw": "Properties as the official provider has them, over what this tool sets.",
    },
}
