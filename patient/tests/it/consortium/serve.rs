//! The four HTTP interfaces: TLS with a key that the genesis file pins, and one route after the other.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use contract::identity::{Aid, SpkiHash};
use contract::{Outcome, SignedTransaction};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderMap;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use patient::code::Code;
use rcgen::PublicKeyData as _;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_rustls::TlsAcceptor;

use super::{When, World};

/// A status, a body, and seconds after which to come again.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) retry_after_s: Option<u64>,
}

impl Reply {
    pub(crate) const fn ok(body: Vec<u8>) -> Self {
        Self {
            status: 200,
            body,
            retry_after_s: None,
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            body: body.to_string().into_bytes(),
            retry_after_s: None,
        }
    }

    /// A problem as a node writes it.
    pub(crate) fn problem(status: u16, code: Code) -> Self {
        let body = json!({ "title": code.title(), "code": code.text() });
        Self::json(status, &body)
    }
}

/// A port and the key of its interface.
pub(crate) struct Listener {
    pub(crate) port: u16,
    pub(crate) pin: SpkiHash,
    socket: TcpListener,
    acceptor: TlsAcceptor,
}

pub(crate) fn listener() -> Listener {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let spki = made.signing_key.subject_public_key_info();
    Listener {
        port: socket.local_addr().unwrap().port(),
        pin: SpkiHash::new(Sha256::digest(&spki).into()),
        socket,
        acceptor: TlsAcceptor::from(Arc::new(config)),
    }
}

/// Serves member `at` until the process ends.
pub(crate) fn run(at: usize, listener: Listener, world: Arc<Mutex<World>>) {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(accept(at, listener, world));
    });
}

async fn accept(at: usize, listener: Listener, world: Arc<Mutex<World>>) {
    let socket = tokio::net::TcpListener::from_std(listener.socket).unwrap();
    while let Ok((stream, _)) = socket.accept().await {
        if world.lock().unwrap().trouble.down.contains(&at) {
            continue;
        }
        let acceptor = listener.acceptor.clone();
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(|request| one(at, request, Arc::clone(&world)));
            // A request that is dropped ends its connection.
            drop(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await,
            );
        });
    }
}

/// The connection breaks off.
#[derive(Debug)]
struct Broken;

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dropped")
    }
}

impl std::error::Error for Broken {}

async fn one(
    at: usize,
    request: Request<Incoming>,
    world: Arc<Mutex<World>>,
) -> Result<Response<Full<Bytes>>, Broken> {
    let path = request.uri().path().to_owned();
    let headers = request.headers().clone();
    let body = request.into_body().collect().await;
    let body = body.map_err(|_error| Broken)?.to_bytes();
    let reply = {
        let mut world = world.lock().unwrap();
        world.heard.push((at, path.clone()));
        let dropped = world.trouble.drop_once.filter(|(what, _)| path == *what);
        if dropped.is_some() {
            world.trouble.drop_once = None;
        }
        if dropped.is_some_and(|(_, when)| when == When::Before) {
            return Err(Broken);
        }
        let reply = world.answer(at, &path, &headers, &body);
        let mute = path == "/v1/sign-in/confirm" && world.trouble.mute.contains(&at);
        if mute || dropped.is_some() {
            return Err(Broken);
        }
        reply
    };
    let mut response = Response::builder().status(reply.status);
    if let Some(after) = reply.retry_after_s {
        response = response.header("retry-after", after.to_string());
    }
    Ok(response.body(Full::new(Bytes::from(reply.body))).unwrap())
}

impl World {
    fn answer(&mut self, at: usize, path: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
        match path {
            "/v1/server" => excerpt(&self.chain.servers()),
            "/v1/record" => {
                let aid = Aid::new(body.try_into().unwrap());
                excerpt(&self.chain.record(&aid))
            }
            "/v1/history" => self.history(at, body),
            "/v1/evaluate" => self.evaluate(at, body),
            "/v1/evaluate/confirm" => self.confirm_evaluation(at, body),
            "/v1/deal" => self.take_deal(at, body),
            "/v1/enrol/apply" => self.apply(body),
            "/v1/enrol/accept" => self.accept(body),
            "/v1/sign-in/hello" => self.hello(at, body),
            "/v1/sign-in/confirm" => self.confirm(at, headers, body),
            "/v1/patient/transactions" => self.transactions(body),
            other => match other.strip_prefix("/v1/sessions/") {
                Some(sid) => self.session(sid),
                None => Reply::problem(404, Code::NoSuchRoute),
            },
        }
    }

    fn transactions(&mut self, body: &[u8]) -> Reply {
        let signed = SignedTransaction::decode(body.to_vec()).unwrap();
        let hash = *signed.hash();
        let outcome = match self.chain.append(signed) {
            Outcome::Done(_) => json!({ "status": "done" }),
            Outcome::Refused(why) => json!({ "status": "refused", "reason": why.to_string() }),
        };
        let height = self.chain.tip.height();
        Reply::json(
            200,
            &json!({ "schema": "aidchain.submitted/1", "status": "committed", "hash": hash,
                "height": height, "index": 0, "outcome": outcome }),
        )
    }

    fn session(&self, sid: &str) -> Reply {
        let receipt = sid.parse().ok().and_then(|sid| self.chain.receipt_of(&sid));
        match receipt {
            Some(receipt) => Reply::json(200, &json!({ "receipt": receipt })),
            None => Reply::json(202, &json!({ "status": "pending" })),
        }
    }
}

fn excerpt(excerpt: &patient::excerpt::Excerpt) -> Reply {
    Reply::ok(serde_json::to_vec(excerpt).unwrap())
}
