"""What a version of a Worker must export for its workflows, checked before anything changes."""

from __future__ import annotations

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.workflows.instances import Instances
from inferstack.local.workflows.state import BINDING, Flows

CLASSES = "workflow_classes"  # of a version: those that it was seen to export


class Rules:
    """Of one account."""

    def __init__(self, flows: Flows, instances: Instances) -> None:
        self._flows, self._instances = flows, instances

    def concern(self, worker: Document, version: Document) -> bool:
        """Whether it matters which classes the version exports."""
        return bool(list(_own(worker, version)) or self._flows.of(worker["name"]))

    def check_bindings(self, worker: Document, version: Document, scripts: set[str]) -> None:
        """Raises `ApiError` for a binding that can lead nowhere."""
        exported = version.get(CLASSES)
        for binding in _own(worker, version):
            class_name = binding.get("class_name")
            if class_name and exported is not None and class_name not in exported:
                text = f"binding {binding['name']} of type workflow names the class '{class_name}', "
                raise ApiError(400, 10021, f"{text}which the script does not export as a WorkflowEntrypoint.")
        for binding in version["bindings"]:
            script = binding.get("script_name")
            if binding["type"] == BINDING and script and script not in scripts:
                text = f"Cannot create binding for workflow '{binding['workflow_name']}' in script '{script}' "
                raise ApiError(400, 10061, f"{text}that does not exist.")

    async def check_deployment(self, worker: Document, versions: list[Document]) -> None:
        """Raises `ApiError` when a class would go away under instances that have not ended."""
        for flow in self._flows.of(worker["name"]):
            if all(flow.class_name in (version.get(CLASSES) or []) for version in versions):
                continue
            await self._refuse_running(flow.name, "the new version of the script does not export")

    async def check_delete(self, worker: Document) -> None:
        for flow in self._flows.of(worker["name"]):
            await self._refuse_running(flow.name, "nothing would export")

    async def _refuse_running(self, name: str, why: str) -> None:
        flow = self._flows.flow(name)
        running = await self._instances.running(flow)
        if running:
            named = ", ".join(running[:5]) + (", …" if len(running) > 5 else "")
            text = f"Workflow '{name}' has instances that have not ended ({named}), and {why} "
            raise ApiError(400, 10021, f"{text}its class '{flow.class_name}'. Terminate them, or keep the class.")


def _own(worker: Document, version: Document) -> list[Document]:
    """Bindings to workflows of its own classes."""
    found = [binding for binding in version["bindings"] if binding["type"] == BINDING]
    return [each for each in found if (each.get("script_name") or worker["name"]) == worker["name"]]
