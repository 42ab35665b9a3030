//! TLS of the listeners: one certificate, pinned by its key in genesis; no client certificates.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};
use thiserror::Error;
use tokio_rustls::TlsAcceptor;

/// The key or the certificate cannot serve.
#[derive(Debug, Error)]
#[error("the TLS key or certificate in the keys folder cannot be used: {0}")]
pub struct TlsError(#[from] rustls::Error);

/// What turns a connection into a TLS one, from `tls.key` (PKCS#8) and `tls.crt`, both DER.
pub fn acceptor(key: &[u8], certificate: &[u8]) -> Result<TlsAcceptor, TlsError> {
    let chain = vec![CertificateDer::from(certificate.to_vec())];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.to_vec()));
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_not_the_certificates_is_refused() {
        let one = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = one.cert.der();

        acceptor(&one.signing_key.serialize_der(), certificate).unwrap();
        assert!(acceptor(&other.signing_key.serialize_der(), certificate).is_err());
        assert!(acceptor(b"not a key", certificate).is_err());
    }
}
