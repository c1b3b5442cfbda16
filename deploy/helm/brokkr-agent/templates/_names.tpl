{{- define "brokkr-agent.name" -}}
{{ .Values.name | default .Release.Name | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "brokkr-agent.selector" -}}
app.kubernetes.io/name: brokkr-agent
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "brokkr-agent.labels" -}}
{{ include "brokkr-agent.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
