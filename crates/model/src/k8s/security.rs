//! Rights of pods and containers.

use crate::object::objects;

objects! {
    "v1"

    /// `SecurityContext` of the wire form.
    pub struct SecurityContext ("SecurityContext") {
        /// Key `capabilities`.
        pub capabilities: Option<Capabilities> = "capabilities", omit;
        /// Key `privileged`.
        pub privileged: Option<bool> = "privileged", omit;
        /// Key `seLinuxOptions`.
        pub se_linux_options: Option<SeLinuxOptions> = "seLinuxOptions", omit;
        /// Key `windowsOptions`.
        pub windows_options: Option<WindowsSecurityContextOptions> = "windowsOptions", omit;
        /// Key `runAsUser`.
        pub run_as_user: Option<i64> = "runAsUser", omit;
        /// Key `runAsGroup`.
        pub run_as_group: Option<i64> = "runAsGroup", omit;
        /// Key `runAsNonRoot`.
        pub run_as_non_root: Option<bool> = "runAsNonRoot", omit;
        /// Key `readOnlyRootFilesystem`.
        pub read_only_root_filesystem: Option<bool> = "readOnlyRootFilesystem", omit;
        /// Key `allowPrivilegeEscalation`.
        pub allow_privilege_escalation: Option<bool> = "allowPrivilegeEscalation", omit;
        /// Key `procMount`.
        pub proc_mount: Option<String> = "procMount", omit;
        /// Key `seccompProfile`.
        pub seccomp_profile: Option<SeccompProfile> = "seccompProfile", omit;
        /// Key `appArmorProfile`.
        pub app_armor_profile: Option<AppArmorProfile> = "appArmorProfile", omit;
    }

    /// `PodSecurityContext` of the wire form.
    pub struct PodSecurityContext ("PodSecurityContext") {
        /// Key `seLinuxOptions`.
        pub se_linux_options: Option<SeLinuxOptions> = "seLinuxOptions", omit;
        /// Key `windowsOptions`.
        pub windows_options: Option<WindowsSecurityContextOptions> = "windowsOptions", omit;
        /// Key `runAsUser`.
        pub run_as_user: Option<i64> = "runAsUser", omit;
        /// Key `runAsGroup`.
        pub run_as_group: Option<i64> = "runAsGroup", omit;
        /// Key `runAsNonRoot`.
        pub run_as_non_root: Option<bool> = "runAsNonRoot", omit;
        /// Key `supplementalGroups`.
        pub supplemental_groups: Vec<i64> = "supplementalGroups", omit;
        /// Key `supplementalGroupsPolicy`.
        pub supplemental_groups_policy: Option<String> = "supplementalGroupsPolicy", omit;
        /// Key `fsGroup`.
        pub fs_group: Option<i64> = "fsGroup", omit;
        /// Key `sysctls`.
        pub sysctls: Vec<Sysctl> = "sysctls", omit;
        /// Key `fsGroupChangePolicy`.
        pub fs_group_change_policy: Option<String> = "fsGroupChangePolicy", omit;
        /// Key `seccompProfile`.
        pub seccomp_profile: Option<SeccompProfile> = "seccompProfile", omit;
        /// Key `appArmorProfile`.
        pub app_armor_profile: Option<AppArmorProfile> = "appArmorProfile", omit;
        /// Key `seLinuxChangePolicy`.
        pub se_linux_change_policy: Option<String> = "seLinuxChangePolicy", omit;
    }

    /// `Capabilities` of the wire form.
    pub struct Capabilities ("Capabilities") {
        /// Key `add`.
        pub add: Vec<String> = "add", omit;
        /// Key `drop`.
        pub drop: Vec<String> = "drop", omit;
    }

    /// `SELinuxOptions` of the wire form.
    pub struct SeLinuxOptions ("SELinuxOptions") {
        /// Key `user`.
        pub user: String = "user", omit;
        /// Key `role`.
        pub role: String = "role", omit;
        /// Key `type`.
        pub type_: String = "type", omit;
        /// Key `level`.
        pub level: String = "level", omit;
    }

    /// `WindowsSecurityContextOptions` of the wire form.
    pub struct WindowsSecurityContextOptions ("WindowsSecurityContextOptions") {
        /// Key `gmsaCredentialSpecName`.
        pub gmsa_credential_spec_name: Option<String> = "gmsaCredentialSpecName", omit;
        /// Key `gmsaCredentialSpec`.
        pub gmsa_credential_spec: Option<String> = "gmsaCredentialSpec", omit;
        /// Key `runAsUserName`.
        pub run_as_user_name: Option<String> = "runAsUserName", omit;
        /// Key `hostProcess`.
        pub host_process: Option<bool> = "hostProcess", omit;
    }

    /// `SeccompProfile` of the wire form.
    pub struct SeccompProfile ("SeccompProfile") {
        /// Key `type`.
        pub type_: String = "type", keep;
        /// Key `localhostProfile`.
        pub localhost_profile: Option<String> = "localhostProfile", omit;
    }

    /// `AppArmorProfile` of the wire form.
    pub struct AppArmorProfile ("AppArmorProfile") {
        /// Key `type`.
        pub type_: String = "type", keep;
        /// Key `localhostProfile`.
        pub localhost_profile: Option<String> = "localhostProfile", omit;
    }

    /// `Sysctl` of the wire form.
    pub struct Sysctl ("Sysctl") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `value`.
        pub value: String = "value", keep;
    }
}
