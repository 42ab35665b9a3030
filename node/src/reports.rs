//! Refusals that this member tells the ledger, if its operator wants that: of sign-ins whose first message was made with a
//! patient's key. Each names her AID, which all members then see; so it is off unless `report_refusals` is set.

use std::time::Duration;

use contract::{Call, Parameters, ServerClaim};
use tokio::sync::{mpsc, watch};
use tracing::{debug, warn};

use crate::clerk::Clerk;
use crate::term::Terms;

/// Reports that wait for the next second.
const INBOX: usize = 1_024;
/// Pause between two transactions.
const PAUSE: Duration = Duration::from_secs(1);
/// Octets of a report in a bundle at most, and of what is beside them.
const REPORT_BYTES: u64 = 96;
const HEAD_BYTES: u64 = 256;

/// Takes reports, or nothing.
#[derive(Clone, Debug)]
pub struct Reports(Option<mpsc::Sender<ServerClaim>>);

/// Bundles them.
#[derive(Debug)]
pub struct Reporter {
    clerk: Clerk,
    terms: Terms,
    inbox: mpsc::Receiver<ServerClaim>,
}

impl Reports {
    /// Reports nothing.
    pub const fn off() -> Self {
        Self(None)
    }

    /// Reports, through a worker that is to be run.
    pub fn on(clerk: Clerk, terms: Terms) -> (Self, Reporter) {
        let (sender, inbox) = mpsc::channel(INBOX);
        let reporter = Reporter {
            clerk,
            terms,
            inbox,
        };
        (Self(Some(sender)), reporter)
    }

    /// Tells of a refusal; one more than waits for the next second is dropped.
    pub fn tell(&self, claim: impl FnOnce() -> ServerClaim) {
        if let Some(sender) = &self.0
            && sender.try_send(claim()).is_err()
        {
            warn!(event = "report_dropped", "too many refusals at once");
        }
    }
}

impl Reporter {
    /// Tells the ledger, at most once a second, until the node stops.
    pub async fn run(mut self, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            () = self.follow() => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }

    async fn follow(&mut self) {
        while let Some(first) = self.inbox.recv().await {
            let author = first.server_id;
            let most = most(&self.terms.borrow().rules);
            let mut claims = vec![first];
            while claims.len() < most
                && let Ok(claim) = self.inbox.try_recv()
            {
                claims.push(claim);
            }
            match self.clerk.say(author, Call::ServerClaims(claims)).await {
                Ok(_ticket) => {}
                Err(why) => debug!(%why, "the refusals were not reported"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// How many reports one transaction may hold.
fn most(rules: &Parameters) -> usize {
    let room = rules.bundle_bytes_max.saturating_sub(HEAD_BYTES);
    let most = room.div_euclid(REPORT_BYTES);
    usize::try_from(most.min(rules.bundle_results_max)).unwrap_or(usize::MAX)
}
