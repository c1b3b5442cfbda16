from django.urls import path

from webhooks.api.views.deliveries import DeliveryViewSet
from webhooks.api.views.subscriptions import WebhookViewSet

urlpatterns = [
    path(
        "agents/<str:agent_id>/webhooks/pending",
        DeliveryViewSet.as_view({"get": "pending"}),
    ),
    path("webhooks", WebhookViewSet.as_view({"get": "list", "post": "create"})),
    # Before the webhook of that id.
    path("webhooks/event-types", WebhookViewSet.as_view({"get": "event_types"})),
    path(
        "webhooks/<str:webhook_id>",
        WebhookViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"}),
    ),
    path("webhooks/<str:webhook_id>/test", WebhookViewSet.as_view({"post": "test"})),
    path("webhooks/<str:webhook_id>/rotate-secret", WebhookViewSet.as_view({"post": "rotate_secret"})),
    path("webhooks/<str:webhook_id>/deliveries", DeliveryViewSet.as_view({"get": "of_webhook"})),
    path("webhook-deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path("webhook-deliveries/<str:delivery_id>/result", DeliveryViewSet.as_view({"post": "result"})),
    path("webhook-deliveries/<str:delivery_id>/redeliver", DeliveryViewSet.as_view({"post": "redeliver"})),
]
