"""The page of the admin that adds agents, one or many."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from agents.admin import new_agents
from agents.models import Agent, AgentHeartbeat
from generators.services import system_generator
from tests.factories import make_agent, make_generator
from tests.support.admin import errors_of, shown_key, staff
from tests.support.api import Api

pytestmark = pytest.mark.django_db

ADD = "agents/agent/add/"
ONE = {"name": "edge-01", "cluster_name": "fra"}


def check(pages, text, **fields):
    return pages.post_once(ADD, {"csv": text, **fields})


def errors_by_line(response):
    return {line.number: line.errors for line in response.context["lines"] if line.errors}


def add_all(pages, text):
    shown = check(pages, text)
    return check(pages, text, checked=shown.context["checked"])


def test_one_agent_is_added_with_all_that_it_needs(operator):
    generator, _ = make_generator(name="storefront ci")
    fields = {"labels": "env:prod  ring=canary", "registrations": "storefront ci", "is_active": "on"}
    page = operator.post_once(ADD, ONE | fields)
    agent = Agent.objects.get()
    assert (agent.name, agent.cluster_name, agent.status) == ("edge-01", "fra", "ACTIVE")
    assert set(agent.labels.values_list("label", flat=True)) == {"env:prod", "ring=canary"}
    assert set(agent.registrations.values_list("generator", flat=True)) == {
        generator.pk,
        system_generator().pk,
    }
    key = shown_key(page)
    assert Api(key).get(f"/agents/{agent.pk}").status_code == 200
    (shown,) = page.context["added"]
    assert f"BROKKR__AGENT__PAK={key}\n" in shown["env"]
    assert key in shown["manifests"]
    assert f"key: {key}\n" in shown["brokkr_agent"]
    text = page.content.decode()
    assert text.index("brokkr-agent: namespace") < text.index("Another agent, v0.9.1")
    assert "waiting for its first heartbeat" in page.content.decode()
    assert page.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": " "}, "This field is required."),
        ({"labels": "x" * 65}, "is no label"),
        ({"registrations": "nobody"}, "There is no generator “nobody”."),
    ],
)
def test_what_is_wrong_with_one_agent_is_said_and_nothing_is_added(operator, fields, error):
    assert any(error in each for each in errors_of(operator.post_once(ADD, ONE | fields)))
    assert not Agent.objects.exists()


def test_many_are_shown_first_and_then_added_together(operator):
    generator, _ = make_generator(name="ci")
    text = (
        f"Name;Cluster;Active;Labels;Registrations\r\na;eu;yes;prod blue;ci|{generator.pk}\r\n\r\nb;eu;;;\r\n"
    )
    shown = check(operator, text)
    assert not Agent.objects.exists()
    assert [line.number for line in shown.context["lines"]] == [2, 4]
    page = check(operator, text, checked=shown.context["checked"])
    first, second = Agent.objects.order_by("name")
    assert (first.status, second.status) == ("ACTIVE", "INACTIVE")
    assert set(first.labels.values_list("label", flat=True)) == {"blue", "prod"}
    assert first.registrations.count() == 2
    keys = [each["key"] for each in page.context["added"]]
    assert [Api(key).post("/auth/pak").json()["agent"] for key in keys] == [str(first.pk), str(second.pk)]


def test_each_row_says_what_is_wrong_with_it(operator):
    make_agent(name="taken", cluster_name="eu")
    text = (
        "name,cluster,labels,registrations,active\n"
        "taken,eu,,,\n"
        ",eu,,,\n"
        f"long,eu,{'x' * 65},,\n"
        "lost,eu,,nobody,\n"
        "perhaps,eu,,,maybe\n"
        "twice,eu,,,\n"
        "twice,eu,,,\n"
        "good,eu,,,\n"
    )
    found = errors_by_line(check(operator, text))
    assert found[2] == ["There is an agent with this name in this cluster already."]
    assert found[3] == ["name: This field is required."]
    assert "is no label" in found[4][0]
    assert found[5] == ["registrations: There is no generator “nobody”."]
    assert found[6] == ["active: it must be yes or no."]
    assert found[8] == ["The same as in line 7."]
    assert set(found) == {2, 3, 4, 5, 6, 8}
    add_all(operator, text)
    assert Agent.objects.count() == 1


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "The first line must name the columns"),
        ("name,colour\na,b", "The first line must name the columns"),
        ("name,cluster,name\na,b,c", "The first line must name the columns"),
        ("name,cluster\n", "There is no agent in it."),
        ("name,cluster\na,b,c", "Line 2 has more fields than the first line."),
        ('name,cluster\n"a,b', "Line 2 cannot be read"),
        ("name,cluster\n" + "a,b\n" * 201, "At most 200 agents"),
        ("name,cluster\n" + "a" * new_agents.MAX_CHARACTERS, "at most 262,144 characters"),
    ],
)
def test_what_is_no_such_csv_is_refused_as_a_whole(operator, text, error):
    assert any(error in each for each in errors_of(check(operator, text)))


def test_a_file_is_read_like_the_text_and_must_be_utf_8(operator):
    def upload(content):
        return check(operator, "", file=SimpleUploadedFile("agents.csv", content))

    shown = upload("\ufeffname,cluster\nåsa,eu\n".encode())
    assert shown.context["lines"][0].values[:2] == ["åsa", "eu"]
    assert shown.context["csv"].startswith("name,")
    assert errors_of(upload("name,cluster\nåsa,eu\n".encode("latin-1"))) == ["The file is not in UTF-8."]


def test_rows_that_were_changed_after_they_were_shown_are_shown_again(operator):
    shown = check(operator, "name,cluster\na,eu\n")
    again = check(operator, "name,cluster\nb,eu\n", checked=shown.context["checked"])
    assert again.context["lines"][0].values[0] == "b"
    assert not Agent.objects.exists()


def test_one_that_is_refused_while_they_are_added_leaves_none(operator, monkeypatch):
    text = "name,cluster\na,eu\nb,eu\n"
    shown = check(operator, text)
    make_agent(name="b", cluster_name="eu")
    monkeypatch.setattr(new_agents, "_taken", lambda _rows: set())
    again = check(operator, text, checked=shown.context["checked"])
    assert errors_by_line(again) == {3: ["Something with these values exists already."]}
    assert [agent.name for agent in Agent.objects.all()] == ["b"]


def test_checking_many_costs_as_many_queries_as_checking_few(operator, django_assert_num_queries):
    def text(rows):
        return "name,cluster,registrations\n" + "".join(f"a{row},eu,ci\n" for row in range(rows))

    make_generator(name="ci")
    check(operator, text(1))
    with django_assert_num_queries(5) as few:
        check(operator, text(1))
    with django_assert_num_queries(len(few)):
        check(operator, text(50))


def test_the_part_that_waits_turns_good_by_itself_and_then_stops(operator):
    agents = [make_agent(name=name)[0] for name in ("a", "b")]
    path = "agents/agent/hearing/"
    ids = {"id": [str(agent.pk) for agent in agents]}
    waiting = operator.get(path, **ids)
    assert waiting.status_code == 200
    AgentHeartbeat.objects.filter(agent=agents[0]).update(last_heartbeat=timezone.now())
    one = operator.get(path, **ids)
    assert one.status_code == 200
    assert one.content.decode().count("heard at") == 1
    AgentHeartbeat.objects.update(last_heartbeat=timezone.now())
    assert operator.get(path, **ids).status_code == 286
    assert operator.get(path, id="no id").status_code == 286


def test_who_may_not_see_keys_adds_no_agents():
    birk = staff("agents.add_agent", "agents.view_agent", name="birk")
    assert birk.get(ADD).status_code == 403
    assert birk.post_once(ADD, ONE).status_code == 403
    assert birk.post_once(ADD, {"csv": "name,cluster\na,eu\n"}).status_code == 403
    assert not Agent.objects.exists()
