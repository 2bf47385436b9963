//! Texts of the configuration files of the cluster's programs.
//!
//! Chosen for a machine where we are root in a container: cgroup v1 or v2 by cgroupfs, no swap rule, no eviction.

use std::fmt::Write as _;
use std::path::Path;

/// The address of the node on the bridge of the pods; also where pods reach the API server.
pub const GATEWAY: &str = "198.51.100.1";

/// Addresses of pods (RFC 5737, for documentation: no real network has them).
pub const PODS: &str = "198.51.100.0/24";

/// Addresses of services.
pub const SERVICES: &str = "203.0.113.0/24";

/// The service address of the API server.
pub const API_SERVICE: &str = "203.0.113.1";

/// The bridge of the pods.
pub const BRIDGE: &str = "kbr0";

/// A kubeconfig for one token.
pub fn kubeconfig(state: &Path, token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\nclusters: [{{name: test, cluster: {{server: \"https://127.0.0.1:6443\", certificate-authority: {}/pki/ca.crt}}}}]\nusers: [{{name: u, user: {{token: {token}}}}}]\ncontexts: [{{name: test, context: {{cluster: test, user: u}}}}]\ncurrent-context: test\n",
        state.display()
    )
}

/// The network of pods, for the CNI plugins.
pub fn network(state: &Path) -> String {
    serde_json::json!({"cniVersion": "0.4.0", "name": "pods", "plugins": [
        {"type": "bridge", "bridge": BRIDGE, "isGateway": true, "hairpinMode": true, "ipam": {
            "type": "host-local", "ranges": [[{"subnet": PODS, "gateway": GATEWAY}]],
            "routes": [{"dst": "0.0.0.0/0"}], "dataDir": state.join("ipam")}},
        {"type": "portmap", "capabilities": {"portMappings": true}},
    ]})
    .to_string()
}

/// containerd's own configuration.
pub fn containerd(state: &Path, plugins: &Path) -> String {
    let cri = "[plugins.\"io.containerd.grpc.v1.cri\"";
    let mut text = String::new();
    let _ = write!(
        text,
        "version = 2\nroot = \"{0}/containerd/root\"\nstate = \"{0}/containerd/run\"\n[grpc]\n  address = \"{0}/containerd.sock\"\n{cri}]\n  sandbox_image = \"localhost/pause:1\"\n  restrict_oom_score_adj = true\n{cri}.cni]\n  bin_dir = \"{1}\"\n  conf_dir = \"{0}/cni\"\n{cri}.containerd]\n  snapshotter = \"overlayfs\"\n{cri}.containerd.runtimes.runc]\n  runtime_type = \"io.containerd.runc.v2\"\n{cri}.containerd.runtimes.runc.options]\n  SystemdCgroup = false\n",
        state.display(),
        plugins.display(),
    );
    text
}

/// The kubelet's configuration.
pub fn kubelet(state: &Path) -> String {
    serde_json::json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": false}, "webhook": {"enabled": true},
            "x509": {"clientCAFile": state.join("pki/ca.crt")}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "containerRuntimeEndpoint": format!("unix://{}/containerd.sock", state.display()),
        "failSwapOn": false, "failCgroupV1": false, "clusterDomain": "cluster.local", "maxPods": 200,
        "enforceNodeAllocatable": [], "oomScoreAdj": 0, "maxOpenFiles": 20000,
        "localStorageCapacityIsolation": false, "registryPullQPS": 0, "kubeAPIQPS": 100, "kubeAPIBurst": 200,
        "serializeImagePulls": false, "evictionHard": {"memory.available": "50Mi"},
    })
    .to_string()
}

/// Arguments of etcd. Nothing is synced to the disk: the cluster is thrown away.
pub fn etcd(state: &Path) -> Vec<String> {
    words(&format!(
        "--data-dir={}/etcd --unsafe-no-fsync --quota-backend-bytes=8589934592 --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 --initial-cluster=default=http://127.0.0.1:2380",
        state.display()
    ))
}

/// Arguments of the API server.
pub fn api_server() -> Vec<String> {
    words(&format!(
        "--etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --advertise-address={GATEWAY} --tls-cert-file=pki/api.crt --tls-private-key-file=pki/api.key --client-ca-file=pki/ca.crt --kubelet-client-certificate=pki/kubelet-client.crt --kubelet-client-key=pki/kubelet-client.key --kubelet-preferred-address-types=InternalIP --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=pki/sa.pub --service-account-signing-key-file=pki/sa.key --token-auth-file=pki/tokens.csv --authorization-mode=Node,RBAC --service-cluster-ip-range={SERVICES} --allow-privileged=true --feature-gates=MutatingAdmissionPolicy=true --runtime-config=admissionregistration.k8s.io/v1beta1=true --max-requests-inflight=3000 --max-mutating-requests-inflight=1500"
    ))
}

/// Arguments of the controller manager.
pub fn controller_manager() -> Vec<String> {
    words(
        "--kubeconfig=admin.kubeconfig --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt --controllers=*,-nodeipam,-cloud-node-lifecycle --leader-elect=false --kube-api-qps=200 --kube-api-burst=400",
    )
}

/// Arguments of the scheduler.
pub fn scheduler() -> Vec<String> {
    words("--kubeconfig=admin.kubeconfig --leader-elect=false --kube-api-qps=200 --kube-api-burst=400")
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}
