//! Certificates and keys of a throw-away cluster.

use std::path::Path;

use anyhow::Context;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, SanType,
};

/// Makes what is missing in the folder: `ca`, `api` (server) and `kubelet-client` as `.crt` and `.key`, and the key
/// pair `sa.key`, `sa.pub` that signs service-account tokens.
///
/// # Errors
/// When a file can't be written.
pub fn make(folder: &Path, addresses: &[&str]) -> anyhow::Result<()> {
    if folder.join("sa.pub").exists() {
        return Ok(());
    }
    std::fs::create_dir_all(folder)?;
    let write = |name: &str, text: String| {
        std::fs::write(folder.join(name), text).with_context(|| format!("writing {name}"))
    };
    let ca_key = KeyPair::generate()?;
    let mut ca = named("test-ca", None)?;
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    write("ca.crt", ca.self_signed(&ca_key)?.pem())?;
    write("ca.key", ca_key.serialize_pem())?;
    let issuer = Issuer::new(ca, ca_key);

    let mut server = named("kube-apiserver", None)?;
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    for address in addresses {
        server.subject_alt_names.push(match address.parse() {
            Ok(ip) => SanType::IpAddress(ip),
            Err(_) => SanType::DnsName((*address).try_into()?),
        });
    }
    let mut client = named("apiserver-kubelet-client", Some("system:masters"))?;
    client.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    for (name, params) in [("api", server), ("kubelet-client", client)] {
        let key = KeyPair::generate()?;
        write(&format!("{name}.crt"), params.signed_by(&key, &issuer)?.pem())?;
        write(&format!("{name}.key"), key.serialize_pem())?;
    }
    let signer = KeyPair::generate()?;
    write("sa.key", signer.serialize_pem())?;
    write("sa.pub", signer.public_key_pem())
}

fn named(name: &str, organisation: Option<&str>) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    if let Some(organisation) = organisation {
        params
            .distinguished_name
            .push(DnType::OrganizationName, organisation);
    }
    Ok(params)
}
