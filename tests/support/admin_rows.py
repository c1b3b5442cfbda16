"""Rows on every list of the admin."""

from django.contrib import admin
from django.utils import timezone

from audit.services import seal_new_entries
from core.events import SYSTEM
from paks.models import Role
from paks.services import issue_pak
from tests.factories import (
    make_agent,
    make_claimed_work_order,
    make_diagnostic_result,
    make_event,
    make_generator,
    make_health,
    make_held_delivery,
    make_log_entry,
    make_object,
    make_registration,
    make_stack,
    make_target,
    make_template,
)
from tests.support.bulk import make_bulk_job
from tests.support.removals import make_removal
from tests.support.rollouts import make_past_freeze, make_scene

LISTS = [
    "generators/generator/",
    "stacks/stack/",
    "stacks/deploymentobject/",
    "templates_app/stacktemplate/",
    "agents/agent/",
    "agents/agentevent/",
    "agents/registration/",
    "workorders/workorder/",
    "workorders/workorderlogentry/",
    "health/deploymenthealth/",
    "diagnostics/diagnosticrequest/",
    "webhooks/subscription/",
    "webhooks/delivery/",
    "rollouts/rollout/",
    "rollouts/rolloutstrategy/",
    "rollouts/freeze/",
    "bulk/bulkjob/",
    "agents/versionhold/",
    "agents/markerdelivery/",
    "paks/pak/",
    "audit/auditlog/",
    "audit/auditseal/",
]


def fill(rows: int) -> None:
    """As many rows on each list, each with all that a row may show."""
    for _ in range(rows):
        generator, _ = make_generator()
        stack = make_stack(generator, labels=["prod", "eu"], annotations={"team": "a"})
        agent, _ = make_agent(labels=["prod", "dk"])
        make_target(agent, stack)
        make_registration(agent, generator)
        obj = make_object(stack)
        make_event(agent, obj)
        make_health(agent, obj, "failing", summary={"pods_ready": 0})
        make_diagnostic_result(agent, obj)
        make_claimed_work_order(agent)
        make_log_entry(agent)
        make_template(generator, labels=["prod", "eu"], annotations={"team": "a"})
        make_held_delivery(agent, ["dk"])
        make_scene(agents=2).start()
        make_past_freeze(generator)
        make_removal(agent)
        make_bulk_job([agent])
        issue_pak(role=Role.ADMIN, subject_id=None, name="laptop", actor=SYSTEM)
        seal_new_entries(now=timezone.now())


def first_pk(path: str) -> object:
    """The key of the newest row on a list."""
    app, model = path.strip("/").split("/")
    return next(
        each._default_manager.order_by("-pk").values_list("pk", flat=True)[0]
        for each in admin.site._registry
        if (each._meta.app_label, each._meta.model_name) == (app, model)
    )
