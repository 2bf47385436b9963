//! Volume sources of single vendors and protocols, most of them no longer supported by clusters.

use std::collections::BTreeMap;

use crate::k8s::meta::LocalObjectReference;
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// `GCEPersistentDiskVolumeSource` of the wire form.
    pub struct GcePersistentDiskVolumeSource ("GCEPersistentDiskVolumeSource") {
        /// Key `pdName`.
        pub pd_name: String = "pdName", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `partition`.
        pub partition: i32 = "partition", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `AWSElasticBlockStoreVolumeSource` of the wire form.
    pub struct AwsElasticBlockStoreVolumeSource ("AWSElasticBlockStoreVolumeSource") {
        /// Key `volumeID`.
        pub volume_id: String = "volumeID", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `partition`.
        pub partition: i32 = "partition", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `GitRepoVolumeSource` of the wire form.
    pub struct GitRepoVolumeSource ("GitRepoVolumeSource") {
        /// Key `repository`.
        pub repository: String = "repository", keep;
        /// Key `revision`.
        pub revision: String = "revision", omit;
        /// Key `directory`.
        pub directory: String = "directory", omit;
    }

    /// `ISCSIVolumeSource` of the wire form.
    pub struct IscsiVolumeSource ("ISCSIVolumeSource") {
        /// Key `targetPortal`.
        pub target_portal: String = "targetPortal", keep;
        /// Key `iqn`.
        pub iqn: String = "iqn", keep;
        /// Key `lun`.
        pub lun: i32 = "lun", keep;
        /// Key `iscsiInterface`.
        pub iscsi_interface: String = "iscsiInterface", omit;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `portals`.
        pub portals: Vec<String> = "portals", omit;
        /// Key `chapAuthDiscovery`.
        pub chap_auth_discovery: bool = "chapAuthDiscovery", omit;
        /// Key `chapAuthSession`.
        pub chap_auth_session: bool = "chapAuthSession", omit;
        /// Key `secretRef`.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Key `initiatorName`.
        pub initiator_name: Option<String> = "initiatorName", omit;
    }

    /// `GlusterfsVolumeSource` of the wire form.
    pub struct GlusterfsVolumeSource ("GlusterfsVolumeSource") {
        /// Key `endpoints`.
        pub endpoints: String = "endpoints", keep;
        /// Key `path`.
        pub path: String = "path", keep;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `RBDVolumeSource` of the wire form.
    pub struct RbdVolumeSource ("RBDVolumeSource") {
        /// Key `monitors`.
        pub monitors: List<String> = "monitors", keep;
        /// Key `image`.
        pub image: String = "image", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `pool`.
        pub pool: String = "pool", omit;
        /// Key `user`.
        pub user: String = "user", omit;
        /// Key `keyring`.
        pub keyring: String = "keyring", omit;
        /// Key `secretRef`.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `FlexVolumeSource` of the wire form.
    pub struct FlexVolumeSource ("FlexVolumeSource") {
        /// Key `driver`.
        pub driver: String = "driver", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `secretRef`.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `options`.
        pub options: BTreeMap<String, String> = "options", omit;
    }

    /// `CinderVolumeSource` of the wire form.
    pub struct CinderVolumeSource ("CinderVolumeSource") {
        /// Key `volumeID`.
        pub volume_id: String = "volumeID", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `secretRef`.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
    }

    /// `CephFSVolumeSource` of the wire form.
    pub struct CephFsVolumeSource ("CephFSVolumeSource") {
        /// Key `monitors`.
        pub monitors: List<String> = "monitors", keep;
        /// Key `path`.
        pub path: String = "path", omit;
        /// Key `user`.
        pub user: String = "user", omit;
        /// Key `secretFile`.
        pub secret_file: String = "secretFile", omit;
        /// Key `secretRef`.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `FlockerVolumeSource` of the wire form.
    pub struct FlockerVolumeSource ("FlockerVolumeSource") {
        /// Key `datasetName`.
        pub dataset_name: String = "datasetName", omit;
        /// Key `datasetUUID`.
        pub dataset_uuid: String = "datasetUUID", omit;
    }

    /// `FCVolumeSource` of the wire form.
    pub struct FcVolumeSource ("FCVolumeSource") {
        /// Key `targetWWNs`.
        pub target_wwns: Vec<String> = "targetWWNs", omit;
        /// Key `lun`.
        pub lun: Option<i32> = "lun", omit;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `wwids`.
        pub wwids: Vec<String> = "wwids", omit;
    }

    /// `AzureFileVolumeSource` of the wire form.
    pub struct AzureFileVolumeSource ("AzureFileVolumeSource") {
        /// Key `secretName`.
        pub secret_name: String = "secretName", keep;
        /// Key `shareName`.
        pub share_name: String = "shareName", keep;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `VsphereVirtualDiskVolumeSource` of the wire form.
    pub struct VsphereVirtualDiskVolumeSource ("VsphereVirtualDiskVolumeSource") {
        /// Key `volumePath`.
        pub volume_path: String = "volumePath", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `storagePolicyName`.
        pub storage_policy_name: String = "storagePolicyName", omit;
        /// Key `storagePolicyID`.
        pub storage_policy_id: String = "storagePolicyID", omit;
    }

    /// `QuobyteVolumeSource` of the wire form.
    pub struct QuobyteVolumeSource ("QuobyteVolumeSource") {
        /// Key `registry`.
        pub registry: String = "registry", keep;
        /// Key `volume`.
        pub volume: String = "volume", keep;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `user`.
        pub user: String = "user", omit;
        /// Key `group`.
        pub group: String = "group", omit;
        /// Key `tenant`.
        pub tenant: String = "tenant", omit;
    }

    /// `AzureDiskVolumeSource` of the wire form.
    pub struct AzureDiskVolumeSource ("AzureDiskVolumeSource") {
        /// Key `diskName`.
        pub disk_name: String = "diskName", keep;
        /// Key `diskURI`.
        pub disk_uri: String = "diskURI", keep;
        /// Key `cachingMode`.
        pub caching_mode: Option<String> = "cachingMode", omit;
        /// Key `fsType`.
        pub fs_type: Option<String> = "fsType", omit;
        /// Key `readOnly`.
        pub read_only: Option<bool> = "readOnly", omit;
        /// Key `kind`.
        pub kind: Option<String> = "kind", omit;
    }

    /// `PhotonPersistentDiskVolumeSource` of the wire form.
    pub struct PhotonPersistentDiskVolumeSource ("PhotonPersistentDiskVolumeSource") {
        /// Key `pdID`.
        pub pd_id: String = "pdID", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
    }

    /// `PortworxVolumeSource` of the wire form.
    pub struct PortworxVolumeSource ("PortworxVolumeSource") {
        /// Key `volumeID`.
        pub volume_id: String = "volumeID", keep;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `ScaleIOVolumeSource` of the wire form.
    pub struct ScaleIoVolumeSource ("ScaleIOVolumeSource") {
        /// Key `gateway`.
        pub gateway: String = "gateway", keep;
        /// Key `system`.
        pub system: String = "system", keep;
        /// Key `secretRef`.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", keep;
        /// Key `sslEnabled`.
        pub ssl_enabled: bool = "sslEnabled", omit;
        /// Key `protectionDomain`.
        pub protection_domain: String = "protectionDomain", omit;
        /// Key `storagePool`.
        pub storage_pool: String = "storagePool", omit;
        /// Key `storageMode`.
        pub storage_mode: String = "storageMode", omit;
        /// Key `volumeName`.
        pub volume_name: String = "volumeName", omit;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
    }

    /// `StorageOSVolumeSource` of the wire form.
    pub struct StorageOsVolumeSource ("StorageOSVolumeSource") {
        /// Key `volumeName`.
        pub volume_name: String = "volumeName", omit;
        /// Key `volumeNamespace`.
        pub volume_namespace: String = "volumeNamespace", omit;
        /// Key `fsType`.
        pub fs_type: String = "fsType", omit;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `secretRef`.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
    }
}
