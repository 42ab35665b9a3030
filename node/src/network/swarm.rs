//! The task that owns the swarm: dials, chooses between duplicates, closes, and starts readers and writers.

use std::{net::SocketAddr, time::Duration};

use consensus::Time;
use futures::StreamExt as _;
use libp2p::{
    Multiaddr, PeerId, Swarm,
    core::ConnectedPoint,
    multiaddr::Protocol,
    ping,
    swarm::{
        ConnectionId, SwarmEvent,
        dial_opts::{DialOpts, PeerCondition},
    },
};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};

use super::{
    Directory, Inbox, MemberIndex, Network, NetworkError, Settings,
    behaviour::{Behaviour, BehaviourEvent, Protocols},
    inbound,
    links::{Link, Member, Side},
    outbound::{self, Pulse},
    queue::Drain,
    sync,
};
use crate::limits;

/// What all tasks of the network are made from.
pub(super) struct Parts {
    /// What the network was told.
    pub(super) settings: Settings,
    /// Who has which `PeerId`.
    pub(super) directory: Directory,
    /// The protocols' names.
    pub(super) protocols: Protocols,
    /// The handle.
    pub(super) network: Network,
}

/// What the task is told by readers, writers and resolvers.
#[derive(Debug)]
pub(super) enum Command {
    /// Close every connection to this member.
    Close(MemberIndex, &'static str),
    /// A member's name was resolved.
    Dial(MemberIndex, Vec<SocketAddr>),
}

/// Starts to listen.
pub(super) fn listen(swarm: &mut Swarm<Behaviour>, at: SocketAddr) -> Result<(), NetworkError> {
    match swarm.listen_on(multiaddr(at)) {
        Ok(_listener) => Ok(()),
        Err(cause) => Err(NetworkError::Listen {
            address: at,
            cause: std::io::Error::other(cause.to_string()),
        }),
    }
}

/// Starts all tasks of the network.
pub(super) fn spawn(
    mut swarm: Swarm<Behaviour>,
    parts: Parts,
    drains: Vec<Drain>,
    inbox: impl Inbox,
    stop: watch::Receiver<bool>,
) -> Result<(), NetworkError> {
    let me = parts.settings.me;
    if parts.directory.id(me) != Some(*swarm.local_peer_id()) {
        let name = parts
            .settings
            .members
            .get(usize::from(me))
            .map(|peer| peer.name.clone());
        return Err(NetworkError::WrongKey {
            name: name.unwrap_or_default(),
        });
    }
    let (commands, commanded) = mpsc::channel(limits::NETWORK_COMMANDS);
    let clock = parts.settings.clock;
    let pulses: Vec<_> = drains.iter().map(|_| Pulse::new(clock)).collect();
    let mut up = Vec::new();
    for (member, drain) in (0..).zip(drains) {
        let (link, linked) = watch::channel(0_u64);
        up.push(link);
        let (Some(peer), Some(pulse)) =
            (parts.directory.id(member), pulses.get(usize::from(member)))
        else {
            continue;
        };
        if member != me {
            swarm.behaviour_mut().allowed.allow_peer(peer);
            let writer = outbound::Writer {
                member,
                peer,
                protocol: parts.protocols.consensus.clone(),
                control: swarm.behaviour().streams.new_control(),
                pulse: pulse.clone(),
                queue: parts.network.queue(member).cloned(),
                commands: commands.clone(),
                metrics: parts.settings.metrics.clone(),
            };
            tokio::spawn(stopping(
                stop.clone(),
                writer.run(drain, linked, inbox.clone()),
            ));
        }
    }
    let mut control = swarm.behaviour().streams.new_control();
    let mut accept = |protocol| {
        control
            .accept(protocol)
            .map_err(|cause| NetworkError::Stack {
                message: cause.to_string(),
            })
    };
    let frames = accept(parts.protocols.consensus.clone())?;
    let requests = accept(parts.protocols.sync.clone())?;
    let readers = inbound::Readers {
        directory: parts.directory.clone(),
        network: parts.network.clone(),
        pulses,
        commands: commands.clone(),
        clock,
        metrics: parts.settings.metrics.clone(),
    };
    tokio::spawn(stopping(
        stop.clone(),
        readers.accept(frames, inbox.clone()),
    ));
    let service = sync::serve(requests, parts.directory.clone(), inbox.clone());
    tokio::spawn(stopping(stop.clone(), service));
    let task = Task::new(swarm, parts, up, commands);
    tokio::spawn(stopping(stop, task.run(commanded, inbox)));
    Ok(())
}

/// Runs a task until the network stops.
async fn stopping(mut stop: watch::Receiver<bool>, task: impl Future<Output = ()>) {
    tokio::select! {
        () = task => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

/// The task's state.
struct Task {
    swarm: Swarm<Behaviour>,
    parts: Parts,
    members: Vec<Member<ConnectionId>>,
    up: Vec<watch::Sender<u64>>,
    commands: mpsc::Sender<Command>,
}

impl Task {
    /// Nobody is connected yet.
    fn new(
        swarm: Swarm<Behaviour>,
        parts: Parts,
        up: Vec<watch::Sender<u64>>,
        commands: mpsc::Sender<Command>,
    ) -> Self {
        let now = parts.settings.clock.now();
        let local = *swarm.local_peer_id();
        let members = parts
            .directory
            .0
            .iter()
            .map(|peer| {
                Member::new(
                    if local < *peer {
                        Side::Here
                    } else {
                        Side::There
                    },
                    now,
                )
            })
            .collect();
        Self {
            swarm,
            parts,
            members,
            up,
            commands,
        }
    }

    /// Serves the swarm for ever.
    async fn run(mut self, mut commanded: mpsc::Receiver<Command>, inbox: impl Inbox) {
        loop {
            let pause = self.dial_due();
            tokio::select! {
                event = self.swarm.select_next_some() => self.on_event(event, &inbox),
                Some(command) = commanded.recv() => self.on_command(command),
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Dials members that are due; tells how long until the next one is.
    fn dial_due(&mut self) -> Duration {
        let now = self.now();
        let mut pause = Duration::from_hours(1);
        for (index, member) in (0..).zip(&mut self.members) {
            if index == self.parts.settings.me {
                continue;
            }
            match member.due() {
                Some(due) if due <= now => {
                    member.dial_began();
                    resolve(&self.parts, index, self.commands.clone());
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
                let Some(peer) = self.parts.directory.id(member) else {
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
        let Some(peer) = self.parts.directory.id(member) else {
            return;
        };
        let options = DialOpts::peer_id(peer)
            .condition(PeerCondition::DisconnectedAndNotDialing)
            .addresses(sockets.into_iter().map(multiaddr).collect())
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
        if let Some(member) = self.members.get_mut(usize::from(member)) {
            member.dial_failed(now, jitter());
        }
    }

    /// Follows what libp2p reports.
    fn on_event(&mut self, event: SwarmEvent<BehaviourEvent>, inbox: &impl Inbox) {
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
                self.closed(&peer_id, connection_id, inbox);
            }
            SwarmEvent::OutgoingConnectionError {
                peer_id: Some(peer),
                error,
                ..
            } => {
                if let Some(member) = self.parts.directory.member(&peer) {
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
                self.parts
                    .settings
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
        let Some(index) = self.parts.directory.member(peer) else {
            return;
        };
        let place = usize::from(index);
        let Some(member) = self.members.get_mut(place) else {
            return;
        };
        let dialler = if endpoint.is_dialer() {
            Side::Here
        } else {
            Side::There
        };
        let closing = member.established(Link {
            id,
            dialler,
            since: now,
        });
        for id in &closing {
            debug!(peer = self.name(index), "closing a duplicate connection");
            self.swarm.close_connection(*id);
        }
        if !closing.contains(&id) {
            info!(
                event = "peer_connected",
                peer = self.name(index),
                "connected"
            );
            if let Some(up) = self.up.get(place) {
                up.send_modify(|generation| *generation = next_up(*generation));
            }
        }
        self.count();
    }

    /// A connection is gone.
    fn closed(&mut self, peer: &PeerId, id: ConnectionId, inbox: &impl Inbox) {
        let now = self.now();
        let Some(index) = self.parts.directory.member(peer) else {
            return;
        };
        let place = usize::from(index);
        let Some(member) = self.members.get_mut(place) else {
            return;
        };
        if member.closed(id, now, jitter()) {
            info!(
                event = "peer_lost",
                peer = self.name(index),
                "connection lost"
            );
            if let Some(up) = self.up.get(place) {
                up.send_modify(|generation| *generation = next_down(*generation));
            }
            inbox.lost(index);
        }
        self.count();
    }

    /// Publishes how many members are connected.
    fn count(&self) {
        let connected = self
            .members
            .iter()
            .filter(|member| member.connected())
            .count();
        self.parts
            .settings
            .metrics
            .peers
            .set(i64::try_from(connected).unwrap_or(i64::MAX));
    }

    /// The monotonic clock.
    fn now(&self) -> Time {
        self.parts.settings.clock.now()
    }

    /// A member's name, for logs.
    fn name(&self, member: MemberIndex) -> &str {
        self.parts
            .settings
            .members
            .get(usize::from(member))
            .map_or("?", |peer| peer.name.as_str())
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

/// Resolves a member's address off this task and comes back with a command.
fn resolve(parts: &Parts, member: MemberIndex, commands: mpsc::Sender<Command>) {
    let Some(peer) = parts.settings.members.get(usize::from(member)) else {
        return;
    };
    let address = peer.address.clone();
    tokio::spawn(async move {
        let found = tokio::time::timeout(limits::DIAL_TIMEOUT, address.resolve()).await;
        let sockets = match found {
            Ok(Ok(sockets)) => sockets,
            Ok(Err(cause)) => {
                debug!(%address, %cause, "not resolved");
                Vec::new()
            }
            Err(_elapsed) => Vec::new(),
        };
        if commands.send(Command::Dial(member, sockets)).await.is_err() {
            debug!("the network has stopped");
        }
    });
}

/// A socket address as libp2p writes it.
fn multiaddr(socket: SocketAddr) -> Multiaddr {
    Multiaddr::from(socket.ip()).with(Protocol::Tcp(socket.port()))
}

/// A random part of the pause between dials: nothing depends on its quality.
fn jitter() -> Duration {
    let mut octets = [0; 2];
    if getrandom::fill(&mut octets).is_err() {
        return limits::REDIAL_JITTER;
    }
    let span = limits::REDIAL_JITTER.saturating_mul(2);
    let drawn = span.saturating_mul(u32::from(u16::from_le_bytes(octets)));
    drawn.checked_div(u32::from(u16::MAX)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_is_odd_exactly_while_connected() {
        assert_eq!((next_up(0), next_up(1), next_up(2)), (1, 3, 3));
        assert_eq!((next_down(1), next_down(2), next_down(3)), (2, 2, 4));
    }

    #[test]
    fn jitter_stays_within_its_span() {
        for _ in 0..100 {
            assert!(jitter() <= limits::REDIAL_JITTER.saturating_mul(2));
        }
    }
}
