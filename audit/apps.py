from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        # Models are not loaded before ready(), hence the imports in here.
        from audit import receivers  # noqa: F401, PLC0415
        from audit.authors import authors  # noqa: PLC0415
        from core.admin.authors import register_authors  # noqa: PLC0415
        from core.admin.history import History, register_history  # noqa: PLC0415

        register_authors(authors)
        register_history(History("admin:audit_auditlog_changelist", "audit.view_auditlog"))
