//! What a node that does not vote asks of the ledger: a newcomer says that it is ready, a member that lost its votes asks to
//! be let in again with the next epoch. Both only when they have caught up.

use std::{sync::Arc, time::Duration};

use consensus::{Lost, Standing};
use contract::{
    Author, BlockTime, Call, Outcome, Refused, ServerId, StateError, Transaction,
    contracts::membership::{self, Guest, GuestKind},
};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use crate::{
    clock::Clock,
    driver::Claims,
    keys::Keys,
    ledger::Ledger,
    mempool::Submitter,
    network::Network,
    roster::Roster,
    status::NodeStatus,
    term::{Term, Terms},
};

/// Pause between two looks, while this node does not vote.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a submitted petition may take to become final.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// For how long a petition is valid, in milliseconds of block time.
pub(crate) const VALID_MS: u64 = 60_000;

/// When a newcomer says again that it is ready: well before its last word stops to count.
pub(crate) const READY_AGAIN_MS: u64 = membership::READY_LIFE_MS * 4 / 5;

/// What asking needs.
#[derive(Debug)]
pub struct Petitioner {
    /// Says what there is to ask for.
    pub ledger: Ledger,
    /// Takes what is asked.
    pub submitter: Submitter,
    /// Says who is here.
    pub network: Network,
    /// Signs.
    pub keys: Arc<Keys>,
    /// Who asks.
    pub me: contract::Member,
    /// The clocks.
    pub clock: Clock,
    /// How high the others say they are.
    pub roster: Roster,
    /// The running epoch.
    pub terms: Terms,
    /// Whether this node votes.
    pub status: watch::Receiver<NodeStatus>,
    /// The Rejoins of this process.
    pub claims: Claims,
}

/// Something to ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Petition {
    /// To take effect of the change that brings this node in.
    Ready(ServerId),
    /// To end the epoch, so that this node can vote in the next.
    Rejoin(ServerId),
}

/// What was asked before.
#[derive(Debug, Default)]
struct Asked {
    /// Block time of the last Ready.
    ready_at: Option<BlockTime>,
    /// Block time before which no Rejoin is taken.
    rejoin_from: Option<BlockTime>,
}

impl Petitioner {
    /// Asks whenever there is something to ask for, until the node stops.
    pub async fn run(self, mut stopped: watch::Receiver<bool>) {
        tokio::select! {
            () = self.follow() => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    }

    /// Sleeps while this node votes; otherwise looks now and then.
    async fn follow(&self) {
        let mut status = self.status.clone();
        let mut asked = Asked::default();
        let silent = |status: &NodeStatus| matches!(status.standing, Some(Standing::Observer(_)));
        while status.wait_for(silent).await.is_ok() {
            match self.due(&asked) {
                Ok(Some(petition)) => self.ask(petition, &mut asked).await,
                Ok(None) => {}
                Err(cause) => warn!(%cause, "cannot read what there is to ask for"),
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What there is to ask for now.
    fn due(&self, asked: &Asked) -> Result<Option<Petition>, StateError> {
        let term = Arc::clone(&self.terms.borrow());
        let Some(Standing::Observer(why)) = self.status.borrow().standing else {
            return Ok(None);
        };
        let state = self.ledger.state();
        let now = self.ledger.certified().header.time;
        if membership::epoch_at(&state)?.end.is_some() || !self.is_caught_up(&term) {
            return Ok(None);
        }
        let guests = membership::guests_at(&state)?;
        let mut guests = guests.iter().filter(|guest| guest.until >= now);
        let is_me =
            |guest: &&Guest| guest.why == GuestKind::Candidate && guest.member.key == self.me.key;
        if let Some(me) = guests.find(is_me) {
            let due = asked
                .ready_at
                .is_none_or(|at| now >= at.plus_ms(READY_AGAIN_MS));
            return Ok(due.then_some(Petition::Ready(me.id)));
        }
        let lost = matches!(
            why,
            Lost::Damaged | Lost::Unborn | Lost::OtherKey | Lost::OtherChain
        );
        let due = asked.rejoin_from.is_none_or(|from| now >= from);
        let quorum = term.is_quorum(&self.network.reachable());
        let seat = self.seat(&term).filter(|_| lost && due && quorum);
        Ok(seat.map(Petition::Rejoin))
    }

    /// This member's id, if its key has a seat.
    fn seat(&self, term: &Term) -> Option<ServerId> {
        let mut members = term.members.iter();
        let seat = members.find(|record| record.member.key == self.me.key);
        seat.map(|record| record.server_id)
    }

    /// Whether this node has all that at least one honest member says to have, but for what is under way.
    fn is_caught_up(&self, term: &Term) -> bool {
        let status = self.status.borrow();
        let voters = term
            .committee
            .members()
            .filter_map(|place| term.peer(place));
        let noticed = voters.map(|peer| self.roster.read(peer));
        let mut told: Vec<u64> = noticed
            .filter(|noticed| noticed.up)
            .filter_map(|noticed| noticed.height)
            .collect();
        told.sort_unstable();
        let honest = told.iter().rev().nth(term.committee.faults()).copied();
        let under_way = term.parameters().window / 2;
        let near = honest.is_some_and(|height| height <= status.stable.saturating_add(under_way));
        near && status.executed == status.stable
    }

    /// Submits a petition and hears what became of it.
    async fn ask(&self, petition: Petition, asked: &mut Asked) {
        let tip = self.ledger.certified();
        let (author, call) = match petition {
            Petition::Ready(id) => (
                id,
                Call::Ready {
                    height: tip.height,
                    header: tip.hash,
                },
            ),
            Petition::Rejoin(id) => match random() {
                Some(random) => (id, Call::Rejoin { random }),
                None => return,
            },
        };
        let now = BlockTime::new(self.clock.wall_ms()).max(tip.header.time);
        let Some(salt) = random() else { return };
        let signed = Transaction::new(
            *self.ledger.genesis().chain(),
            Author::Member(author),
            now.plus_ms(VALID_MS),
            salt,
            call,
        )
        .sign(self.keys.member());
        if matches!(petition, Petition::Rejoin(_)) {
            self.claims.add(*signed.hash());
        }
        info!(event = "petition", ?petition, "asking the members");
        let ticket = match self.submitter.submit(signed.as_bytes().into()).await {
            Ok(ticket) => ticket,
            Err(why) => {
                debug!(%why, "the petition was not taken");
                return;
            }
        };
        match ticket.wait(PATIENCE).await {
            Ok(done) => self.heard(petition, &done.outcome, asked),
            Err(why) => debug!(%why, "the petition is not final yet"),
        }
    }

    /// What the ledger says to a petition.
    fn heard(&self, petition: Petition, outcome: &Outcome, asked: &mut Asked) {
        let now = self.ledger.certified().header.time;
        match (petition, outcome) {
            (Petition::Ready(_), Outcome::Done(_)) => asked.ready_at = Some(now),
            (Petition::Rejoin(_), Outcome::Refused(Refused::RejoinTooSoon { again_at })) => {
                warn!(
                    event = "rejoin_later",
                    at_ms = again_at.get(),
                    "the ledger lets this member in again only later"
                );
                asked.rejoin_from = Some(*again_at);
            }
            (_, outcome) => info!(
                event = "petition_heard",
                ?petition,
                ?outcome,
                "the ledger's answer"
            ),
        }
    }
}

/// Bytes that nobody can guess; `None` when the system has none, and then nothing is asked.
pub(crate) fn random<const N: usize>() -> Option<[u8; N]> {
    let mut octets = [0; N];
    getrandom::fill(&mut octets).ok()?;
    Some(octets)
}
