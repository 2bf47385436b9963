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

objects! {
    "v1"

    /// `Volume` of the wire form.
    pub struct Volume ("Volume") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// The keys of this type, which stand directly among the others.
        pub source: VolumeSource = "", inline;
    }

    /// `VolumeSource` of the wire form.
    pub struct VolumeSource ("VolumeSource") {
        /// Key `hostPath`.
        pub host_path: Option<HostPathVolumeSource> = "hostPath", omit;
        /// Key `emptyDir`.
        pub empty_dir: Option<EmptyDirVolumeSource> = "emptyDir", omit;
        /// Key `gcePersistentDisk`.
        pub gce_persistent_disk: Option<GcePersistentDiskVolumeSource> = "gcePersistentDisk", omit;
        /// Key `awsElasticBlockStore`.
        pub aws_elastic_block_store: Option<AwsElasticBlockStoreVolumeSource> = "awsElasticBlockStore", omit;
        /// Key `gitRepo`.
        pub git_repo: Option<GitRepoVolumeSource> = "gitRepo", omit;
        /// Key `secret`.
        pub secret: Option<SecretVolumeSource> = "secret", omit;
        /// Key `nfs`.
        pub nfs: Option<NfsVolumeSource> = "nfs", omit;
        /// Key `iscsi`.
        pub iscsi: Option<Box<IscsiVolumeSource>> = "iscsi", omit;
        /// Key `glusterfs`.
        pub glusterfs: Option<GlusterfsVolumeSource> = "glusterfs", omit;
        /// Key `persistentVolumeClaim`.
        pub persistent_volume_claim: Option<PersistentVolumeClaimVolumeSource> = "persistentVolumeClaim", omit;
        /// Key `rbd`.
        pub rbd: Option<Box<RbdVolumeSource>> = "rbd", omit;
        /// Key `flexVolume`.
        pub flex_volume: Option<FlexVolumeSource> = "flexVolume", omit;
        /// Key `cinder`.
        pub cinder: Option<CinderVolumeSource> = "cinder", omit;
        /// Key `cephfs`.
        pub cephfs: Option<Box<CephFsVolumeSource>> = "cephfs", omit;
        /// Key `flocker`.
        pub flocker: Option<FlockerVolumeSource> = "flocker", omit;
        /// Key `downwardAPI`.
        pub downward_api: Option<DownwardApiVolumeSource> = "downwardAPI", omit;
        /// Key `fc`.
        pub fc: Option<FcVolumeSource> = "fc", omit;
        /// Key `azureFile`.
        pub azure_file: Option<AzureFileVolumeSource> = "azureFile", omit;
        /// Key `configMap`.
        pub config_map: Option<ConfigMapVolumeSource> = "configMap", omit;
        /// Key `vsphereVolume`.
        pub vsphere_volume: Option<VsphereVirtualDiskVolumeSource> = "vsphereVolume", omit;
        /// Key `quobyte`.
        pub quobyte: Option<Box<QuobyteVolumeSource>> = "quobyte", omit;
        /// Key `azureDisk`.
        pub azure_disk: Option<Box<AzureDiskVolumeSource>> = "azureDisk", omit;
        /// Key `photonPersistentDisk`.
        pub photon_persistent_disk: Option<PhotonPersistentDiskVolumeSource> = "photonPersistentDisk", omit;
        /// Key `projected`.
        pub projected: Option<ProjectedVolumeSource> = "projected", omit;
        /// Key `portworxVolume`.
        pub portworx_volume: Option<PortworxVolumeSource> = "portworxVolume", omit;
        /// Key `scaleIO`.
        pub scale_io: Option<Box<ScaleIoVolumeSource>> = "scaleIO", omit;
        /// Key `storageos`.
        pub storageos: Option<StorageOsVolumeSource> = "storageos", omit;
        /// Key `csi`.
        pub csi: Option<CsiVolumeSource> = "csi", omit;
        /// Key `ephemeral`.
        pub ephemeral: Option<EphemeralVolumeSource> = "ephemeral", omit;
        /// Key `image`.
        pub image: Option<ImageVolumeSource> = "image", omit;
    }

    /// `HostPathVolumeSource` of the wire form.
    pub struct HostPathVolumeSource ("HostPathVolumeSource") {
        /// Key `path`.
        pub path: String = "path", keep;
        /// Key `type`.
        pub type_: Option<String> = "type", omit;
    }

    /// `EmptyDirVolumeSource` of the wire form.
    pub struct EmptyDirVolumeSource ("EmptyDirVolumeSource") {
        /// Key `medium`.
        pub medium: String = "medium", omit;
        /// Key `sizeLimit`.
        pub size_limit: Option<Quantity> = "sizeLimit", omit;
    }

    /// `SecretVolumeSource` of the wire form.
    pub struct SecretVolumeSource ("SecretVolumeSource") {
        /// Key `secretName`.
        pub secret_name: String = "secretName", omit;
        /// Key `items`.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Key `defaultMode`.
        pub default_mode: Option<i32> = "defaultMode", omit;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `ConfigMapVolumeSource` of the wire form.
    pub struct ConfigMapVolumeSource ("ConfigMapVolumeSource") {
        /// The keys of this type, which stand directly among the others.
        pub reference: LocalObjectReference = "", inline;
        /// Key `items`.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Key `defaultMode`.
        pub default_mode: Option<i32> = "defaultMode", omit;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `KeyToPath` of the wire form.
    pub struct KeyToPath ("KeyToPath") {
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `path`.
        pub path: String = "path", keep;
        /// Key `mode`.
        pub mode: Option<i32> = "mode", omit;
    }

    /// `DownwardAPIVolumeSource` of the wire form.
    pub struct DownwardApiVolumeSource ("DownwardAPIVolumeSource") {
        /// Key `items`.
        pub items: Vec<DownwardApiVolumeFile> = "items", omit;
        /// Key `defaultMode`.
        pub default_mode: Option<i32> = "defaultMode", omit;
    }

    /// `DownwardAPIVolumeFile` of the wire form.
    pub struct DownwardApiVolumeFile ("DownwardAPIVolumeFile") {
        /// Key `path`.
        pub path: String = "path", keep;
        /// Key `fieldRef`.
        pub field_ref: Option<ObjectFieldSelector> = "fieldRef", omit;
        /// Key `resourceFieldRef`.
        pub resource_field_ref: Option<ResourceFieldSelector> = "resourceFieldRef", omit;
        /// Key `mode`.
        pub mode: Option<i32> = "mode", omit;
    }

    /// `ProjectedVolumeSource` of the wire form.
    pub struct ProjectedVolumeSource ("ProjectedVolumeSource") {
        /// Key `sources`.
        pub sources: Vec<VolumeProjection> = "sources", omit;
        /// Key `defaultMode`.
        pub default_mode: Option<i32> = "defaultMode", omit;
    }

    /// `VolumeProjection` of the wire form.
    pub struct VolumeProjection ("VolumeProjection") {
        /// Key `secret`.
        pub secret: Option<SecretProjection> = "secret", omit;
        /// Key `downwardAPI`.
        pub downward_api: Option<DownwardApiProjection> = "downwardAPI", omit;
        /// Key `configMap`.
        pub config_map: Option<ConfigMapProjection> = "configMap", omit;
        /// Key `serviceAccountToken`.
        pub service_account_token: Option<ServiceAccountTokenProjection> = "serviceAccountToken", omit;
        /// Key `clusterTrustBundle`.
        pub cluster_trust_bundle: Option<Box<ClusterTrustBundleProjection>> = "clusterTrustBundle", omit;
        /// Key `podCertificate`.
        pub pod_certificate: Option<Box<PodCertificateProjection>> = "podCertificate", omit;
    }

    /// `SecretProjection` of the wire form.
    pub struct SecretProjection ("SecretProjection") {
        /// The keys of this type, which stand directly among the others.
        pub reference: LocalObjectReference = "", inline;
        /// Key `items`.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `ConfigMapProjection` of the wire form.
    pub struct ConfigMapProjection ("ConfigMapProjection") {
        /// The keys of this type, which stand directly among the others.
        pub reference: LocalObjectReference = "", inline;
        /// Key `items`.
        pub items: Vec<KeyToPath> = "items", omit;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `DownwardAPIProjection` of the wire form.
    pub struct DownwardApiProjection ("DownwardAPIProjection") {
        /// Key `items`.
        pub items: Vec<DownwardApiVolumeFile> = "items", omit;
    }

    /// `ServiceAccountTokenProjection` of the wire form.
    pub struct ServiceAccountTokenProjection ("ServiceAccountTokenProjection") {
        /// Key `audience`.
        pub audience: String = "audience", omit;
        /// Key `expirationSeconds`.
        pub expiration_seconds: Option<i64> = "expirationSeconds", omit;
        /// Key `path`.
        pub path: String = "path", keep;
    }

    /// `ClusterTrustBundleProjection` of the wire form.
    pub struct ClusterTrustBundleProjection ("ClusterTrustBundleProjection") {
        /// Key `name`.
        pub name: Option<String> = "name", omit;
        /// Key `signerName`.
        pub signer_name: Option<String> = "signerName", omit;
        /// Key `labelSelector`.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
        /// Key `path`.
        pub path: String = "path", keep;
    }

    /// `PodCertificateProjection` of the wire form.
    pub struct PodCertificateProjection ("PodCertificateProjection") {
        /// Key `signerName`.
        pub signer_name: String = "signerName", keep;
        /// Key `keyType`.
        pub key_type: String = "keyType", keep;
        /// Key `maxExpirationSeconds`.
        pub max_expiration_seconds: Option<i32> = "maxExpirationSeconds", omit;
        /// Key `credentialBundlePath`.
        pub credential_bundle_path: String = "credentialBundlePath", omit;
        /// Key `keyPath`.
        pub key_path: String = "keyPath", omit;
        /// Key `certificateChainPath`.
        pub certificate_chain_path: String = "certificateChainPath", omit;
        /// Key `userAnnotations`.
        pub user_annotations: BTreeMap<String, String> = "userAnnotations", omit;
    }

    /// `PersistentVolumeClaimVolumeSource` of the wire form.
    pub struct PersistentVolumeClaimVolumeSource ("PersistentVolumeClaimVolumeSource") {
        /// Key `claimName`.
        pub claim_name: String = "claimName", keep;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `EphemeralVolumeSource` of the wire form.
    pub struct EphemeralVolumeSource ("EphemeralVolumeSource") {
        /// Key `volumeClaimTemplate`.
        pub volume_claim_template: Option<Box<PersistentVolumeClaimTemplate>> = "volumeClaimTemplate", omit;
    }

    /// `PersistentVolumeClaimTemplate` of the wire form.
    pub struct PersistentVolumeClaimTemplate ("PersistentVolumeClaimTemplate") {
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Key `spec`.
        pub spec: PersistentVolumeClaimSpec = "spec", keep;
    }

    /// `ImageVolumeSource` of the wire form.
    pub struct ImageVolumeSource ("ImageVolumeSource") {
        /// Key `reference`.
        pub reference: String = "reference", omit;
        /// Key `pullPolicy`.
        pub pull_policy: String = "pullPolicy", omit;
    }

    /// `NFSVolumeSource` of the wire form.
    pub struct NfsVolumeSource ("NFSVolumeSource") {
        /// Key `server`.
        pub server: String = "server", keep;
        /// Key `path`.
        pub path: String = "path", keep;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `CSIVolumeSource` of the wire form.
    pub struct CsiVolumeSource ("CSIVolumeSource") {
        /// Key `driver`.
        pub driver: String = "driver", keep;
        /// Key `readOnly`.
        pub read_only: Option<bool> = "readOnly", omit;
        /// Key `fsType`.
        pub fs_type: Option<String> = "fsType", omit;
        /// Key `volumeAttributes`.
        pub volume_attributes: BTreeMap<String, String> = "volumeAttributes", omit;
        /// Key `nodePublishSecretRef`.
        pub node_publish_secret_ref: Option<LocalObjectReference> = "nodePublishSecretRef", omit;
    }
}
