//! The first deployment, by the client that progenitor writes from the API's document in OpenAPI 3.0.

progenitor::generate_api!(spec = "brokkr-v1-3.0.yaml", interface = Builder);

use reqwest::header::{HeaderMap, AUTHORIZATION};
use std::env;
use types::*;
use uuid::Uuid;

const FIRST: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n";
const LABEL: &str = "progenitor";

fn caller(key: &str) -> Client {
    let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {key}").parse().unwrap())]);
    let client = reqwest::Client::builder().default_headers(headers).build().unwrap();
    Client::new_with_client(&env::var("BROKKR_URL").unwrap(), client)
}

async fn poll(agent: &Client, agent_id: Uuid) -> Vec<DeploymentObject> {
    agent.get_target_state().agent_id(agent_id).send().await.unwrap().into_inner()
}

async fn report(agent: &Client, agent_id: Uuid, object: &DeploymentObject) {
    let success = ReportEventBody::builder()
        .deployment_object_id(object.id)
        .event_type("DEPLOY")
        .status(EventStatus::Success);
    agent.create_event().agent_id(agent_id).body(success).send().await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let admin = caller(&env::var("BROKKR_ADMIN_PAK").unwrap());
    let body = CreateGeneratorBody::builder().name(LABEL);
    let made = admin.create_generator().body(body).send().await.unwrap();
    let generator = caller(&made.pak);
    let body = CreateAgentBody::builder().name(LABEL).cluster_name(LABEL);
    let introduced = admin.create_agent().body(body).send().await.unwrap();
    let (agent, agent_id) = (caller(&introduced.initial_pak), introduced.agent.id);
    let body = UpdateAgentBody::builder().status("ACTIVE".parse::<UpdateAgentBodyStatus>().unwrap());
    admin.update_agent().agent_id(agent_id).body(body).send().await.unwrap();
    let label = || LabelBody::builder().label(LABEL).try_into().map(AddLabelBody::LabelBody).unwrap();
    admin.agents_add_label().agent_id(agent_id).body(label()).send().await.unwrap();

    let body = CreateStackBody::builder().name(LABEL);
    let stack = generator.create_stack().body(body).send().await.unwrap();
    generator.stacks_add_label().stack_id(stack.id).body(label()).send().await.unwrap();

    agent.record_heartbeat().agent_id(agent_id).body(HeartbeatBody::builder()).send().await.unwrap();
    for text in [FIRST.to_owned(), format!("{FIRST}  labels:\n    release: two\n")] {
        let body = PublishBody::builder().yaml_content(text.as_str());
        let published = generator
            .create_deployment_object()
            .stack_id(stack.id)
            .body(body)
            .send()
            .await
            .unwrap();
        let state = poll(&agent, agent_id).await;
        assert_eq!((state.len(), state[0].id, &state[0].yaml_content), (1, published.id, &text));
        report(&agent, agent_id, &state[0]).await;
    }
    generator.delete_stack().stack_id(stack.id).send().await.unwrap();
    let state = poll(&agent, agent_id).await;
    assert!(state.len() == 1 && state[0].is_deletion_marker && state[0].stack_id == stack.id);
    report(&agent, agent_id, &state[0]).await;
    assert!(poll(&agent, agent_id).await.is_empty());
}
