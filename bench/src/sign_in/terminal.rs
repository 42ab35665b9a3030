//! A patient's terminal as far as a benchmark needs one: TLS to one member from an address of its own, and sign-ins in it.

use std::io::{self, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use chacha20::ChaCha20Rng;
use contract::Height;
use contract::genesis::Genesis;
use protocol::aidc1::{Answer, Certified, Credential, Keys, Me7, Peer, Status};
use protocol::suite::{Message as _, Opened, Pending as _, Suite as _};
use protocol::{Aidc1, Timestamp};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::failed;
use crate::clock::wall_ms;
use crate::consortium::{Consortium, Node};
use crate::http::{Request, Response, exchange};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The suite, as messages name it.
const SUITE: (&str, &str) = ("aidchain-suite", "0x0001");
const OCTETS: (&str, &str) = ("content-type", "application/octet-stream");

/// A connection to one member's interface for patients.
pub(super) struct Terminal {
    stream: BufReader<StreamOwned<ClientConnection, TcpStream>>,
    authority: String,
    rng: ChaCha20Rng,
}

impl Terminal {
    /// Connects from an address of its own, which is how a member tells the ones who ask from each other.
    pub(super) fn connect(consortium: &Consortium, node: &Node, number: u16) -> io::Result<Self> {
        let member = consortium.genesis.members().get(node.index);
        let member = member.ok_or(io::ErrorKind::NotFound)?;
        let pinned =
            patient::client::pinned(&[member.tls_spki]).map_err(|failure| refused(&failure))?;
        let address = node.api();
        let name = ServerName::try_from(address.ip().to_string()).map_err(failed)?;
        let tls = ClientConnection::new(Arc::new(pinned), name).map_err(failed)?;
        Ok(Self {
            stream: BufReader::new(StreamOwned::new(tls, from(number, address)?)),
            authority: address.to_string(),
            rng: patient::dice::seeded().map_err(|failure| refused(&failure))?,
        })
    }

    /// What the certified state says of the member that is asked, as a terminal checks it.
    pub(super) fn peer(&mut self, genesis: &Genesis, node: &Node) -> io::Result<Peer> {
        let response = self.ask(&Request::get("/v1/server"))?;
        let excerpt = patient::excerpt::Excerpt::parse(&response.body).map_err(failed)?;
        let shown = patient::light::Shown::verify(&excerpt, genesis, Height::new(0), wall_ms())
            .map_err(failed)?;
        let member = genesis.members().get(node.index);
        let member = member.ok_or(io::ErrorKind::NotFound)?;
        let record = shown.server_at(&member.server_id(), shown.time());
        let record = record.map_err(failed)?.ok_or(io::ErrorKind::NotFound)?;
        let certified = Certified {
            height: shown.height(),
            time: Timestamp::from_millis(shown.time().get()),
        };
        Peer::new(*genesis.chain(), record, certified).map_err(failed)
    }

    /// One sign-in from Me5 to the answer under the session's key; the block, if the ledger has the result.
    pub(super) fn sign_in(&mut self, credential: &Credential) -> io::Result<Option<Height>> {
        let Opened { message, state } = Aidc1::open(credential, now(), &mut self.rng);
        let me5 = message.encode();
        let hello = Request::post("/v1/sign-in/hello", &[OCTETS, SUITE], &me5);
        let me7 = Me7::parse(&self.ask(&hello)?.body).map_err(failed)?;
        let proved = state.finish(&me7, now()).map_err(failed)?;

        let me9 = proved.confirm.encode();
        let session = proved.session.to_string();
        let headers = [OCTETS, SUITE, ("aidchain-session", session.as_str())];
        let confirm = Request::post("/v1/sign-in/confirm", &headers, &me9);
        let answer = Answer::parse(&self.ask(&confirm)?.body).map_err(failed)?;
        Ok(match proved.after.open(&answer).map_err(failed)? {
            Status::Recorded(height) => Some(height),
            Status::Accepted(_) => None,
        })
    }

    /// An answer that is a success.
    fn ask(&mut self, request: &Request<'_>) -> io::Result<Response> {
        let response = exchange(&mut self.stream, &self.authority, request)?;
        if response.status == 200 {
            return Ok(response);
        }
        Err(failed(format_args!(
            "{} {}",
            response.status,
            response.text()
        )))
    }
}

/// What a patient's terminal keeps of her for one member: the shared secret with its key epoch is made here, once.
pub(super) fn credential(keys: &Keys, peer: &Peer) -> Credential {
    Credential::new(keys.clone(), peer.clone())
}

fn now() -> Timestamp {
    Timestamp::from_millis(wall_ms())
}

/// A stream from one of the many addresses of this machine's loopback.
fn from(number: u16, to: SocketAddr) -> io::Result<TcpStream> {
    let [high, low] = number.to_be_bytes();
    let own = SocketAddr::from((Ipv4Addr::new(127, 77, high, low), 0));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind(own)?;
        socket.connect(to).await?.into_std()
    })?;
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

fn refused(failure: &patient::output::Failure) -> io::Error {
    failed(failure.what())
}
