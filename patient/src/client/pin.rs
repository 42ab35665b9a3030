//! TLS that trusts pinned keys and no authority: identity is the key that genesis pins, not a certificate's text.

use std::io;
use std::sync::Arc;

use contract::identity::SpkiHash;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, SignatureScheme,
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use sha2::{Digest as _, Sha256};
use thiserror::Error as ThisError;

use crate::code::Code;
use crate::output::Failure;

/// The node shows another key than the genesis file pins.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
#[error(
    "the genesis file pins {}\nthe node shows       {found}",
    listed(expected)
)]
pub struct WrongPin {
    /// SHA-256 of each pinned key.
    pub expected: Vec<SpkiHash>,
    /// SHA-256 of the key that was shown.
    pub found: SpkiHash,
}

/// TLS settings that accept the pinned keys only.
pub fn config(pins: &[SpkiHash]) -> Result<ClientConfig, Failure> {
    let provider = Arc::new(ring::default_provider());
    let pinned = Pinned {
        pins: pins.to_vec(),
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Failure::new(Code::Bug).because(error))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pinned))
        .with_no_client_auth();
    Ok(config)
}

/// The mismatch inside a failed handshake, where that is the reason.
pub(super) fn mismatch(error: &io::Error) -> Option<WrongPin> {
    let tls = error.get_ref()?.downcast_ref::<Error>()?;
    if let Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) = tls {
        return inner.downcast_ref::<WrongPin>().cloned();
    }
    None
}

fn listed(pins: &[SpkiHash]) -> String {
    let all: Vec<_> = pins.iter().map(SpkiHash::to_string).collect();
    all.join("\n               or    ")
}

#[derive(Debug)]
struct Pinned {
    pins: Vec<SpkiHash>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let spki = certificate.subject_public_key_info();
        let found = SpkiHash::new(Sha256::digest(&spki).into());
        if self.pins.contains(&found) {
            return Ok(ServerCertVerified::assertion());
        }
        let wrong = WrongPin {
            expected: self.pins.clone(),
            found,
        };
        Err(CertificateError::Other(OtherError(Arc::new(wrong))).into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}
