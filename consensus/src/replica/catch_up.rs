//! Handing batches over for execution in order, and catching up with blocks from peers.

use crate::block::{CertifiedBlock, Committed, Order};
use crate::error::Rejected;
use crate::io::Effect;
use crate::number::Seq;
use crate::record::Record;
use crate::replica::Replica;
use crate::signed::Scheme;

/// A block from a peer that waits for its turn.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// The block.
    pub(super) block: CertifiedBlock,
    /// Whether the vote log has it.
    pub(super) logged: bool,
}

impl<S: Scheme> Replica<S> {
    /// Hands over everything that is ordered and has nothing missing below it.
    pub(super) fn dispatch(&mut self) {
        while let Some(committed) = self.next_ordered() {
            self.dispatched = committed.seq;
            self.moved();
            self.effects.push(Effect::Execute(committed));
        }
    }

    /// The batch after the last one that was handed over, made durable with its proof.
    fn next_ordered(&mut self) -> Option<Committed> {
        let seq = self.dispatched.next();
        let slot = self.slots.get_mut(&seq);
        let ordered = slot.and_then(|slot| {
            let proof = slot.committed.clone()?;
            let batch = slot.batch(proof.digest)?;
            let logged = core::mem::replace(&mut slot.committed_logged, true);
            Some((batch, slot.unlogged(proof.digest), proof, logged))
        });
        if let Some((batch, unlogged, proof, logged)) = ordered {
            if !logged {
                let certificate = proof.clone().into_inner();
                self.persist(Record::Committed {
                    certificate,
                    batch: unlogged,
                });
            }
            return Some(Committed {
                seq,
                batch,
                proof: Order::Commits(proof),
            });
        }
        let Waiting { block, logged } = self.fetched.remove(&seq)?;
        let (batch, certificate) = (block.batch().clone(), block.certificate().clone());
        if !logged {
            self.persist(Record::CaughtUp {
                header: block.header().to_vec(),
                body: batch.clone(),
                certificate: certificate.clone().into_inner(),
            });
        }
        Some(Committed {
            seq,
            batch,
            proof: Order::Block(certificate),
        })
    }

    /// A certified block came from a peer.
    pub(super) fn on_fetched(&mut self, block: CertifiedBlock) -> Result<(), Rejected> {
        let seq = block.seq();
        self.check_epoch(block.certificate().epoch)?;
        if seq <= self.dispatched || self.fetched.contains_key(&seq) {
            return Err(Rejected::Known);
        }
        if seq > self.dispatched.plus(self.parameters.window) {
            return Err(Rejected::OutsideWindow { seq });
        }
        let certificate = block.certificate().clone();
        self.fetched.insert(
            seq,
            Waiting {
                block,
                logged: false,
            },
        );
        self.moved();
        self.certify(certificate);
        self.dispatch();
        self.fetch_on();
        Ok(())
    }

    /// Asks for blocks at once when votes can no longer bring this replica up.
    pub(super) fn fetch_if_far_behind(&mut self) {
        let behind = self.stable_seq().above(self.executed);
        if !self.fetching && behind > self.parameters.window {
            self.fetch();
        }
    }

    /// While catching up, asks for the next blocks when the last ones are executed.
    pub(super) fn fetch_on(&mut self) {
        self.fetched = self.fetched.split_off(&self.dispatched.next());
        if self.stable_seq() <= self.dispatched {
            self.fetching = false;
        }
        if self.fetching && self.executed == self.dispatched && self.fetched.is_empty() {
            self.fetch();
        }
    }

    /// Asks for blocks when a certified one is still missing after a time-out.
    pub(super) fn fetch_if_missing(&mut self) {
        if self.stable_seq() > self.dispatched {
            self.fetch();
        }
    }

    /// Asks the host for the next certified blocks.
    fn fetch(&mut self) {
        self.fetching = true;
        let from: Seq = self.dispatched.next();
        let last = self.dispatched.plus(self.parameters.window);
        let to = last.min(self.stable_seq());
        if from <= to {
            self.effects.push(Effect::Fetch { from, to });
        }
    }
}
