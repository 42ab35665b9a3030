//! A node that is told to stop is gone within five seconds, whoever still holds a connection open.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::ring,
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

use crate::consortium::{Consortium, PATIENCE};

/// The longest time from the signal to the end.
const STOP: Duration = Duration::from_secs(5);

/// Takes any certificate: this test is not about them.
#[derive(Debug)]
struct Anyone;

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// A connection to a node that has just begun to listen.
async fn connect(address: SocketAddr) -> TcpStream {
    let connecting = async {
        loop {
            match TcpStream::connect(address).await {
                Ok(stream) => return stream,
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    };
    timeout(PATIENCE, connecting).await.unwrap()
}

/// Asks for a path and reads the first part of the answer; the connection stays open.
async fn ask(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = vec![0; 64 << 10];
    let read = timeout(PATIENCE, stream.read(&mut answer)).await;
    answer.truncate(read.unwrap().unwrap());
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_gone_within_five_seconds_though_connections_are_open() {
    let consortium = Consortium::found(1);
    let config = consortium.config(0).clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(node::node::run(config.clone(), async {
        drop(stopped.await);
    }));

    let mut events = connect(config.member_listen).await;
    let begun = ask(&mut events, "/v1/events").await;
    assert!(begun.contains("text/event-stream"), "{begun}");

    let provider = Arc::new(ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone))
        .with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    let socket = connect(config.api_listen).await;
    let mut kept = TlsConnector::from(Arc::new(client))
        .connect(name, socket)
        .await
        .unwrap();
    let answered = ask(&mut kept, "/v1/status").await;
    assert!(answered.starts_with("HTTP/1.1 200 OK"), "{answered}");
    let silent = connect(config.api_listen).await;

    stop.send(()).unwrap();
    let ended = timeout(STOP, running).await;

    ended
        .expect("it is gone within five seconds")
        .unwrap()
        .unwrap();
    drop((events, kept, silent));
}
