"""The admin's titles, style sheets and sidebar. Everything it loads comes from this server."""

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


def _asset(name: str) -> Callable[[HttpRequest], str]:
    return lambda _: static(f"core/{name}")


UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Brokkr",
    "SITE_HEADER": "Brokkr",
    "SITE_SUBHEADER": "Broker",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _asset("favicon.svg")}],
    "STYLES": [
        _asset(f"{name}.css")
        for name in ("theme", "admin", "cards", "code", "tables", "rollouts", "states", "jobs", "access")
    ],
    "SCRIPTS": [_asset("access.js")],
    "LOGIN": {"form": "console.login.LoginForm"},
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    {"title": "Control room", "icon": "monitoring", "link": reverse_lazy("admin:index")},
                    {
                        "title": "Deployments",
                        "icon": "rocket_launch",
                        "link": reverse_lazy("admin:deployments"),
                        "permission": _may_see("stacks", "stack"),
                    },
                    _page("Stacks", "layers", "stacks", "stack"),
                    _page("Agents", "dns", "agents", "agent"),
                    _page("Rollouts", "stairs", "rollouts", "rollout"),
                    {
                        "title": "Resources and images",
                        "icon": "manage_search",
                        "link": reverse_lazy("admin:resources"),
                        "permission": _may_see("inventory", "entry"),
                    },
                ],
            },
            {
                "title": "Deploy",
                "collapsible": True,
                "items": [
                    _page("Versions", "description", "stacks", "deploymentobject"),
                    _page("Templates", "draft", "templates_app", "stacktemplate"),
                    _page("Generators", "factory", "generators", "generator"),
                    _page("Held versions", "front_hand", "agents", "versionhold"),
                    _page("Strategies", "route", "rollouts", "rolloutstrategy"),
                    _page("Freezes", "ac_unit", "rollouts", "freeze"),
                ],
            },
            {
                "title": "Fleet",
                "collapsible": True,
                "items": [
                    _page("Reports", "sync", "agents", "agentevent"),
                    _page("Registrations", "link", "agents", "registration"),
                    _page("Removals", "delete_sweep", "agents", "markerdelivery"),
                    _page("Bulk jobs", "checklist", "bulk", "bulkjob"),
                    _page("Health", "monitor_heart", "health", "deploymenthealth"),
                    _page("Diagnostics", "troubleshoot", "diagnostics", "diagnosticrequest"),
                    _page("Work orders", "build", "workorders", "workorder"),
                    _page("Finished work orders", "task_alt", "workorders", "workorderlogentry"),
                ],
            },
            {
                "title": "Broker",
                "collapsible": True,
                "items": [
                    _page("Webhooks", "webhook", "webhooks", "subscription"),
                    _page("Webhook deliveries", "outbox", "webhooks", "delivery"),
                    _page("Keys", "key", "paks", "pak"),
                    _page("Users", "person", "auth", "user"),
                    _page("Groups", "group", "auth", "group"),
                    _page("Audit log", "history", "audit", "auditlog"),
                    _page("Seals", "verified_user", "audit", "auditseal"),
                    {
                        "title": "Installation",
                        "icon": "stethoscope",
                        "link": reverse_lazy("admin:installation"),
                        "permission": lambda request: request.user.has_perm("config.check_installation"),
                    },
                ],
            },
        ],
    },
}
