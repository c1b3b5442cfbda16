from django.urls import path

from stacks.api.views import DeploymentObjectViewSet, StackObjectsViewSet, StackViewSet

urlpatterns = [
    path("stacks", StackViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "stacks/<str:stack_id>",
        StackViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path(
        "stacks/<str:stack_id>/deployment-objects",
        StackObjectsViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path("stacks/<str:stack_id>/labels", StackViewSet.as_view({"get": "labels", "post": "add_label"})),
    # `path`: a label may hold a slash, which arrives decoded.
    path("stacks/<str:stack_id>/labels/<path:label>", StackViewSet.as_view({"delete": "remove_label"})),
    path(
        "stacks/<str:stack_id>/annotations",
        StackViewSet.as_view({"get": "annotations", "post": "add_annotation"}),
    ),
    path(
        "stacks/<str:stack_id>/annotations/<path:key>", StackViewSet.as_view({"delete": "remove_annotation"})
    ),
    path("deployment-objects/<str:object_id>", DeploymentObjectViewSet.as_view({"get": "retrieve"})),
]
