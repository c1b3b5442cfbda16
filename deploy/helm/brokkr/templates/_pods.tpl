{{- define "brokkr.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- /* What every pod has. The argument is a list of the root and the component. */ -}}
{{- define "brokkr.podMetadata" -}}
{{- $root := index . 0 -}}
labels:
  {{- include "brokkr.selector" . | nindent 2 }}
  {{- with $root.Values.pods.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  # Processes read their settings when they start.
  checksum/settings: {{ include (print $root.Template.BasePath "/settings.yaml") $root | sha256sum }}
  {{- with $root.Values.pods.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "brokkr.podSpec" -}}
{{- $root := index . 0 -}}
{{- $pods := $root.Values.pods -}}
serviceAccountName: {{ include "brokkr.serviceAccount" $root | quote }}
automountServiceAccountToken: false
# A Service named `brokkr` would set BROKKR_PORT.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $pods.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
topologySpreadConstraints:
  - topologyKey: {{ $pods.spread.topologyKey | quote }}
    maxSkew: {{ $pods.spread.maxSkew }}
    whenUnsatisfiable: {{ $pods.spread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "brokkr.selector" . | nindent 8 }}
{{- end }}

{{- define "brokkr.volumes" -}}
- name: data
  {{- if include "brokkr.databaseSecret" . }}
  emptyDir: {}
  {{- else }}
  persistentVolumeClaim: {claimName: {{ include "brokkr.name" . }}-data}
  {{- end }}
- name: tmp
  emptyDir: {}
{{- end }}

{{- /* The head of every container. The arguments are the root, the container's name, and its command. */ -}}
{{- define "brokkr.container" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
image: {{ include "brokkr.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
command: {{ index . 2 | toJson }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
envFrom:
  - configMapRef: {name: {{ include "brokkr.name" $root }}-settings}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- /* The arguments are the root, and whether a pooler is passed through. */ -}}
{{- define "brokkr.environment" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- $pooler := and (index . 1) $values.database.pooler.secret.name -}}
{{- $database := include "brokkr.databaseSecret" $root -}}
{{- if or $database $values.keys.secret -}}
env:
  {{- if $pooler }}
  - name: DATABASE_URL
    valueFrom: {secretKeyRef: {name: {{ $pooler | quote }}, key: {{ $values.database.pooler.secret.key | quote }}}}
  - name: BROKKR_DB_POOLER
    value: {{ ternary "transaction-prepared" "transaction" $values.database.pooler.preparedStatements }}
  {{- else if $database }}
  - name: DATABASE_URL
    valueFrom: {secretKeyRef: {{ $database }}}
  {{- end }}
  {{- with $values.keys.secret }}
  - name: BROKKR_SECRET_KEY
    valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: secret-key}}
  - name: BROKKR_AUDIT_SIGNING_KEY
    valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: audit-signing-key}}
  - name: BROKKR__BROKER__WEBHOOK_ENCRYPTION_KEY
    valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: webhook-encryption-key}}
  - name: BROKKR__BROKER__PAK_HASH
    valueFrom: {secretKeyRef: {name: {{ . | quote }}, key: pak-hash, optional: true}}
  {{- end }}
{{- end }}
{{- end }}

{{- define "brokkr.webContainer" -}}
{{ include "brokkr.container" (list . "web" (list "gunicorn")) }}
{{- with include "brokkr.environment" (list . true) }}
{{ . }}
{{- end }}
ports:
  - {name: http, containerPort: 3000}
startupProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 2, failureThreshold: 60}
# Liveness does not ask the database: a restart brings none back.
livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 10, timeoutSeconds: 2, failureThreshold: 3}
readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5, timeoutSeconds: 4, failureThreshold: 2}
# Load balancers forget the pod first.
lifecycle: {preStop: {sleep: {seconds: 5}}}
resources:
  {{- toYaml .Values.web.resources | nindent 2 }}
{{- end }}

{{- /* A container that runs a command of manage.py. The arguments are the root, the container's name, and the command. */ -}}
{{- define "brokkr.commandContainer" -}}
{{- $root := index . 0 -}}
{{ include "brokkr.container" (list $root (index . 1) (concat (list "python3" "manage.py") (index . 2))) }}
{{- with include "brokkr.environment" (list $root false) }}
{{ . }}
{{- end }}
resources:
  {{- toYaml $root.Values.worker.resources | nindent 2 }}
{{- end }}

{{- define "brokkr.workerContainer" -}}
{{ include "brokkr.commandContainer" (list . "worker" (list "run_worker")) }}
{{- end }}

{{- define "brokkr.migrateContainer" -}}
{{ include "brokkr.commandContainer" (list . "migrate" (list "migrate")) }}
{{- end }}

{{- /* The arguments are the root and more arguments for the command. */ -}}
{{- define "brokkr.bootstrapContainer" -}}
{{ include "brokkr.commandContainer" (list (index . 0) "bootstrap" (concat (list "bootstrap") (index . 1))) }}
{{- end }}

{{- /* Fails until the migration job is done; the kubelet starts it again. */ -}}
{{- define "brokkr.migratedContainer" -}}
{{ include "brokkr.commandContainer" (list . "migrated" (list "migrate" "--check")) }}
{{- end }}

{{- define "brokkr.migrationPod" -}}
metadata:
  {{- include "brokkr.podMetadata" (list . "migration") | nindent 2 }}
spec:
  {{- include "brokkr.podSpec" (list . "migration") | nindent 2 }}
  restartPolicy: OnFailure
  initContainers:
    - {{ include "brokkr.migrateContainer" . | nindent 6 | trim }}
  containers:
    - {{ include "brokkr.bootstrapContainer" (list . list) | nindent 6 | trim }}
  volumes:
    {{- include "brokkr.volumes" . | nindent 4 }}
{{- end }}
