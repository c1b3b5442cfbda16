"""The first deployment, by the client that openapi-generator writes from the API's document."""

import os

import brokkr

FIRST = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n"
SECOND = FIRST + "  labels:\n    release: two\n"
LABEL = "openapi-generator-python"


def caller(key: str) -> brokkr.ApiClient:
    return brokkr.ApiClient(brokkr.Configuration(host=os.environ["BROKKR_URL"], access_token=key))


admin = caller(os.environ["BROKKR_ADMIN_PAK"])
made = brokkr.GeneratorsApi(admin).create_generator(brokkr.CreateGeneratorBody(name=LABEL))
generator = caller(made.pak)
introduced = brokkr.AgentsApi(admin).create_agent(brokkr.CreateAgentBody(name=LABEL, cluster_name=LABEL))
agent, agent_id = caller(introduced.initial_pak), introduced.agent.id
brokkr.AgentsApi(admin).update_agent(agent_id, brokkr.UpdateAgentBody(status="ACTIVE"))
word = brokkr.AddLabelBody(brokkr.LabelBody(label=LABEL))
brokkr.AgentsApi(admin).agents_add_label(agent_id, word)

stack = brokkr.StacksApi(generator).create_stack(brokkr.CreateStackBody(name=LABEL))
brokkr.StacksApi(generator).stacks_add_label(stack.id, brokkr.AddLabelBody(LABEL))


def poll() -> list[brokkr.DeploymentObject]:
    state: list[brokkr.DeploymentObject] = brokkr.AgentsApi(agent).get_target_state(agent_id)
    return state


def report(deployment_object: brokkr.DeploymentObject) -> None:
    body = brokkr.ReportEventBody(
        deployment_object_id=deployment_object.id, event_type="DEPLOY", status=brokkr.EventStatus.SUCCESS
    )
    brokkr.EventsApi(agent).create_event(agent_id, body)


brokkr.AgentsApi(agent).record_heartbeat(agent_id, heartbeat_body=brokkr.HeartbeatBody(k8s_reachable=True))
for text in (FIRST, SECOND):
    body = brokkr.PublishBody(yaml_content=text)
    published = brokkr.DeploymentObjectsApi(generator).create_deployment_object(stack.id, body)
    (wanted,) = poll()
    assert (wanted.id, wanted.yaml_content) == (published.id, text)
    report(wanted)

brokkr.StacksApi(generator).delete_stack(stack.id)
(marker,) = poll()
assert marker.is_deletion_marker
assert marker.stack_id == stack.id
report(marker)
assert poll() == []
