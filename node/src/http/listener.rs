//! One listener: accepts within its bound, shakes hands within its time, and stops when told.

use std::{net::SocketAddr, pin::pin, sync::Arc};

use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, watch},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

use super::{
    HttpError,
    limits::{DRAIN, HEAD_BYTES, HEAD_TIMEOUT, TLS_TIMEOUT},
};

/// An address that is bound and not yet served.
#[derive(Debug)]
pub(super) struct Listener {
    /// The socket.
    socket: TcpListener,
    /// Connections served at once.
    connections: usize,
}

impl Listener {
    /// Binds an address; `setting` is the key of `node.toml` that names it.
    pub(super) async fn bind(
        setting: &'static str,
        address: SocketAddr,
        connections: usize,
    ) -> Result<Self, HttpError> {
        match TcpListener::bind(address).await {
            Ok(socket) => Ok(Self {
                socket,
                connections,
            }),
            Err(cause) => Err(HttpError::Bind {
                setting,
                address,
                cause,
            }),
        }
    }

    /// Serves `router` until `stop` says so, then lets running requests finish for a short while.
    pub(super) async fn serve(
        self,
        router: Router,
        tls: Option<TlsAcceptor>,
        mut stop: watch::Receiver<bool>,
    ) {
        let room = Arc::new(Semaphore::new(self.connections));
        loop {
            let accepted = tokio::select! {
                () = stopped(&mut stop) => break,
                accepted = accept(&self.socket, &room) => accepted,
            };
            let Some((stream, peer, permit)) = accepted else {
                continue;
            };
            let (router, tls, stop) = (router.clone(), tls.clone(), stop.clone());
            tokio::spawn(async move {
                connection(stream, peer, router, tls, stop).await;
                drop(permit);
            });
        }
        drop(self.socket);
        // Each connection holds a permit; none is left when all of them are back.
        let all = u32::try_from(self.connections).unwrap_or(u32::MAX);
        match timeout(DRAIN, room.acquire_many(all)).await {
            Ok(_) => tracing::debug!("all connections finished"),
            Err(_elapsed) => tracing::debug!("connections were cut off"),
        }
    }
}

/// Ends when the node stops.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    while !*stop.borrow_and_update() {
        if stop.changed().await.is_err() {
            return;
        }
    }
}

/// The next connection, once there is room for it.
async fn accept(
    socket: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(room).acquire_owned().await.ok()?;
    match socket.accept().await {
        Ok((stream, peer)) => Some((stream, peer, permit)),
        Err(error) => {
            // Out of file descriptors: accepting at once again would spin.
            tracing::warn!(event = "accept_failed", %error, "cannot accept a connection");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            None
        }
    }
}

/// One client from first byte to last.
async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    tls: Option<TlsAcceptor>,
    stop: watch::Receiver<bool>,
) {
    // Small answers must not wait for the acknowledgement of the ones before.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    match tls {
        None => requests(stream, peer, router, stop).await,
        Some(acceptor) => match timeout(TLS_TIMEOUT, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => requests(stream, peer, router, stop).await,
            Ok(Err(error)) => tracing::debug!(%error, "no TLS handshake"),
            Err(_elapsed) => tracing::debug!("the TLS handshake took too long"),
        },
    }
}

/// The requests of one connection; once the node stops, the one that is running and no other.
async fn requests<S>(stream: S, peer: SocketAddr, router: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        request
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(HEAD_BYTES)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service))
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => Ok(ended),
        () = stopped(&mut stop) => {
            connection.as_mut().graceful_shutdown();
            timeout(DRAIN, connection).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended early"),
        Err(_elapsed) => tracing::debug!("a connection was cut off by the stop"),
    }
}
