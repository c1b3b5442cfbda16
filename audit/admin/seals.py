"""The page of the seals: how it stands with the chain, and the list."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString

from audit.chain_state import MOST_COUNTED, chain_state
from audit.models import AuditSeal, AuditVerification
from audit.services import request_verification
from core import clock
from core.admin import CappedPaginator, ReadOnlyAdmin, admin_actor, ago, badge

_COLORS = {"holds": "good", "broken": "bad"}


@admin.register(AuditSeal)
class AuditSealAdmin(ReadOnlyAdmin):
    empty_hint = "The worker seals new entries of the audit log every few seconds. It has made no seal yet."
    list_display = ("number", "sealed", "entries", "short_hash", "chain", "kept")
    list_before_template = "audit/admin/chain.html"
    ordering = ("-number",)
    paginator = CappedPaginator
    fields = (
        "number",
        "chain",
        "sealed",
        "entries",
        "first_sequence",
        "last_sequence",
        "kept",
        "hash",
        "previous_hash",
        "lost_head",
        "entries_hash",
        "public_key",
        "signature",
    )
    readonly_fields = fields
    is_audited = False

    def get_urls(self) -> list[URLPattern]:
        verify = path("verify/", self.admin_site.admin_view(self.verify), name="audit_auditseal_verify")
        return [verify, *super().get_urls()]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for name in self.fields if name != "lost_head" or (obj is not None and obj.lost_head)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        state = chain_state()
        verified = state.verified
        context = {
            "chain": state,
            "sealed": ago(state.newest.sealed_at) if state.newest else None,
            "oldest_unsealed": ago(state.oldest_unsealed_at),
            "more_than_counted": state.unsealed >= MOST_COUNTED,
            "verified": ago(verified.finished_at) if verified else None,
            "verdict": badge(verified.state, _COLORS[verified.state]) if verified else None,
            "may_verify": self.has_verify_permission(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def verify(self, request: HttpRequest) -> HttpResponse:
        """Asks the worker to verify the whole log."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_verify_permission(request):
            raise PermissionDenied
        request_verification(expected_hash="", actor=admin_actor(request), now=clock.now())
        self.message_user(request, "The worker verifies the whole log now.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:audit_auditseal_changelist"))

    def has_verify_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"audit.add_{AuditVerification._meta.model_name}")

    @admin.display(description="sealed", ordering="number")
    def sealed(self, seal: AuditSeal) -> SafeString | None:
        return ago(seal.sealed_at)

    @admin.display(description="hash")
    def short_hash(self, seal: AuditSeal) -> str:
        return seal.hash[:16]

    @admin.display(description="entries kept")
    def kept(self, seal: AuditSeal) -> str | SafeString:
        if seal.expired_at is not None:
            return "deleted by retention"
        return badge("new chain", "wait") if seal.lost_head else "yes"
