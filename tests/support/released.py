"""The previous release: its commit, and the last migration of each of its apps. Both change with each release."""

COMMIT = "156fee0bfccf183e3486a2ef61f3012a645f80fd"
LAST_MIGRATIONS = {
    "agents": "0004_questions_of_operators",
    "audit": "0002_audit_by_actor_label",
    "core": "0002_rates_and_settings",
    "diagnostics": "0001_initial",
    "generators": "0001_initial",
    "health": "0001_initial",
    "paks": "0001_initial",
    "stacks": "0003_reveal_secrets",
    "templates_app": "0001_initial",
    "webhooks": "0002_decrypt_failure",
    "workorders": "0001_initial",
}
