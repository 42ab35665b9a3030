//! What happens next: the dice decide, and most of the time they mean it well.

use core::time::Duration;

use consensus::{
    Batch, Digest, Frame, Input, Message, Pending, Proposed, ReplicaId, Seq, Timer, ValidBatch,
};
use simulator::{KeyedHash, SimulatedScheme as _};

use super::Session;
use super::forge::Forger;
use crate::mutate;

impl Session {
    /// One thing happens to somebody.
    pub(super) fn happen(&mut self) {
        let host = self.dice.place(self.hosts.len());
        if self.hosts[host].replica.is_none() {
            return self.start(host);
        }
        if self.dice.below(100) < self.chaos {
            return self.disturb(host);
        }
        match self.dice.below(100) {
            0..=69 => self.deliver(host),
            70..=84 => self.executed(host),
            85..=92 => self.batch(host),
            93..=96 => self.pending(host),
            _ => self.fetched(host),
        }
    }

    /// Something happens that no protocol hopes for.
    fn disturb(&mut self, host: usize) {
        match self.dice.below(100) {
            0..=34 => self.forged(host),
            35..=46 => self.mutated(host),
            47..=56 => self.again(host),
            57..=74 => self.timer(host),
            75..=79 => {
                let peer = ReplicaId::new(u16::try_from(self.dice.below(6)).unwrap_or(0));
                self.feed(host, Input::Reconnected(peer));
            }
            80..=86 => self.status(host),
            87..=89 => self.crash(host),
            90 => self.roll(host),
            91 => self.feed(host, Input::Overtaken),
            92..=94 => self.inboxes[host].clear(),
            _ => self.now = self.now.after(Duration::from_millis(self.dice.below(400))),
        }
    }

    /// One of the next frames on their way arrives.
    fn deliver(&mut self, host: usize) {
        let inbox = &mut self.inboxes[host];
        let place = self.dice.place(inbox.len().min(4));
        if let Some((from, frame)) = inbox.remove(place) {
            self.arrive(host, from, frame);
        }
    }

    /// A frame that somebody sent at some time arrives, once more or where it was not sent to.
    fn again(&mut self, host: usize) {
        if let Some((from, frame)) = self.known.frame(&mut self.dice) {
            self.arrive(host, from, frame);
        }
    }

    /// The liar says something to one replica.
    fn forged(&mut self, host: usize) {
        let id = ReplicaId::new(u16::try_from(self.liar).unwrap_or(0));
        let key = KeyedHash::of_member(id.get());
        let committee = &self.world.committee;
        let mut forger = Forger {
            id,
            key,
            committee,
            known: &self.known,
            dice: &mut self.dice,
        };
        if let Some(frame) = forger.frame() {
            self.known.heard(id, &frame);
            self.arrive(host, id, frame);
        }
    }

    /// A frame arrives with its bytes changed.
    fn mutated(&mut self, host: usize) {
        let Some((from, frame)) = self.known.frame(&mut self.dice) else {
            return;
        };
        let bytes = mutate::bytes(&mut self.dice, &frame.encode(), &[]);
        match Frame::decode(&bytes) {
            Ok(frame) => self.arrive(host, from, frame),
            Err(_) => self.tally.stopped_at_the_edge += 1,
        }
    }

    /// A frame passes the edge, or not.
    fn arrive(&mut self, host: usize, from: ReplicaId, frame: Frame) {
        let Ok(input) = frame.verify(from, &self.world.committee) else {
            self.tally.stopped_at_the_edge += 1;
            return;
        };
        let input = match input {
            Input::Message(Message::PrePrepare(proposal, proposed)) if self.dice.chance(900) => {
                let checked = ValidBatch::checked(proposed.batch().clone());
                Input::Message(Message::PrePrepare(proposal, Proposed::Valid(checked)))
            }
            input => input,
        };
        self.feed(host, input);
    }

    /// The executor is done, or says so of what nobody gave it.
    fn executed(&mut self, host: usize) {
        let input = if self.dice.chance(50) {
            let seq = Seq::new(self.dice.below(12));
            Some(Input::Executed {
                seq,
                header: Digest::NULL,
                epoch_end: None,
            })
            .filter(|_| !self.hosts[host].executes(seq))
        } else {
            self.hosts[host].execute(&self.world)
        };
        if let Some(input) = input {
            self.feed(host, input);
        }
    }

    /// A batch for a primary, which may not have asked.
    fn batch(&mut self, host: usize) {
        let number = self.dice.below(1 << 40);
        let bytes = if self.dice.chance(20) {
            Vec::new()
        } else {
            number.to_le_bytes().to_vec()
        };
        self.feed(host, Input::Batch(ValidBatch::checked(Batch::new(bytes))));
    }

    /// A timer runs out at its time, or before, or though it does not run.
    fn timer(&mut self, host: usize) {
        let timers = [
            Timer::Request,
            Timer::Forward,
            Timer::NewView,
            Timer::Status,
            Timer::Heartbeat,
        ];
        let timer = self.dice.pick(&timers);
        if let Some(at) = self.hosts[host]
            .timers
            .get(&timer)
            .copied()
            .filter(|_| self.dice.chance(800))
        {
            self.now = self.now.max(at);
        }
        self.feed(host, Input::Expired(timer));
    }

    /// The pool changes.
    fn pending(&mut self, host: usize) {
        let waiting = self.dice.chance(700);
        let pending = Pending {
            oldest: waiting.then(|| self.dice.below(100)),
            since: self.now,
            executed: self.dice.below(100),
        };
        self.feed(host, Input::Pending(pending));
    }

    /// Somebody's STATUS, from somebody else.
    fn status(&mut self, host: usize) {
        let from = ReplicaId::new(u16::try_from(self.dice.below(5)).unwrap_or(0));
        if let Some(status) = self.known.status(&mut self.dice) {
            self.feed(host, Input::Status { from, status });
        }
    }

    /// Certified blocks come from a peer, perhaps not those that were asked for.
    fn fetched(&mut self, host: usize) {
        let peer = self.dice.place(self.hosts.len());
        let height = self.hosts[host].height();
        let first = if self.dice.chance(800) {
            height
        } else {
            self.dice.place(12)
        };
        for at in first..first + 3 {
            let Some(block) = self.hosts[peer].block(at, &self.world) else {
                return;
            };
            self.feed(host, Input::Fetched(block));
        }
    }
}
