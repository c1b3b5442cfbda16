// The first deployment, by the client that openapi-generator writes from the API's document.
package main

import (
	"context"
	"net/http"
	"os"

	"clients/brokkr"
)

const (
	first  = "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: payments\n"
	second = first + "  labels:\n    release: two\n"
)

var (
	label  = "openapi-generator-go"
	client = brokkr.NewAPIClient(configuration())
)

func configuration() *brokkr.Configuration {
	made := brokkr.NewConfiguration()
	made.Servers = brokkr.ServerConfigurations{{URL: os.Getenv("BROKKR_URL")}}
	return made
}

func caller(key string) context.Context {
	return context.WithValue(context.Background(), brokkr.ContextAccessToken, key)
}

func require(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func answer[T any](value T, _ *http.Response, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func done(_ *http.Response, err error) {
	if err != nil {
		panic(err)
	}
}

func main() {
	admin := caller(os.Getenv("BROKKR_ADMIN_PAK"))
	made := answer(client.GeneratorsAPI.CreateGenerator(admin).
		CreateGeneratorBody(*brokkr.NewCreateGeneratorBody(label)).Execute())
	generator := caller(made.Pak)
	introduced := answer(client.AgentsAPI.CreateAgent(admin).
		CreateAgentBody(*brokkr.NewCreateAgentBody(label, label)).Execute())
	agent, agentID := caller(introduced.InitialPak), introduced.Agent.Id
	active := brokkr.NewUpdateAgentBody()
	active.SetStatus("ACTIVE")
	answer(client.AgentsAPI.UpdateAgent(admin, agentID).UpdateAgentBody(*active).Execute())
	answer(client.AgentsAPI.AgentsAddLabel(admin, agentID).
		AddLabelBody(brokkr.LabelBodyAsAddLabelBody(brokkr.NewLabelBody(label))).Execute())

	stack := answer(client.StacksAPI.CreateStack(generator).CreateStackBody(*brokkr.NewCreateStackBody(label)).Execute())
	answer(client.StacksAPI.StacksAddLabel(generator, stack.Id).
		AddLabelBody(brokkr.StringAsAddLabelBody(&label)).Execute())

	poll := func() []brokkr.DeploymentObject {
		return answer(client.AgentsAPI.GetTargetState(agent, agentID).Execute())
	}
	report := func(object brokkr.DeploymentObject) {
		body := brokkr.NewReportEventBody(object.Id, "DEPLOY", brokkr.EVENTSTATUS_SUCCESS)
		answer(client.EventsAPI.CreateEvent(agent, agentID).ReportEventBody(*body).Execute())
	}
	done(client.AgentsAPI.RecordHeartbeat(agent, agentID).HeartbeatBody(*brokkr.NewHeartbeatBody()).Execute())
	for _, text := range []string{first, second} {
		published := answer(client.DeploymentObjectsAPI.CreateDeploymentObject(generator, stack.Id).
			PublishBody(*brokkr.NewPublishBody(text)).Execute())
		state := poll()
		require(len(state) == 1 && state[0].Id == published.Id && state[0].YamlContent == text, "the newest version")
		report(state[0])
	}
	done(client.StacksAPI.DeleteStack(generator, stack.Id).Execute())
	state := poll()
	require(len(state) == 1 && state[0].IsDeletionMarker && state[0].StackId == stack.Id, "the deletion marker")
	report(state[0])
	require(len(poll()) == 0, "nothing is left")
}
