// The first deployment, with the types that openapi-typescript writes from the API's document.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { components, paths } from "./brokkr.js";

const FIRST = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n";
const SECOND = FIRST + "  labels:\n    release: two\n";
const LABEL = "openapi-typescript";

const caller = (key: string) =>
  createClient<paths>({ baseUrl: process.env.BROKKR_URL!, headers: { Authorization: `Bearer ${key}` } });

// What a call answered, which must be a success.
async function answer<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  assert(response.ok, JSON.stringify(error));
  return data as T;
}

const admin = caller(process.env.BROKKR_ADMIN_PAK!);
const made = await answer(admin.POST("/api/v1/generators", { body: { name: LABEL } }));
const generator = caller(made.pak);
const introduced = await answer(admin.POST("/api/v1/agents", { body: { name: LABEL, cluster_name: LABEL } }));
const agent = caller(introduced.initial_pak);
const agentPath = { path: { agent_id: introduced.agent.id } };
await answer(admin.PUT("/api/v1/agents/{agent_id}", { params: agentPath, body: { status: "ACTIVE" } }));
await answer(admin.POST("/api/v1/agents/{agent_id}/labels", { params: agentPath, body: { label: LABEL } }));

const stack = await answer(generator.POST("/api/v1/stacks", { body: { name: LABEL } }));
const stackPath = { path: { stack_id: stack.id } };
await answer(generator.POST("/api/v1/stacks/{stack_id}/labels", { params: stackPath, body: { label: LABEL } }));

const poll = () => answer(agent.GET("/api/v1/agents/{agent_id}/target-state", { params: agentPath }));
const report = (object: components["schemas"]["DeploymentObject"]) =>
  answer(
    agent.POST("/api/v1/agents/{agent_id}/events", {
      params: agentPath,
      body: { deployment_object_id: object.id, event_type: "DEPLOY", status: "SUCCESS" },
    }),
  );
await answer(agent.POST("/api/v1/agents/{agent_id}/heartbeat", { params: agentPath, body: { k8s_reachable: true } }));

for (const text of [FIRST, SECOND]) {
  const published = await answer(
    generator.POST("/api/v1/stacks/{stack_id}/deployment-objects", {
      params: stackPath,
      body: { yaml_content: text, is_deletion_marker: false },
    }),
  );
  const state = await poll();
  assert.deepEqual(
    state.map((object) => [object.id, object.yaml_content]),
    [[published.id, text]],
  );
  await report(state[0]);
}

await answer(generator.DELETE("/api/v1/stacks/{stack_id}", { params: stackPath }));
const [marker] = await poll();
assert(marker.is_deletion_marker);
assert.equal(marker.stack_id, stack.id);
await report(marker);
assert.deepEqual(await poll(), []);
