//! What all tasks of the network are made from, and their start.

use std::sync::Arc;

use libp2p::Swarm;
use libp2p_stream::Control;
use tokio::sync::{mpsc, watch};

use super::{
    Inbox, MemberIndex, Network, NetworkError,
    behaviour::{Behaviour, Protocols},
    directory::{Directory, Entry},
    inbound, outbound,
    queue::Drain,
    swarm::{Change, Command, Task},
    sync,
};
use crate::{clock::Clock, limits, metrics::Metrics};

/// What every task needs.
pub(super) struct Tasks<I> {
    /// Who has which `PeerId`.
    pub(super) directory: Directory,
    /// The protocols' names.
    pub(super) protocols: Protocols,
    /// To the task that owns the swarm.
    pub(super) commands: mpsc::Sender<Command>,
    /// Who takes what comes.
    pub(super) inbox: I,
    /// The node's clock.
    pub(super) clock: Clock,
    /// The node's metrics.
    pub(super) metrics: Metrics,
    /// Turns true when the network stops.
    pub(super) stop: watch::Receiver<bool>,
}

impl<I: Inbox> Tasks<I> {
    /// Starts the writer to a peer, which runs as long as the network.
    pub(super) fn write_to(
        &self,
        member: MemberIndex,
        entry: &Arc<Entry>,
        control: Control,
        (drain, linked): (Drain, watch::Receiver<u64>),
    ) {
        let writer = outbound::Writer {
            member,
            peer: entry.id,
            protocol: self.protocols.consensus.clone(),
            control,
            pulse: entry.pulse.clone(),
            queue: Some(entry.queue.clone()),
            commands: self.commands.clone(),
            metrics: self.metrics.clone(),
        };
        let inbox = self.inbox.clone();
        let running = writer.run(drain, linked, inbox);
        tokio::spawn(stopping(self.stop.clone(), running));
    }
}

/// Starts all tasks of the network.
pub(super) fn spawn<I: Inbox>(
    swarm: Swarm<Behaviour>,
    network: &Network,
    protocols: Protocols,
    changes: mpsc::UnboundedReceiver<Change>,
    (inbox, stop): (I, watch::Receiver<bool>),
) -> Result<(), NetworkError> {
    let (commands, commanded) = mpsc::channel(limits::NETWORK_COMMANDS);
    let mut control = swarm.behaviour().streams.new_control();
    let mut accept = |protocol| {
        control
            .accept(protocol)
            .map_err(|cause| NetworkError::Stack {
                message: cause.to_string(),
            })
    };
    let frames = accept(protocols.consensus.clone())?;
    let requests = accept(protocols.sync.clone())?;
    let readers = inbound::Readers {
        directory: network.directory.clone(),
        network: network.clone(),
        commands: commands.clone(),
        clock: network.clock,
        metrics: network.metrics.clone(),
    };
    tokio::spawn(stopping(
        stop.clone(),
        readers.accept(frames, inbox.clone()),
    ));
    let service = sync::serve(requests, network.directory.clone(), inbox.clone());
    tokio::spawn(stopping(stop.clone(), service));
    let tasks = Tasks {
        directory: network.directory.clone(),
        protocols,
        commands,
        inbox,
        clock: network.clock,
        metrics: network.metrics.clone(),
        stop: stop.clone(),
    };
    let task = Task::new(swarm, tasks);
    tokio::spawn(stopping(stop, task.run(commanded, changes)));
    Ok(())
}

/// Runs a task until the network stops.
async fn stopping(mut stop: watch::Receiver<bool>, task: impl Future<Output = ()>) {
    tokio::select! {
        () = task => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}
