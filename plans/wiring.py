from core.api.planned import register_guard
from plans.api.guard import guard

register_guard(guard)
