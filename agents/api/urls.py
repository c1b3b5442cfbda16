from django.urls import path

from agents.api.views.agents import AgentViewSet
from agents.api.views.events import AgentEventViewSet, AgentReportsViewSet
from agents.api.views.registrations import RegistrationViewSet
from agents.api.views.targets import AgentTargetViewSet

urlpatterns = [
    # The routes that agents call most come first, because Django tries one pattern after another.
    path(
        "agents/<str:agent_id>/target-state",
        AgentViewSet.as_view({"get": "target_state"}),
    ),
    path(
        "agents/<str:agent_id>/heartbeat",
        AgentViewSet.as_view({"post": "heartbeat"}),
    ),
    path("agents/<str:agent_id>/events", AgentReportsViewSet.as_view({"get": "list", "post": "create"})),
    path("agents/<str:agent_id>/events/batch", AgentReportsViewSet.as_view({"post": "create_batch"})),
    path("agents", AgentViewSet.as_view({"get": "list", "post": "create"})),
    # This is another operation than the list above; agents call it at every start.
    path("agents/", AgentViewSet.as_view({"get": "look_up"})),
    path(
        "agents/<str:agent_id>",
        AgentViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path("agents/<str:agent_id>/stacks", AgentViewSet.as_view({"get": "stacks"})),
    path("agents/<str:agent_id>/install", AgentViewSet.as_view({"get": "install"})),
    path("agents/<str:agent_id>/rotate-pak", AgentViewSet.as_view({"post": "rotate_pak"})),
    path("agents/<str:agent_id>/labels", AgentViewSet.as_view({"get": "labels", "post": "add_label"})),
    # `path`, because a label may contain a slash, which Django sees decoded.
    path("agents/<str:agent_id>/labels/<path:label>", AgentViewSet.as_view({"delete": "remove_label"})),
    path(
        "agents/<str:agent_id>/annotations",
        AgentViewSet.as_view({"get": "annotations", "post": "add_annotation"}),
    ),
    path(
        "agents/<str:agent_id>/annotations/<path:key>", AgentViewSet.as_view({"delete": "remove_annotation"})
    ),
    path("agents/<str:agent_id>/targets", AgentTargetViewSet.as_view({"get": "list", "post": "create"})),
    path("agents/<str:agent_id>/targets/<str:stack_id>", AgentTargetViewSet.as_view({"delete": "destroy"})),
    path("agents/<str:agent_id>/registrations", RegistrationViewSet.as_view({"get": "of_agent"})),
    path("agent-events", AgentEventViewSet.as_view({"get": "list"})),
    path("agent-events/<str:event_id>", AgentEventViewSet.as_view({"get": "retrieve"})),
    path(
        "generators/<str:generator_id>/register",
        RegistrationViewSet.as_view({"post": "register", "delete": "deregister"}),
    ),
    path(
        "generators/<str:generator_id>/registered-agents",
        RegistrationViewSet.as_view({"get": "of_generator"}),
    ),
]
