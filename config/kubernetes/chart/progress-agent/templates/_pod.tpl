{{/* The workload's name. */}}
{{- define "progress-agent.workloadName" -}}
{{ .Values.workload.name | default .Release.Name | trunc 52 | trimSuffix "-" }}
{{- end }}

{{- define "progress-agent.labels" -}}
app.kubernetes.io/name: {{ include "progress-agent.workloadName" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* The template of the workload's Pods, its restart policy aside. */}}
{{- define "progress-agent.pod" -}}
{{- $workload := .Values.workload -}}
metadata:
  labels:
    {{- include "progress-agent.labels" . | nindent 4 }}
    {{- with $workload.podLabels }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- if or $workload.podAnnotations .Values.agent.config }}
  annotations:
    {{- with .Values.agent.config }}
    progress-agent/config: {{ toYaml . | sha256sum }}
    {{- end }}
    {{- with $workload.podAnnotations }}{{ toYaml . | nindent 4 }}{{ end }}
  {{- end }}
spec:
  {{- if ne $workload.kind "Deployment" }}
  restartPolicy: {{ $workload.restartPolicy }}
  {{- end }}
  automountServiceAccountToken: {{ $workload.automountServiceAccountToken }}
  {{- with $workload.serviceAccountName }}
  serviceAccountName: {{ . | quote }}
  {{- end }}
  {{- with $workload.imagePullSecrets }}
  imagePullSecrets: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $workload.podSecurityContext }}
  securityContext: {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ include "progress-agent.gracePeriodSeconds" (list . $workload.terminationGracePeriodSeconds) }}
  {{- if not .Values.agent.classic }}
  initContainers:
    {{- include "progress-agent.sidecar" . | nindent 4 }}
  {{- end }}
  containers:
    - name: {{ include "progress-agent.workloadName" . }}
      image: {{ required "workload.image: the image to run is missing" $workload.image | quote }}
      imagePullPolicy: {{ $workload.imagePullPolicy }}
      {{- range $field := list "command" "args" "env" "resources" "securityContext" }}
      {{- with index $workload $field }}
      {{ $field }}: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- end }}
      volumeMounts:
        {{- include "progress-agent.volumeMounts" . | nindent 8 }}
    {{- if .Values.agent.classic }}
    {{- include "progress-agent.sidecar" . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "progress-agent.volumes" . | nindent 4 }}
  {{- range $field := list "nodeSelector" "tolerations" "affinity" }}
  {{- with index $workload $field }}
  {{ $field }}: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end }}

{{/* The spec of a Job, also of a CronJob's. */}}
{{- define "progress-agent.jobSpec" -}}
{{- $workload := .Values.workload -}}
backoffLimit: {{ $workload.backoffLimit }}
completions: {{ $workload.completions }}
parallelism: {{ $workload.parallelism }}
{{- if $workload.indexed }}
completionMode: Indexed
{{- end }}
{{- with $workload.activeDeadlineSeconds }}
activeDeadlineSeconds: {{ . }}
{{- end }}
{{- if ne nil $workload.ttlSecondsAfterFinished }}
ttlSecondsAfterFinished: {{ $workload.ttlSecondsAfterFinished }}
{{- end }}
template:
  {{- include "progress-agent.pod" . | nindent 2 }}
{{- end }}
