from django.urls import path

from plans.api.views import PlanViewSet

urlpatterns = [path("plans", PlanViewSet.as_view({"post": "create"}))]
