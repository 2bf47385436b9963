//! Rights of pods and containers.

use crate::object::objects;

objects! {
    "v1"

    /// Rights of a container.
    pub struct SecurityContext ("SecurityContext") {
        /// Capabilities beyond or below the runtime's default.
        pub capabilities: Option<Capabilities> = "capabilities", omit;
        /// Whether it has all rights of the node's root.
        pub privileged: Option<bool> = "privileged", omit;
        /// SELinux label.
        pub se_linux_options: Option<SeLinuxOptions> = "seLinuxOptions", omit;
        /// Options of Windows only.
        pub windows_options: Option<WindowsSecurityContextOptions> = "windowsOptions", omit;
        /// User id of the processes.
        pub run_as_user: Option<i64> = "runAsUser", omit;
        /// Group id of the processes.
        pub run_as_group: Option<i64> = "runAsGroup", omit;
        /// Whether user 0 is refused.
        pub run_as_non_root: Option<bool> = "runAsNonRoot", omit;
        /// Whether its root file system is read-only.
        pub read_only_root_filesystem: Option<bool> = "readOnlyRootFilesystem", omit;
        /// Whether a process may get more rights than its parent.
        pub allow_privilege_escalation: Option<bool> = "allowPrivilegeEscalation", omit;
        /// How `/proc` is mounted.
        pub proc_mount: Option<String> = "procMount", omit;
        /// Filter of system calls.
        pub seccomp_profile: Option<SeccompProfile> = "seccompProfile", omit;
        /// AppArmor profile.
        pub app_armor_profile: Option<AppArmorProfile> = "appArmorProfile", omit;
    }

    /// Rights of all containers of a pod.
    pub struct PodSecurityContext ("PodSecurityContext") {
        /// SELinux label.
        pub se_linux_options: Option<SeLinuxOptions> = "seLinuxOptions", omit;
        /// Options of Windows only.
        pub windows_options: Option<WindowsSecurityContextOptions> = "windowsOptions", omit;
        /// User id of the processes.
        pub run_as_user: Option<i64> = "runAsUser", omit;
        /// Group id of the processes.
        pub run_as_group: Option<i64> = "runAsGroup", omit;
        /// Whether user 0 is refused.
        pub run_as_non_root: Option<bool> = "runAsNonRoot", omit;
        /// Further groups of the processes.
        pub supplemental_groups: Vec<i64> = "supplementalGroups", omit;
        /// Whether the image's groups are merged in: `Merge` or `Strict`.
        pub supplemental_groups_policy: Option<String> = "supplementalGroupsPolicy", omit;
        /// Group that volumes belong to.
        pub fs_group: Option<i64> = "fsGroup", omit;
        /// Settings of the kernel.
        pub sysctls: Vec<Sysctl> = "sysctls", omit;
        /// When ownership of volumes is changed: `Always` or `OnRootMismatch`.
        pub fs_group_change_policy: Option<String> = "fsGroupChangePolicy", omit;
        /// Filter of system calls.
        pub seccomp_profile: Option<SeccompProfile> = "seccompProfile", omit;
        /// AppArmor profile.
        pub app_armor_profile: Option<AppArmorProfile> = "appArmorProfile", omit;
        /// How volumes get their SELinux label: `MountOption` or `Recursive`.
        pub se_linux_change_policy: Option<String> = "seLinuxChangePolicy", omit;
    }

    /// Capabilities beyond or below the runtime's default.
    pub struct Capabilities ("Capabilities") {
        /// More.
        pub add: Vec<String> = "add", omit;
        /// Fewer.
        pub drop: Vec<String> = "drop", omit;
    }

    /// An SELinux label.
    pub struct SeLinuxOptions ("SELinuxOptions") {
        /// User.
        pub user: String = "user", omit;
        /// Role.
        pub role: String = "role", omit;
        /// Kind.
        pub type_: String = "type", omit;
        /// Level.
        pub level: String = "level", omit;
    }

    /// Rights on Windows.
    pub struct WindowsSecurityContextOptions ("WindowsSecurityContextOptions") {
        /// Name of the credential specification.
        pub gmsa_credential_spec_name: Option<String> = "gmsaCredentialSpecName", omit;
        /// The credential specification.
        pub gmsa_credential_spec: Option<String> = "gmsaCredentialSpec", omit;
        /// User name of the processes.
        pub run_as_user_name: Option<String> = "runAsUserName", omit;
        /// Whether it runs as a process of the host.
        pub host_process: Option<bool> = "hostProcess", omit;
    }

    /// A filter of system calls.
    pub struct SeccompProfile ("SeccompProfile") {
        /// `RuntimeDefault`, `Unconfined` or `Localhost`.
        pub type_: String = "type", keep;
        /// Name of the profile on the node, for type `Localhost`.
        pub localhost_profile: Option<String> = "localhostProfile", omit;
    }

    /// An AppArmor profile.
    pub struct AppArmorProfile ("AppArmorProfile") {
        /// `RuntimeDefault`, `Unconfined` or `Localhost`.
        pub type_: String = "type", keep;
        /// Name of the profile on the node, for type `Localhost`.
        pub localhost_profile: Option<String> = "localhostProfile", omit;
    }

    /// A setting of the kernel.
    pub struct Sysctl ("Sysctl") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Value.
        pub value: String = "value", keep;
    }
}
