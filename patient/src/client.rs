//! HTTP/1.1 to one node: TLS pinned to the key in the genesis file, or plain to a member interface on loopback.

mod answer;
mod pin;
mod url;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use contract::genesis::Member;
use contract::identity::SpkiHash;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

pub use self::answer::Answer;
pub use self::pin::{WrongPin, config as pinned};
pub use self::url::{BadUrl, Url};

use crate::clock::Stopwatch;
use crate::code::Code;
use crate::output::Failure;

/// Time to reach the node.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// Time for the answer, beside the wait that the request itself asks for.
const ANSWER_MAX: Duration = Duration::from_secs(10);
/// A node that is busy for longer than this is not waited for.
const BUSY_MAX: Duration = Duration::from_secs(2);
/// Time for asking a busy node again and again.
const PATIENCE: Duration = Duration::from_secs(8);
/// No answer is longer.
const ANSWER_BYTES_MAX: usize = 16 << 20;
/// The type of suite messages and transactions.
pub const OCTETS: &str = "application/octet-stream";
/// Names the newest block that the terminal holds a certificate for.
pub const KNOWN_HEIGHT: &str = "aidchain-known-height";

/// A node's address and how to know it.
#[derive(Clone, Debug)]
pub struct Client {
    url: Url,
    pins: Vec<SpkiHash>,
    token: Option<Zeroizing<String>>,
}

/// One question to a node.
#[derive(Clone, Debug)]
pub struct Question {
    method: Method,
    path: String,
    body: Body,
    headers: Vec<(&'static str, String)>,
    wait: Duration,
}

/// What a question sends. It may hold an ID: wiped when it was sent, and never shown.
#[derive(Clone, Default)]
struct Body(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Question {
    /// Asks for what is at this path.
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            body: Body::default(),
            headers: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    /// Sends bytes to this path.
    pub fn post(path: impl Into<String>, body: impl Into<Zeroizing<Vec<u8>>>) -> Self {
        Self {
            method: Method::POST,
            body: Body(body.into()),
            ..Self::get(path)
        }
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Says how long the node was asked to hold its answer back.
    #[must_use]
    pub const fn waits(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }
}

impl Client {
    /// A node behind TLS whose key is pinned.
    pub fn pinned(url: Url, pin: SpkiHash) -> Self {
        Self::pinned_to_any(url, vec![pin])
    }

    /// The patient interface of a member: at its own address or at the given one, under its pinned key in any case.
    pub fn of_member(member: &Member, elsewhere: Option<&Url>) -> Result<Self, Failure> {
        let url = match elsewhere {
            Some(url) => url.clone(),
            None => member.api.parse().map_err(|error| {
                Failure::new(Code::BadGenesis)
                    .message(format!(
                        "the genesis file's address of {} is unusable",
                        member.name
                    ))
                    .because(error)
            })?,
        };
        Ok(Self::pinned(url, member.tls_spki))
    }

    /// Any one of several nodes, each of which has a pinned key.
    pub const fn pinned_to_any(url: Url, pins: Vec<SpkiHash>) -> Self {
        Self {
            url,
            pins,
            token: None,
        }
    }

    /// A member interface without TLS. What it says is not proved.
    pub const fn plain(url: Url) -> Self {
        Self {
            url,
            pins: Vec::new(),
            token: None,
        }
    }

    /// Shows this token with every question.
    #[must_use]
    pub fn with_token(mut self, token: Zeroizing<String>) -> Self {
        self.token = Some(token);
        self
    }

    /// The address that is asked.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Asks and waits for the answer, whatever its status.
    pub fn ask(&self, question: Question) -> Result<Answer, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Code::Bug).because(error))?;
        runtime.block_on(self.ask_async(question))
    }

    /// Asks, and asks again while the node has no room for the moment: it took nothing of the request and said when to
    /// come back. The answer is a success.
    pub fn ask_patiently(&self, question: &Question) -> Result<Answer, Failure> {
        let watch = Stopwatch::start();
        loop {
            let answer = self.ask(question.clone())?;
            let Some(pause) = answer.room_after().filter(|pause| *pause <= BUSY_MAX) else {
                return answer.success();
            };
            if watch.elapsed().saturating_add(pause) > PATIENCE {
                return answer.success();
            }
            std::thread::sleep(pause);
        }
    }

    /// The same as [`Client::ask`] inside a runtime.
    pub async fn ask_async(&self, question: Question) -> Result<Answer, Failure> {
        let limit = ANSWER_MAX.saturating_add(question.wait);
        let connection = tokio::time::timeout(CONNECT_MAX, self.connect())
            .await
            .map_err(|_elapsed| self.unreachable("no connection within 5 s"))??;
        tokio::time::timeout(limit, self.exchange(connection, question))
            .await
            .map_err(|_elapsed| {
                Failure::new(Code::TimedOut).message(format!("no answer from {}", self.url))
            })?
    }

    async fn connect(&self) -> Result<TcpStream, Failure> {
        let stream = TcpStream::connect((self.url.host(), self.url.port()))
            .await
            .map_err(|error| self.unreachable(error))?;
        stream
            .set_nodelay(true)
            .map_err(|error| self.unreachable(error))?;
        Ok(stream)
    }

    async fn exchange(&self, stream: TcpStream, question: Question) -> Result<Answer, Failure> {
        if !self.url.is_tls() {
            return self.speak(stream, question).await;
        }
        if self.pins.is_empty() {
            return Err(Failure::new(Code::Usage)
                .message(format!("{} is TLS, and no key is pinned for it", self.url))
                .help("name the ledger with --genesis FILE"));
        }
        let connector = TlsConnector::from(Arc::new(pin::config(&self.pins)?));
        let name = ServerName::try_from(self.url.host().to_owned())
            .map_err(|error| self.unreachable(error))?;
        match connector.connect(name, stream).await {
            Ok(stream) => self.speak(stream, question).await,
            Err(error) => Err(pin::mismatch(&error).map_or_else(
                || self.unreachable(&error),
                |wrong| {
                    Failure::new(Code::WrongPin)
                        .message(format!("{} is not the node you mean", self.url))
                        .because(wrong)
                },
            )),
        }
    }

    async fn speak<S>(&self, stream: S, question: Question) -> Result<Answer, Failure>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let request = self.request(question)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.unreachable(error))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
            Ok::<_, hyper::Error>((head, body))
        };
        tokio::pin!(exchange);
        let (head, body) = tokio::select! {
            done = &mut exchange => done,
            ended = connection => match ended {
                Ok(()) => exchange.await,
                Err(error) => Err(error),
            },
        }
        .map_err(|error| self.unreachable(error))?;
        let body = body.map_err(|error| {
            Failure::new(Code::NodeAnswer)
                .message(format!(
                    "the answer of {} broke off or is too long",
                    self.url
                ))
                .because(error)
        })?;
        Ok(Answer::new(
            head.status,
            head.headers,
            body.to_bytes().to_vec(),
        ))
    }

    fn request(&self, question: Question) -> Result<Request<Full<Bytes>>, Failure> {
        let mut builder = Request::builder()
            .method(question.method.clone())
            .uri(question.path)
            .header(HOST, self.url.authority());
        let says_type = question
            .headers
            .iter()
            .any(|(name, _)| *name == "content-type");
        if question.method == Method::POST && !says_type {
            builder = builder.header(CONTENT_TYPE, OCTETS);
        }
        if let Some(token) = &self.token {
            builder = builder.header(AUTHORIZATION, format!("Bearer {}", token.as_str()));
        }
        for (name, value) in question.headers {
            builder = builder.header(name, value);
        }
        builder
            .body(Full::new(Bytes::from_owner(question.body)))
            .map_err(|error| Failure::new(Code::Usage).because(error))
    }

    fn unreachable(&self, cause: impl fmt::Display) -> Failure {
        Failure::new(Code::CannotReach)
            .message(format!("cannot reach {}", self.url))
            .because(cause)
    }
}

/// The value of a header, where there is one and it is text.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_does_not_show_what_it_sends() {
        let question = Question::post("/v1/enrol/apply", b"BERLIN-42".to_vec());

        let shown = format!("{question:?}");

        assert!(shown.contains("9 bytes"), "{shown}");
        assert!(
            !shown.contains("BERLIN") && !shown.contains("66, 69"),
            "{shown}"
        );
    }
}
