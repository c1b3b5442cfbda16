from django.urls import path

from config.api.views import ConfigViewSet

urlpatterns = [path("admin/config/reload", ConfigViewSet.as_view({"post": "reload"}))]
