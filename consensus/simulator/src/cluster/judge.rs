//! When a run is over, and what must hold then.

use core::time::Duration;

use consensus::{Replica, Seq};

use crate::adversary::Character;
use crate::checkers::Violation;
use crate::cluster::{Cluster, Outcome};
use crate::ledger::transactions;
use crate::node::KEYS_APART;
use crate::scenario::{Blackout, Fate};
use crate::scheme::SimulatedScheme;

/// How long after everything healed all must be done, everywhere.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long after everything healed the next block must be final, when every member is there
/// and honest.
const RECOVERY: Duration = Duration::from_secs(2);

/// How far views may rise while nobody reaches a quorum.
const VIEWS_WITHOUT_QUORUM: u64 = 64;

impl<S: SimulatedScheme> Cluster<S> {
    /// A block is final at an honest member.
    pub(super) fn became_final(&mut self, node: usize, seq: Seq) {
        self.perhaps_done = true;
        let block = self.nodes[node].store.block(seq);
        let served = block.is_some_and(|block| !transactions(&block.batch).is_empty());
        if self.healed.is_some() && seq > self.newest_at_heal && served {
            self.recovered.get_or_insert(self.now);
        }
        self.answer(node, seq);
    }

    /// Whether everything that must be executed is, everywhere.
    pub(super) fn is_done(&mut self) -> bool {
        if self.healed.is_none() || !core::mem::take(&mut self.perhaps_done) {
            return false;
        }
        let (last, expected) = (self.checkers.newest(), self.expected());
        let mut members = (0..self.nodes.len()).filter(|node| self.must_be_done(*node));
        members.all(|node| {
            let node = &self.nodes[node];
            let quiet = node.store.term().1.is_none();
            node.is_done(expected) && node.store.height() == last && quiet
        })
    }

    /// Whether a node must have executed everything in the end: honest, and a member of the
    /// newest epoch.
    fn must_be_done(&self, node: usize) -> bool {
        let newest = self.committees.last_key_value().map(|(_, newest)| newest);
        let seated = newest.is_some_and(|newest| {
            let keys = [
                self.nodes[node].person,
                self.nodes[node].person + KEYS_APART,
            ];
            let mut keys = keys.iter().map(|key| S::of_member(*key).public());
            keys.any(|key| newest.member(&key).is_some())
        });
        self.nodes[node].survives() && (seated || self.committees.len() == 1)
    }

    /// Whether the time for it is over.
    pub(super) fn is_late(&self) -> bool {
        self.healed
            .is_some_and(|healed| self.now.since(healed) > PATIENCE)
    }

    /// The checks at the end.
    pub(super) fn judge(&mut self) {
        let expected = self.expected();
        let members = (0..self.nodes.len()).filter(|node| self.must_be_done(*node));
        let members: Vec<usize> = members.collect();
        let stuck = members
            .iter()
            .find(|node| !self.nodes[**node].is_done(expected));
        if let Some(node) = stuck.copied() {
            let member = self.nodes[node].person;
            self.checkers.report(Violation::Stuck { member });
            let replica = self.nodes[node].replica.as_ref();
            let at = self.nodes[node].local(self.now);
            let told = replica.map(|replica| replica.explanation(at));
            let standing = replica.map(Replica::standing);
            self.note(node, |_| format!("is stuck: {standing:?} {told:?}"));
        }
        for node in members {
            let node = &self.nodes[node];
            let header = |seq: Seq| node.store.block(seq).map(|block| block.hash);
            self.checkers.keeps_everything(node.person, header);
        }
        self.judge_recovery();
    }

    /// After a heal the next block comes soon, however long the quorum was lost.
    fn judge_recovery(&mut self) {
        let Some(after) = self.recovered_in() else {
            return;
        };
        if self.scenario.network.blackout.is_some()
            && self.scenario.all_survive()
            && after > RECOVERY
        {
            self.checkers.report(Violation::SlowRecovery { after });
        }
        // Who asks for every view is one of the quorum that lets views rise.
        let spammer = Fate::Byzantine(Character::ViewSpammer);
        if self.scenario.network.blackout == Some(Blackout::Dark)
            && !self.scenario.fates.contains(&spammer)
            && self.view_at_heal > VIEWS_WITHOUT_QUORUM
        {
            let view = self.view_at_heal;
            self.checkers.report(Violation::ViewsRace { view });
        }
    }

    /// How long after the heal the first block became final.
    fn recovered_in(&self) -> Option<Duration> {
        Some(self.recovered?.since(self.healed?))
    }

    /// What is told of the run.
    pub(super) fn outcome(&mut self) -> Outcome {
        let epoch = self.committees.last_key_value();
        let healed = |healed| self.now.since(healed);
        Outcome {
            violation: self.checkers.violation().cloned(),
            height: self.checkers.height(),
            epoch: epoch.map_or(consensus::Epoch::ZERO, |(epoch, _)| *epoch),
            healed_in: self.healed.map_or(Duration::ZERO, healed),
            recovered_in: self.recovered_in(),
            view_at_heal: self.view_at_heal,
            served: self.clients.served,
            latencies: core::mem::take(&mut self.clients.latencies),
            accusations: self.checkers.accusations(),
            lies: self.lies,
            rejoined_in: self.rejoined_in,
            trace: self
                .trace
                .take()
                .map_or_else(Vec::new, crate::trace::Trace::into_lines),
        }
    }
}
