from django.urls import path

from agents.api.shortcuts import with_shortcut
from webhooks.api.shortcut import pending_shortcut
from webhooks.api.views.deliveries import DeliveryViewSet
from webhooks.api.views.subscriptions import WebhookViewSet

urlpatterns = [
    # The one that agents call all day comes first: Django tries one pattern after another.
    path(
        "agents/<str:agent_id>/webhooks/pending",
        with_shortcut(pending_shortcut, DeliveryViewSet.as_view({"get": "pending"})),
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
