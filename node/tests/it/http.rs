//! The listeners over real sockets: bound before they serve, bounded in what they read, gone when the node stops.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use node::http::{self, HttpError};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

use crate::consortium::{Consortium, PATIENCE};

/// What a listener answers to these bytes before it closes or falls silent.
async fn answer(address: SocketAddr, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent).await.unwrap();
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    drop(read.unwrap());
    String::from_utf8_lossy(&text).into_owned()
}

/// A request that asks for the end of the connection.
fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_three_listeners_and_closes_them_when_it_stops() {
    let mut consortium = Consortium::start(1).await;
    let services = consortium.node(0).services().clone();
    let config = Arc::clone(&services.config);
    let (stop, stopped) = watch::channel(false);
    let bound = http::bind(services, stopped).await.unwrap();
    // A member without a key epoch on the ledger is not ready, and that block may still be under way.
    consortium.record(0, |_| true).await;
    let serving = tokio::spawn(bound.serve());

    let explorer = answer(config.member_listen, &get("/")).await;
    let ready = answer(config.operations_listen, &get("/readyz")).await;
    let plain = answer(config.api_listen, &get("/v1/status")).await;

    assert!(explorer.starts_with("HTTP/1.1 200 OK"), "{explorer}");
    assert!(explorer.contains("aidchain explorer"));
    assert!(ready.ends_with("ready\n"), "{ready}");
    assert!(
        !plain.starts_with("HTTP/1.1"),
        "the patient API speaks TLS only: {plain}"
    );

    stop.send(true).unwrap();
    timeout(PATIENCE, serving).await.unwrap().unwrap();
    for address in [
        config.api_listen,
        config.member_listen,
        config.operations_listen,
    ] {
        assert!(
            TcpStream::connect(address).await.is_err(),
            "{address} still accepts"
        );
    }
    consortium.stop_node(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_refused_and_rubbish_harms_nobody() {
    let consortium = Consortium::start(1).await;
    let services = consortium.node(0).services().clone();
    let config = Arc::clone(&services.config);
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(http::bind(services, stopped).await.unwrap().serve());

    let long = [b"GET / HTTP/1.1\r\nx: ".as_slice(), &vec![b'a'; 64 << 10]].concat();
    let refused = answer(config.member_listen, &long).await;
    let rubbish = answer(
        config.member_listen,
        b"\x16\x03\x01\x00\xff rubbish \r\n\r\n",
    )
    .await;
    let after = answer(config.member_listen, &get("/v1/status")).await;

    assert!(
        refused.starts_with("HTTP/1.1 431") || refused.is_empty(),
        "{refused}"
    );
    assert!(
        rubbish.starts_with("HTTP/1.1 400") || rubbish.is_empty(),
        "{rubbish}"
    );
    assert!(after.contains("aidchain.status/1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_named_with_its_setting() {
    let consortium = Consortium::start(1).await;
    let services = consortium.node(0).services().clone();
    let taken = TcpListener::bind(services.config.member_listen)
        .await
        .unwrap();
    let (_stop, stopped) = watch::channel(false);

    let error = timeout(Duration::from_secs(5), http::bind(services, stopped))
        .await
        .unwrap()
        .unwrap_err();

    assert!(
        matches!(error, HttpError::Bind { setting: "member_listen", address, .. } if address == taken.local_addr().unwrap())
    );
}
