//! TLS 1.3 with Ed25519 certificates on both sides, as `rustls` does it: a full handshake each time, X25519, no ticket.
//!
//! Certificates are pinned, so that what is measured is the handshake and no chain of authorities.

use std::io;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use research::contest::{Clock, Contestant, Failure, Sides, timed};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, DistinguishedName,
    Error, ServerConfig, ServerConnection, SignatureScheme,
};

use super::failed;

/// Two parties that pin each other's certificate.
pub(super) struct Pair {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    name: ServerName<'static>,
}

/// A certificate and its key.
struct Party {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Party {
    fn new(name: &str) -> io::Result<Self> {
        let pair = KeyPair::generate_for(&PKCS_ED25519).map_err(failed)?;
        let params = CertificateParams::new(vec![name.to_owned()]).map_err(failed)?;
        let certificate = params.self_signed(&pair).map_err(failed)?;
        Ok(Self {
            certificate: certificate.der().clone(),
            key: PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der())),
        })
    }
}

impl Pair {
    pub(super) fn new() -> io::Result<Self> {
        let provider = Arc::new(CryptoProvider {
            kx_groups: vec![ring::kx_group::X25519],
            ..ring::default_provider()
        });
        let (patient, clinic) = (Party::new("patient")?, Party::new("clinic")?);
        let pin = |certificate: &CertificateDer<'static>| {
            Arc::new(Pin {
                certificate: certificate.clone(),
                provider: Arc::clone(&provider),
            })
        };
        let versions = [&rustls::version::TLS13];
        let mut client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(failed)?
            .dangerous()
            .with_custom_certificate_verifier(pin(&clinic.certificate))
            .with_client_auth_cert(vec![patient.certificate.clone()], patient.key)
            .map_err(failed)?;
        client.resumption = Resumption::disabled();
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&versions)
            .map_err(failed)?
            .with_client_cert_verifier(pin(&patient.certificate))
            .with_single_cert(vec![clinic.certificate], clinic.key)
            .map_err(failed)?;
        server.send_tls13_tickets = 0;
        Ok(Self {
            client: Arc::new(client),
            server: Arc::new(server),
            name: ServerName::try_from("clinic").map_err(failed)?,
        })
    }
}

impl Contestant for Pair {
    fn shake(&mut self, clock: Clock<'_>) -> Result<Sides, Failure> {
        let mut sides = Sides::default();
        let (mut client, mut wire) = timed(clock, &mut sides.first, || {
            let mut client = ClientConnection::new(Arc::clone(&self.client), self.name.clone())
                .map_err(failed)?;
            let mut wire = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut wire)?;
            }
            Ok::<_, io::Error>((client, wire))
        })?;
        let mut server = timed(clock, &mut sides.second, || {
            ServerConnection::new(Arc::clone(&self.server)).map_err(failed)
        })?;
        while client.is_handshaking() || server.is_handshaking() {
            wire = timed(clock, &mut sides.second, || relay(&mut server, &wire))?;
            wire = timed(clock, &mut sides.first, || relay(&mut client, &wire))?;
        }
        Ok(sides)
    }
}

/// Takes in what the other party sent and gives what goes back.
fn relay<Data>(
    party: &mut impl std::ops::DerefMut<Target = rustls::ConnectionCommon<Data>>,
    mut incoming: &[u8],
) -> io::Result<Vec<u8>> {
    while !incoming.is_empty() {
        party.read_tls(&mut incoming)?;
        party.process_new_packets().map_err(failed)?;
    }
    let mut outgoing = Vec::new();
    while party.wants_write() {
        party.write_tls(&mut outgoing)?;
    }
    Ok(outgoing)
}

/// The one certificate that is accepted; its signature of the handshake is verified.
#[derive(Debug)]
struct Pin {
    certificate: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl Pin {
    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if *certificate == self.certificate {
            return Ok(());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn old_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(certificate)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.old_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Pin {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(certificate)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.old_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}
