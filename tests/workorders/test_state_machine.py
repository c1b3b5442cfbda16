"""The state machine of work orders against a model of the contract, with a clock that the test moves."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from core.errors import DomainError
from core.events import Actor
from paks.actors import ActorType
from tests.factories import make_agent, make_work_order
from workorders.models import Status, WorkOrder, WorkOrderLogEntry
from workorders.services.claims import claim_work_order, complete_work_order, renew_claim
from workorders.services.expiry import release_stale_claims, requeue_due_retries
from workorders.services.orders import cancel_work_order

ADMIN = Actor(type=ActorType.ADMIN)


def attempt(step: Callable[..., Any], **arguments: object) -> tuple[Any, str | None]:
    """What the step returns, or the code of its refusal."""
    try:
        return step(**arguments), None
    except DomainError as error:
        return None, error.code


class ModelOrder:
    """What the contract says of one order."""

    def __init__(self, max_retries: int, backoff: int, timeout: int) -> None:
        self.place = "active"
        self.status = "PENDING"
        self.max_retries, self.backoff, self.timeout = max_retries, backoff, timeout
        self.retry_count = 0
        self.attempts = 0
        self.claimant: UUID | None = None
        self.token: UUID | None = None
        self.expires: datetime | None = None
        self.retry_at: datetime | None = None
        self.success: bool | None = None

    def release(self, status: str) -> None:
        self.status, self.claimant, self.token, self.expires = status, None, None, None

    def finish(self, *, success: bool) -> None:
        self.release("PENDING")
        self.place, self.success = "log", success


class WorkOrderMachine(RuleBasedStateMachine):
    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        # One transaction for the whole run, undone at its end: hypothesis runs many machines in one test.
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.agents = [make_agent(labels=["builder"])[0] for _ in range(2)]
        self.stranger = make_agent()[0]
        self.model: dict[UUID, ModelOrder] = {}
        self.old_tokens: dict[UUID, list[UUID]] = {}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    @rule(
        target=orders,
        max_retries=st.integers(0, 2),
        backoff=st.integers(1, 40),
        timeout=st.integers(1, 90),
    )
    def create(self, max_retries: int, backoff: int, timeout: int) -> UUID:
        order = make_work_order(
            max_retries=max_retries, backoff_seconds=backoff, claim_timeout_seconds=timeout, now=self.now
        )
        self.model[order.id] = ModelOrder(max_retries, backoff, timeout)
        self.old_tokens[order.id] = []
        return order.id

    @rule(order_id=orders, who=st.integers(0, 2))
    def claim(self, order_id: UUID, who: int) -> None:
        agent = [*self.agents, self.stranger][who]
        model = self.model[order_id]
        allowed = model.place == "active" and model.status == "PENDING" and agent is not self.stranger
        order, code = attempt(
            claim_work_order,
            work_order_id=order_id,
            agent_id=agent.id,
            actor=self.as_agent(agent),
            now=self.now,
        )
        if code is not None:
            assert code == "work_order_not_claimable"
            assert not allowed
            return
        assert allowed
        model.status, model.claimant, model.token = "CLAIMED", agent.id, order.claim_token
        model.expires = self.now + timedelta(seconds=model.timeout)
        model.attempts += 1
        assert order.claim_token is not None
        self.old_tokens[order_id].append(order.claim_token)

    @rule(
        order_id=orders,
        who=st.integers(0, 2),
        token=st.sampled_from(["none", "current", "old"]),
        success=st.booleans(),
        retryable=st.booleans(),
    )
    def complete(self, order_id: UUID, who: int, token: str, success: bool, retryable: bool) -> None:  # noqa: FBT001
        agent = [*self.agents, self.stranger][who]
        model = self.model[order_id]
        sent = self.pick_token(order_id, token)
        expected = self.refusal(model, agent.id, sent)
        entry, code = attempt(
            complete_work_order,
            work_order_id=order_id,
            success=success,
            message="said",
            retryable=retryable,
            claim_token=sent,
            actor=self.as_agent(agent),
            now=self.now,
        )
        if code is not None:
            assert code == expected
            return
        assert expected is None
        if success or not retryable or model.retry_count >= model.max_retries:
            assert entry is not None
            assert entry.success is success
            model.finish(success=success)
            return
        assert entry is None
        model.retry_count += 1
        model.release("RETRY_PENDING")
        model.retry_at = self.now + timedelta(seconds=model.backoff * 2**model.retry_count)

    @rule(order_id=orders, who=st.integers(0, 2), token=st.sampled_from(["none", "current", "old"]))
    def renew(self, order_id: UUID, who: int, token: str) -> None:
        agent = [*self.agents, self.stranger][who]
        model = self.model[order_id]
        sent = self.pick_token(order_id, token)
        expected = self.refusal(model, agent.id, sent)
        _, code = attempt(
            renew_claim, work_order_id=order_id, claim_token=sent, actor=self.as_agent(agent), now=self.now
        )
        if code is not None:
            assert code == expected
            return
        assert expected is None
        model.expires = self.now + timedelta(seconds=model.timeout)

    @rule(order_id=orders)
    def cancel(self, order_id: UUID) -> None:
        model = self.model[order_id]
        _, code = attempt(cancel_work_order, work_order_id=order_id, actor=ADMIN)
        if code is not None:
            assert code == "work_order_not_found"
            assert model.place != "active"
            return
        assert model.place == "active"
        model.place = "gone"

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def worker_runs(self) -> None:
        release_stale_claims(now=self.now)
        requeue_due_retries(now=self.now)
        for model in self.model.values():
            if model.place != "active":
                continue
            if model.status == "CLAIMED" and model.expires is not None and model.expires <= self.now:
                if model.retry_count >= model.max_retries:
                    model.finish(success=False)
                else:
                    model.retry_count += 1
                    model.release("PENDING")
            elif (
                model.status == "RETRY_PENDING" and model.retry_at is not None and model.retry_at <= self.now
            ):
                model.status = "PENDING"

    @invariant()
    def every_order_is_in_the_place_and_state_the_model_says(self) -> None:
        active = {order.id: order for order in WorkOrder.objects.all()}
        log = {entry.id: entry for entry in WorkOrderLogEntry.objects.all()}
        assert not active.keys() & log.keys()
        assert active.keys() == {i for i, m in self.model.items() if m.place == "active"}
        assert log.keys() == {i for i, m in self.model.items() if m.place == "log"}
        for order_id, order in active.items():
            model = self.model[order_id]
            assert order.status == model.status
            assert order.retry_count == model.retry_count <= order.max_retries
            assert (order.claimed_by_id, order.claim_token) == (model.claimant, model.token)
            assert order.claim_expires_at == model.expires
            assert (order.status == Status.RETRY_PENDING) == (order.next_retry_after is not None)
        for order_id, entry in log.items():
            assert entry.success is self.model[order_id].success
            assert entry.retries_attempted == self.model[order_id].retry_count
        assert all(model.attempts <= model.max_retries + 1 for model in self.model.values())

    def as_agent(self, agent: object) -> Actor:
        return Actor(type=ActorType.AGENT, id=agent.id)  # type: ignore[attr-defined]

    def pick_token(self, order_id: UUID, which: str) -> UUID | None:
        tokens = self.old_tokens[order_id]
        if which == "current":
            return self.model[order_id].token
        return tokens[0] if which == "old" and tokens else None

    def refusal(self, model: ModelOrder, agent_id: UUID, token: UUID | None) -> str | None:
        if model.place != "active":
            return "work_order_not_found"
        if token is not None and token != model.token:
            return "stale_claim"
        if model.claimant != agent_id:
            return "work_order_not_claimed_by_agent"
        return None


@pytest.mark.django_db
def test_every_sequence_of_steps_ends_where_the_contract_says():
    run_state_machine_as_test(WorkOrderMachine, settings=settings(max_examples=40, stateful_step_count=30))
