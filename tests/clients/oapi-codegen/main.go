// The first deployment, by the client that oapi-codegen writes from the API's document.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"clients/brokkr"
)

const (
	first  = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n"
	second = first + "  labels:\n    release: two\n"
	label  = "oapi-codegen"
)

var ctx = context.Background()

func caller(key string) *brokkr.ClientWithResponses {
	authorize := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Bearer "+key)
		return nil
	}
	client, err := brokkr.NewClientWithResponses(os.Getenv("BROKKR_URL"), brokkr.WithRequestEditorFn(authorize))
	check(err)
	return client
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func require(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

// answer is what a call came to, which must have the status.
func answer[T interface{ StatusCode() int }](status int) func(T, error) T {
	return func(response T, err error) T {
		check(err)
		require(response.StatusCode() == status, fmt.Sprintf("%T: %d", response, response.StatusCode()))
		return response
	}
}

func main() {
	admin := caller(os.Getenv("BROKKR_ADMIN_PAK"))
	made := answer[*brokkr.CreateGeneratorResponse](201)(
		admin.CreateGeneratorWithResponse(ctx, nil, brokkr.CreateGeneratorBody{Name: label})).JSON201
	generator := caller(made.Pak)
	introduced := answer[*brokkr.CreateAgentResponse](201)(
		admin.CreateAgentWithResponse(ctx, nil, brokkr.CreateAgentBody{Name: label, ClusterName: label})).JSON201
	agent, agentID := caller(introduced.InitialPak), introduced.Agent.Id
	active := "ACTIVE"
	answer[*brokkr.UpdateAgentResponse](200)(
		admin.UpdateAgentWithResponse(ctx, agentID, nil, brokkr.UpdateAgentBody{Status: &active}))
	var agentLabel brokkr.AddLabelBody
	check(agentLabel.FromLabelBody(brokkr.LabelBody{Label: label}))
	answer[*brokkr.AgentsAddLabelResponse](201)(admin.AgentsAddLabelWithResponse(ctx, agentID, nil, agentLabel))

	stack := answer[*brokkr.CreateStackResponse](201)(
		generator.CreateStackWithResponse(ctx, nil, brokkr.CreateStackBody{Name: label})).JSON201
	var stackLabel brokkr.AddLabelBody
	check(stackLabel.FromAddLabelBody0(label))
	answer[*brokkr.StacksAddLabelResponse](201)(generator.StacksAddLabelWithResponse(ctx, stack.Id, nil, stackLabel))

	poll := func() []brokkr.DeploymentObject {
		return *answer[*brokkr.GetTargetStateResponse](200)(agent.GetTargetStateWithResponse(ctx, agentID, nil)).JSON200
	}
	report := func(object brokkr.DeploymentObject) {
		answer[*brokkr.CreateEventResponse](201)(agent.CreateEventWithResponse(ctx, agentID, nil, brokkr.ReportEventBody{
			DeploymentObjectId: object.Id, EventType: "DEPLOY", Status: "SUCCESS",
		}))
	}
	answer[*brokkr.RecordHeartbeatResponse](204)(
		agent.RecordHeartbeatWithResponse(ctx, agentID, brokkr.HeartbeatBody{}))
	for _, text := range []string{first, second} {
		published := answer[*brokkr.CreateDeploymentObjectResponse](201)(
			generator.CreateDeploymentObjectWithResponse(ctx, stack.Id, nil, brokkr.PublishBody{YamlContent: text})).JSON201
		state := poll()
		require(len(state) == 1 && state[0].Id == published.Id && state[0].YamlContent == text, "the newest version")
		report(state[0])
	}
	answer[*brokkr.DeleteStackResponse](204)(generator.DeleteStackWithResponse(ctx, stack.Id, nil))
	state := poll()
	require(len(state) == 1 && state[0].IsDeletionMarker && state[0].StackId == stack.Id, "the deletion marker")
	report(state[0])
	require(len(poll()) == 0, "nothing is left")
}
