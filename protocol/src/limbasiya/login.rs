//! Authentication and key agreement between a user and a server.

use std::collections::BTreeMap;

use contract::{Aid, SessionId, SuiteId};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::card::Credential;
use super::hash::{h, mask, xor};
use super::message::{Reply, Request, Rows};
use super::place::{Place, Word};
use super::{is_fresh, moment, seconds};
use crate::error::{Failed, Reason};
use crate::freshness::Timestamp;
use crate::meter::{Meter, Operation, Unmetered};
use crate::secret::{Secret, SessionKey};
use crate::suite::{
    Accepted, Answer, Answered, Directory, Finished, Message as _, Opened, Pending, Suite,
};
use crate::wu::Nothing;

/// The suite of Limbasiya, Sahay and Sridharan. Insecure: research ledgers only.
#[derive(Clone, Copy, Debug)]
pub enum Limbasiya2020 {}

/// A server: what it shares with the centre and with every user, and its table of C (L-8).
#[derive(Debug)]
pub struct Station {
    place: Place,
    users: BTreeMap<Aid, Secret<32>>,
}

impl Station {
    /// A server without a table.
    pub const fn new(place: Place) -> Self {
        Self {
            place,
            users: BTreeMap::new(),
        }
    }

    /// Where it stands, and what it shares with the centre.
    pub const fn place(&self) -> &Place {
        &self.place
    }

    /// Who a request says she is: whoever knows `SSK_j` sees it, and whatever was sent comes to some UID.
    pub fn uid(&self, request: &Request) -> Aid {
        self.uid_metered(request, &Unmetered)
    }

    fn uid_metered(&self, request: &Request, meter: &impl Meter) -> Aid {
        let mask = mask_of_uid(meter, &self.place, request.t1);
        Aid::new(xor(meter, &request.alpha, &mask))
    }

    /// Takes the table that the centre sent in place of its own.
    pub fn update(&mut self, rows: Rows) {
        let Rows(rows) = rows;
        self.users = rows.into_iter().collect();
    }
}

/// The user, waiting for the reply.
#[derive(Debug)]
pub struct Patient {
    credential: Credential,
    request: Request,
}

/// A server that waits for a third message: there is none.
#[derive(Clone, Copy, Debug)]
pub enum Serving {}

impl Suite for Limbasiya2020 {
    const ID: SuiteId = SuiteId::LIMBASIYA_2020;

    type Credential = Credential;
    type Server = Station;
    /// The ledger says that the UID is registered, and no more (L-13).
    type Record = ();
    /// No set of messages seen (B8).
    type Gate = ();
    type Hello = Request;
    type Admitted = Request;
    type Reply = Reply;
    type Confirm = Nothing;
    type Evidence = ();
    type After = ();
    type Patient = Patient;
    type Serving = Serving;

    /// `α = UID ⊕ h(ID_j ‖ SSK_j ‖ T1)`, `β = h(UID ‖ SSK_j ‖ C ‖ T1)`. Draws nothing: there is no nonce in it.
    fn open(
        credential: &Credential,
        now: Timestamp,
        _rng: &mut impl CryptoRng,
    ) -> Opened<Request, Patient> {
        Self::open_metered(credential, now, &Unmetered)
    }

    /// Every message is let through: its time is looked at in the answer.
    fn admit((): &mut (), hello: Request, _now: Timestamp) -> Result<Request, Failed> {
        Ok(hello)
    }

    /// Finds UID under α, C in its table and the UID on the ledger, checks β, and is content.
    fn answer(
        server: &Station,
        directory: &impl Directory<()>,
        request: Request,
        now: Timestamp,
        _rng: &mut impl CryptoRng,
    ) -> Result<Answer<Self>, Failed> {
        Self::answer_metered(server, directory, &request, now, &Unmetered)
    }
}

impl Limbasiya2020 {
    /// [`Suite::open`], counted.
    pub fn open_metered(
        credential: &Credential,
        now: Timestamp,
        meter: &impl Meter,
    ) -> Opened<Request, Patient> {
        let t1 = seconds(now);
        let place = &credential.place;
        let request = Request {
            server: place.id.clone(),
            alpha: xor(
                meter,
                credential.uid.as_bytes(),
                &mask_of_uid(meter, place, t1),
            ),
            beta: beta(meter, &credential.uid, place, (&credential.c, t1)),
            t1,
        };
        Opened {
            message: request.clone(),
            state: Patient {
                credential: credential.clone(),
                request,
            },
        }
    }

    /// [`Suite::answer`], counted.
    pub fn answer_metered(
        server: &Station,
        directory: &impl Directory<()>,
        request: &Request,
        now: Timestamp,
        meter: &impl Meter,
    ) -> Result<Answer<Self>, Failed> {
        let refused = |reason| Failed::because(reason);
        let (t1, t2) = (request.t1, seconds(now));
        if !is_fresh(t1, t2) {
            return Err(refused(Reason::Expired));
        }
        let place = &server.place;
        if request.server != place.id {
            return Err(refused(Reason::Mismatch));
        }
        let uid = server.uid_metered(request, meter);
        let c = server.users.get(&uid);
        let c = c.filter(|_| directory.resolve(&uid).is_some());
        let c = c.ok_or_else(|| refused(Reason::UnknownAid))?;
        if !bool::from(beta(meter, &uid, place, (c, t1)).ct_eq(&request.beta)) {
            return Err(refused(Reason::Mismatch));
        }
        let vt = verification(meter, &uid);
        let pad = pad(meter, c, &uid, request);
        let text = [vt.as_slice(), place.loc.as_bytes()].concat();
        let reply = Reply {
            gamma: mask(meter, &text, &pad).to_vec(),
            sigma: sigma(meter, &vt, c, (t1, t2)),
            t2,
        };
        let session = session(meter, request, &reply);
        Ok(Opened {
            message: reply,
            state: Answered::Accepted(Accepted {
                aid: uid,
                session,
                key: key(meter, &uid, c, (place, &vt)),
                started: moment(t1),
                answered: moment(t2),
                evidence: (),
            }),
        })
    }
}

impl Pending for Patient {
    type Message = Reply;
    type Next = Finished<Nothing>;

    /// Checks T2, `Loc_j`, VT and σ, as the authors' program computes and does not compare (B7).
    fn finish(self, reply: &Reply, now: Timestamp) -> Result<Finished<Nothing>, Failed> {
        self.finish_metered(reply, now, &Unmetered)
    }
}

impl Patient {
    /// [`Pending::finish`], counted.
    pub fn finish_metered(
        self,
        reply: &Reply,
        now: Timestamp,
        meter: &impl Meter,
    ) -> Result<Finished<Nothing>, Failed> {
        if !is_fresh(reply.t2, seconds(now)) {
            return Err(Failed::because(Reason::Expired));
        }
        let Credential { uid, c, place } = &self.credential;
        let vt = verification(meter, uid);
        let pad = pad(meter, c, uid, &self.request);
        let opened = mask(meter, &reply.gamma, &pad);
        let expected = Zeroizing::new([vt.as_slice(), place.loc.as_bytes()].concat());
        let sigma = sigma(meter, &vt, c, (self.request.t1, reply.t2));
        let fits = opened.as_slice().ct_eq(expected.as_slice()) & sigma.ct_eq(&reply.sigma);
        if !bool::from(fits) {
            return Err(Failed::because(Reason::Mismatch));
        }
        Ok(Finished {
            confirm: Nothing,
            session: session(meter, &self.request, reply),
            key: key(meter, uid, c, (place, &vt)),
            after: (),
        })
    }
}

impl Pending for Serving {
    type Message = Nothing;
    type Next = Accepted<()>;

    fn finish(self, _message: &Nothing, _now: Timestamp) -> Result<Accepted<()>, Failed> {
        match self {}
    }
}

/// `h(ID_j ‖ SSK_j ‖ T1)`: whoever is a user can compute it (B1).
fn mask_of_uid(meter: &impl Meter, place: &Place, t1: u64) -> [u8; 32] {
    let fields: [&[u8]; 3] = [place.id.as_bytes(), place.ssk.expose(), &t1.to_be_bytes()];
    h(meter, &fields)
}

/// `β = h(UID ‖ SSK_j ‖ C ‖ T1)`.
fn beta(meter: &impl Meter, uid: &Aid, place: &Place, (c, t1): (&Secret<32>, u64)) -> [u8; 32] {
    let fields: [&[u8]; 4] = [
        uid.as_bytes(),
        place.ssk.expose(),
        c.expose(),
        &t1.to_be_bytes(),
    ];
    h(meter, &fields)
}

/// `VT = h(UID ‖ "location-verification")`: the same at every server and in every session (B4).
fn verification(meter: &impl Meter, uid: &Aid) -> [u8; 32] {
    h(meter, &[uid.as_bytes(), b"location-verification"])
}

/// `h(C ‖ UID ‖ ID_j ‖ β)`.
fn pad(meter: &impl Meter, c: &Secret<32>, uid: &Aid, request: &Request) -> Zeroizing<[u8; 32]> {
    let id: &Word = &request.server;
    let fields: [&[u8]; 4] = [c.expose(), uid.as_bytes(), id.as_bytes(), &request.beta];
    Zeroizing::new(h(meter, &fields))
}

/// `σ = h(VT ‖ C ‖ T2 − T1)`, the difference signed.
fn sigma(meter: &impl Meter, vt: &[u8; 32], c: &Secret<32>, (t1, t2): (u64, u64)) -> [u8; 32] {
    let difference = t2.wrapping_sub(t1).cast_signed();
    h(meter, &[vt, c.expose(), &difference.to_be_bytes()])
}

/// `SK = h(UID ‖ ID_j ‖ C ‖ Loc_j ‖ VT)`: nothing in it is of this session (B2, B4).
fn key(
    meter: &impl Meter,
    uid: &Aid,
    c: &Secret<32>,
    (place, vt): (&Place, &[u8; 32]),
) -> SessionKey {
    let fields: [&[u8]; 5] = [
        uid.as_bytes(),
        place.id.as_bytes(),
        c.expose(),
        place.loc.as_bytes(),
        vt,
    ];
    let key = Zeroizing::new(h(meter, &fields));
    SessionKey::new(Secret::new(*key))
}

/// The ledger needs a session id: SHA-256("limbasiya2020/sid" ‖ request ‖ reply).
fn session(meter: &impl Meter, request: &Request, reply: &Reply) -> SessionId {
    meter.count(Operation::SessionId);
    let hash = Sha256::new_with_prefix("limbasiya2020/sid");
    let hash = hash
        .chain_update(request.encode())
        .chain_update(reply.encode());
    SessionId::new(hash.finalize().into())
}
