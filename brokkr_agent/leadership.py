"""One of several replicas leads, by a Lease. Whoever has not renewed it in time does not write any more."""

import logging
import time
from collections.abc import Callable
from threading import Event, Thread

from brokkr_agent import moments
from brokkr_agent.cluster import Cluster, ClusterError
from brokkr_agent.manifests import Object

logger = logging.getLogger(__name__)

LEASE_SECONDS = 15
_RENEWED_EVERY = 5.0
# Less than the lease lasts, so that nobody else can lead while this process still writes.
_LEADS_FOR = 10.0


class Leadership:
    """The right to write. No clock but this machine's own is compared: another's lease is over when it did not change
    for as long as it lasts."""

    def __init__(
        self, cluster: Cluster, name: str, identity: str, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster, self._name, self._identity, self._clock = cluster, name, identity, clock
        self._leads_until = 0.0
        self._seen: tuple[str, str] = ("", "")
        self._seen_since = 0.0
        self._stop = Event()
        self._thread = Thread(target=self._keep, name="leadership", daemon=True)

    def start(self) -> None:
        """Begin to ask for the lease, and to renew it."""
        self._thread.start()

    def leads(self) -> bool:
        """Whether this process may write now."""
        return self._clock() < self._leads_until

    def end(self) -> None:
        """Give the lease back, so that another replica can lead at once."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(_RENEWED_EVERY)
        if self.leads():
            self._leads_until = 0.0
            try:
                self._give_back()
            except ClusterError as error:
                logger.info("the lease cannot be given back", extra={"status": error.status})

    def _keep(self) -> None:
        while not self._stop.is_set():
            self.try_to_lead()
            self._stop.wait(_RENEWED_EVERY)

    def try_to_lead(self) -> None:
        """Take or renew the lease, if nobody else has it."""
        asked = self._clock()
        try:
            if self._take():
                self._leads_until = asked + _LEADS_FOR
        except ClusterError as error:
            logger.warning("the lease cannot be renewed", extra={"status": error.status})

    def _take(self) -> bool:
        resource = self._cluster.resource("coordination.k8s.io/v1", "Lease")
        lease = self._cluster.get(resource, self._cluster.namespace, self._name)
        if lease is None:
            self._cluster.create(resource, self._lease({}))
            return True
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        seen = (holder, str(spec.get("renewTime")))
        if seen != self._seen:
            self._seen, self._seen_since = seen, self._clock()
        lasts = int(spec.get("leaseDurationSeconds") or LEASE_SECONDS)
        if holder not in {"", self._identity} and self._clock() < self._seen_since + lasts:
            return False
        # It is refused if another replica has written since it was read.
        self._cluster.replace(resource, self._lease(lease["metadata"]))
        return True

    def _give_back(self) -> None:
        resource = self._cluster.resource("coordination.k8s.io/v1", "Lease")
        lease = self._cluster.get(resource, self._cluster.namespace, self._name)
        if lease is not None and (lease.get("spec") or {}).get("holderIdentity") == self._identity:
            lease["spec"]["holderIdentity"] = ""
            self._cluster.replace(resource, lease)

    def _lease(self, metadata: Object) -> Object:
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata | {"name": self._name, "namespace": self._cluster.namespace},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": LEASE_SECONDS,
                "renewTime": moments.now(),
            },
        }
