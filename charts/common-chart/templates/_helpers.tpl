{{- /* The name of every object. A release is named after its app, so its name is the right one in a subchart, too. */ -}}
{{- define "common-chart.name" -}}
{{- .Values.fullnameOverride | default .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "common-chart.selector" -}}
app.kubernetes.io/name: {{ include "common-chart.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "common-chart.labels" -}}
{{ include "common-chart.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name (.Chart.Version | replace "+" "_") | trunc 63 | trimSuffix "-" }}
{{- with .Values.image.tag }}
app.kubernetes.io/version: {{ . | trunc 63 | trimAll "-_." | quote }}
{{- end }}
{{- end -}}

{{- define "common-chart.image" -}}
{{- $repository := required "image.repository is needed" .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{ $repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ $repository }}:{{ required "image.tag or image.digest is needed" .Values.image.tag }}
{{- end -}}
{{- end -}}

{{- define "common-chart.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (ternary (include "common-chart.name" .) "default" .Values.serviceAccount.create) -}}
{{- end -}}

{{- /* A value as a quoted string: Helm reads numbers as floating point, which would print 10000000 as 1e+07. */ -}}
{{- define "common-chart.string" -}}
{{- ternary . (toJson .) (kindIs "string" .) | quote -}}
{{- end -}}

{{- define "common-chart.probe" -}}
httpGet:
  path: {{ .path }}
  port: http
{{- with .timing }}
{{ toYaml . }}
{{- end }}
{{- end -}}
