from django.apps import AppConfig

from core.registering import RegistersWhenReady


class AuditConfig(RegistersWhenReady, AppConfig):
    name = "audit"
    verbose_name = "Audit log"
