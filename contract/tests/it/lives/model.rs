//! What the rules about patients come to, in as few words as possible.

use std::collections::{BTreeMap, BTreeSet};

use contract::{BlockTime, Status};

use super::{DAY, DELAY, Key, PAST, Step, WINDOW};

/// A recovery as the model knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pending {
    pub(super) new: u8,
    since: u64,
    effective: Option<u64>,
}

/// An AID as the model knows it.
#[derive(Clone, Debug)]
pub(super) struct Life {
    pub(super) status: Status,
    pub(super) epoch: u32,
    pub(super) from: Option<u8>,
    pub(super) events: usize,
    pub(super) pending: Option<Pending>,
    pub(super) open_claims: Vec<(u8, u64)>,
}

/// Everything that the ledger is to hold.
#[derive(Debug, Default)]
pub(super) struct Model {
    now: u64,
    pub(super) lives: BTreeMap<u8, Life>,
    /// When a session was last recorded, in time or late.
    noted: BTreeMap<(u8, u8), u64>,
    late: BTreeSet<(u8, u8)>,
    /// When a session was claimed.
    pub(super) claimed: BTreeMap<(u8, u8), u64>,
    /// About whom, since when, whether allowed.
    pub(super) disclosures: Vec<(u8, u64, bool)>,
}

impl Model {
    pub(super) fn new(start: BlockTime) -> Self {
        let mut model = Self {
            now: start.get(),
            ..Self::default()
        };
        model.begin(1, 0, None);
        model
    }

    /// Whether the ledger is to take this step; if so, it is taken.
    pub(super) fn takes(&mut self, step: Step) -> bool {
        match step {
            Step::Register { by, who } => self.registers(by, who),
            Step::Revoke { by, who } => by == 0 && self.revokes(who),
            Step::RevokeOwn { who, key } => key != Key::Stranger && self.revokes(who),
            Step::Shred { who } => self.shreds(who),
            Step::Replace { old, new, key } => self.replaces(old, new, key),
            Step::Request { old, new } => self.requests(old, new),
            Step::Approve { by, old, new } => by != 0 && self.approves(old, new),
            Step::Cancel { old, key } => key != Key::Stranger && self.cancels(old),
            Step::Withdraw { by, old } => by == 0 && self.cancels(old),
            Step::Finish { by: _, old } => self.finishes(old),
            Step::SignIn { who, sid } => self.signs_in(who, sid),
            Step::Late { who, sid, ago } => self.is_late(who, sid, ago),
            Step::Claim { who, sid, ago, key } => key == Key::Signing && self.claims(who, sid, ago),
            Step::Ask { by, who } => by == 0 && self.asks(who),
            Step::Allow { by, number, who } => by != 0 && self.allows(number, who),
            Step::Wait { ms } => {
                self.now += ms;
                true
            }
        }
    }

    fn begin(&mut self, who: u8, epoch: u32, from: Option<u8>) {
        let life = Life {
            status: Status::Active,
            epoch,
            from,
            events: 0,
            pending: None,
            open_claims: Vec::new(),
        };
        self.lives.insert(who, life);
    }

    fn is_active(&self, who: u8) -> bool {
        let life = self.lives.get(&who);
        life.is_some_and(|life| life.status == Status::Active)
    }

    /// Something that the patient sees.
    fn event(&mut self, who: u8) -> &mut Life {
        let life = self.lives.get_mut(&who).unwrap();
        life.events += 1;
        life
    }

    fn registers(&mut self, by: usize, who: u8) -> bool {
        let lawful = by == 0 && !self.lives.contains_key(&who);
        if lawful {
            self.begin(who, 0, None);
        }
        lawful
    }

    fn revokes(&mut self, who: u8) -> bool {
        let lawful = self.is_active(who);
        if lawful {
            self.event(who).status = Status::Revoked;
        }
        lawful
    }

    fn shreds(&mut self, who: u8) -> bool {
        let life = self.lives.get(&who);
        let lawful = life.is_some_and(|life| life.status != Status::Shredded);
        if lawful {
            let life = self.event(who);
            life.pending = None;
            life.status = Status::Shredded;
        }
        lawful
    }

    /// Whether `new` may still take the place of `old`.
    fn may_follow(&self, old: u8, new: u8) -> bool {
        let old = self.lives.get(&old);
        let ends = old.is_some_and(|old| matches!(old.status, Status::Active | Status::Revoked));
        ends && !self.lives.contains_key(&new)
    }

    fn follow(&mut self, old: u8, new: u8) {
        let life = self.event(old);
        life.pending = None;
        life.status = Status::Replaced;
        let epoch = life.epoch + 1;
        self.begin(new, epoch, Some(old));
    }

    fn replaces(&mut self, old: u8, new: u8, key: Key) -> bool {
        let agrees = match key {
            Key::Signing => self.is_active(old),
            Key::Recovery => true,
            Key::Stranger => false,
        };
        let lawful = agrees && self.may_follow(old, new);
        if lawful {
            self.follow(old, new);
        }
        lawful
    }

    fn open(&self, old: u8) -> Option<Pending> {
        let pending = self.lives.get(&old)?.pending?;
        let lapses = pending.effective.unwrap_or(pending.since) + 7 * DAY;
        (self.now <= lapses).then_some(pending)
    }

    fn requests(&mut self, old: u8, new: u8) -> bool {
        let lawful = self.may_follow(old, new) && self.open(old).is_none();
        if lawful {
            let pending = Pending {
                new,
                since: self.now,
                effective: None,
            };
            self.event(old).pending = Some(pending);
        }
        lawful
    }

    fn approves(&mut self, old: u8, new: u8) -> bool {
        let open = self
            .open(old)
            .filter(|open| open.new == new && open.effective.is_none());
        let Some(open) = open else {
            return false;
        };
        let effective = Some(self.now + DELAY);
        self.event(old).pending = Some(Pending { effective, ..open });
        true
    }

    fn cancels(&mut self, old: u8) -> bool {
        let lawful = self.open(old).is_some();
        if lawful {
            self.event(old).pending = None;
        }
        lawful
    }

    fn finishes(&mut self, old: u8) -> bool {
        let due = self
            .open(old)
            .filter(|open| open.effective.is_some_and(|at| at <= self.now))
            .filter(|open| self.may_follow(old, open.new));
        let Some(due) = due else {
            return false;
        };
        self.follow(old, due.new);
        true
    }

    fn is_noted(&self, session: (u8, u8)) -> bool {
        let noted = self.noted.get(&session);
        noted.is_some_and(|at| *at + WINDOW >= self.now)
    }

    fn settle(&mut self, who: u8, sid: u8) {
        let life = self.lives.get_mut(&who).unwrap();
        life.open_claims.retain(|(claimed, _)| *claimed != sid);
    }

    fn signs_in(&mut self, who: u8, sid: u8) -> bool {
        let session = (who, sid);
        let lawful = self.is_active(who) && !self.is_noted(session);
        if lawful {
            self.noted.insert(session, self.now);
            let claimed = self.claimed.get(&session);
            if claimed.is_some_and(|at| *at + WINDOW >= self.now) {
                self.settle(who, sid);
            }
        }
        lawful
    }

    fn is_late(&mut self, who: u8, sid: u8, ago: u64) -> bool {
        let session = (who, sid);
        let lawful = (PAST + 1..=30 * DAY).contains(&ago)
            && self.is_active(who)
            && !self.late.contains(&session)
            && !self.is_noted(session);
        if lawful {
            self.noted.insert(session, self.now);
            self.late.insert(session);
            self.settle(who, sid);
        }
        lawful
    }

    fn claims(&mut self, who: u8, sid: u8, ago: u64) -> bool {
        let session = (who, sid);
        let lawful = ago <= 30 * DAY
            && self.is_active(who)
            && !self.is_noted(session)
            && !self.late.contains(&session)
            && !self.claimed.contains_key(&session);
        if lawful {
            let now = self.now;
            self.claimed.insert(session, now);
            let life = self.lives.get_mut(&who).unwrap();
            life.open_claims.retain(|(_, at)| now < *at + DAY);
            life.open_claims.push((sid, now));
        }
        lawful
    }

    fn asks(&mut self, who: u8) -> bool {
        let life = self.lives.get(&who);
        let lawful = life.is_some_and(|life| life.status != Status::Shredded);
        if lawful {
            self.disclosures.push((who, self.now, false));
        }
        lawful
    }

    fn allows(&mut self, number: u64, who: u8) -> bool {
        let number = usize::try_from(number).unwrap();
        let now = self.now;
        let entry = self.disclosures.get_mut(number);
        let open = entry.filter(|entry| entry.0 == who && !entry.2 && now <= entry.1 + DAY);
        open.map(|entry| entry.2 = true).is_some()
    }
}
