"""Refusals about health reports."""

from core.errors import Unprocessable


class InvalidHealthRecord(Unprocessable):
    code = "invalid_health_record"
    message = "A health status is one of healthy, degraded, failing and unknown."
