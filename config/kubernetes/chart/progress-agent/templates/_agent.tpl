{{/*
What other charts include, with this chart's context: `index .Subcharts "progress-agent"`.

  initContainers:
    {{- include "progress-agent.sidecar" $agent | nindent 4 }}
  containers:
    - name: job
      volumeMounts:
        {{- include "progress-agent.volumeMounts" $agent | nindent 8 }}
  terminationGracePeriodSeconds: {{ include "progress-agent.gracePeriodSeconds" (list $agent 30) }}
  volumes:
    {{- include "progress-agent.volumes" $agent | nindent 4 }}

With `agent.classic` the sidecar belongs under `containers`.
*/}}

{{/* The agent: one entry of initContainers; of containers with `agent.classic`. */}}
{{- define "progress-agent.sidecar" -}}
{{- $agent := .Values.agent -}}
{{- if and (not $agent.classic) (semverCompare "<1.29.0-0" .Capabilities.KubeVersion.Version) }}
{{- fail (printf "agent.classic: Kubernetes %s has no native sidecars; set it to true" .Capabilities.KubeVersion.Version) }}
{{- end }}
- name: progress-agent
  image: {{ printf "%s:%s" $agent.image.repository ($agent.image.tag | default .Chart.AppVersion) | quote }}
  imagePullPolicy: {{ $agent.image.pullPolicy }}
  {{- if not $agent.classic }}
  restartPolicy: Always
  {{- end }}
  args:
    - serve
    - --web.listen-address=:19900
    - --ingest.listen-address=127.0.0.1:19901
    - --ingest.socket=/run/progress-agent/agent.sock
    - --ingest.socket-mode=0666
    {{- if $agent.storage.enabled }}
    - --storage.path=/var/lib/progress-agent
    {{- end }}
    - --shutdown.linger={{ $agent.lingerSeconds }}s
    - --log.format={{ $agent.logFormat }}
    {{- if $agent.config }}
    - --config.file=/etc/progress-agent/agent.yaml
    {{- end }}
    {{- if $agent.classic }}
    - --exit-when-done
    {{- end }}
    {{- range $agent.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  ports:
    - name: progress-agent
      containerPort: 19900
  {{- if not $agent.classic }}
  startupProbe:
    httpGet: {path: /-/ready, port: progress-agent}
    periodSeconds: 1
    failureThreshold: 60
  {{- end }}
  livenessProbe:
    httpGet: {path: /-/healthy, port: progress-agent}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  resources: {{- toYaml $agent.resources | nindent 4 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    readOnlyRootFilesystem: true
    allowPrivilegeEscalation: false
    capabilities: {drop: [ALL]}
    seccompProfile: {type: RuntimeDefault}
  volumeMounts:
    - {name: progress-agent, mountPath: /run/progress-agent}
    {{- if $agent.storage.enabled }}
    - {name: progress-agent-state, mountPath: /var/lib/progress-agent}
    {{- end }}
    - {name: progress-agent-no-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
    {{- if $agent.config }}
    - {name: progress-agent-config, mountPath: /etc/progress-agent, readOnly: true}
    {{- end }}
{{- end }}

{{/* Entries of the Pod's volumes. */}}
{{- define "progress-agent.volumes" -}}
- name: progress-agent
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
{{- if .Values.agent.storage.enabled }}
- name: progress-agent-state
  emptyDir: {sizeLimit: {{ .Values.agent.storage.size }}}
{{- end }}
- name: progress-agent-no-token
  emptyDir: {medium: Memory, sizeLimit: 4Ki}
{{- if .Values.agent.config }}
- name: progress-agent-config
  configMap: {name: {{ include "progress-agent.configName" . }}}
{{- end }}
{{- end }}

{{/* Entries of the volumeMounts of a container that reports over the socket. */}}
{{- define "progress-agent.volumeMounts" -}}
- {name: progress-agent, mountPath: /run/progress-agent}
{{- end }}

{{/* The Pod's grace period: (list AGENT WANTED), raised to what the agent needs. */}}
{{- define "progress-agent.gracePeriodSeconds" -}}
{{- max (index . 1 | int) (add (index . 0).Values.agent.lingerSeconds 10) -}}
{{- end }}

{{- define "progress-agent.configName" -}}
{{ printf "%s-progress-agent" (.Release.Name | trunc 48 | trimSuffix "-") }}
{{- end }}
