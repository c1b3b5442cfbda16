"""One of several replicas leads."""

import pytest

from brokkr_agent.cluster import ClusterAway
from brokkr_agent.leadership import LEASE_SECONDS, Leadership
from tests.brokkr_agent.fake_cluster import FakeCluster, be_away


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def replicas() -> tuple[FakeCluster, Clock, Leadership, Leadership]:
    cluster, clock = FakeCluster(), Clock()
    one, other = (Leadership(cluster.connect(), "lease", name, clock=clock) for name in ("one", "other"))
    return cluster, clock, one, other


def test_the_first_leads_and_the_other_does_not():
    _, _, one, other = replicas()
    one.try_to_lead()
    other.try_to_lead()
    assert (one.leads(), other.leads()) == (True, False)


def test_who_renews_goes_on_leading():
    _, clock, one, other = replicas()
    for _ in range(10):
        one.try_to_lead()
        other.try_to_lead()
        clock.now += 5
    one.try_to_lead()
    assert (one.leads(), other.leads()) == (True, False)


def test_when_the_leader_is_gone_the_other_leads_and_they_never_lead_both():
    cluster, clock, one, other = replicas()
    one.try_to_lead()
    for _ in range(LEASE_SECONDS + 1):
        other.try_to_lead()
        assert not (one.leads() and other.leads())
        clock.now += 1
    assert (one.leads(), other.leads()) == (False, True)
    assert "/leases/lease" in next(iter(cluster.objects))


def test_a_leader_that_cannot_renew_stops_leading():
    cluster, clock, one, _ = replicas()
    one.try_to_lead()
    cluster.refuse = be_away
    clock.now += LEASE_SECONDS
    one.try_to_lead()
    assert not one.leads()


def test_a_lease_that_is_given_back_is_free_at_once():
    _, _, one, other = replicas()
    one.try_to_lead()
    one.end()
    other.try_to_lead()
    assert (one.leads(), other.leads()) == (False, True)


def test_who_does_not_lead_writes_nothing():
    cluster, _, one, _ = replicas()
    client = cluster.connect()
    client.may_write = one.leads
    resource = client.resource("v1", "ConfigMap")
    obj = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "brokkr"}}
    with pytest.raises(ClusterAway):
        client.apply(resource, obj)
    assert cluster.texts() == {}
