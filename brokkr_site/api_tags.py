"""The tags that group the API's operations, in reading order: what a newcomer needs first comes first."""

TAGS = [
    {"name": name, "description": description}
    for name, description in (
        ("auth", "Which key is this, and which keys are there."),
        (
            "stacks",
            "What belongs together and goes to the same agents, with the labels and annotations that say to which.",
        ),
        ("deployment objects", "The versions of a stack: immutable manifests, and deletion markers."),
        (
            "inventory",
            "Which resources and images are in which versions, and where stacks contradict each other.",
        ),
        ("templates", "Manifests with parameters; versions of them, previews, and publishing from one."),
        (
            "rollouts",
            "How a version reaches the fleet: strategies with waves, rollouts under way, and what people do to them.",
        ),
        ("plans", "What a write would do to the fleet, before it is made."),
        ("freezes", "While one holds, what agents should have stays as it is."),
        ("generators", "Tenants, who publish: each owns stacks and has keys of its own."),
        (
            "agents",
            "One process in each cluster, which pulls: its record, labels, targets, heartbeat and target state.",
        ),
        (
            "sync",
            "One call for agents that know it, in place of five: what they have to say, and what is new.",
        ),
        ("registrations", "Which agents serve which generators."),
        ("events", "What agents report of the objects that they applied."),
        ("health status", "What agents observe of the objects that are deployed."),
        ("fleet", "All agents at a glance, and why one has a stack or has not."),
        ("history", "What agents should have had at a moment, and what happened, when and by whom."),
        (
            "work orders",
            "One-off jobs for agents: claimed, renewed, completed, tried again, and the log of what is finished.",
        ),
        ("diagnostics", "Asking an agent about a deployment object, and what it found."),
        ("webhooks", "Who is told of what, by the broker or by agents, and what became of each delivery."),
        ("audit", "Every change: what, when, by whom and from where."),
        ("admin", "The settings that may change while the broker runs."),
        (
            "telemetry",
            "For clients that ask for what WebSockets would carry; this broker has none, and answers that.",
        ),
        ("health", "Probes, and metrics for Prometheus. They need no key."),
    )
]
