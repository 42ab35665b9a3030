//! Who may connect: the committee, the next one once it is known, newcomers whom it has approved, and those who left
//! less than a day ago. It follows the certified ledger.

use std::time::Duration;

use contract::{Member, StateError, contracts::membership};
use tokio::sync::watch;
use tracing::{debug, warn};

use crate::{ledger::Ledger, network::Network, term};

/// Pause between two looks at the ledger.
const PAUSE: Duration = Duration::from_millis(100);

/// Keeps the network's doors as the ledger says, until the node stops.
pub async fn run(ledger: Ledger, network: Network, mut stopped: watch::Receiver<bool>) {
    tokio::select! {
        () = follow(&ledger, &network) => {}
        _ = stopped.wait_for(|stop| *stop) => {}
    }
}

/// Opens and closes doors as blocks become final.
async fn follow(ledger: &Ledger, network: &Network) {
    let mut heights = ledger.subscribe();
    let mut before = Vec::new();
    loop {
        match admitted(ledger) {
            Ok(members) if members != before => {
                let peers = members.iter().filter_map(term::peer);
                let places: Vec<_> = peers.filter_map(|peer| network.admit(&peer)).collect();
                network.restrict(&places);
                before = members;
            }
            Ok(_same) => {}
            Err(cause) => warn!(%cause, "cannot read who may connect"),
        }
        tokio::time::sleep(PAUSE).await;
        if heights.changed().await.is_err() {
            debug!("the ledger has stopped");
            return;
        }
    }
}

/// Everybody who may connect after the newest certified block. Before the first one a node knows the founders only.
fn admitted(ledger: &Ledger) -> Result<Vec<Member>, StateError> {
    let (tip, state) = (ledger.certified(), ledger.state());
    let present = membership::epoch_at(&state)?;
    let next = present.end.map(|end| end.committee).unwrap_or_default();
    let members = present.committee.into_iter().chain(next);
    let guests = membership::guests_at(&state)?.into_iter();
    let guests = guests.filter(|guest| guest.until >= tip.header.time);
    Ok(members
        .map(|record| record.member)
        .chain(guests.map(|guest| guest.member))
        .collect())
}
