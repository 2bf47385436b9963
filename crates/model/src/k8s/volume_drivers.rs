//! Volume sources of single vendors and protocols, most of them no longer supported by clusters.

use std::collections::BTreeMap;

use crate::k8s::meta::LocalObjectReference;
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// A disk of Google.
    pub struct GcePersistentDiskVolumeSource ("GCEPersistentDiskVolumeSource") {
        /// Name of the disk.
        pub pd_name: String = "pdName", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Partition of the disk; 0 is the whole disk.
        pub partition: i32 = "partition", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A disk of Amazon.
    pub struct AwsElasticBlockStoreVolumeSource ("AWSElasticBlockStoreVolumeSource") {
        /// Id of the volume at its vendor.
        pub volume_id: String = "volumeID", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Partition of the disk; 0 is the whole disk.
        pub partition: i32 = "partition", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A git repository.
    pub struct GitRepoVolumeSource ("GitRepoVolumeSource") {
        /// URL.
        pub repository: String = "repository", keep;
        /// Commit.
        pub revision: String = "revision", omit;
        /// Folder to clone into.
        pub directory: String = "directory", omit;
    }

    /// An iSCSI disk.
    pub struct IscsiVolumeSource ("ISCSIVolumeSource") {
        /// Address of the target.
        pub target_portal: String = "targetPortal", keep;
        /// Name of the target.
        pub iqn: String = "iqn", keep;
        /// Number of the unit.
        pub lun: i32 = "lun", keep;
        /// Name of the interface.
        pub iscsi_interface: String = "iscsiInterface", omit;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// Further addresses.
        pub portals: Vec<String> = "portals", omit;
        /// Whether discovery uses CHAP.
        pub chap_auth_discovery: bool = "chapAuthDiscovery", omit;
        /// Whether sessions use CHAP.
        pub chap_auth_session: bool = "chapAuthSession", omit;
        /// Secret with the credentials.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Our own name.
        pub initiator_name: Option<String> = "initiatorName", omit;
    }

    /// A Gluster volume.
    pub struct GlusterfsVolumeSource ("GlusterfsVolumeSource") {
        /// Name of the endpoints object.
        pub endpoints: String = "endpoints", keep;
        /// Path.
        pub path: String = "path", keep;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A Ceph block device.
    pub struct RbdVolumeSource ("RBDVolumeSource") {
        /// Addresses of the monitors.
        pub monitors: List<String> = "monitors", keep;
        /// Name of the image.
        pub image: String = "image", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Name of the pool.
        pub pool: String = "pool", omit;
        /// User.
        pub user: String = "user", omit;
        /// File with the key.
        pub keyring: String = "keyring", omit;
        /// Secret with the credentials.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A volume of an exec driver.
    pub struct FlexVolumeSource ("FlexVolumeSource") {
        /// Name of the driver.
        pub driver: String = "driver", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Secret with the credentials.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// Settings that only the driver understands.
        pub options: BTreeMap<String, String> = "options", omit;
    }

    /// A disk of OpenStack.
    pub struct CinderVolumeSource ("CinderVolumeSource") {
        /// Id of the volume at its vendor.
        pub volume_id: String = "volumeID", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// Secret with the credentials.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
    }

    /// A Ceph file system.
    pub struct CephFsVolumeSource ("CephFSVolumeSource") {
        /// Addresses of the monitors.
        pub monitors: List<String> = "monitors", keep;
        /// Path.
        pub path: String = "path", omit;
        /// User.
        pub user: String = "user", omit;
        /// File with the key.
        pub secret_file: String = "secretFile", omit;
        /// Secret with the credentials.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A Flocker volume.
    pub struct FlockerVolumeSource ("FlockerVolumeSource") {
        /// Name of the dataset.
        pub dataset_name: String = "datasetName", omit;
        /// Id of the dataset.
        pub dataset_uuid: String = "datasetUUID", omit;
    }

    /// A Fibre Channel disk.
    pub struct FcVolumeSource ("FCVolumeSource") {
        /// Names of the targets.
        pub target_wwns: Vec<String> = "targetWWNs", omit;
        /// Number of the unit.
        pub lun: Option<i32> = "lun", omit;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// Ids of the volume, in place of targets and unit.
        pub wwids: Vec<String> = "wwids", omit;
    }

    /// A file share of Azure.
    pub struct AzureFileVolumeSource ("AzureFileVolumeSource") {
        /// Name of the Secret.
        pub secret_name: String = "secretName", keep;
        /// Name of the share.
        pub share_name: String = "shareName", keep;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A disk of vSphere.
    pub struct VsphereVirtualDiskVolumeSource ("VsphereVirtualDiskVolumeSource") {
        /// Path of the disk.
        pub volume_path: String = "volumePath", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Name of the policy.
        pub storage_policy_name: String = "storagePolicyName", omit;
        /// Id of the policy.
        pub storage_policy_id: String = "storagePolicyID", omit;
    }

    /// A Quobyte volume.
    pub struct QuobyteVolumeSource ("QuobyteVolumeSource") {
        /// Addresses of the registry.
        pub registry: String = "registry", keep;
        /// Name of the volume.
        pub volume: String = "volume", keep;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// User.
        pub user: String = "user", omit;
        /// Group.
        pub group: String = "group", omit;
        /// Tenant.
        pub tenant: String = "tenant", omit;
    }

    /// A disk of Azure.
    pub struct AzureDiskVolumeSource ("AzureDiskVolumeSource") {
        /// Name of the disk.
        pub disk_name: String = "diskName", keep;
        /// URI of the disk.
        pub disk_uri: String = "diskURI", keep;
        /// `None`, `ReadOnly` or `ReadWrite`.
        pub caching_mode: Option<String> = "cachingMode", omit;
        /// File system of the volume, for example `ext4`.
        pub fs_type: Option<String> = "fsType", omit;
        /// Whether writing is refused.
        pub read_only: Option<bool> = "readOnly", omit;
        /// `Shared`, `Dedicated` or `Managed`.
        pub kind: Option<String> = "kind", omit;
    }

    /// A disk of Photon.
    pub struct PhotonPersistentDiskVolumeSource ("PhotonPersistentDiskVolumeSource") {
        /// Id of the disk.
        pub pd_id: String = "pdID", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
    }

    /// A Portworx volume.
    pub struct PortworxVolumeSource ("PortworxVolumeSource") {
        /// Id of the volume at its vendor.
        pub volume_id: String = "volumeID", keep;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A ScaleIO volume.
    pub struct ScaleIoVolumeSource ("ScaleIOVolumeSource") {
        /// Address of the gateway.
        pub gateway: String = "gateway", keep;
        /// Name of the system.
        pub system: String = "system", keep;
        /// Secret with the credentials.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", keep;
        /// Whether to use TLS.
        pub ssl_enabled: bool = "sslEnabled", omit;
        /// Protection domain.
        pub protection_domain: String = "protectionDomain", omit;
        /// Pool.
        pub storage_pool: String = "storagePool", omit;
        /// Thick or thin.
        pub storage_mode: String = "storageMode", omit;
        /// Name of the volume.
        pub volume_name: String = "volumeName", omit;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
    }

    /// A StorageOS volume.
    pub struct StorageOsVolumeSource ("StorageOSVolumeSource") {
        /// Name of the volume.
        pub volume_name: String = "volumeName", omit;
        /// Namespace of the volume at StorageOS.
        pub volume_namespace: String = "volumeNamespace", omit;
        /// File system of the volume, for example `ext4`.
        pub fs_type: String = "fsType", omit;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// Secret with the credentials.
        pub secret_ref: Option<LocalObjectReference> = "secretRef", omit;
    }
}
