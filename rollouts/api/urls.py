from django.urls import path

from rollouts.api.views.freezes import FreezeViewSet
from rollouts.api.views.rollouts import HeldVersionViewSet, RolloutViewSet
from rollouts.api.views.strategies import RolloutStrategyViewSet, StackStrategyViewSet

urlpatterns = [
    path("rollout-strategies", RolloutStrategyViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "rollout-strategies/<str:strategy_id>",
        RolloutStrategyViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path(
        "stacks/<str:stack_id>/rollout-strategy",
        StackStrategyViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path("rollouts", RolloutViewSet.as_view({"get": "list"})),
    path("rollouts/<str:rollout_id>", RolloutViewSet.as_view({"get": "retrieve"})),
    path("rollouts/<str:rollout_id>/agents", RolloutViewSet.as_view({"get": "agents"})),
    path("rollouts/<str:rollout_id>/pause", RolloutViewSet.as_view({"post": "pause"})),
    path("rollouts/<str:rollout_id>/resume", RolloutViewSet.as_view({"post": "resume"})),
    path("rollouts/<str:rollout_id>/approve", RolloutViewSet.as_view({"post": "approve"})),
    path("rollouts/<str:rollout_id>/abort", RolloutViewSet.as_view({"post": "abort"})),
    path("rollouts/<str:rollout_id>/skip", RolloutViewSet.as_view({"post": "skip"})),
    path("rollouts/<str:rollout_id>/roll-back", RolloutViewSet.as_view({"post": "roll_back"})),
    path(
        "rollouts/<str:rollout_id>/waves/<str:wave>/checks/<str:name>",
        RolloutViewSet.as_view({"post": "check"}),
    ),
    path("deployment-objects/<str:object_id>/release", HeldVersionViewSet.as_view({"post": "release"})),
    path("freezes", FreezeViewSet.as_view({"get": "list", "post": "create"})),
    path("freezes/<str:freeze_id>", FreezeViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
]
