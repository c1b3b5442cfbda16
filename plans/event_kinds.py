from core.events import EventKind


class PlanEventKind(EventKind):
    # Somebody made a change although it takes a stack from a large share of the fleet.
    PLAN_CONFIRMED = "plan.confirmed"
