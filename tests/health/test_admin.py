"""The operator's page of health statuses."""

from datetime import timedelta

import pytest
from django.utils import timezone

from health.models import DeploymentHealth
from tests.factories import make_agent, make_health, make_object, make_stack

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.any_database("what pages of the admin show, and what their buttons do"),
]

LIST = "health/deploymenthealth/"


def test_a_status_that_is_too_old_is_shown_as_unknown_with_what_it_was(operator):
    make_health(make_agent()[0], make_object(make_stack()), "failing")
    assert ">failing</span>" in operator.get(LIST).content.decode()
    DeploymentHealth.objects.update(updated_at=timezone.now() - timedelta(seconds=301))
    assert ">unknown</span>, was failing" in operator.get(LIST).content.decode()


def test_the_page_of_a_status_shows_its_summary(operator):
    summary = {"pods_ready": 1, "pods_total": 2, "conditions": ["<ImagePullBackOff>"], "resources": None}
    health = make_health(make_agent()[0], make_object(make_stack()), "degraded", summary=summary)
    page = operator.get(f"{LIST}{health.pk}/change/").content.decode()
    assert "&lt;ImagePullBackOff&gt;" in page
    bare = make_health(make_agent()[0], make_object(make_stack()))
    assert operator.get(f"{LIST}{bare.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"one", "two"}),
        ({"status__exact": "failing"}, {"one"}),
        ({"counts": "yes"}, {"one"}),
        ({"counts": "no"}, {"two"}),
        ({"q": "tw"}, {"two"}),
        ({"q": "stack-of-one"}, {"one"}),
        ({"q": 'stack-of "tw"'}, {"two"}),
        ({"q": "Stack-of"}, {"one", "two"}),
        ({"q": "nobody"}, set()),
        ({"q": "one stack-of-two"}, set()),
    ],
)
def test_the_list_is_filtered_and_searched(operator, query, shown):
    now = timezone.now()
    for name, status, at in (("one", "failing", now), ("two", "healthy", now - timedelta(seconds=301))):
        stack = make_stack(name=f"stack-of-{name}")
        make_health(make_agent(name=name)[0], make_object(stack), status, now=at)
    rows = operator.get(LIST, **query).context["cl"].result_list
    assert {row.agent.name for row in rows} == shown
