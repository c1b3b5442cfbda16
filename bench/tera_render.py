"""How fast a realistic Deployment template renders, beside the equivalent one in plain jinja2.

Run from the root of the project: `python bench/tera_render.py [seconds]`.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import jinja2

sys.path.insert(0, str(Path(__file__).parents[1]))

from tera import template_for  # the path above comes first

TARGET = 500

PARAMETERS = {
    "name": "checkout", "namespace": "shop", "team": "payments", "environment": "production",
    "image": "registry.example.com/shop/checkout", "tag": "2.14.3", "pull_policy": "IfNotPresent",
    "replicas": 4, "revision_history": 5, "port": 8080, "metrics_port": 9090, "log_level": "info",
    "cpu_request": "250m", "memory_request": "256Mi", "cpu_limit": "1", "memory_limit": "512Mi",
    "labels": {"app.kubernetes.io/part-of": "shop", "cost-center": "4711", "tier": "backend"},
    "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9090"},
    "env": {"DATABASE_HOST": "db.shop.svc", "DATABASE_PORT": 5432, "CACHE_HOST": "cache.shop.svc",
            "FEATURE_NEW_BASKET": True, "TIMEOUT_SECONDS": 2.5, "RETRIES": 3},
    "secrets": [{"name": "DATABASE_PASSWORD", "secret": "checkout-db", "key": "password"},
                {"name": "API_TOKEN", "secret": "checkout-api", "key": "token"}],
    "volumes": [{"name": "config", "config_map": "checkout-config", "path": "/etc/checkout"},
                {"name": "cache", "size": "1Gi", "path": "/var/cache/checkout"}],
    "hosts": ["checkout.example.com", "pay.example.com"], "tls": {"enabled": True, "secret": "checkout-tls"},
    "autoscaling": {"enabled": True, "min": 2, "max": 10, "cpu": 70}, "node_selector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "value": "shop", "effect": "NoSchedule"}],
    "service_account": "checkout", "run_as_user": 10001, "grace_period": 45, "probe_path": "/healthz",
}  # fmt: skip

# `<<` and `>>` mark what the two languages write differently.
SHARED = """\
{% set full_name = <<name ~ "-" ~ environment>> %}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ full_name }}
  namespace: {{ namespace }}
  labels:
    app.kubernetes.io/name: {{ name }}
    app.kubernetes.io/version: {{ tag | <<replace(from="+", to="_")||replace("+", "_")>> }}
    team: {{ team | upper }}
{%- for key, value in <<labels||labels.items()>> %}
    {{ key }}: "{{ value }}"
{%- endfor %}
{%- if annotations %}
  annotations:
{%- for key, value in <<annotations||annotations.items()>> %}
    {{ key }}: "{{ value }}"
{%- endfor %}
{%- endif %}
spec:
{%- if not autoscaling.enabled %}
  replicas: {{ replicas }}
{%- endif %}
  revisionHistoryLimit: {{ revision_history | <<default(value=10)||default(10)>> }}
  selector:
    matchLabels:
      app.kubernetes.io/name: {{ name }}
      environment: {{ environment }}
  strategy:
    type: {{ strategy | <<default(value="RollingUpdate")||default("RollingUpdate")>> }}
    rollingUpdate:
      maxSurge: {{ replicas <</ 2 | round(method="ceil")||// 2>> }}
      maxUnavailable: 0
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {{ name }}
        environment: {{ environment }}
    spec:
      serviceAccountName: {{ service_account | <<default(value=name)||default(name)>> }}
      terminationGracePeriodSeconds: {{ grace_period + 15 }}
      securityContext:
        runAsNonRoot: true
        runAsUser: {{ run_as_user }}
        fsGroup: {{ run_as_user }}
{%- if node_selector is defined and node_selector %}
      nodeSelector:
{%- for key, value in <<node_selector||node_selector.items()>> %}
        {{ key }}: {{ value }}
{%- endfor %}
{%- endif %}
{%- if tolerations %}
      tolerations:
{%- for toleration in tolerations %}
        - key: {{ toleration.key }}
          operator: Equal
          value: {{ toleration.value }}
          effect: {{ toleration.effect }}
{%- endfor %}
{%- endif %}
      containers:
        - name: {{ name }}
          image: "{{ image }}:{{ tag }}"
          imagePullPolicy: {{ pull_policy }}
          args: [{{ arguments | <<default(value=["a"]) | join(sep=", ")||default(["a"]) | join(", ")>> }}]
          ports:
            - name: http
              containerPort: {{ port }}
              protocol: TCP
            - name: metrics
              containerPort: {{ metrics_port }}
              protocol: TCP
          env:
            - name: LOG_LEVEL
              value: {{ log_level | upper }}
            - name: ENVIRONMENT
              value: {{ environment | capitalize }}
{%- for key, value in <<env||env.items()>> %}
            - name: {{ key }}
              value: "{{ value }}"
{%- endfor %}
{%- for item in secrets %}
            - name: {{ item.name }}
              valueFrom:
                secretKeyRef:
                  name: {{ item.secret }}
                  key: {{ item.key }}
{%- endfor %}
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: POD_IP
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
          resources:
            requests:
              cpu: {{ cpu_request }}
              memory: {{ memory_request }}
            limits:
              cpu: "{{ cpu_limit }}"
              memory: {{ memory_limit }}
          readinessProbe:
            httpGet:
              path: {{ probe_path }}
              port: http
            initialDelaySeconds: 5
            periodSeconds: 10
            timeoutSeconds: 2
            failureThreshold: 3
          livenessProbe:
            httpGet:
              path: {{ probe_path }}
              port: http
            initialDelaySeconds: {% if environment == "production" %}30{% else %}10{% endif %}
            periodSeconds: 20
            timeoutSeconds: 2
            failureThreshold: 5
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
{%- if volumes %}
          volumeMounts:
{%- for volume in volumes %}
            - name: {{ volume.name }}
              mountPath: {{ volume.path }}
{%- if volume.config_map is defined %}
              readOnly: true
{%- endif %}
{%- endfor %}
      volumes:
{%- for volume in volumes %}
        - name: {{ volume.name }}
{%- if volume.config_map is defined %}
          configMap:
            name: {{ volume.config_map }}
{%- else %}
          emptyDir:
            sizeLimit: {{ volume.size | <<default(value="1Gi")||default("1Gi")>> }}
{%- endif %}
{%- endfor %}
{%- endif %}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ full_name }}
  namespace: {{ namespace }}
spec:
  selector:
    app.kubernetes.io/name: {{ name }}
    environment: {{ environment }}
  ports:
    - name: http
      port: 80
      targetPort: http
    - name: metrics
      port: {{ metrics_port }}
      targetPort: metrics
{%- if autoscaling.enabled %}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ full_name }}
  namespace: {{ namespace }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ full_name }}
  minReplicas: {{ autoscaling.min }}
  maxReplicas: {{ autoscaling.max }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ autoscaling.cpu }}
{%- endif %}
{%- if hosts | length > 0 %}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ full_name }}
  namespace: {{ namespace }}
spec:
  rules:
{%- for host in hosts %}
    - host: {{ host }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ full_name }}
                port:
                  name: http
{%- endfor %}
{%- if tls.enabled %}
  tls:
    - secretName: {{ tls.secret }}
      hosts:
{%- for host in hosts %}
        - {{ host }}{% if loop.last %} # last{% endif %}
{%- endfor %}
{%- endif %}
{%- endif %}
"""


def in_language(template: str, index: int) -> str:
    """Choose what the first (Tera) or the second (jinja2) language writes."""
    pieces = []
    for piece in template.split("<<"):
        marked, end, rest = piece.partition(">>")
        pieces.append(marked.split("||")[min(index, marked.count("||"))] + rest if end else piece)
    return "".join(pieces)


def rate(render: Callable[[], object], seconds: float) -> float:
    """Return how often `render` runs in a second."""
    count, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        render()
        count += 1
    return count / elapsed


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    source = in_language(SHARED, 0)
    plain = jinja2.Environment(autoescape=False, keep_trailing_newline=True, undefined=jinja2.StrictUndefined)
    plain_template = plain.from_string(in_language(SHARED, 1))
    expected = plain_template.render(PARAMETERS).replace('"True"', '"true"')
    # jinja2 keeps the order of members, Tera sorts them: the same lines, then, in another order.
    assert sorted(template_for(source).render(PARAMETERS).splitlines()) == sorted(expected.splitlines())

    start = time.perf_counter()
    template_for(source + "\n")
    compiling = time.perf_counter() - start

    ours, theirs = [], []
    for _ in range(10):
        ours.append(rate(lambda: template_for(source).render(PARAMETERS), seconds / 20))
        theirs.append(rate(lambda: plain_template.render(PARAMETERS), seconds / 20))
    own, other = median(ours), median(theirs)
    print(f"template: {len(source.splitlines())} lines, {len(PARAMETERS)} parameters")
    print(f"compiling:    {compiling * 1000:8.0f} ms")
    print(f"this engine:  {own:8.0f} renders/s (target {TARGET}: {'met' if own >= TARGET else 'missed'})")
    print(f"plain jinja2: {other:8.0f} renders/s")
    print(f"ratio:        {own / other:8.2f}")


if __name__ == "__main__":
    main()
