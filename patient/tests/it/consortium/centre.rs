//! The RC: offers, acceptances, sets that wait.

use std::collections::BTreeMap;

use contract::Outcome;
use contract::identity::Aid;
use contract::record::{Recovery, Registration, Replacement};
use contract::transaction::{Call, RecoveryCall};
use patient::code::Code;
use protocol::Secret;
use protocol::aidc1::Handle;
use protocol::aidc1::application::{Acceptance, Application, Purpose, Ticket};
use protocol::aidc1::deal::{self, Dealt};
use protocol::aidc1::issue::{Answer, issue};
use protocol::aidc1::offer::{Identities, Offer, Replaced, Taken};
use protocol::aidc1::oprf::shares::{self, Evaluators};
use protocol::suite::Message as _;
use protocol::wu::PatientId;
use rand_core::Rng as _;

use super::World;
use super::serve::Reply;

/// What an offer was for.
#[derive(Clone)]
struct Offered {
    purpose: Purpose,
    replaced: Option<Box<[Replaced; 16]>>,
    confirm: (Handle, contract::identity::PublicKey),
    taken: Option<Taken>,
}

/// What the RC keeps.
#[derive(Default)]
pub(crate) struct Centre {
    offers: BTreeMap<[u8; 16], Offered>,
    /// Which person has which AIDs, and the lock that speaks for them.
    pub(crate) people: BTreeMap<String, Vec<Aid>>,
    locks: BTreeMap<Handle, contract::identity::PublicKey>,
    /// Registrations that wait for others.
    pub(crate) queue: Vec<Registration>,
    /// Codes that the desk gave out.
    pub(crate) desk: Vec<[u8; 16]>,
}

impl World {
    pub(super) fn apply(&mut self, body: &[u8]) -> Reply {
        let application = Application::parse(body).unwrap();
        if !self.is_entitled(&application) {
            return Reply::problem(409, Code::CannotEnrol);
        }
        let offer = self.offer(application);
        Reply::ok(offer.encode().to_vec())
    }

    fn is_entitled(&self, application: &Application) -> bool {
        let chain = self.chain.genesis.chain();
        let by_lock = application.enrolment.change.as_ref().is_some_and(|change| {
            let confirm = self.centre.locks.get(&change.old);
            confirm.is_some_and(|key| application.enrolment.replaces(&change.old, key, chain))
        });
        let is_known = |id: &PatientId| self.centre.people.contains_key(id.expose());
        match &application.purpose {
            Purpose::Enrol(person) => !is_known(&person.id),
            Purpose::Renew(_) | Purpose::Move(_) | Purpose::Relock => by_lock,
            Purpose::Recover(person) => {
                let given = application.desk.as_ref();
                is_known(&person.id)
                    && given.is_some_and(|code| self.centre.desk.contains(code.expose()))
            }
        }
    }

    fn offer(&mut self, application: Application) -> Offer {
        let (evaluators, deals) = self.deals(&application);
        let mut ticket = [0; 16];
        self.rng.fill_bytes(&mut ticket);
        let replaced = self.replaced(&application.purpose);
        let person = application.purpose.person();
        let answers = person.map(|person| self.answers(&person.id, &person.aids));
        let confirm = (application.enrolment.handle, application.enrolment.confirm);
        if answers.is_none() {
            self.centre.locks.insert(confirm.0, confirm.1);
        }
        self.centre.offers.insert(
            ticket,
            Offered {
                purpose: application.purpose,
                replaced: replaced.clone(),
                confirm,
                taken: None,
            },
        );
        Offer {
            evaluators,
            deals,
            identities: answers.map(|answers| Identities {
                ticket: Ticket::new(Secret::new(ticket)),
                replaced,
                answers,
            }),
        }
    }

    fn answers(&mut self, id: &PatientId, aids: &[Aid; 16]) -> Box<[Answer; 16]> {
        let stranger = PatientId::parse(b"somebody else").unwrap();
        let id = if self.trouble.false_identity {
            &stranger
        } else {
            id
        };
        let issued = aids
            .iter()
            .map(|aid| issue(aid, id, &mut self.rng).unwrap().answer);
        let issued: Vec<_> = issued.collect();
        issued.try_into().unwrap()
    }

    fn deals(&mut self, application: &Application) -> (Evaluators, Vec<Vec<u8>>) {
        let genesis = std::sync::Arc::clone(&self.chain.genesis);
        let members: Vec<_> = genesis
            .members()
            .iter()
            .map(contract::Member::server_id)
            .collect();
        let (evaluators, shares) = shares::deal(2, &members, &mut self.rng).unwrap();
        let sealed = members
            .iter()
            .zip(shares)
            .enumerate()
            .map(|(at, (member, share))| {
                let dealt = Dealt {
                    enrolment: application.enrolment.clone(),
                    evaluators: evaluators.clone(),
                    share,
                };
                let key = self.evaluators[at].epoch_key();
                let by = (genesis.chain(), &self.chain.keys[0]);
                deal::seal(&dealt, *member, &key, by, &mut self.rng).unwrap()
            });
        let sealed = sealed.collect();
        (evaluators, sealed)
    }

    fn replaced(&self, purpose: &Purpose) -> Option<Box<[Replaced; 16]>> {
        let (Purpose::Move(person) | Purpose::Recover(person)) = purpose else {
            return None;
        };
        let old = &self.centre.people[person.id.expose()];
        let replaced: Vec<_> = old
            .iter()
            .map(|aid| Replaced {
                aid: *aid,
                epoch: 0,
            })
            .collect();
        Some(replaced.try_into().unwrap())
    }

    pub(super) fn accept(&mut self, body: &[u8]) -> Reply {
        let acceptance = Acceptance::parse(body).unwrap();
        let ticket = *acceptance.ticket.expose();
        let Some(offered) = self.centre.offers.get(&ticket).cloned() else {
            return Reply::problem(404, Code::EnrolmentLapsed);
        };
        let taken = match offered.taken {
            Some(taken) => taken,
            None => self.take(&offered, acceptance),
        };
        if let Some(offered) = self.centre.offers.get_mut(&ticket) {
            offered.taken = Some(taken);
        }
        Reply::ok(taken.encode())
    }

    fn take(&mut self, offered: &Offered, acceptance: Acceptance) -> Taken {
        let registrations = acceptance.registrations.to_vec();
        let (handle, confirm) = offered.confirm;
        self.centre.locks.insert(handle, confirm);
        let person = offered.purpose.person().unwrap();
        let aids = person.aids.to_vec();
        self.centre
            .people
            .insert(person.id.expose().to_owned(), aids);
        let Some(replaced) = &offered.replaced else {
            return self.enqueue(registrations);
        };
        let Some(consents) = acceptance.consents else {
            return self.recover(replaced, registrations);
        };
        let all = replaced.iter().zip(registrations).zip(consents.iter());
        for ((old, registration), consent) in all {
            let call = Call::Replace(Box::new(Replacement {
                old: old.aid,
                registration,
                consent: consent.clone(),
            }));
            let outcome = self.chain.calls(0, call);
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        }
        Taken::Submitted
    }

    fn enqueue(&mut self, registrations: Vec<Registration>) -> Taken {
        self.centre.queue.extend(registrations);
        let waiting = u16::try_from(self.centre.queue.len() / 16).unwrap();
        let needed = self.trouble.set_of;
        if waiting < needed {
            return Taken::Queued { waiting, needed };
        }
        self.register_queue();
        Taken::Submitted
    }

    /// The set is registered.
    pub(crate) fn register_queue(&mut self) {
        let queue = std::mem::take(&mut self.centre.queue);
        for set in queue.chunks(16) {
            self.chain.calls(0, Call::RegisterBatch(set.to_vec()));
        }
    }

    fn recover(&mut self, replaced: &[Replaced; 16], registrations: Vec<Registration>) -> Taken {
        for (old, registration) in replaced.iter().zip(registrations) {
            let request = Box::new(Recovery {
                old: old.aid,
                registration,
                officer: "desk-1".parse().unwrap(),
            });
            let outcome = self
                .chain
                .calls(0, Call::Recovery(RecoveryCall::Request(request)));
            assert!(matches!(outcome, Outcome::Done(_)), "{outcome:?}");
        }
        Taken::AwaitsApproval
    }
}
