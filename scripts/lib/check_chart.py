"""Holds the Helm chart against Helm's own engine, Kubernetes' schemas and the storage server itself: check_chart.py
STORAGE-SERVER.

Each case of VALUES is rendered; each of its objects has to be of Kubernetes' schema, and the variables of its container
settings that the storage server takes (`--check-config`). Each case of WRONG has to be refused in words that name the
value.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
from typing import Any, Dict, List, Tuple

import helm_python
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy/helm/headwater"
# The oldest Kubernetes that the chart is for, and the newest that the schemas have.
KUBERNETES = ("1.28", "1.37")
# A problem with a file that only pods have.
ONLY_IN_PODS = re.compile(r" /(etc/headwater|srv)/\S+ ?.*No such file")
PLAIN = {"insecure": True}
TLS = {"tls": {"secret": "headwater-tls"}}
GRANTS = "trainer read photos sub:system:serviceaccount:ml:trainer\n"
NFS = {"nfs": {"server": "filer", "path": "/photos", "readOnly": True}}

VALUES: Dict[str, Dict[str, Any]] = {
    "without TLS": PLAIN,
    "one server": {**PLAIN, "replicas": 1},
    "TLS": TLS,
    "mTLS, tokens and peers": {
        "sharing": "peers",
        "tls": {"secret": "headwater-tls", "clientCa": "ca.crt"},
        "tokens": {"secret": "headwater-tokens", "own": "peer"},
    },
    "an identity provider beside tokens": {
        **TLS,
        "tokens": {"secret": "headwater-tokens"},
        "oidc": {"issuer": "https://id.example.org/realms/ml", "rolesClaim": "realm_access.roles"},
    },
    "an identity provider alone": {
        **TLS,
        "oidc": {"issuer": "https://id.example.org", "jwks": "https://id.example.org/keys", "audience": "photos"},
    },
    "tokens of Kubernetes": {**TLS, "oidc": {"kubernetes": True, "grants": GRANTS}},
    "tokens of Kubernetes between peers": {
        "sharing": "peers",
        **TLS,
        "oidc": {"kubernetes": True, "grants": GRANTS, "issuer": "https://oidc.eks.example.org/id/1"},
    },
    "a bucket of an S3-compatible store": {
        **TLS,
        "s3": {"secret": "bucket", "region": "eu", "endpoint": "http://minio:9000", "allowHttp": True},
        "serviceAccount": {"annotations": {"example.org/role": "reader"}},
    },
    "photos and models in volumes": {
        **PLAIN,
        "dataset": {"data": "/srv/photos"},
        "photos": {"volume": NFS},
        "models": {"volume": {"persistentVolumeClaim": {"claimName": "models", "readOnly": True}}},
        "config": '[serve]\nmodel = ["m=/srv/models/m.onnx,recipe=imagenet-eval"]\n',
    },
    "several datasets": {
        **PLAIN,
        "sharing": "peers",
        "dataset": {"data": ""},
        "config": '[[serve.dataset]]\nname = "a"\nuri = "s3://bucket/a"\n',
    },
    "everything about pods": {
        **PLAIN,
        "image": {"repository": "registry.example.org/headwater", "tag": "1", "pullSecrets": ["pull"]},
        "nodeSelector": {"disks": "fast"},
        "tolerations": [{"key": "disks", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "podAnnotations": {"example.org/a": "b"},
        "env": [{"name": "HEADWATER_LOG", "value": "warn"}],
        "serviceAccount": {"create": False},
        "state": {"storageClass": "local", "size": "1Ti"},
        "disruption": {"maxUnavailable": "25%"},
    },
}

WRONG: List[Tuple[Dict[str, Any], str]] = [
    ({}, "tls.secret"),
    ({**PLAIN, **TLS}, "insecure"),
    ({**PLAIN, "tls": {"clientCa": "ca.crt"}}, "tls.clientCa"),
    ({**PLAIN, "tokens": {"own": "peer"}}, "tokens.own"),
    ({**TLS, "sharing": "peers", "tokens": {"secret": "t"}}, "tokens.own"),
    ({**TLS, "sharing": "peers", "oidc": {"issuer": "https://id.example.org"}}, "tokens.own"),
    ({**TLS, "oidc": {"grants": GRANTS}}, "oidc.grants"),
    ({**TLS, "oidc": {"kubernetes": True}}, "oidc.grants"),
    ({**TLS, "oidc": {"kubernetes": True, "grants": GRANTS}, "tokens": {"secret": "t"}}, "oidc.grants"),
    ({**TLS, "oidc": {"issuer": "id.example.org"}}, "issuer"),
    ({**PLAIN, "dataset": {"data": ""}}, "dataset.data"),
    ({**PLAIN, "sharing": "peers", "dataset": {"data": ""}, "photos": {"volume": NFS}}, "photos.volume"),
    ({**PLAIN, "replicas": 0}, "replicas"),
    ({**PLAIN, "sharing": "all"}, "sharing"),
    ({**PLAIN, "replica": 3}, "replica"),
    ({**PLAIN, "memory": "much"}, "memory"),
]


def main(server: str) -> None:
    findings = [m for m in helm_python.lint(CHART)["messages"] if "icon is recommended" not in m["error"]]
    assert not findings, findings
    manifest = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/storage-server.yaml").read_text()))
    with helm_python.Chart.load(CHART) as chart:
        for case, values in VALUES.items():
            objects = rendered(chart, values)
            check(case, objects, server)
            print(f"chart: {case}: {len(objects)} objects")
        for values, named in WRONG:
            refused(chart, values, named)
        print(f"chart: {len(WRONG)} mistakes are refused by name")
    check("the plain manifest", manifest, server)
    print("the plain manifest: as the schemas and the storage server want it")


def rendered(chart: "helm_python.Chart", values: Dict[str, Any]) -> List[Dict[str, Any]]:
    chart.validate_schema(values)
    texts = chart.render(values, name="demo", namespace="photos")
    manifests = [text for name, text in texts.items() if not name.endswith("NOTES.txt")]
    return [found for text in manifests for found in yaml.safe_load_all(text) if found]


def refused(chart: "helm_python.Chart", values: Dict[str, Any], named: str) -> None:
    try:
        rendered(chart, values)
    except helm_python.HelmError as error:
        assert named in str(error).replace("/", "."), f"{values}: {error}"
        return
    raise AssertionError(f"{values} is not refused")


def check(case: str, objects: List[Dict[str, Any]], server: str) -> None:
    for found in objects:
        for version in KUBERNETES:
            kubernetes_validate.validate(found, version, strict=True)
    [pods] = [found for found in objects if found["kind"] in ("StatefulSet", "DaemonSet")]
    [container] = pods["spec"]["template"]["spec"]["containers"]
    configs = [found["data"] for found in objects if found["kind"] == "ConfigMap"]
    problems = settings_problems(container, configs, server)
    assert not problems, f"{case}: {problems}"
    mounts_are_there(case, pods, container)


def mounts_are_there(case: str, pods: Dict[str, Any], container: Dict[str, Any]) -> None:
    """Each volume is mounted, and each path of a setting lies below a mount."""
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"] for volume in pods["spec"]["template"]["spec"]["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in pods["spec"].get("volumeClaimTemplates", [])}
    assert volumes == set(mounts), f"{case}: {volumes} are not {set(mounts)}"
    for variable in container["env"]:
        value = variable.get("value", "")
        if value.startswith("/"):
            assert any(pathlib.Path(value).is_relative_to(path) for path in mounts.values()), f"{case}: {variable}"


def settings_problems(container: Dict[str, Any], configs: List[Dict[str, str]], server: str) -> List[str]:
    """What the storage server finds wrong with its variables and its file of settings, files that only pods have
    aside."""
    with tempfile.TemporaryDirectory() as folder:
        env = {"PATH": os.environ["PATH"], "HOME": folder, **aws(container), **variables(container)}
        if configs:
            config = pathlib.Path(folder, "server.toml")
            config.write_text(configs[0]["server.toml"])
            env["HEADWATER_CONFIG"] = str(config)
        done = subprocess.run(
            [server, *container["args"][1:], "--check-config", "--json"],
            env={name: value.replace("/var/lib/headwater", folder) for name, value in env.items()},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    if done.returncode == 0:
        return list(json.loads(done.stdout)["warnings"])
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    found = json.loads(done.stderr)
    problems = found["causes"] or [found["error"]]
    return [problem for problem in problems if not ONLY_IN_PODS.search(problem)]


def variables(container: Dict[str, Any]) -> Dict[str, str]:
    """The container's variables, as the first pod has them."""
    of_pod = {"metadata.name": "demo-headwater-1", "metadata.labels['apps.kubernetes.io/pod-index']": "1"}
    found: Dict[str, str] = {}
    for variable in container["env"]:
        if "valueFrom" in variable:
            found[variable["name"]] = of_pod[variable["valueFrom"]["fieldRef"]["fieldPath"]]
        else:
            found[variable["name"]] = re.sub(r"\$\((\w+)\)", lambda name: found[name[1]], variable["value"])
    return found


def aws(container: Dict[str, Any]) -> Dict[str, str]:
    """What the secret with a bucket's keys would have."""
    return {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"} if "envFrom" in container else {}


if __name__ == "__main__":
    main(sys.argv[1])
