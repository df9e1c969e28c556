"""Which Workers share a process with Durable Objects and workflows, and which process a request is for.

Exactly one process may have a namespace's files open, so it can't be replaced by one that starts beside it. Workers that
own objects or workflows, or are bound to them, live there, and with them all that they are joined to by service bindings:
RPC between two processes would end with every deploy of either.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from inferstack.local.dispatch import services as dispatch
from inferstack.local.objects.state import NAMESPACE, find_space
from inferstack.local.runtime.planned import Plan, RunningVersion, key_of
from inferstack.local.workflows.state import BINDING as WORKFLOW


def split(plan: Plan) -> tuple[Plan, Plan]:
    """Without objects, and with. The first keeps all hosts: it is the one that says which there are."""
    joined = _with_objects(plan)
    free = [each for each in plan.versions if each.key not in joined]
    hosts = {host: key for host, key in plan.hosts.items() if key in joined}
    routes = [route for route in plan.routes if route["script"] in joined]
    stateful = [each for each in plan.versions if each.key in joined]
    return (
        replace(plan, versions=free, spaces=[], flows=[]),
        Plan(
            versions=stateful,
            hosts=hosts,
            routes=routes,
            spaces=plan.spaces if stateful else [],
            flows=plan.flows if stateful else [],
            traced=plan.traced,
        ),
    )


def _with_objects(plan: Plan) -> set[str]:
    reach: dict[str, set[str]] = {}
    found = {key_of(space.account, space.script) for space in plan.spaces}
    found |= {key_of(flow.account, flow.script) for flow in plan.flows}
    for running in plan.versions:
        for other in _neighbours(plan, running):
            reach.setdefault(running.key, set()).add(other)
            reach.setdefault(other, set()).add(running.key)
        if any(binding["type"] in (NAMESPACE, WORKFLOW) for binding in running.version["bindings"]):
            found.add(running.key)
    waiting = list(found)
    while waiting:
        new = reach.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def _neighbours(plan: Plan, running: RunningVersion) -> list[str]:
    bindings = running.version["bindings"]
    services = [binding["service"] for binding in bindings if binding["type"] == "service"]
    spaces = [
        find_space(plan.spaces_of(running.account), b, running.script) for b in bindings if b["type"] == NAMESPACE
    ]
    named = [str(b["workflow_name"]) for b in bindings if b["type"] == WORKFLOW]
    flows = [plan.flow_of(running.account, name) for name in named]
    owners = [*(space.script for space in spaces if space), *(flow.script for flow in flows if flow)]
    namespaces = [binding for binding in bindings if binding["type"] == dispatch.BINDING]
    found = [f"{b['namespace']}/{name}" for b in namespaces for name in plan.dispatched(running.account, b)]
    return [key_of(running.account, name) for name in [*services, *running.tails, *owners, *found]]


def fingerprint(plan: Plan) -> str:
    """Differs when another process is needed; a version never changes, its id stands for it."""
    versions = [
        (each.key, each.version["id"], each.percentage, each.secrets, each.tails, each.drives) for each in plan.versions
    ]
    spaces = [(space.id, space.name, space.sqlite) for space in plan.spaces]
    flows = sorted((flow.id, flow.version, flow.name) for flow in plan.flows)
    return json.dumps(
        [sorted(versions, key=str), sorted(spaces), flows, plan.hosts, plan.routes, plan.buckets, plan.traced],
        sort_keys=True,
    )


@dataclass(frozen=True, slots=True)
class Ways:
    """To which Workers requests go; `stateful` are the keys of those with objects."""

    hosts: dict[str, str]
    routes: list[tuple[re.Pattern[str], str]]
    stateful: frozenset[str]

    @classmethod
    def of(cls, plan: Plan, stateful: Plan) -> Ways:
        routes = [(re.compile(route["regex"]), route["script"]) for route in plan.routes]
        return cls(plan.hosts, routes, frozenset(each.key for each in stateful.versions))

    def to_objects(self, host: str, path: str) -> bool:
        """As `scriptFor` in system.js decides."""
        name = host if host.startswith("[") else host.partition(":")[0]
        key = self.hosts.get(host) or self.hosts.get(name)
        if key is None:
            target = name + path
            key = next((script for pattern, script in self.routes if pattern.search(target)), None)
        return key in self.stateful
