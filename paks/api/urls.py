from django.urls import path

from paks.api.views import IdentityViewSet

urlpatterns = [path("auth/pak", IdentityViewSet.as_view({"post": "identify"}))]
