from django.urls import path

from templates_app.api.views import InstantiationViewSet, ProvenanceViewSet, TemplateViewSet

urlpatterns = [
    path("templates", TemplateViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "templates/<str:template_id>",
        TemplateViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path("templates/<str:template_id>/render", TemplateViewSet.as_view({"post": "render"})),
    path(
        "templates/<str:template_id>/labels", TemplateViewSet.as_view({"get": "labels", "post": "add_label"})
    ),
    # `path`: a label may hold a slash, which arrives decoded.
    path(
        "templates/<str:template_id>/labels/<path:label>", TemplateViewSet.as_view({"delete": "remove_label"})
    ),
    path(
        "templates/<str:template_id>/annotations",
        TemplateViewSet.as_view({"get": "annotations", "post": "add_annotation"}),
    ),
    path(
        "templates/<str:template_id>/annotations/<path:key>",
        TemplateViewSet.as_view({"delete": "remove_annotation"}),
    ),
    path(
        "stacks/<str:stack_id>/deployment-objects/from-template",
        InstantiationViewSet.as_view({"post": "create"}),
    ),
    path("deployment-objects/<str:object_id>/provenance", ProvenanceViewSet.as_view({"get": "retrieve"})),
]
