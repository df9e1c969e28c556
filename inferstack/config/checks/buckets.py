"""Rules of buckets: none that deletes what nobody meant, none that says the contrary of another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.storage_models import BucketSpec, EventSpec, LifecycleSpec, LockSpec
from inferstack.config.tree import KeyPath

WRITES = {"PUT", "POST", "DELETE"}


def check(spec: StackSpec, report: Report) -> None:
    for key, bucket in spec.buckets.items():
        at = ("buckets", key)
        for name, rule in (bucket.lifecycle or {}).items():
            _check_lifecycle((*at, "lifecycle", name), rule, report)
        _check_locks(at, bucket, report)
        _check_events(at, bucket.events, report)
        for place, each in enumerate(bucket.events):
            _check_loop(spec, key, (*at, "events", place), each, report)
        for place, cors in enumerate(bucket.cors):
            written = [method for method in cors.methods if method in WRITES]
            if "*" in cors.origins and written:
                problem = f"pages of everybody may send {' and '.join(written)} to `{key}`"
                report("IS142", (*at, "cors", place, "origins"), problem, "name the origins of your own pages")
    _check_hosts(spec, report)


def _check_lifecycle(at: KeyPath, rule: LifecycleSpec, report: Report) -> None:
    if rule.deletes and "prefix" not in rule.model_fields_set:
        when = f"on {rule.delete_on}" if rule.delete_on else f"after {_days(rule.delete_after_days or 0)}"
        problem = f"rule `{at[-1]}` deletes every object of the bucket {when}"
        report("IS137", at, problem, "name a `prefix`, or say `prefix: ''` when all are meant")
    moved, deleted = rule.infrequent_after_days, rule.delete_after_days
    if moved is not None and deleted is not None and moved >= deleted:
        problem = f"objects move to infrequent access after {_days(moved)}, and are deleted after {_days(deleted)}"
        report("IS138", (*at, "infrequent_after_days"), problem, "let them move earlier, or leave it out")


def _check_locks(at: KeyPath, bucket: BucketSpec, report: Report) -> None:
    for name, rule in (bucket.lifecycle or {}).items():
        for lock_name, lock in (bucket.lock or {}).items():
            if rule.enabled and lock.enabled and rule.deletes and _nested(rule.prefix, lock.prefix):
                kept = _kept_longer(rule, lock)
                if kept:
                    problem = f"rule `{name}` deletes what lock `{lock_name}` keeps {kept}: the lock wins"
                    report(
                        "IS139", (*at, "lifecycle", name), problem, "let the rule delete later, or the lock end earlier"
                    )


def _kept_longer(rule: LifecycleSpec, lock: LockSpec) -> str:
    if lock.forever:
        return "for ever"
    if lock.days is not None:
        longer = rule.delete_on is not None or lock.days > (rule.delete_after_days or 0)
        return f"for {_days(lock.days)}" if longer else ""
    assert lock.until is not None
    return f"until {lock.until}" if rule.delete_on is None or lock.until > rule.delete_on else ""


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number} days"


def _nested(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _check_events(at: KeyPath, events: list[EventSpec], report: Report) -> None:
    for (_, one), (place, other) in combinations(enumerate(events), 2):
        ends = one.suffix.endswith(other.suffix) or other.suffix.endswith(one.suffix)
        both = set(one.of) & set(other.of)
        if one.queue == other.queue and both and _nested(one.prefix, other.prefix) and ends:
            problem = (
                f"an object that is {sorted(both)[0]} can meet this rule and one before it, both for `{one.queue}`"
            )
            report("IS140", (*at, "events", place), problem, "give them prefixes or suffixes that exclude each other")


def _check_loop(spec: StackSpec, key: str, at: KeyPath, event: EventSpec, report: Report) -> None:
    queue = spec.queues.get(event.queue)
    worker = spec.workers.get(queue.consumer.worker) if queue and queue.consumer else None
    bound = worker is not None and any(binding.bucket == key for binding in worker.bindings.values())
    if bound and "created" in event.of and not (event.prefix or event.suffix):
        assert queue is not None
        assert queue.consumer is not None
        problem = f"Worker `{queue.consumer.worker}` is told of every object of `{key}`, and can write there itself"
        report("IS141", at, problem, "name the `prefix` or `suffix` of what it reads, and write elsewhere")


def _hosts(spec: StackSpec) -> Iterator[tuple[str, KeyPath]]:
    for key, worker in spec.workers.items():
        for place, domain in enumerate(worker.domains):
            yield domain.hostname, ("workers", key, "domains", place, "hostname")
    for key, bucket in spec.buckets.items():
        for place, host in enumerate(bucket.domains):
            yield host.hostname, ("buckets", key, "domains", place, "hostname")


def _check_hosts(spec: StackSpec, report: Report) -> None:
    known: dict[str, KeyPath] = {}
    hosts: Iterable[tuple[str, KeyPath]] = _hosts(spec)
    for host, at in hosts:
        first = known.setdefault(host, at)
        if first != at:
            problem = f"`{host}` is already the host name of `{first[0]}.{first[1]}`"
            report("IS143", at, problem, "give one of them another host name")
