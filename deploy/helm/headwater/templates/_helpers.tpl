{{/* The name of everything that belongs to a release. */}}
{{- define "headwater.name" -}}
{{- if contains "headwater" .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-headwater" (.Release.Name | trunc 40 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* What pods are found by. */}}
{{- define "headwater.selector" -}}
app.kubernetes.io/name: headwater
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "headwater.labels" -}}
{{ include "headwater.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "headwater.serviceAccount" -}}
{{- $own := ternary (include "headwater.name" .) "default" .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default $own -}}
{{- end -}}

{{/* Whose tokens are taken; empty without an identity provider. */}}
{{- define "headwater.issuer" -}}
{{- $own := ternary "https://kubernetes.default.svc.cluster.local" "" .Values.oidc.kubernetes -}}
{{- .Values.oidc.issuer | default $own -}}
{{- end -}}

{{/* Combinations that could not work, named at once. */}}
{{- define "headwater.check" -}}
{{- if and .Values.insecure .Values.tls.secret -}}
{{- fail "insecure is for servers without TLS, and tls.secret is given: leave out one of them" -}}
{{- end -}}
{{- if not (or .Values.insecure .Values.tls.secret) -}}
{{- fail "servers are reached from other machines: give tls.secret, or insecure=true (docs/security.md)" -}}
{{- end -}}
{{- if and .Values.tls.clientCa (not .Values.tls.secret) -}}
{{- fail "tls.clientCa is a key of tls.secret, which is not given" -}}
{{- end -}}
{{- if and .Values.tokens.own (not .Values.tokens.secret) -}}
{{- fail "tokens.own is a key of tokens.secret, which is not given" -}}
{{- end -}}
{{- $asks := or .Values.tokens.secret (include "headwater.issuer" .) -}}
{{- if and (eq .Values.sharing "peers") $asks (not .Values.tokens.own) (not .Values.oidc.kubernetes) -}}
{{- fail "peers ask each other with a token: name the key of tokens.secret that has it as tokens.own" -}}
{{- end -}}
{{- if and .Values.oidc.grants (not (include "headwater.issuer" .)) -}}
{{- fail "oidc.grants are for subjects of an identity provider: give oidc.issuer, or oidc.kubernetes=true" -}}
{{- end -}}
{{- if and .Values.oidc.grants .Values.tokens.secret -}}
{{- fail "oidc.grants and tokens.secret are both given: put the lines of oidc.grants into the file of tokens.secret" -}}
{{- end -}}
{{- if and .Values.oidc.kubernetes (not .Values.oidc.grants) (not .Values.tokens.secret) -}}
{{- fail "tokens of Kubernetes have no roles: give oidc.grants, lines NAME ROLE DATASETS sub:SUBJECT" -}}
{{- end -}}
{{- if and (eq .Values.sharing "partitions") (not .Values.dataset.data) -}}
{{- fail "parts are of dataset.data, which is not given: give it, or sharing=peers" -}}
{{- end -}}
{{- if and .Values.photos.volume (not .Values.dataset.data) (not (contains "/srv/photos" .Values.config)) -}}
{{- fail "photos.volume is seen at /srv/photos, which neither dataset.data nor config names" -}}
{{- end -}}
{{- end -}}

{{/* One probe: what the metrics port says where the kubelet may ask it. `path` is asked. */}}
{{- define "headwater.probe" -}}
{{- if .root.Values.tls.clientCa -}}
tcpSocket: { port: metrics }
{{- else if .root.Values.tls.secret -}}
httpGet: { path: {{ .path }}, port: metrics, scheme: HTTPS }
{{- else -}}
httpGet: { path: {{ .path }}, port: metrics }
{{- end -}}
{{- end -}}
