//! The task that owns the swarm: dials, chooses between duplicates, closes, and starts readers and writers.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use consensus::Time;
use futures::StreamExt as _;
use libp2p::{
    PeerId, Swarm,
    core::ConnectedPoint,
    ping,
    swarm::{
        ConnectionId, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use super::{
    Inbox, MemberIndex, NetworkError,
    behaviour::{Behaviour, BehaviourEvent},
    dial,
    links::{Link, Member, Side},
    queue::Drain,
    tasks::Tasks,
};

/// What the task is told by readers, writers and resolvers.
#[derive(Debug)]
pub(super) enum Command {
    /// Close every connection to this member.
    Close(MemberIndex, &'static str),
    /// A member's name was resolved.
    Dial(MemberIndex, Vec<SocketAddr>),
}

/// Who may be connected from now on.
pub(super) enum Change {
    /// This peer, for the first time; its frames come out of this end.
    New(MemberIndex, Drain),
    /// This peer again.
    Again(MemberIndex),
    /// This one no longer.
    Dismissed(MemberIndex),
}

/// Starts to listen.
pub(super) fn listen(swarm: &mut Swarm<Behaviour>, at: SocketAddr) -> Result<(), NetworkError> {
    match swarm.listen_on(dial::multiaddr(at)) {
        Ok(_listener) => Ok(()),
        Err(cause) => Err(NetworkError::Listen {
            address: at,
            cause: std::io::Error::other(cause.to_string()),
        }),
    }
}

/// What this task knows of one peer.
struct Known {
    link: Member<ConnectionId>,
    up: watch::Sender<u64>,
}

/// The task's state.
pub(super) struct Task<I> {
    swarm: Swarm<Behaviour>,
    tasks: Tasks<I>,
    members: BTreeMap<MemberIndex, Known>,
}

impl<I: Inbox> Task<I> {
    /// Nobody is admitted yet.
    pub(super) const fn new(swarm: Swarm<Behaviour>, tasks: Tasks<I>) -> Self {
        Self {
            swarm,
            tasks,
            members: BTreeMap::new(),
        }
    }

    /// Serves the swarm for ever.
    pub(super) async fn run(
        mut self,
        mut commanded: mpsc::Receiver<Command>,
        mut changes: mpsc::UnboundedReceiver<Change>,
    ) {
        loop {
            let pause = self.dial_due();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event),
                Some(command) = commanded.recv() => self.on_command(command),
                Some(change) = changes.recv() => self.on_change(change),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Lets a peer in, or no longer.
    fn on_change(&mut self, change: Change) {
        match change {
            Change::New(member, drain) => self.welcome(member, drain),
            Change::Again(member) => {
                if let Some(peer) = self.tasks.directory.id(member) {
                    self.swarm.behaviour_mut().allowed.allow_peer(peer);
                }
            }
            // Its connections are closed by this.
            Change::Dismissed(member) => {
                if let Some(peer) = self.tasks.directory.id(member) {
                    info!(
                        event = "peer_dismissed",
                        peer = self.name(member),
                        "no longer admitted"
                    );
                    self.swarm.behaviour_mut().allowed.disallow_peer(peer);
                }
            }
        }
    }

    /// Lets a peer in for the first time, and starts its writer.
    fn welcome(&mut self, member: MemberIndex, drain: Drain) {
        let Some(entry) = self.tasks.directory.entry(member) else {
            return;
        };
        let local = *self.swarm.local_peer_id();
        if entry.id == local {
            return;
        }
        let winner = if local < entry.id {
            Side::Here
        } else {
            Side::There
        };
        let (up, linked) = watch::channel(0_u64);
        let link = Member::new(winner, self.now());
        self.members.insert(member, Known { link, up });
        self.swarm.behaviour_mut().allowed.allow_peer(entry.id);
        let control = self.swarm.behaviour().streams.new_control();
        self.tasks
            .write_to(member, &entry, control, (drain, linked));
    }

    /// Dials members that are due; tells how long until the next one is.
    fn dial_due(&mut self) -> Duration {
        let now = self.now();
        let mut pause = Duration::from_hours(1);
        for (index, known) in &mut self.members {
            let entry = self.tasks.directory.entry(*index);
            let Some(entry) = entry.filter(|_| self.tasks.directory.is_admitted(*index)) else {
                continue;
            };
            match known.link.due() {
                Some(due) if due <= now => {
                    known.link.dial_began();
                    let commands = self.tasks.commands.clone();
                    dial::resolve(*index, entry.address.clone(), commands);
                }
                Some(due) => pause = pause.min(due.since(now)),
                None => {}
            }
        }
        pause
    }

    /// Does what a reader, writer or resolver asks for.
    fn on_command(&mut self, command: Command) {
        match command {
            Command::Close(member, reason) => {
                let Some(peer) = self.tasks.directory.id(member) else {
                    return;
                };
                warn!(
                    event = "peer_closed",
                    peer = self.name(member),
                    reason,
                    "closing a connection"
                );
                if self.swarm.disconnect_peer_id(peer).is_err() {
                    debug!(
                        peer = self.name(member),
                        "the connection was closed already"
                    );
                }
            }
            Command::Dial(member, sockets) => self.dial(member, sockets),
        }
    }

    /// Dials a member at its resolved addresses.
    fn dial(&mut self, member: MemberIndex, sockets: Vec<SocketAddr>) {
        let Some(peer) = self.tasks.directory.id(member) else {
            return;
        };
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(sockets.into_iter().map(dial::multiaddr).collect())
            .allocate_new_port()
            .build();
        if let Err(cause) = self.swarm.dial(options) {
            debug!(peer = self.name(member), %cause, "not dialled");
            self.dial_failed(member);
        }
    }

    /// A dial came to nothing.
    fn dial_failed(&mut self, member: MemberIndex) {
        let now = self.now();
        if let Some(known) = self.members.get_mut(&member) {
            known.link.dial_failed(now, dial::jitter());
        }
    }

    /// Follows what libp2p reports.
    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                self.established(&peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                connection_id,
                ..
            } => {
                self.closed(&peer_id, connection_id);
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } => {
                if let Some(member) = self.tasks.directory.member(&peer) {
                    debug!(peer = self.name(member), %error, "dial failed");
                    self.dial_failed(member);
                }
            }
            SwarmEvent::IncomingConnectionError {
                send_back_addr,
                error,
                ..
            } => {
                let reason = crate::metrics::Reason {
                    reason: "handshake",
                };
                self.tasks
                    .metrics
                    .refused_frames
                    .get_or_create(&reason)
                    .inc();
                info!(event = "connection_refused", address = %send_back_addr, %error, "a connection was refused");
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                result: Err(_),
                ..
            })) => {
                if self.swarm.disconnect_peer_id(peer).is_err() {
                    debug!("a silent connection was closed already");
                }
            }
            SwarmEvent::ListenerError { error, .. } => warn!(%error, "listener"),
            SwarmEvent::NewListenAddr { address, .. } => {
                info!(event = "p2p_listening", %address, "listening for members");
            }
            SwarmEvent::Behaviour(_)
            | SwarmEvent::IncomingConnection { .. }
            | SwarmEvent::OutgoingConnectionError { .. }
            | SwarmEvent::ExpiredListenAddr { .. }
            | SwarmEvent::ListenerClosed { .. }
            | SwarmEvent::Dialing { .. }
            | SwarmEvent::NewExternalAddrCandidate { .. }
            | SwarmEvent::ExternalAddrConfirmed { .. }
            | SwarmEvent::ExternalAddrExpired { .. }
            | SwarmEvent::NewExternalAddrOfPeer { .. }
            | _ => {}
        }
    }

    /// A connection stands.
    fn established(&mut self, peer: &PeerId, id: ConnectionId, endpoint: &ConnectedPoint) {
        let now = self.now();
        let Some(index) = self.tasks.directory.member(peer) else {
            return;
        };
        let Some(known) = self.members.get_mut(&index) else {
            return;
        };
        let dialler = if endpoint.is_dialer() {
            Side::Here
        } else {
            Side::There
        };
        let closing = known.link.established(Link {
            id,
            dialler,
            since: now,
        });
        if !closing.contains(&id) {
            known
                .up
                .send_modify(|generation| *generation = next_up(*generation));
            info!(
                event = "peer_connected",
                peer = self.name(index),
                "connected"
            );
        }
        for id in &closing {
            debug!(peer = self.name(index), "closing a duplicate connection");
            self.swarm.close_connection(*id);
        }
        self.count();
    }

    /// A connection is gone; also of a peer that was dismissed.
    fn closed(&mut self, peer: &PeerId, id: ConnectionId) {
        let now = self.now();
        let directory = &self.tasks.directory;
        let mut members = self.members.iter_mut();
        let found = members.find(|(index, _)| directory.id(**index) == Some(*peer));
        let Some((index, known)) = found else { return };
        let index = *index;
        if known.link.closed(id, now, dial::jitter()) {
            known
                .up
                .send_modify(|generation| *generation = next_down(*generation));
            info!(
                event = "peer_lost",
                peer = self.name(index),
                "connection lost"
            );
            self.tasks.inbox.lost(index);
        }
        self.count();
    }

    /// Publishes how many peers are connected.
    fn count(&self) {
        let connected = self.members.values().filter(|known| known.link.connected());
        let connected = i64::try_from(connected.count()).unwrap_or(i64::MAX);
        self.tasks.metrics.peers.set(connected);
    }

    /// The monotonic clock.
    fn now(&self) -> Time {
        self.tasks.clock.now()
    }

    /// A peer's name, for logs.
    fn name(&self, member: MemberIndex) -> String {
        self.tasks.directory.name(member)
    }
}

/// Link generations: odd while connected, and each connection has its own.
const fn next_up(generation: u64) -> u64 {
    generation.saturating_add(1) | 1
}

/// The even number after a generation.
const fn next_down(generation: u64) -> u64 {
    generation.saturating_add(1) & !1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_odd_exactly_while_connected() {
        assert_eq!((next_up(0), next_up(1), next_up(2)), (1, 3, 3));
        assert_eq!((next_down(1), next_down(2), next_down(3)), (2, 2, 4));
    }
}
