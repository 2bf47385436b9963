//! Volumes of a pod. Drivers of single vendors are in `volume_drivers`.

use std::collections::BTreeMap;

use crate::k8s::claim::PersistentVolumeClaimSpec;
use crate::k8s::container::{ObjectFieldSelector, ResourceFieldSelector};
use crate::k8s::meta::{LabelSelector, LocalObjectReference, ObjectMeta};
use crate::k8s::quantity::Quantity;
use crate::k8s::volume_drivers::{
    AwsElasticBlockStoreVolumeSource, AzureDiskVolumeSource, AzureFileVolumeSource, CephFsVolumeSource,
    CinderVolumeSource, FcVolumeSource, FlexVolumeSource, FlockerVolumeSource, GcePersistentDiskVolumeSource,
    GitRepoVolumeSource, GlusterfsVolumeSource, IscsiVolumeSource, PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource, QuobyteVolumeSource, RbdVolumeSource, ScaleIoVolumeSource, StorageOsVolumeSource,
    VsphereVirtualDiskVolumeSource,
};
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// A volume of a pod.
    pub struct Volume ("Volume") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// What the volume is.
        pub source: VolumeSource = "", inline;
    }

    /// What a volume is; exactly one is set.
    pub struct VolumeSource ("VolumeSource") {
        /// A path of the node.
        pub host_path: Option<HostPathVolumeSource> = "hostPath", omit;
        /// An empty folder that lives as long as the pod.
        pub empty_dir: Option<EmptyDirVolumeSource> = "emptyDir", omit;
        /// A disk of Google.
        pub gce_persistent_disk: Option<Box<GcePersistentDiskVolumeSource>> = "gcePersistentDisk", omit;
        /// A disk of Amazon.
        pub aws_elastic_block_store: Option<Box<AwsElasticBlockStoreVolumeSource>> = "awsElasticBlockStore", omit;
        /// A git repository; no longer supported.
        pub git_repo: Option<Box<GitRepoVolumeSource>> = "gitRepo", omit;
        /// Keys of a Secret as files.
        pub secret: Option<SecretVolumeSource> = "secret", omit;
        /// An NFS share.
        pub nfs: Option<Box<NfsVolumeSource>> = "nfs", omit;
        /// An iSCSI disk.
        pub iscsi: Option<Box<IscsiVolumeSource>> = "iscsi", omit;
        /// A Gluster volume.
        pub glusterfs: Option<Box<GlusterfsVolumeSource>> = "glusterfs", omit;
        /// A claim of a persistent volume.
        pub persistent_volume_claim: Option<PersistentVolumeClaimVolumeSource> = "persistentVolumeClaim", omit;
        /// A Ceph block device.
        pub rbd: Option<Box<RbdVolumeSource>> = "rbd", omit;
        /// A volume of an exec driver.
        pub flex_volume: Option<Box<FlexVolumeSource>> = "flexVolume", omit;
        /// A disk of OpenStack.
        pub cinder: Option<Box<CinderVolumeSource>> = "cinder", omit;
        /// A Ceph file system.
        pub cephfs: Option<Box<CephFsVolumeSource>> = "cephfs", omit;
        /// A Flocker volume.
        pub flocker: Option<Box<FlockerVolumeSource>> = "flocker", omit;
        /// Facts about the pod as files.
        pub downward_api: Option<Box<DownwardApiVolumeSource>> = "downwardAPI", omit;
        /// A Fibre Channel disk.
        pub fc: Option<Box<FcVolumeSource>> = "fc", omit;
        /// A file share of Azure.
        pub azure_file: Option<Box<AzureFileVolumeSource>> = "azureFile", omit;
        /// Keys of a ConfigMap as files.
        pub config_map: Option<ConfigMapVolumeSource> = "configMap", omit;
        /// A disk of vSphere.
        pub vsphere_volume: Option<Box<VsphereVirtualDiskVolumeSource>> = "vsphereVolume", omit;
        /// A Quobyte volume.
        pub quobyte: Option<Box<QuobyteVolumeSource>> = "quobyte", omit;
        /// A disk of Azure.
        pub azure_disk: Option<Box<AzureDiskVolumeSource>> = "azureDisk", omit;
        /// A disk of Photon.
        pub photon_persistent_disk: Option<Box<PhotonPersistentDiskVolumeSource>> = "photonPersistentDisk", omit;
        /// Several sources in one folder.
        pub projected: Option<Box<ProjectedVolumeSource>> = "projected", omit;
        /// A Portworx volume.
        pub portworx_volume: Option<Box<PortworxVolumeSource>> = "portworxVolume", omit;
        /// A ScaleIO volume.
        pub scale_io: Option<Box<ScaleIoVolumeSource>> = "scaleIO", omit;
        /// A StorageOS volume.
        pub storageos: Option<Box<StorageOsVolumeSource>> = "storageos", omit;
        /// A volume of a CSI driver that lives as long as the pod.
        pub csi: Option<Box<CsiVolumeSource>> = "csi", omit;
        /// A volume that is claimed for this pod alone.
        pub ephemeral: Option<Box<EphemeralVolumeSource>> = "ephemeral", omit;
        /// The files of an image.
        pub image: Option<ImageVolumeSource> = "image", omit;
    }

    /// A path of the node.
    pub struct HostPathVolumeSource ("HostPathVolumeSource") {
        /// Path.
        pub path: String = "path", keep;
        /// What must be there, or is made; no check when empty.
        pub type_: Option<String> = "type", omit;
    }

    /// An empty folder that lives as long as the pod.
    pub struct EmptyDirVolumeSource ("EmptyDirVolumeSource") {
        /// `Memory` for a file system in memory; else the node's disk.
        pub medium: String = "medium", omit;
        /// Size above which the pod is evicted.
        pub size_limit: Option<Quantity> = "sizeLimit", omit;
    }

    /// Keys of a Secret as files.
    pub struct SecretVolumeSource ("SecretVolumeSource") {
        /// Name of the Secret.
        pub secret_name: String = "secretName", omit;
        /// Only these keys, with paths of their own.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Permissions of its files, unless one has its own; 0644 by default.
        pub default_mode: Option<i32> = "defaultMode", omit;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// Keys of a ConfigMap as files.
    pub struct ConfigMapVolumeSource ("ConfigMapVolumeSource") {
        /// The object's name.
        pub reference: LocalObjectReference = "", inline;
        /// Only these keys, with paths of their own.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Permissions of its files, unless one has its own; 0644 by default.
        pub default_mode: Option<i32> = "defaultMode", omit;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// A key and the file it becomes.
    pub struct KeyToPath ("KeyToPath") {
        /// Key.
        pub key: String = "key", keep;
        /// Path.
        pub path: String = "path", keep;
        /// Permissions of the file.
        pub mode: Option<i32> = "mode", omit;
    }

    /// Facts about the pod as files.
    pub struct DownwardApiVolumeSource ("DownwardAPIVolumeSource") {
        /// The files.
        pub items: Vec<DownwardApiVolumeFile> = "items", omit;
        /// Permissions of its files, unless one has its own; 0644 by default.
        pub default_mode: Option<i32> = "defaultMode", omit;
    }

    /// A fact about the pod as a file.
    pub struct DownwardApiVolumeFile ("DownwardAPIVolumeFile") {
        /// Path.
        pub path: String = "path", keep;
        /// Field of the pod.
        pub field_ref: Option<ObjectFieldSelector> = "fieldRef", omit;
        /// Resource of a container.
        pub resource_field_ref: Option<ResourceFieldSelector> = "resourceFieldRef", omit;
        /// Permissions of the file.
        pub mode: Option<i32> = "mode", omit;
    }

    /// Several sources in one folder.
    pub struct ProjectedVolumeSource ("ProjectedVolumeSource") {
        /// The sources.
        pub sources: List<VolumeProjection> = "sources", keep;
        /// Permissions of its files, unless one has its own; 0644 by default.
        pub default_mode: Option<i32> = "defaultMode", omit;
    }

    /// One source; exactly one is set.
    pub struct VolumeProjection ("VolumeProjection") {
        /// Keys of a Secret.
        pub secret: Option<SecretProjection> = "secret", omit;
        /// Facts about the pod.
        pub downward_api: Option<DownwardApiProjection> = "downwardAPI", omit;
        /// Keys of a ConfigMap.
        pub config_map: Option<ConfigMapProjection> = "configMap", omit;
        /// A token of the pod's service account.
        pub service_account_token: Option<ServiceAccountTokenProjection> = "serviceAccountToken", omit;
        /// Certificates that the cluster trusts.
        pub cluster_trust_bundle: Option<Box<ClusterTrustBundleProjection>> = "clusterTrustBundle", omit;
        /// A certificate of the pod's own.
        pub pod_certificate: Option<Box<PodCertificateProjection>> = "podCertificate", omit;
    }

    /// Keys of a Secret among other sources.
    pub struct SecretProjection ("SecretProjection") {
        /// The object's name.
        pub reference: LocalObjectReference = "", inline;
        /// Only these keys, with paths of their own.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// Keys of a ConfigMap among other sources.
    pub struct ConfigMapProjection ("ConfigMapProjection") {
        /// The object's name.
        pub reference: LocalObjectReference = "", inline;
        /// Only these keys, with paths of their own.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// Facts about the pod among other sources.
    pub struct DownwardApiProjection ("DownwardAPIProjection") {
        /// The files.
        pub items: Vec<DownwardApiVolumeFile> = "items", omit;
    }

    /// A token of the pod's service account.
    pub struct ServiceAccountTokenProjection ("ServiceAccountTokenProjection") {
        /// Who the token is for; the API server when empty.
        pub audience: String = "audience", omit;
        /// How long it is valid; an hour by default.
        pub expiration_seconds: Option<i64> = "expirationSeconds", omit;
        /// Path.
        pub path: String = "path", keep;
    }

    /// Certificates that the cluster trusts.
    pub struct ClusterTrustBundleProjection ("ClusterTrustBundleProjection") {
        /// Name, unique among its siblings.
        pub name: Option<String> = "name", omit;
        /// Who signs.
        pub signer_name: Option<String> = "signerName", omit;
        /// Labels that select objects.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
        /// Path.
        pub path: String = "path", keep;
    }

    /// A private key and certificate of the pod's own.
    pub struct PodCertificateProjection ("PodCertificateProjection") {
        /// Who signs.
        pub signer_name: String = "signerName", omit;
        /// Kind of the key, for example `ED25519`.
        pub key_type: String = "keyType", omit;
        /// How long the certificate may be valid; a day by default.
        pub max_expiration_seconds: Option<i32> = "maxExpirationSeconds", omit;
        /// File with key and certificates.
        pub credential_bundle_path: String = "credentialBundlePath", omit;
        /// File with the key.
        pub key_path: String = "keyPath", omit;
        /// File with the certificates.
        pub certificate_chain_path: String = "certificateChainPath", omit;
        /// Further facts for who signs.
        pub user_annotations: BTreeMap<String, String> = "userAnnotations", omit;
    }

    /// A claim of a persistent volume.
    pub struct PersistentVolumeClaimVolumeSource ("PersistentVolumeClaimVolumeSource") {
        /// Name of the claim.
        pub claim_name: String = "claimName", keep;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A volume that is claimed for this pod alone.
    pub struct EphemeralVolumeSource ("EphemeralVolumeSource") {
        /// The claim.
        pub volume_claim_template: Option<Box<PersistentVolumeClaimTemplate>> = "volumeClaimTemplate", omit;
    }

    /// A claim to be made.
    pub struct PersistentVolumeClaimTemplate ("PersistentVolumeClaimTemplate") {
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", omit;
        /// What is wanted.
        pub spec: PersistentVolumeClaimSpec = "spec", keep;
    }

    /// The files of an image.
    pub struct ImageVolumeSource ("ImageVolumeSource") {
        /// The image.
        pub reference: String = "reference", omit;
        /// `Always`, `IfNotPresent` or `Never`.
        pub pull_policy: String = "pullPolicy", omit;
    }

    /// An NFS share.
    pub struct NfsVolumeSource ("NFSVolumeSource") {
        /// Host of the share.
        pub server: String = "server", keep;
        /// Path.
        pub path: String = "path", keep;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A volume of a CSI driver that lives as long as the pod.
    pub struct CsiVolumeSource ("CSIVolumeSource") {
        /// Name of the driver.
        pub driver: String = "driver", keep;
        /// Whether writing is refused.
        pub read_only: Option<bool> = "readOnly", omit;
        /// File system of the volume, for example `ext4`.
        pub fs_type: Option<String> = "fsType", omit;
        /// Settings that only the driver understands.
        pub volume_attributes: BTreeMap<String, String> = "volumeAttributes", omit;
        /// Secret that the driver gets.
        pub node_publish_secret_ref: Option<LocalObjectReference> = "nodePublishSecretRef", omit;
    }
}
