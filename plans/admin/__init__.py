"""The plan of a change, wherever the admin asks before it changes what agents get."""

from core.admin.planning import register_planner
from plans.admin.planner import FleetPlanner

register_planner(FleetPlanner())
