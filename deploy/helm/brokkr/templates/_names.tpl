{{- define "brokkr.name" -}}
{{ .Values.name | default .Release.Name | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "brokkr.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "brokkr.name" .) }}
{{- end }}

{{- /* What selects pods. The argument is a list of the root and the component. */ -}}
{{- define "brokkr.selector" -}}
app.kubernetes.io/name: brokkr
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "brokkr.labels" -}}
{{ include "brokkr.selector" . }}
app.kubernetes.io/version: {{ (index . 0).Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
helm.sh/chart: {{ (index . 0).Chart.Name }}-{{ (index . 0).Chart.Version }}
{{- end }}

{{- /* The Secret and the key with the URL of PostgreSQL; empty with SQLite. */ -}}
{{- define "brokkr.databaseSecret" -}}
{{- if .Values.database.secret.name -}}
{name: {{ .Values.database.secret.name | quote }}, key: {{ .Values.database.secret.key | quote }}}
{{- else if .Values.database.cloudNativePG.enabled -}}
{name: {{ include "brokkr.name" . }}-postgresql-app, key: uri}
{{- end -}}
{{- end }}
