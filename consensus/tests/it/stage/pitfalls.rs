//! What the catalogue of pitfalls needs beside the directions of transcripts.

use core::time::Duration;

use consensus::{Batch, CertifiedBlock, Committee, Epoch, Explanation, Frame, Input, Seq};
use simulator::KeyedHash;

use super::{Stage, batch, number, place};

impl Stage {
    /// The directions that no transcript has.
    pub(super) fn play_more(&mut self, words: &[&str]) {
        match words {
            ["lose", "store", "of", who] => self.actors[place(who)].chain.clear(),
            [who, "begins", "a", "new", "log"] => {
                let actor = &mut self.actors[place(who)];
                actor.log = actor.replica.as_ref().unwrap().carry_over();
            }
            [who, "forgets", "its", "last", "record"] => {
                self.actors[place(who)].log.pop();
            }
            ["go", "on"] => self.run(&(0..self.actors.len()).collect::<Vec<_>>()),
            ["go", "on", "among", who @ ..] => {
                self.run(&who.iter().map(|who| place(who)).collect::<Vec<_>>());
            }
            [who, "fetches", seq, "from", peer] => {
                self.fetch_one(place(who), place(peer), number(seq) as usize - 1);
            }
            other => panic!("no such direction: {other:?}"),
        }
    }

    /// Everything that is under way among some replicas arrives and is executed, until nothing is
    /// left.
    fn run(&mut self, who: &[usize]) {
        loop {
            self.deliver_among(who);
            let busy = who.iter().find(|who| !self.actors[**who].orders.is_empty());
            let Some(busy) = busy else { return };
            self.execute(*busy, None);
        }
    }

    /// A block comes from a peer, if the peer has a certificate for it.
    pub(super) fn fetch_one(&mut self, who: usize, peer: usize, index: usize) {
        let (_, header, batch) = self.actors[peer].chain[index].clone();
        let seq = Seq::new(index as u64 + 1);
        let Some(proof) = self.actors[peer].certificates.get(&seq).cloned() else {
            return;
        };
        let named = batch.digest();
        let committee = self.terms.committee(self.actors[who].epoch);
        let block = CertifiedBlock::verify(header, named, batch, proof, &committee);
        self.feed(who, Input::Fetched(block.unwrap()));
    }

    /// A frame of the test's own making arrives; gives what came of it.
    pub(crate) fn take(&mut self, from: usize, to: usize, frame: &Frame) -> Vec<String> {
        self.arrive(from, to, frame);
        std::mem::take(&mut self.lines)
    }

    /// An input of the test's own making arrives; gives what came of it.
    pub(crate) fn input(&mut self, who: usize, input: Input) -> Vec<String> {
        self.feed(who, input);
        std::mem::take(&mut self.lines)
    }

    /// Time goes by.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now = self.now.after(time);
    }

    /// Whether a batch is under way at a replica.
    pub(crate) fn is_under_way(&self, who: usize, batch: &str) -> bool {
        let replica = self.actors[who].replica.as_ref().unwrap();
        replica.is_under_way(Self::batch(batch).digest())
    }

    /// What a replica says of itself.
    pub(crate) fn explanation(&self, who: usize) -> Explanation {
        let replica = self.actors[who].replica.as_ref().unwrap();
        replica.explanation(self.now)
    }

    /// The members of the first epoch.
    pub(crate) fn committee(&self) -> Committee<KeyedHash> {
        self.terms.committee(Epoch::ZERO)
    }

    /// The batch of this name.
    pub(crate) fn batch(name: &str) -> Batch {
        batch(name)
    }
}
