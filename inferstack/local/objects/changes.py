"""What deploying a version does to the namespaces of its account: checked first, applied with the deployment, undone with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.objects.declared import due
from inferstack.local.objects.migrations import Subject, check_tag, check_version, migrate, read
from inferstack.local.objects.state import NAMESPACE, Space, Spaces, find_space


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`versions` are those whose migrations it applies."""

    spaces: list[Space]
    gone: set[str]
    tag: str | None
    versions: list[str]


class Changes:
    """Of the Workers of one account."""

    def __init__(self, spaces: Spaces, account: str) -> None:
        self._spaces, self._account = spaces, account

    def concern(self, worker: Document, version: Document) -> bool:
        """Whether it matters which classes the version exports."""
        binds = any(binding["type"] == NAMESPACE for binding in version["bindings"])
        says = version.get("migrations") or version.get("exports")
        return binds or bool(says or self._spaces.of(worker["name"]))

    def check(self, worker: Document, versions: list[Document]) -> Change:
        """Raises `ApiError` when one of the versions cannot run after the migrations of all."""
        before = after = self._spaces.all()
        tag, applied = self._spaces.tag(worker["id"]), []
        for version in versions:
            steps = self._steps(worker, version, after, tag)
            if not steps:
                continue
            if len(versions) > 1:
                text = "a version with a Durable Object migration must be deployed at 100 percent"
                raise ApiError(400, 10211, text)
            after = migrate(after, steps, self._subject(worker, version))
            tag = (version.get("migrations") or {}).get("new_tag") or tag
            applied.append(version["id"])
        for version in versions:
            if self.concern(worker, version):
                check_version(before, after, self._subject(worker, version))
        gone = {space.id for space in before} - {space.id for space in after}
        return Change(spaces=after, gone=gone, tag=tag, versions=applied)

    def rehearsed(self, worker: Document, version: Document) -> list[Space]:
        """The namespaces that the version is tried with; raises `ApiError`."""
        spaces = self._spaces.all()
        steps = self._steps(worker, version, spaces, self._spaces.tag(worker["id"]))
        spaces = migrate(spaces, steps, self._subject(worker, version))
        return [space for space in spaces if space.script == worker["name"]]

    def _steps(self, worker: Document, version: Document, spaces: list[Space], tag: str | None) -> list[Document]:
        """What is due; a version that was deployed before has done its own."""
        body = version.get("migrations")
        if body and not self._spaces.is_applied(worker["id"], version["id"]):
            check_tag(body, tag)
            return read(body)
        return due(version.get("exports") or {}, spaces, worker["name"])

    def resolved(self, worker: Document, version: Document) -> Document:
        """With the ids of namespaces in its bindings: they outlive a rename of the class."""
        spaces, bindings = self._spaces.all(), []
        for binding in version["bindings"]:
            space = find_space(spaces, binding, worker["name"]) if binding["type"] == NAMESPACE else None
            bindings.append({**binding, "namespace_id": space.id} if space else binding)
        return {**version, "bindings": bindings}

    def used(self, script: str, version: Document) -> set[str]:
        spaces = self._spaces.all()
        found = [find_space(spaces, b, script) for b in version["bindings"] if b["type"] == NAMESPACE]
        return {space.id for space in found if space}

    def apply(self, worker: Document, change: Change) -> Callable[[], None]:
        """Returns what undoes it."""
        before, record = self._spaces.all(), self._spaces.migrated(worker["id"])
        if not change.versions:
            return lambda: None
        versions = [*(record or {"versions": []})["versions"], *change.versions]
        self._spaces.save(before, change.spaces)
        self._spaces.set_migrated(worker["id"], {"tag": change.tag, "versions": versions})

        def undo() -> None:
            self._spaces.save(change.spaces, before)
            self._spaces.set_migrated(worker["id"], record)

        return undo

    def forget(self, worker: Document) -> None:
        """The Worker is deleted."""
        self._spaces.save(self._spaces.of(worker["name"]), [])
        self._spaces.set_migrated(worker["id"], None)

    def _subject(self, worker: Document, version: Document) -> Subject:
        return Subject(
            account=self._account,
            script=worker["name"],
            classes=frozenset(version.get("classes") or []),
            bindings=version["bindings"],
        )
