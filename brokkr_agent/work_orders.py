"""Does work orders: applies their objects, waits for the Jobs among them, and says what their pods wrote last."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brokkr_agent.appliance import Appliance, Result, defined_kinds, rank
from brokkr_agent.cluster import ClusterAway, ClusterError
from brokkr_agent.health import FAILING, has_condition, health_of
from brokkr_agent.inventory import Entry
from brokkr_agent.manifests import ManifestError, Object, objects_of

# A Job needs no kind of its own: it is an object like others, whose end is waited for.
KINDS = frozenset({"custom"})
CLAIM_ANNOTATION = "brokkr.io/claim-token"
_LOG_LINES = 50
_MAX_MESSAGE = 8000

Json = dict[str, Any]


class ClaimLost(Exception):
    """The claim has ended, so another agent may do the order now: nothing more is done, and nothing is said."""


@dataclass(slots=True)
class Workshop:
    """Does one order at a time."""

    appliance: Appliance
    pause: float = 2.0
    sleep: Callable[[float], None] = time.sleep

    def do(self, order: Json, *, is_lost: Callable[[], bool]) -> Json:
        """What to say when it is done: `success`, `message` and `retryable`. Raises ClaimLost."""
        try:
            objects = [_claimed(obj, order["claim_token"]) for obj in objects_of(order["yaml_content"])]
            objects.sort(key=lambda obj: rank(obj["kind"]))
            defined = defined_kinds(objects)
            entries = [self.appliance.entry_of(obj, defined) for obj in objects]
        except ManifestError as error:
            return _outcome(False, str(error), retryable=False)
        except ClusterError as error:
            return _outcome(False, str(error))
        jobs = [
            entry for entry in entries if entry.identity.kind == "Job" and entry.identity.group == "batch"
        ]
        try:
            for job in jobs:
                self._clear(job, order["claim_token"], is_lost)
            results = self._apply(objects, entries, is_lost)
            if problems := [result for result in results if result.problem is not None]:
                said = "; ".join(f"{result.identity}: {result.problem}" for result in problems)
                return _outcome(False, said)
            return self._wait(jobs, len(objects), is_lost)
        except ClusterError as error:
            return _outcome(False, str(error))

    def _apply(
        self, objects: Sequence[Object], entries: Sequence[Entry], is_lost: Callable[[], bool]
    ) -> list[Result]:
        """Apply all, and once more what may wait for others of them."""
        names = [entry.identity for entry in entries]
        results = [
            self.appliance.apply(obj, name, stack_id=None) for obj, name in zip(objects, names, strict=True)
        ]
        if any(result.may_pass for result in results):
            self._rest(is_lost)
        return [
            self.appliance.apply(obj, result.identity, stack_id=None) if result.may_pass else result
            for obj, result in zip(objects, results, strict=True)
        ]

    def _clear(self, job: Entry, token: str, is_lost: Callable[[], bool]) -> None:
        """Remove the Job of an earlier claim, whose end would be taken for ours. Raises ClusterError, ClaimLost."""
        while (found := self._job(job)) is not None:
            annotations = found["metadata"].get("annotations") or {}
            if annotations.get(CLAIM_ANNOTATION) == token:
                return
            if CLAIM_ANNOTATION not in annotations:
                raise ClusterError("There is a Job of this name that no order has made.", status=409)
            if not found["metadata"].get("deletionTimestamp"):
                self.appliance.cluster.delete(
                    self.appliance.cluster.resource("batch/v1", "Job"),
                    job.identity.namespace,
                    job.identity.name,
                    uid=found["metadata"]["uid"],
                )
            self._rest(is_lost)

    def _wait(self, jobs: Sequence[Entry], applied: int, is_lost: Callable[[], bool]) -> Json:
        lines = [f"{applied} objects applied."]
        for job in jobs:
            found = self._job(job)
            while found is not None and not _is_over(found):
                self._rest(is_lost)
                found = self._job(job)
            health = health_of(found)
            is_failed = health.status == FAILING
            said = f"{job.identity}: {health.message if is_failed else 'complete'}"
            lines.append(f"{said}\n{self._logs(job)}".rstrip())
            if is_failed:
                return _outcome(False, "\n".join(lines))
        return _outcome(True, "\n".join(lines))

    def _rest(self, is_lost: Callable[[], bool]) -> None:
        if is_lost():
            raise ClaimLost
        self.sleep(self.pause)

    def _job(self, job: Entry) -> Object | None:
        cluster = self.appliance.cluster
        while True:
            try:
                return cluster.get(
                    cluster.resource("batch/v1", "Job"), job.identity.namespace, job.identity.name
                )
            except ClusterAway:
                # The Job goes on, and so does the claim as long as the broker hears of it.
                self.sleep(self.pause)

    def _logs(self, job: Entry) -> str:
        cluster, namespace = self.appliance.cluster, job.identity.namespace
        try:
            pods = cluster.list(
                cluster.resource("v1", "Pod"),
                namespace=namespace,
                labels=f"batch.kubernetes.io/job-name={job.identity.name}",
                limit=3,
            )
            return "\n".join(
                cluster.log_tail(namespace, pod["metadata"]["name"], container["name"], lines=_LOG_LINES)
                for pod in pods
                for container in pod["spec"]["containers"]
            )
        except ClusterError:
            return ""


def _claimed(obj: Object, token: str) -> Object:
    metadata = obj["metadata"]
    annotations = {**(metadata.get("annotations") or {}), CLAIM_ANNOTATION: token}
    return {**obj, "metadata": {**metadata, "annotations": annotations}}


def _is_over(job: Object) -> bool:
    return has_condition(job, "Complete") or has_condition(job, "Failed")


def _outcome(success: bool, message: str, *, retryable: bool = True) -> Json:  # noqa: FBT001
    return {"success": success, "message": message[-_MAX_MESSAGE:], "retryable": retryable}
