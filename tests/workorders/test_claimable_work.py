"""An agent that looks for work: the fast spellings of the rule against the readable one, and their cost."""

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from paks.models import Pak
from paks.tokens import split_token
from tests.factories import make_agent, make_work_order
from tests.support.api import Api, refused
from workorders.claimable_work import look_for_work
from workorders.claiming_agents import agents_for_orders
from workorders.matching import pending_for
from workorders.models import WorkOrder
from workorders.services.targeting import Targeting

pytestmark = pytest.mark.django_db

words = st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=2)
pairs = st.dictionaries(st.sampled_from(["k"]), st.sampled_from(["1", "2"]))
orders = st.lists(
    st.fixed_dictionaries(
        {"labels": words, "annotations": pairs, "named": st.booleans(), "pending": st.booleans()}
    ),
    max_size=3,
)


@examples(max_examples=60)
@given(labels=words, annotations=pairs, plans=orders)
def test_all_spellings_of_the_rule_agree(labels, annotations, plans):
    with transaction.atomic():
        agent, api = make_agent(labels=labels, annotations=annotations)
        other, _ = make_agent()
        for plan in plans:
            named = [agent.id] if plan["named"] else [other.id]
            targeting = Targeting(agent_ids=named, labels=plan["labels"], annotations=plan["annotations"])
            order = make_work_order(targeting=targeting)
            if not plan["pending"]:
                WorkOrder.objects.filter(pk=order.pk).update(
                    status="RETRY_PENDING", next_retry_after=timezone.now()
                )
        look = look_for_work(agent_id=agent.id, token=split_token(api.key))
        claimable = set(pending_for(agent.id).values_list("pk", flat=True))
        assert look.found is bool(claimable)
        pending = WorkOrder.objects.filter(status="PENDING").values_list("pk", flat=True)
        assert {order for each, order in agents_for_orders(list(pending)) if each == agent.id} == claimable
        transaction.set_rollback(True)


def test_an_agent_with_more_annotations_than_a_statement_has_parts_finds_its_orders():
    agent, api = make_agent(annotations={f"k{number}": "v" for number in range(1200)})
    first, last = (make_work_order(targeting=Targeting(annotations={key: "v"})) for key in ("k0", "k1199"))
    make_work_order(targeting=Targeting(annotations={"k0": "another"}))
    found = api.get(f"/agents/{agent.id}/work-orders/pending").json()
    assert [order["id"] for order in found] == [str(first.id), str(last.id)]


def test_finding_none_is_one_statement(django_assert_num_queries):
    agent, api = make_agent(labels=["a"])
    make_work_order()
    Pak.objects.filter(subject_id=agent.id).update(last_used_at=timezone.now())
    for query in ("", "?work_type=build"):
        with django_assert_num_queries(1):
            assert api.get(f"/agents/{agent.id}/work-orders/pending{query}").json() == []


def test_the_lane_and_the_view_answer_alike(admin):
    agent, api = make_agent(labels=["builder"])
    path = f"/agents/{agent.id}/work-orders/pending"
    for _ in range(2):
        short, long = api.get(path), admin.get(path)
        assert (short.status_code, short.content) == (long.status_code, long.content)
        for header in ("Content-Type", "Cache-Control"):
            assert short[header] == long[header]
        make_work_order()
    assert len(api.get(path).json()) == 2


def test_a_wrong_query_is_refused_also_when_nothing_waits():
    agent, api = make_agent()
    refused(api.get(f"/agents/{agent.id}/work-orders/pending?limit=0"), 400, "invalid_query")


def test_a_key_with_a_wrong_short_token_finds_nobody():
    agent, api = make_agent()
    prefix, _, secret = api.key.split("_")
    refused(
        Api(f"{prefix}_BRwrong_{secret}").get(f"/agents/{agent.id}/work-orders/pending"), 401, "unauthorized"
    )


def test_a_revoked_key_ends_at_once():
    agent, api = make_agent()
    Pak.objects.filter(subject_id=agent.id).update(revoked_at=timezone.now())
    refused(api.get(f"/agents/{agent.id}/work-orders/pending"), 401, "unauthorized")
