from django.urls import path

from workorders.api.views import WorkOrderLogViewSet, WorkOrderViewSet

urlpatterns = [
    path(
        "agents/<str:agent_id>/work-orders/pending",
        WorkOrderViewSet.as_view({"get": "pending"}),
    ),
    path("work-orders", WorkOrderViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "work-orders/<str:work_order_id>", WorkOrderViewSet.as_view({"get": "retrieve", "delete": "destroy"})
    ),
    path("work-orders/<str:work_order_id>/claim", WorkOrderViewSet.as_view({"post": "claim"})),
    path("work-orders/<str:work_order_id>/renew", WorkOrderViewSet.as_view({"post": "renew"})),
    path("work-orders/<str:work_order_id>/complete", WorkOrderViewSet.as_view({"post": "complete"})),
    path("work-order-log", WorkOrderLogViewSet.as_view({"get": "list"})),
    path("work-order-log/<str:work_order_id>", WorkOrderLogViewSet.as_view({"get": "retrieve"})),
]
