"""No value of a Secret leaves by a timeline, a comparison or a page about the past."""

import pytest

from tests.factories import make_agent, make_event, make_health, make_object, make_stack
from tests.history.test_export_history_command import SECRET

pytestmark = pytest.mark.django_db

VALUE = "correct-horse-battery"


def test_no_answer_about_the_past_holds_a_value_of_a_secret(admin, operator):
    agent, api = make_agent(labels=["a"])
    stack = make_stack(labels=["a"])
    obj = make_object(stack, SECRET)
    api.get(f"/agents/{agent.id}/target-state")
    make_event(agent, obj, "FAILURE", message=f"{VALUE} was refused")
    make_health(agent, obj, "failing", summary={"message": VALUE})
    answers = [
        admin.get(f"/agents/{agent.id}/timeline"),
        admin.get(f"/stacks/{stack.id}/timeline"),
        admin.get(f"/agents/{agent.id}/comparison?other_agent_id={make_agent()[0].id}"),
        operator.get(f"agents/agent/{agent.pk}/timeline/"),
        operator.get(f"stacks/stack/{stack.pk}/timeline/"),
        operator.get(f"agents/agent/{agent.pk}/compare/", other_agent=str(make_agent()[0].pk)),
    ]
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert not [answer for answer in answers if VALUE in answer.content.decode()]
