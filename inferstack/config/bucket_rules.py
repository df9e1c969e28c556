"""Rules of a bucket as R2's API has them, which is as the official provider's resources take them, too."""

from __future__ import annotations

from typing import Any

from inferstack.config.storage_models import BucketSpec

DAY = 86_400
Rule = dict[str, Any]


def cors_rules(spec: BucketSpec) -> list[Rule]:
    rules = []
    for each in spec.cors:
        allowed = {"methods": each.methods, "origins": each.origins, "headers": each.headers or None}
        rule = {"allowed": _said(allowed), "exposeHeaders": each.expose or None, "maxAgeSeconds": each.max_age}
        rules.append(_said(rule))
    return rules


def lifecycle_rules(spec: BucketSpec) -> list[Rule]:
    rules = []
    for name, each in (spec.lifecycle or {}).items():
        rule: Rule = {"id": name, "enabled": each.enabled, "conditions": {"prefix": each.prefix}}
        if each.delete_after_days is not None:
            rule["deleteObjectsTransition"] = {"condition": _age(each.delete_after_days)}
        if each.delete_on is not None:
            rule["deleteObjectsTransition"] = {"condition": {"type": "Date", "date": _midnight(each.delete_on)}}
        if each.abort_uploads_after_days is not None:
            rule["abortMultipartUploadsTransition"] = {"condition": _age(each.abort_uploads_after_days)}
        if each.infrequent_after_days is not None:
            moved = {"condition": _age(each.infrequent_after_days), "storageClass": "InfrequentAccess"}
            rule["storageClassTransitions"] = [moved]
        rules.append(rule)
    return rules


def lock_rules(spec: BucketSpec) -> list[Rule]:
    rules = []
    for name, each in (spec.lock or {}).items():
        condition: Rule = {"type": "Indefinite"}
        if each.days is not None:
            condition = {"type": "Age", "maxAgeSeconds": each.days * DAY}
        if each.until is not None:
            condition = {"type": "Date", "date": _midnight(each.until)}
        rules.append({"id": name, "enabled": each.enabled, "prefix": each.prefix, "condition": condition})
    return rules


def event_rules(spec: BucketSpec, queue: str) -> list[Rule]:
    """Those for one queue."""
    return [
        _said(
            {
                "actions": each.actions,
                "prefix": each.prefix or None,
                "suffix": each.suffix or None,
                "description": each.description,
            }
        )
        for each in spec.events
        if each.queue == queue
    ]


def _age(days: int) -> Rule:
    return {"type": "Age", "maxAge": days * DAY}


def _midnight(day: str) -> str:
    return f"{day}T00:00:00Z"


def _said(values: Rule) -> Rule:
    return {name: value for name, value in values.items() if value is not None}
