"""Names, manifests and error messages as one finds them in clusters."""

from collections.abc import Sequence
from random import Random
from typing import Any

ENVIRONMENTS = ("prod", "staging", "dev")
REGIONS = ("eu-west", "eu-north", "us-east", "us-west", "ap-south")
TIERS = ("core", "edge")
# Users of the admin site, as the audit log remembers them.
PEOPLE = ("astrid", "bjorn", "ylva")

# Generators and the applications they publish.
GENERATORS: dict[str, Sequence[str]] = {
    "payments": ("api", "ledger", "fraud-check", "settlement", "webhooks", "reconciler"),
    "storefront": ("web", "cart", "search", "recommendations", "image-resizer", "checkout"),
    "identity": ("login", "sessions", "directory", "audit-sink"),
    "data-platform": ("ingest", "stream-processor", "warehouse-loader", "catalog", "notebooks"),
    "observability": ("collector", "log-forwarder", "alert-router", "dashboards"),
    "platform": ("ingress", "cert-manager", "dns", "policy-agent", "node-tuner", "backup"),
    "logistics": ("tracking", "route-planner", "label-printer", "warehouse-sync"),
    "customer-care": ("tickets", "chat", "knowledge-base"),
}
DESCRIPTIONS = {
    "payments": "Card and invoice payments, and the books behind them",
    "storefront": "What customers see and buy from",
    "identity": "Logging in, for customers and staff",
    "data-platform": "Events in, tables out",
    "observability": "Metrics, logs and who is woken by them",
    "platform": "What every cluster needs before anything else runs",
    "logistics": "Parcels from the warehouse to the door",
    "customer-care": "Answers",
}
# Weights as in a real fleet: most failures come from images and limits.
FAILURES = (
    "Deployment {app}: ImagePullBackOff: manifest for registry.example.com/{app}:{version} not found",
    "Deployment {app}: ImagePullBackOff: registry.example.com: 401 Unauthorized",
    "Deployment {app}: CrashLoopBackOff: exit code 137 (OOMKilled), limit 256Mi",
    "Deployment {app}: ProgressDeadlineExceeded: 1 of 3 replicas are ready after 600 s",
    'admission webhook "policy.example.com" denied the request: containers must not run as root',
    'failed to apply ConfigMap {app}: configmaps "{app}" is forbidden: exceeded quota, used: 50, limited: 50',
    "no matches for kind ServiceMonitor in version monitoring.coreos.com/v1",
    "timed out waiting for the condition: pod {app}-7c9f5d is not scheduled: 0/12 nodes available: insufficient cpu",
)
# Work orders of type custom apply one of these objects. Build orders build the applications' images.
CUSTOM_WORK = {
    "backup-database": "Snapshot the cluster's databases",
    "rotate-certificates": "Renew certificates that end within a month",
    "collect-garbage": "Remove images that no pod uses",
    "drain-node": "Move pods away before maintenance",
    "run-conformance": "Check the cluster against the conformance suite",
}
WORK_FAILURES: dict[str, Sequence[str]] = {
    "build": (
        "step build-and-push: no space left on device",
        "step build-and-push: registry.example.com: 401 Unauthorized",
        "git clone: repository not found",
    ),
    "custom": (
        "certificate issuer did not answer within 30 s",
        "node worker-07 did not drain: PodDisruptionBudget storefront-web allows 0 disruptions",
        "job failed: BackoffLimitExceeded",
    ),
}

# The event patterns of each webhook.
WEBHOOKS: dict[str, Sequence[str]] = {
    "chat-releases": ("deployment.*", "stack.deleted"),
    "job-tracker": ("workorder.*",),
    "in-the-cluster": ("workorder.created",),
}

HEALTH: dict[str, dict[str, Any] | None] = {
    "healthy": {"pods_ready": 3, "pods_total": 3, "conditions": []},
    "degraded": {"pods_ready": 2, "pods_total": 3, "conditions": ["Ready"]},
    "failing": {"pods_ready": 0, "pods_total": 3, "conditions": ["CrashLoopBackOff"]},
}

_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app}
  namespace: {generator}
  labels:
    app.kubernetes.io/name: {app}
    app.kubernetes.io/version: "{version}"
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: {app}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {app}
    spec:
      containers:
        - name: {app}
          image: registry.example.com/{generator}/{app}:{version}
          ports:
            - containerPort: 8080
          envFrom:
            - configMapRef:
                name: {app}
            - secretRef:
                name: {app}
          resources:
            requests:
              cpu: {cpu}m
              memory: {memory}Mi
            limits:
              memory: {memory}Mi
          readinessProbe:
            httpGet:
              path: /ready
              port: 8080
---
apiVersion: v1
kind: Service
metadata:
  name: {app}
  namespace: {generator}
spec:
  selector:
    app.kubernetes.io/name: {app}
  ports:
    - port: 80
      targetPort: 8080
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {app}
  namespace: {generator}
data:
  LOG_LEVEL: {log_level}
  WORKERS: "{workers}"
---
apiVersion: v1
kind: Secret
metadata:
  name: {app}
  namespace: {generator}
type: Opaque
stringData:
  DATABASE_URL: postgres://{app}:{password}@db.{generator}.svc/{app}
"""

_BUILD = """\
apiVersion: shipwright.io/v1beta1
kind: Build
metadata:
  name: {app}
spec:
  source:
    git:
      url: https://git.example.com/{generator}/{app}
  strategy:
    name: buildah
    kind: ClusterBuildStrategy
  output:
    image: registry.example.com/{generator}/{app}:{version}
"""
_JOB = """\
# {what}
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
  namespace: platform
spec:
  backoffLimit: 2
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: {name}
          image: registry.example.com/platform/{name}:1.4.2
"""

TEMPLATE_SCHEMA = """\
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "required": ["name", "version"],
  "properties": {
    "name": {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"},
    "version": {"type": "string"},
    "replicas": {"type": "integer", "minimum": 1, "maximum": 20, "default": 2}
  }
}
"""
TEMPLATES = {
    "web-service": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ name }}
spec:
  replicas: {{ replicas | default(value=2) }}
  selector:
    matchLabels:
      app: {{ name }}
  template:
    metadata:
      labels:
        app: {{ name }}
    spec:
      containers:
        - name: {{ name }}
          image: registry.example.com/{{ name }}:{{ version }}
""",
    "nightly-job": """\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ name }}
spec:
  schedule: "30 2 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: {{ name }}
              image: registry.example.com/{{ name }}:{{ version }}
""",
}


def manifest(chance: Random, *, generator: str, app: str, version: str) -> str:
    """One version of an application; the next one differs in a few lines."""
    return _MANIFEST.format(
        generator=generator,
        app=app,
        version=version,
        replicas=chance.choice((2, 3, 3, 5)),
        cpu=chance.choice((50, 100, 250)),
        memory=chance.choice((128, 256, 512)),
        log_level=chance.choice(("info", "info", "info", "debug")),
        workers=chance.choice((2, 4, 8)),
        password=f"{chance.getrandbits(64):016x}",
    )


def work(chance: Random) -> tuple[str, str, str]:
    """A work order: its type, one of the two that agents know, its name and its YAML."""
    if chance.random() < 0.4:
        generator, app = chance.choice(apps())
        version = f"1.{chance.randint(2, 9)}.0"
        return "build", app, _BUILD.format(generator=generator, app=app, version=version)
    name = chance.choice(list(CUSTOM_WORK))
    return "custom", name, _JOB.format(name=name, what=CUSTOM_WORK[name])


def failure(chance: Random, *, app: str, version: str) -> str:
    return chance.choice(FAILURES).format(app=app, version=version)


def apps() -> list[tuple[str, str]]:
    """Pairs of a generator's name and one of its applications, taking the generators in turn."""
    most = max(len(names) for names in GENERATORS.values())
    return [
        (generator, names[turn])
        for turn in range(most)
        for generator, names in GENERATORS.items()
        if turn < len(names)
    ]
