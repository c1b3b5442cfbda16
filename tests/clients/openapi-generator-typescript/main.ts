// The first deployment, by the client that openapi-generator writes from the API's document.
import assert from "node:assert/strict";
import {
  AgentsApi,
  Configuration,
  DeploymentObjectsApi,
  EventsApi,
  GeneratorsApi,
  StacksApi,
  type DeploymentObject,
} from "./brokkr/index.js";

const FIRST = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n";
const SECOND = FIRST + "  labels:\n    release: two\n";
const LABEL = "openapi-generator-typescript";

const caller = (key: string) => new Configuration({ basePath: process.env.BROKKR_URL!, accessToken: key });

const admin = caller(process.env.BROKKR_ADMIN_PAK!);
const made = await new GeneratorsApi(admin).createGenerator({ createGeneratorBody: { name: LABEL } });
const generator = caller(made.pak);
const introduced = await new AgentsApi(admin).createAgent({ createAgentBody: { name: LABEL, clusterName: LABEL } });
const agent = caller(introduced.initialPak);
const agentId = introduced.agent.id;
await new AgentsApi(admin).updateAgent({ agentId, updateAgentBody: { status: "ACTIVE" } });
await new AgentsApi(admin).agentsAddLabel({ agentId, addLabelBody: { label: LABEL } });

const stack = await new StacksApi(generator).createStack({ createStackBody: { name: LABEL } });
const stackId = stack.id;
await new StacksApi(generator).stacksAddLabel({ stackId, addLabelBody: LABEL });

const poll = () => new AgentsApi(agent).getTargetState({ agentId });
const report = (object: DeploymentObject) =>
  new EventsApi(agent).createEvent({
    agentId,
    reportEventBody: { deploymentObjectId: object.id, eventType: "DEPLOY", status: "SUCCESS" },
  });
await new AgentsApi(agent).recordHeartbeat({ agentId, heartbeatBody: { k8sReachable: true } });

for (const text of [FIRST, SECOND]) {
  const published = await new DeploymentObjectsApi(generator).createDeploymentObject({
    stackId,
    publishBody: { yamlContent: text },
  });
  const state = await poll();
  assert.deepEqual(
    state.map((object) => [object.id, object.yamlContent]),
    [[published.id, text]],
  );
  await report(state[0]);
}

await new StacksApi(generator).deleteStack({ stackId });
const [marker] = await poll();
assert(marker.isDeletionMarker);
assert.equal(marker.stackId, stackId);
await report(marker);
assert.deepEqual(await poll(), []);
