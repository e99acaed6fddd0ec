{{- define "millrace.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{/*
The name of what the chart makes. A Service begins with a letter and has no dots; the name of a pod of a StatefulSet, with the
hash of its revision, is a label: 63 characters, of which 52 are left. What is cut is told apart by a hash.
*/}}
{{- define "millrace.fullname" -}}
{{- $name := .Values.fullnameOverride -}}
{{- if not $name -}}
{{- $part := .Values.nameOverride | default .Chart.Name -}}
{{- $both := regexMatch "^[a-z]" .Release.Name | ternary (printf "%s-%s" .Release.Name $part) (printf "%s-%s" $part .Release.Name) -}}
{{- $name = contains $part .Release.Name | ternary .Release.Name $both -}}
{{- end -}}
{{- $name = $name | replace "." "-" -}}
{{- if not (regexMatch "^[a-z]" $name) -}}
{{- $name = printf "millrace-%s" $name -}}
{{- end -}}
{{- if gt (len $name) 52 -}}
{{- $name = printf "%s-%s" ($name | trunc 43 | trimSuffix "-") ($name | sha256sum | trunc 8) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "millrace.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "millrace.fullname" .) "default") -}}
{{- end -}}

{{/* Every value is quoted: a release may be called n, on or 1e3. */}}
{{- define "millrace.commonLabels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" | quote }}
app.kubernetes.io/name: {{ include "millrace.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "millrace.labels" -}}
{{ include "millrace.commonLabels" . }}
app.kubernetes.io/component: broker
{{- end -}}

{{- define "millrace.selectorLabels" -}}
app.kubernetes.io/name: {{ include "millrace.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: broker
{{- end -}}

{{/* The pod of helm test is not one of those that the Services lead to. */}}
{{- define "millrace.testLabels" -}}
app.kubernetes.io/name: {{ include "millrace.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/component: test
{{- end -}}

{{- define "millrace.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{- printf "%s@%s" .repository .digest -}}
{{- else -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "millrace.dataDirectory" -}}
{{- dig "storage" "directory" "./data" .Values.config -}}
{{- end -}}

{{- define "millrace.adminTokenSecret" -}}
{{- if .Values.adminToken.existingSecret -}}
{{- .Values.adminToken.existingSecret -}}
{{- else if .Values.adminToken.value -}}
{{- include "millrace.fullname" . }}-admin
{{- end -}}
{{- end -}}

{{/*
What the configuration opens to others than the pod itself, as a list of maps:
  door      the listener's name, or http, or sqs: the key under service.ports
  name      of the port, in pod and Service
  port      on which the broker listens
  protocol  for appProtocol
  tls       whether it is spoken there
*/}}
{{- define "millrace.doors" -}}
{{- $doors := list -}}
{{- $given := deepCopy (dig "listeners" dict .Values.config) -}}
{{- $listeners := mergeOverwrite (dict "tcp" dict "ws" dict) $given -}}
{{- $known := dict "tcp" (dict "kind" "tcp" "port" 1883) "ws" (dict "kind" "ws" "port" 8083) "mqtts" (dict "kind" "tcp" "port" 8883) "wss" (dict "kind" "ws" "port" 8084) -}}
{{- range $door, $own := $listeners -}}
{{- $listener := mergeOverwrite (deepCopy (get $known $door | default dict)) $own -}}
{{- $name := printf "%s-%d" $listener.kind (int $listener.port) -}}
{{- $protocol := eq $listener.kind "ws" | ternary (list "kubernetes.io/ws" "kubernetes.io/wss") (list "mqtt" "secure-mqtt") -}}
{{- $doors = append $doors (dict "door" $door "name" $name "protocols" $protocol "listener" $listener) -}}
{{- end -}}
{{- $http := mergeOverwrite (dict "port" 8080) (deepCopy (dig "http" dict .Values.config)) -}}
{{- $sqs := mergeOverwrite (dict "port" 9324) (deepCopy (dig "sqs" dict .Values.config)) -}}
{{- $web := list "http" "https" -}}
{{- $doors = append $doors (dict "door" "http" "name" "http" "protocols" $web "listener" $http) -}}
{{- $doors = append $doors (dict "door" "sqs" "name" "sqs" "protocols" $web "listener" $sqs) -}}
{{- $open := list -}}
{{- range $doors -}}
{{- $host := .listener.host | default "127.0.0.1" | lower -}}
{{- $isOpen := and (ne (.listener.enabled | toString) "false") (gt (int .listener.port) 0) -}}
{{- if and $isOpen (not (regexMatch "^(127\\.|::1$|localhost$)" $host)) -}}
{{- $hasTls := ne (dig "tls" "certificate" "" .listener) "" -}}
{{- $open = append $open (dict "door" .door "name" .name "port" (int .listener.port) "protocol" (index .protocols ($hasTls | ternary 1 0)) "tls" $hasTls) -}}
{{- end -}}
{{- end -}}
{{- toYaml $open -}}
{{- end -}}

{{/* Those of them that the client Service offers. */}}
{{- define "millrace.servedDoors" -}}
{{- $served := list -}}
{{- range include "millrace.doors" . | fromYamlArray -}}
{{- $wish := get $.Values.service.ports .door | default dict -}}
{{- $answer := $wish.enabled | toString -}}
{{- if or (eq $answer "true") (and (ne .door "http") (ne $answer "false")) -}}
{{- $served = append $served (merge (dict "servicePort" (int ($wish.port | default .port)) "nodePort" (int ($wish.nodePort | default 0))) .) -}}
{{- end -}}
{{- end -}}
{{- toYaml $served -}}
{{- end -}}

{{/* HTTP where the probes ask, or HTTPS, whose certificate the kubelet does not check. */}}
{{- define "millrace.probeScheme" -}}
{{- dig "http" "tls" "certificate" "" .Values.config | empty | ternary "HTTP" "HTTPS" -}}
{{- end -}}

{{/* What the schema of the values cannot say. */}}
{{- define "millrace.validate" -}}
{{- $doors := dict -}}
{{- range include "millrace.doors" . | fromYamlArray -}}
{{- $_ := set $doors .door true -}}
{{- end -}}
{{- if not (hasKey $doors "http") -}}
{{- fail "config.http must be enabled, on an address that the kubelet reaches (0.0.0.0 or ::): the probes ask there" -}}
{{- end -}}
{{- if eq (dig "http" "tls" "clientCertificate" "none" .Values.config) "require" -}}
{{- fail "config.http.tls.clientCertificate must not be require: the probes ask there, and the kubelet has no certificate" -}}
{{- end -}}
{{- $listeners := dig "listeners" dict .Values.config -}}
{{- range list "http" "sqs" -}}
{{- if hasKey $listeners . -}}
{{- fail (printf "config.listeners.%s: the chart cannot tell a listener of this name from config.%s; choose another name" . .) -}}
{{- end -}}
{{- end -}}
{{- range $door, $listener := $listeners -}}
{{- if and (not $listener.host) (ne ($listener.enabled | toString) "false") -}}
{{- fail (printf "config.listeners.%s.host is missing: the broker would listen on 127.0.0.1, where no client comes. Set 0.0.0.0 or ::, or 127.0.0.1 if it is for the pod itself" $door) -}}
{{- end -}}
{{- end -}}
{{- range $part, $named := dict "service.ports" .Values.service.ports "networkPolicy.from" .Values.networkPolicy.from -}}
{{- range $door, $wish := $named -}}
{{- if not (or (has $door (list "tcp" "ws" "http" "sqs")) (hasKey $listeners $door)) -}}
{{- fail (printf "%s.%s: there is no listener %s under config.listeners" $part $door $door) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- include "millrace.validatePorts" . -}}
{{- if not (include "millrace.servedDoors" . | fromYamlArray) -}}
{{- fail "the client Service would have no port: every listener is switched off, on a loopback address, or off under service.ports" -}}
{{- end -}}
{{- if not (regexMatch "^/[^/]" (include "millrace.dataDirectory" .)) -}}
{{- fail "config.storage.directory must be an absolute path: the volume is mounted there" -}}
{{- end -}}
{{- if and .Values.persistence.existingClaim (not .Values.persistence.enabled) -}}
{{- fail "persistence: existingClaim would not be used, for enabled is false" -}}
{{- end -}}
{{- $mounted := dict -}}
{{- range .Values.extraVolumeMounts -}}
{{- $_ := set $mounted (trimSuffix "/" .mountPath) true -}}
{{- end -}}
{{- range regexFindAll "/etc/millrace/secrets/[^/\"]+" (toJson .Values.config) -1 -}}
{{- if not (or (hasKey $.Values.secretFiles (base .)) (hasKey $mounted .)) -}}
{{- fail (printf "config: there is no secretFiles.%s, which would be mounted as %s" (base .) .) -}}
{{- end -}}
{{- end -}}
{{- range .Values.extraEnv -}}
{{- if regexMatch "^MILLRACE__(((LISTENERS__.+|HTTP|SQS)__(ENABLED|HOST|PORT))|STORAGE__DIRECTORY)$" (upper .name) -}}
{{- fail (printf "extraEnv: %s belongs into config: ports, probes and volume follow what stands there" .name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.adminToken.value .Values.adminToken.existingSecret -}}
{{- fail "adminToken: give value or existingSecret, not both" -}}
{{- end -}}
{{- end -}}

{{/* What the broker, or the API server in the middle of an upgrade, would refuse. */}}
{{- define "millrace.validatePorts" -}}
{{- $doorOf := dict -}}
{{- range $door := include "millrace.doors" . | fromYamlArray -}}
{{- $port := toString $door.port -}}
{{- if hasKey $doorOf $port -}}
{{- fail (printf "config: %s and %s are both on port %s" (get $doorOf $port) $door.door $port) -}}
{{- end -}}
{{- $_ := set $doorOf $port $door.door -}}
{{- end -}}
{{- $service := .Values.service -}}
{{- $servedOf := dict -}}
{{- range $door := include "millrace.servedDoors" . | fromYamlArray -}}
{{- $port := toString $door.servicePort -}}
{{- if hasKey $servedOf $port -}}
{{- fail (printf "service.ports: %s and %s are both on port %s" (get $servedOf $port) $door.door $port) -}}
{{- end -}}
{{- $_ := set $servedOf $port $door.door -}}
{{- if and $door.nodePort (eq $service.type "ClusterIP") -}}
{{- fail (printf "service.ports.%s.nodePort needs service.type NodePort or LoadBalancer" $door.door) -}}
{{- end -}}
{{- end -}}
{{- if and $service.externalTrafficPolicy (eq $service.type "ClusterIP") -}}
{{- fail "service.externalTrafficPolicy needs service.type NodePort or LoadBalancer" -}}
{{- end -}}
{{- if and (or $service.loadBalancerClass $service.loadBalancerSourceRanges) (ne $service.type "LoadBalancer") -}}
{{- fail "service.loadBalancerClass and loadBalancerSourceRanges need service.type LoadBalancer" -}}
{{- end -}}
{{- end -}}
