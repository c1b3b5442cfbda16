"""How the admin is called and how its pages are grouped. Everything it loads comes from this server."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _may_see(app: str, model: str) -> Callable[[HttpRequest], bool]:
    def check(request: HttpRequest) -> bool:
        user = request.user
        return user.has_perm(f"{app}.view_{model}") or user.has_perm(f"{app}.change_{model}")

    return check


def _page(title: str, icon: str, app: str, model: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{model}_changelist"),
        "permission": _may_see(app, model),
    }


def _stylesheet(_: HttpRequest) -> str:
    return static("core/admin.css")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Brokkr",
    "SITE_HEADER": "Brokkr",
    "SITE_SUBHEADER": "Broker",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "STYLES": [_stylesheet],
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.604)",
            "100": "oklch(93.2% .032 255.585)",
            "200": "oklch(88.2% .059 254.128)",
            "300": "oklch(80.9% .105 251.813)",
            "400": "oklch(70.7% .165 254.624)",
            "500": "oklch(62.3% .214 259.815)",
            "600": "oklch(54.6% .245 262.881)",
            "700": "oklch(48.8% .243 264.376)",
            "800": "oklch(42.4% .199 265.638)",
            "900": "oklch(37.9% .146 265.522)",
            "950": "oklch(28.2% .091 267.935)",
        }
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Deploy",
                "items": [
                    _page("Stacks", "layers", "stacks", "stack"),
                    _page("Deployment objects", "description", "stacks", "deploymentobject"),
                    _page("Generators", "factory", "generators", "generator"),
                ],
            },
            {
                "title": "Fleet",
                "items": [
                    _page("Agents", "dns", "agents", "agent"),
                    _page("Agent events", "sync", "agents", "agentevent"),
                    _page("Registrations", "link", "agents", "registration"),
                    _page("Health", "monitor_heart", "health", "deploymenthealth"),
                    _page("Diagnostics", "troubleshoot", "diagnostics", "diagnosticrequest"),
                ],
            },
            {
                "title": "Work",
                "items": [
                    _page("Work orders", "build", "workorders", "workorder"),
                    _page("Finished work orders", "task_alt", "workorders", "workorderlogentry"),
                ],
            },
            {
                "title": "Access",
                "items": [
                    _page("Keys", "key", "paks", "pak"),
                    _page("Users", "person", "auth", "user"),
                    _page("Groups", "group", "auth", "group"),
                ],
            },
            {"title": "Audit", "items": [_page("Audit log", "history", "audit", "auditlog")]},
        ],
    },
}
