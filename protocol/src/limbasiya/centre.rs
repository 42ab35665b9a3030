//! The registration centre: one secret `K_rc`, a row for each server and user, and the answers of four phases.

use std::collections::BTreeMap;

use contract::Aid;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use thiserror::Error;
use zeroize::Zeroizing;

use super::hash::{h, xor};
use super::message::{
    Application, Issued, JoinRequest, Joined, PasswordChange, ROWS_MAX, Rows, RowsRequest,
};
use super::place::{List, Place, Word};
use super::{is_fresh, seconds};
use crate::freshness::Timestamp;
use crate::meter::{Meter, Unmetered};
use crate::secret::Secret;

/// Why the centre does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// The name or UID is taken.
    #[error("this server or user is registered already")]
    Taken,
    /// There is no such server.
    #[error("no server of this name is registered")]
    UnknownServer,
    /// There is no such user.
    #[error("no user with this UID is registered")]
    UnknownUser,
    /// T is too far from the centre's clock.
    #[error("the time stamp lies 60 s or more from this centre's clock")]
    Stale,
    /// The proof or the old password does not fit.
    #[error("the old password does not fit")]
    NotProved,
    /// The list for users would be too long.
    #[error("no more servers can be registered: their list would not fit on a card")]
    Full,
    /// The table for servers would be too long.
    #[error("no more users can be registered: a server's table has at most 65536 rows")]
    TooManyUsers,
}

/// What the centre keeps of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRow {
    /// What each user gets of it.
    pub place: Place,
    /// `Q_j`: stored, and never used again.
    pub q: [u8; 32],
    /// `SRT_j`.
    pub registered: Timestamp,
}

/// What the centre keeps of a user: (UID, r3, C), and not A (L-2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// r3, of this user alone.
    pub r3: Secret<16>,
    /// C.
    pub c: Secret<32>,
}

/// The registration centre.
#[derive(Debug)]
pub struct Centre {
    /// `K_rc`.
    key: Secret<32>,
    servers: BTreeMap<Word, ServerRow>,
    users: BTreeMap<Aid, UserRow>,
}

impl Centre {
    /// A centre with these rows.
    pub fn new(
        key: Secret<32>,
        servers: impl IntoIterator<Item = ServerRow>,
        users: impl IntoIterator<Item = (Aid, UserRow)>,
    ) -> Self {
        let named = |row: ServerRow| (row.place.id.clone(), row);
        Self {
            key,
            servers: servers.into_iter().map(named).collect(),
            users: users.into_iter().collect(),
        }
    }

    /// The row of a server.
    pub fn server(&self, id: &Word) -> Option<&ServerRow> {
        self.servers.get(id)
    }

    /// The row of a user.
    pub fn user(&self, uid: &Aid) -> Option<&UserRow> {
        self.users.get(uid)
    }

    /// Undoes what this centre's disk did not take: the row of a server is as it was before.
    pub fn put_back_server(&mut self, id: &Word, before: Option<ServerRow>) {
        drop(match before {
            Some(row) => self.servers.insert(id.clone(), row),
            None => self.servers.remove(id),
        });
    }

    /// The same for the row of a user.
    pub fn put_back_user(&mut self, uid: &Aid, before: Option<UserRow>) {
        drop(match before {
            Some(row) => self.users.insert(*uid, row),
            None => self.users.remove(uid),
        });
    }

    /// Server registration: `SSK_j = h(K_rc ‖ P_j ‖ SRT_j)` (L-3). Who asks again with the same `P_j` and `Q_j` gets the
    /// same answer, since the first one may have been lost.
    pub fn register_server(
        &mut self,
        request: &JoinRequest,
        now: Timestamp,
    ) -> Result<Joined, Refused> {
        if let Some(known) = self.servers.get(&request.id) {
            let ssk = self.ssk(&request.p, known.registered);
            let same = ssk == known.place.ssk && request.q == known.q;
            return if same {
                Ok(Joined { ssk })
            } else {
                Err(Refused::Taken)
            };
        }
        let ssk = self.ssk(&request.p, now);
        let place = Place {
            id: request.id.clone(),
            ssk: ssk.clone(),
            loc: request.loc.clone(),
        };
        let places = self.servers.values().map(|row| &row.place);
        if !List::of(places.chain([&place])).fits() {
            return Err(Refused::Full);
        }
        let row = ServerRow {
            place,
            q: request.q,
            registered: now,
        };
        self.servers.insert(request.id.clone(), row);
        Ok(Joined { ssk })
    }

    /// User registration. Draws r3, 16 bytes.
    pub fn register_user(
        &mut self,
        application: &Application,
        rng: &mut impl CryptoRng,
    ) -> Result<Issued, Refused> {
        self.register_user_metered(application, rng, &Unmetered)
    }

    /// [`Centre::register_user`], counted.
    pub fn register_user_metered(
        &mut self,
        application: &Application,
        rng: &mut impl CryptoRng,
        meter: &impl Meter,
    ) -> Result<Issued, Refused> {
        if self.users.contains_key(&application.uid) {
            return Err(Refused::Taken);
        }
        if self.users.len() >= ROWS_MAX {
            return Err(Refused::TooManyUsers);
        }
        let mut r3 = Zeroizing::new([0; 16]);
        rng.fill_bytes(&mut *r3);
        let r3 = Secret::new(*r3);
        Ok(self.issue(&application.uid, r3, &application.a, meter))
    }

    /// Password update: refused unless the user knows USK and the A of which C was made, or asks for what was changed
    /// already (L-11). Servers learn the new C
    /// with their next [`Centre::rows`]; until then they refuse her.
    pub fn update_password(
        &mut self,
        change: &PasswordChange,
        now: Timestamp,
    ) -> Result<Issued, Refused> {
        if !is_fresh(change.t, seconds(now)) {
            return Err(Refused::Stale);
        }
        let row = self.users.get(&change.uid).ok_or(Refused::UnknownUser)?;
        let usk = self.usk(&change.uid, &row.r3, &Unmetered);
        let proof = change_proof(&change.uid, &usk, (&change.next, change.t));
        let c = self.c(&change.uid, &row.r3, (&usk, &change.a), &Unmetered);
        // The answer to the same change may have been lost.
        let again = self.c(&change.uid, &row.r3, (&usk, &change.next), &Unmetered);
        let fits = c == row.c || again == row.c;
        if !bool::from(proof.ct_eq(&change.proof)) || !fits {
            return Err(Refused::NotProved);
        }
        let r3 = row.r3.clone();
        Ok(self.issue(&change.uid, r3, &change.next, &Unmetered))
    }

    /// Server database update: C of every user, for a server that is registered (L-12). Nothing proves that it is this
    /// server that asks, but the connection.
    pub fn rows(&self, request: &RowsRequest, now: Timestamp) -> Result<Rows, Refused> {
        if !self.servers.contains_key(&request.id) {
            return Err(Refused::UnknownServer);
        }
        if !is_fresh(request.t, seconds(now)) {
            return Err(Refused::Stale);
        }
        let rows = self.users.iter();
        Ok(Rows(rows.map(|(uid, row)| (*uid, row.c.clone())).collect()))
    }

    /// Makes C and D for an A, and keeps the row.
    fn issue(&mut self, uid: &Aid, r3: Secret<16>, a: &Secret<32>, meter: &impl Meter) -> Issued {
        let usk = self.usk(uid, &r3, meter);
        let c = self.c(uid, &r3, (&usk, a), meter);
        let d = Zeroizing::new(xor(meter, a.expose(), usk.expose()));
        let row = UserRow { r3, c: c.clone() };
        self.users.insert(*uid, row);
        Issued {
            c,
            d: Secret::new(*d),
            list: List::of(self.servers.values().map(|row| &row.place)),
        }
    }

    /// `SSK_j = h(K_rc ‖ P_j ‖ SRT_j)`.
    fn ssk(&self, p: &Secret<32>, registered: Timestamp) -> Secret<32> {
        let parts = [
            self.key.expose().as_slice(),
            p.expose(),
            &registered.to_bytes(),
        ];
        let ssk = h(&Unmetered, &parts);
        Secret::new(*Zeroizing::new(ssk))
    }

    /// `USK = h(K_rc ‖ UID ‖ r3)`.
    fn usk(&self, uid: &Aid, r3: &Secret<16>, meter: &impl Meter) -> Secret<32> {
        let usk = h(meter, &[self.key.expose(), uid.as_bytes(), r3.expose()]);
        Secret::new(*Zeroizing::new(usk))
    }

    /// `C = h(K_rc ‖ r3 ‖ A) ⊕ USK ⊕ h(UID ‖ A)`.
    fn c(
        &self,
        uid: &Aid,
        r3: &Secret<16>,
        (usk, a): (&Secret<32>, &Secret<32>),
        meter: &impl Meter,
    ) -> Secret<32> {
        let own = Zeroizing::new(h(meter, &[self.key.expose(), r3.expose(), a.expose()]));
        let hers = Zeroizing::new(h(meter, &[uid.as_bytes(), a.expose()]));
        let half = Zeroizing::new(xor(meter, usk.expose(), &hers));
        let sum = Zeroizing::new(xor(meter, &own, &half));
        Secret::new(*sum)
    }
}

/// `h(UID ‖ USK ‖ A* ‖ T)`.
pub(super) fn change_proof(uid: &Aid, usk: &Secret<32>, (next, t): (&Secret<32>, u64)) -> [u8; 32] {
    let fields: &[&[u8]] = &[
        uid.as_bytes(),
        usk.expose(),
        next.expose(),
        &t.to_be_bytes(),
    ];
    h(&Unmetered, fields)
}
