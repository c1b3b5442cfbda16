//! The first deployment, by the Rust client that openapi-generator writes from the API's document.

#[allow(dead_code, unused_imports)]
#[path = "../brokkr/src/apis/mod.rs"]
mod apis;
#[allow(dead_code, unused_imports)]
#[path = "../brokkr/src/models/mod.rs"]
mod models;

use apis::configuration::Configuration;
use apis::{agents_api, deployment_objects_api, events_api, generators_api, stacks_api};
use models::*;
use std::env;

const FIRST: &str = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n";
const LABEL: &str = "openapi-generator-rust";

fn caller(key: &str) -> Configuration {
    Configuration {
        base_path: env::var("BROKKR_URL").unwrap(),
        bearer_access_token: Some(key.to_owned()),
        ..Configuration::default()
    }
}

async fn poll(agent: &Configuration, agent_id: &str) -> Vec<DeploymentObject> {
    agents_api::get_target_state(agent, agent_id, None, None, None).await.unwrap()
}

async fn report(agent: &Configuration, agent_id: &str, object: &DeploymentObject) {
    let success = ReportEventBody::new(object.id, "DEPLOY".to_owned(), EventStatus::Success);
    events_api::create_event(agent, agent_id, success, None).await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let admin = caller(&env::var("BROKKR_ADMIN_PAK").unwrap());
    let made = generators_api::create_generator(&admin, CreateGeneratorBody::new(LABEL.to_owned()), None)
        .await
        .unwrap();
    let generator = caller(&made.pak);
    let body = CreateAgentBody::new(LABEL.to_owned(), LABEL.to_owned());
    let introduced = agents_api::create_agent(&admin, body, None, None).await.unwrap();
    let agent = caller(&introduced.initial_pak);
    let agent_id = introduced.agent.id.to_string();
    let active = UpdateAgentBody { status: Some("ACTIVE".to_owned()), ..UpdateAgentBody::new() };
    agents_api::update_agent(&admin, &agent_id, active, None, None).await.unwrap();
    let label = AddLabelBody::LabelBody(Box::new(LabelBody::new(LABEL.to_owned())));
    agents_api::agents_add_label(&admin, &agent_id, label, None, None, None).await.unwrap();

    let stack = stacks_api::create_stack(&generator, CreateStackBody::new(LABEL.to_owned()), None)
        .await
        .unwrap();
    let stack_id = stack.id.to_string();
    let label = AddLabelBody::String(LABEL.to_owned());
    stacks_api::stacks_add_label(&generator, &stack_id, label, None, None, None).await.unwrap();

    agents_api::record_heartbeat(&agent, &agent_id, Some(HeartbeatBody::new())).await.unwrap();
    for text in [FIRST.to_owned(), format!("{FIRST}  labels:\n    release: two\n")] {
        let body = PublishBody::new(text.clone());
        let published = deployment_objects_api::create_deployment_object(
            &generator, &stack_id, body, None, None, None, None, None, None, None, None, None,
        )
        .await
        .unwrap();
        let state = poll(&agent, &agent_id).await;
        assert_eq!((state.len(), state[0].id, &state[0].yaml_content), (1, published.id, &text));
        report(&agent, &agent_id, &state[0]).await;
    }
    stacks_api::delete_stack(&generator, &stack_id, None, None, None).await.unwrap();
    let state = poll(&agent, &agent_id).await;
    assert!(state.len() == 1 && state[0].is_deletion_marker && state[0].stack_id == stack.id);
    report(&agent, &agent_id, &state[0]).await;
    assert!(poll(&agent, &agent_id).await.is_empty());
}
