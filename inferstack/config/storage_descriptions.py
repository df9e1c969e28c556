"""What the keys of buckets and namespaces mean; a part of `descriptions.py`."""

from __future__ import annotations

# ruff: noqa: E501 - one line a key reads best
STORAGE: dict[str, dict[str, str]] = {
    "BucketSpec": {
        "name": "Exact name on Cloudflare, such as that of one which exists; without it, prefix, key and environment.",
        "location": "Hint where the objects are.",
        "jurisdiction": "Where the objects must stay.",
        "storage_class": "`InfrequentAccess` is cheaper to keep and dearer to read.",
        "cors": "Which pages of others may read or write in a browser.",
        "lifecycle": "What becomes of objects with their age, by name of the rule. `{}` takes all rules away; without the key they stay as they are on Cloudflare.",
        "lock": "Objects that may be neither overwritten nor deleted, by name of the rule. `{}` takes all locks away; without the key they stay as they are on Cloudflare.",
        "events": "Queues that are told when objects come and go.",
        "domains": "Host names under which everybody can read the objects.",
        "raw": "Properties as the official provider has them, over what this tool sets.",
    },
    "CorsSpec": {
        "origins": "Origins such as `https://app.example.com`, without a path; `*` for all.",
        "methods": "What they may do.",
        "headers": "Headers that they may send.",
        "expose": "Headers of the answer that they may read.",
        "max_age": "Seconds that a browser remembers it.",
    },
    "LifecycleSpec": {
        "prefix": "Only objects whose key begins so.",
        "enabled": "Whether the rule acts.",
        "delete_after_days": "Days from the upload until the object is deleted.",
        "delete_on": "The day, as 2027-01-31, from which on they are deleted.",
        "infrequent_after_days": "Days from the upload until the object moves to infrequent access.",
        "abort_uploads_after_days": "Days after which an unfinished multipart upload is given up.",
    },
    "LockSpec": {
        "prefix": "Only objects whose key begins so.",
        "enabled": "Whether the lock holds.",
        "days": "Days from the upload.",
        "until": "The day, as 2027-01-31, on which it ends.",
        "forever": "It does not end.",
    },
    "EventSpec": {
        "queue": "The queue of `queues:` that gets the message.",
        "of": "`created`: put, copied, or uploaded in parts; `deleted`: by somebody, or by a lifecycle rule.",
        "prefix": "Only objects whose key begins so.",
        "suffix": "Only objects whose key ends so.",
        "description": "A note kept with the rule.",
    },
    "BucketDomainSpec": {
        "hostname": "The host name, in a zone of the account.",
        "zone": "Id of that zone.",
        "min_tls": "The oldest TLS that is answered.",
        "enabled": "Whether it answers.",
    },
    "HyperdriveSpec": {
        "url": "Reference to the address, such as `env:DATABASE_URL`, which is `postgres://user:password@host:port/database` or of MySQL. Whether Cloudflare reaches it, only Cloudflare can say.",
        "caching": "How long answers to reads are kept; `false` for not at all.",
        "connections": "The most connections to the database, about.",
        "name": "Exact name on Cloudflare, such as that of one which exists; without it, prefix, key and environment.",
    },
    "DispatchNamespaceSpec": {
        "name": "Exact name on Cloudflare, such as that of one which exists; without it, prefix, key and environment.",
    },
    "HyperdriveCachingSpec": {
        "max_age": "Seconds that an answer is fresh.",
        "stale_while_revalidate": "Seconds that it is still given while a new one is fetched.",
    },
    "NamespaceSpec": {
        "name": "Exact name on Cloudflare, such as that of one which exists; without it, prefix, key and environment.",
        "id": "Id of one that exists, for `inferstack adopt`.",
        "seed": "File of keys and values, YAML or JSON, that a deployment puts there; a changed one is written again, a key that left the file is deleted.",
        "raw": "Properties as the official provider has them, over what this tool sets.",
    },
}
