"""The state machine of work orders. Every transition is one guarded step; `now` is passed in.

PENDING ─claim→ CLAIMED ─complete→ log, or RETRY_PENDING ─due→ PENDING. A claim that runs out counts as an attempt.
"""
