"""The number of orders that each agent may claim, against the list that it counts."""

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tests.factories import make_agent, make_work_order
from workorders.matching import pending_counts, pending_for
from workorders.models import WorkOrder
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db

words = st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=2)
# A pair may hold the same word as a label.
pairs = st.dictionaries(st.sampled_from(["a", "k"]), st.sampled_from(["1", "b"]))
orders = st.lists(
    st.fixed_dictionaries(
        {"labels": words, "annotations": pairs, "named": st.booleans(), "pending": st.booleans()}
    ),
    max_size=4,
)


@examples(max_examples=40)
@given(owners=st.lists(st.tuples(words, pairs), min_size=1, max_size=3), plans=orders)
def test_it_is_the_number_of_orders_that_each_agent_may_claim(owners, plans):
    with transaction.atomic():
        agents = [make_agent(labels=labels, annotations=pairs)[0] for labels, pairs in owners]
        for plan in plans:
            named = [agents[0].id] if plan["named"] else [make_agent()[0].id]
            order = make_work_order(targeting=Targeting(named, plan["labels"], plan["annotations"]))
            if not plan["pending"]:
                WorkOrder.objects.filter(pk=order.pk).update(
                    status="RETRY_PENDING", next_retry_after=timezone.now()
                )
        claimable = {agent.id: pending_for(agent.id).count() for agent in agents}
        waiting = {agent_id: count for agent_id, count in claimable.items() if count}
        found = pending_counts()
        assert {agent.id: found[agent.id] for agent in agents if found.get(agent.id)} == waiting
        assert {key: count for key, count in pending_counts(list(claimable)).items() if count} == waiting
        transaction.set_rollback(True)


def test_the_number_of_queries_does_not_grow(django_assert_num_queries):
    for number in range(6):
        agent, _ = make_agent(labels=["a", f"l{number}"], annotations={"k": "v"})
        make_work_order(targeting=Targeting([agent.id], ["a", f"l{number}"], {"k": "v"}))
    with django_assert_num_queries(5):
        counts = pending_counts()
    assert list(counts.values()) == [6] * 6
