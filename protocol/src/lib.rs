//! Authentication between a patient's terminal and a server: messages in,
//! messages out. No clock, socket, disk or dice: time comes in as `now`,
//! randomness as `rng`, the ledger as a [`suite::Directory`].
//!
//! # On one page
//!
//! A [`Suite`] is a protocol of two or three messages. The patient opens with a
//! `Hello`, the server looks her up on the ledger and gives a `Reply`, and where
//! the suite has one, a `Confirm` proves that she holds the key. Each state consumes
//! itself ([`Pending::finish`]); each message has one encoding ([`Message`]). A
//! failure is one neutral [`Failed`] for the peer, with a [`Reason`] for the operator.
//!
//! A noisy face becomes a repeating string in [`fuzzy`]; [`biometric`] holds what a
//! sensor gives. [`measure`] counts how often that errs, and [`synthetic`] makes
//! faces of nobody to count it on. [`meter`] is told what a run of a paper's suite does,
//! operation by operation.
//!
//! Three suites are here. [`aidc1`] is the default and meant to be secure; `docs/aidc1.md`
//! gives its bytes. [`wu`] is the scheme of Wu, Peng, Gao and Chen and [`limbasiya`] that of
//! Limbasiya, Sahay and Sridharan: **they are insecure** and run on research ledgers only,
//! when they are named.
//!
//! # Deviations from Wu et al.
//!
//! The suite departs from the paper only where an equation cannot be computed, or
//! where the text leaves a value or a step open. Everything else is as printed, the
//! flaws included.
//!
//! **W-1, the curve.** The paper masks a 1024-bit point of a pairing curve with a
//! 160-bit string, and ⊕ needs equal lengths. Here points lie on secp256k1 and are
//! named by their 32-byte x-coordinate, with even y; SP has 32 bytes.
//!
//! **W-2, the hash functions.** h1, h3 and h4 are declared to give residues modulo q
//! and h2 to take points, but they are used on and for strings. Here h, h1, h2 and h3
//! are SHA-256 over a label of their own (`wu2021/h1` …) and the fields, each behind
//! its length in two bytes; no output is ever reduced, since none is used as a number.
//! The undeclared h of `V'_u` is h1. h4 is published and used nowhere, there as here.
//!
//! **W-3, `V_u`.** The paper hashes the raw biometric, and one noisy bit changes the
//! hash. Here `V_u` = h1(h(ID ‖ PW) ⊕ SP), and the check takes SP' = Rep(BIO', PP).
//!
//! **W-4, AID.** B ⊕ PP has no length, for PP is as long as a template. Here
//! AID = B ⊕ h(PP).
//!
//! **W-5, h(ID) at the terminal.** The check compares with h(ID), which the terminal
//! never receives. Here it keeps h(ID) from registration on.
//!
//! **W-6, m.** The RC's nonce is used once and stored nowhere, so that nobody could
//! ever check A. Here it stands in the mapping table: (ID, A, AID, m).
//!
//! **W-7, the query.** The RC asks the contract whether AID is known, and since AID
//! holds a fresh nonce it never is. The query is made as printed; besides, the RC
//! looks for the ID in its own table, or anyone could register for ever.
//!
//! **W-8, M4 and T3.** The server computes M4 and nobody checks it, and the sentence
//! about T3 is inverted. Here the patient checks both. A2 succeeds all the same.
//!
//! **W-9, the missing messages.** Me2, Me4, Me6, Me8 and Me9 are numbered and never
//! defined. Me2 and Me4 are the query and the upload to the contract, Me6 its lookup,
//! Me8 the server's result transaction; there is no Me9.
//!
//! **W-10, the accounting node.** It is the server's own node, whose transaction the
//! consensus orders.
//!
//! **W-11, setup.** "a, b ∈ `Z_q*`" does not hold for a curve and is not used. The
//! parameters are a record of the `identity` contract, written at genesis: secp256k1,
//! a = 0, b = 7, q = n, and the labels of the hash functions.
//!
//! **W-12, the random numbers.** m is 32 random bytes. `m_i` and `m_j` are uniform in
//! [1, n − 1] and negated if the y of their point is odd, so that the x-coordinate
//! names the point itself.
//!
//! **W-13, the key.** `K_ij` is the x-coordinate of the product, 32 bytes; the same
//! bytes enter M4.
//!
//! **W-14, which SP.** Step 1 needs the SP' that comes out of Rep; step 2 masks with
//! the SP that the RC sent. Where Rep fails the terminal refuses and sends nothing.
//!
//! **W-15, what the server does when it cannot go on.** Rep may fail and the unmasked
//! coordinate may belong to no point. The paper is silent; here both are refused with
//! the same words as a wrong M2.
//!
//! **W-16, lengths.** ID and PW have 1 to 64 bytes of UTF-8, times are milliseconds in
//! 8 bytes, BIO' has 256 and PP 320 bytes: Me5 has 680 bytes, Me7 72. ΔT is 120 s, and
//! a stamp exactly that far away is refused.
//!
//! **W-17, the upload.** The paper adds AID to a list and uploads (ID, AID) in
//! parallel. Here one transaction does both, and an AID that is there already is
//! refused with "sign in instead".
//!
//! **W-18, the third message.** There is none: [`wu::Nothing`] is empty, the server
//! submits its result as soon as it has sent Me7, and the result bears the server's
//! signature alone. A13 depends on it.
//!
//! **W-19, the secure channel** of Me1 and Me3 is TLS to the RC, with its key pinned
//! from the genesis file.
//!
//! **W-20, the session id.** The ledger needs one: SHA-256("wu2021/sid" ‖ Me5 ‖ Me7).
//! The server keeps no set of messages seen, so a replayed Me5 is accepted, as
//! printed.
//!
//! # Deviations from Limbasiya et al.
//!
//! Of this paper only the abstract was at hand; the equations are those of the implementation that its README
//! describes, and where the two differ, or neither says anything, of this list.
//!
//! **L-1, h, ‖ and ⊕.** h is SHA-256 over the fields, each behind its length in two bytes. ⊕ is right-aligned, as it is
//! on the implementation's integers, the shorter operand extended by zeros on its left: of a long operand all but the
//! last 32 bytes stay in clear.
//!
//! **L-2, the random numbers.** r1, r2, `r_S` and r3 have 16 bytes, so r1 ‖ r2 is as wide as A. r3 is drawn for each
//! user, where the implementation has one for all; the RC keeps (UID, r3, C), and not A.
//!
//! **L-3, servers.** `P_j`, `Q_j` and `SSK_j` are as printed. `SRT_j` is the RC's time of registration in milliseconds;
//! `Q_j` is stored and only tells a server that asks again, because it had no answer, from another one. `Loc_j` comes with
//! the registration.
//!
//! **L-4, users.** UID, A, C and D are as printed, USK = h(`K_rc` ‖ UID ‖ r3).
//!
//! **L-5, the card.** W, X, Y, Z and E, with B = h(r1 ‖ PW) ⊕ h(r2 ‖ PW), X = h(r2 ‖ ID) ⊕ h(r1 ‖ PW) ⊕ C and Y = B ⊕ D.
//! `List_sj` is text: `ID_j.hex(SSK_j).Loc_j`, joined by semicolons, at most 8,192 bytes. Names and places are 1 to 32
//! bytes of printable ASCII without the two separators.
//!
//! **L-6, opening it.** USK = A ⊕ D with D = Y ⊕ B; the implementation's USK = A ⊕ Y is another value. E' = E is
//! compared, and whoever does not fit hears nothing more.
//!
//! **L-7, the request** holds `ID_j`, α, β and T1 in seconds, and neither UID nor C, which the implementation sends along
//! (B3 shows that form).
//!
//! **L-8, the server** takes C from its own table and not from the message, and refuses a stamp 60 s or more away. That
//! the UID is registered it asks the ledger.
//!
//! **L-9, the reply** holds γ, σ and T2. VT = h(UID ‖ "location-verification"); "+" in γ is ‖, and T2 − T1 in σ is signed.
//!
//! **L-10, the user** compares VT, `Loc_j` and σ, which the implementation computes and does not compare (B7).
//!
//! **L-11, password update** is named and not described. Here the user sends UID, A, A* and T with
//! h(UID ‖ USK ‖ A* ‖ T); the RC refuses unless C, made again of A or, where the answer was lost, of
//! A*, is the one it keeps. r1, r2, r3 and UID stay.
//!
//! **L-12, server database update** answers with (UID, C) of every user: nothing else in the scheme takes C to the
//! servers. After a password update a server refuses the user until its next one.
//!
//! **L-13, the ledger** has names and places of servers, UIDs and results, and no SSK, C or `K_rc`. What goes to and from
//! the RC travels inside TLS; a node also signs what it asks the RC, since the listeners ask for no certificate. `ID_j` is
//! its name, `Loc_j` the host of its patient interface.
//!
//! # Attacks this rules out, and where
//!
//! In AIDC-1 nothing of ID, password or face travels or is on the ledger in clear. A
//! server has a key of its own, and its name, record and epoch are in every transcript:
//! no other can answer ([`aidc1::record`]). Masks are gone; what travels is a fresh point
//! ([`aidc1::dh`]) and sealed bytes under keys that are spent by use. M4 is checked
//! before anything is signed, and so is the time that is signed ([`aidc1::patient`]). A
//! result needs the patient's statement *and* the server's signature; a server accepts
//! on Me9 alone, so a replayed Me5 is no sign-in ([`aidc1::serving`]), and it costs
//! nothing either ([`aidc1::gate`]). Who is not on the ledger is refused like everybody
//! else, after the same work. `tests/it/aidc1_*.rs` try it.
//!
//! In Wu-2021 little is ruled out: the crate `research` carries out what is not, and
//! `tests/it/travels.rs` lists what travels. BIO' and PP travel in clear, so SP is no secret (A1, A9); with SP anybody is the
//! server (A2), finds a short ID (A4) and is the patient from then on (A5); servers
//! own no secret and are interchangeable (A3); masks are used many times (A7); all
//! sign-ins of a patient can be linked (A8); the card holds SP (A11), and with it the
//! password can be guessed (A10); results need no proof from the patient (A13, A14).
//!
//! What does hold: a listener who knows SP still faces the Diffie–Hellman problem for
//! the key ([`wu::login`]), and past keys stay secret when cards are lost; a stale
//! message is refused ([`freshness`]); a wrong password or face is refused before
//! anything is sent ([`wu::Card::unlock`]); PW, SP and the random numbers never travel
//! after registration; a peer cannot tell one refusal from another ([`Failed`]);
//! secrets are wiped, compared in constant time and never printed ([`secret`]).

pub mod aidc1;
pub mod biometric;
mod curve;
pub mod error;
mod fields;
pub mod freshness;
pub mod fuzzy;
pub mod limbasiya;
pub mod measure;
pub mod meter;
mod papers;
pub mod projection;
pub mod secret;
pub mod suite;
pub mod synthetic;
pub mod wu;

pub use aidc1::Aidc1;
pub use biometric::{BiometricSource, Capture, Embedding, Template};
pub use error::{Failed, Malformed, Reason};
pub use freshness::{Timestamp, Window};
pub use fuzzy::Auxiliary;
pub use limbasiya::Limbasiya2020;
pub use secret::{Secret, SessionKey};
pub use suite::{
    Accepted, Answer, Answered, Directory, Finished, Message, Opened, PREFERENCE, Pending, Suite,
};
pub use wu::Wu2021;
