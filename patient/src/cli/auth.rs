//! `aidchain patient auth`: a sign-in at a member, and the receipt for it.

pub(super) mod legacy;
mod limbasiya;
mod wu;

use std::path::PathBuf;

use clap::Args;
use contract::genesis::Genesis;
use contract::identity::Aid;
use protocol::aidc1::{AidIndex, Keys, Status};
use serde_json::json;

use super::bounds::{Chosen, SuiteChoice};
use super::given::{FactorFrom, IdFrom, PasswordFrom, Places};
use super::receipt::{Sought, keep};
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::orders::{self, Submitted};
use crate::aidc1::pending::{Pending, unshown};
use crate::aidc1::place::Place;
use crate::aidc1::sign_in::{At, Signed};
use crate::aidc1::state;
use crate::aidc1::wallet::{Opened, Wallet, say_opened};
use crate::card::{self, Profile};
use crate::client::Url;
use crate::clock::Stopwatch;
use crate::code::{Code, Exit};
use crate::light::{Expect, Verified};
use crate::output::{Console, Failure, Mark};
use crate::{dice, files, known};

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain patient auth --profile mine --server clinic-c --bio today.json
  aidchain patient auth --profile mine --server clinic-c --fresh --recovery-code-file paper
On a research ledger also:
  aidchain patient auth --profile mine --server clinic-c --suite wu-2021 \\
    --accept-risk=insecure-suite --bio today.json
  aidchain patient auth --profile mine --server clinic-c --suite limbasiya-2020 \\
    --accept-risk=insecure-suite";

/// Who signs in, where, with what.
#[derive(Clone, Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
pub struct Auth {
    /// Name of the card on this terminal
    #[arg(long, value_name = "NAME")]
    profile: Profile,
    /// Member to sign in at, by its name
    #[arg(long, value_name = "NAME")]
    server: String,
    /// Show an anonymous identity that nobody has seen, and use it up
    #[arg(long)]
    fresh: bool,
    /// Tell the member who you are
    #[arg(long)]
    identify: bool,
    /// Genesis file of the ledger, where it is not the one kept with the card
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    genesis: Option<PathBuf>,
    /// Address of the member, where it is not the one in the genesis file
    #[arg(long, value_name = "URL")]
    node: Option<Url>,
    #[command(flatten)]
    suite: SuiteChoice,
    #[command(flatten)]
    id: IdFrom,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    factor: FactorFrom,
    #[command(flatten)]
    places: Places,
    /// Folder for the receipt
    #[arg(long, value_name = "DIR", default_value = ".")]
    receipts: PathBuf,
}

/// What was signed, under which identity.
struct SignedBy {
    keys: Keys,
    signed: Signed,
    round_trip_ms: f64,
}

impl Auth {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let place = self.places.of(&self.profile)?;
        if !place.card().exists() && !place.pending().exists() {
            return Err(Failure::new(Code::CardMissing)
                .because(format!("{} is not there", place.card().display()))
                .help(format!(
                    "register first: aidchain patient register --profile {}",
                    self.profile
                )));
        }
        let trusted = self.genesis.clone();
        let trusted = trusted.unwrap_or_else(|| card::genesis_path(place.card()));
        let (genesis, _file) = files::genesis(&trusted)?;
        match self.suite.choose(&genesis, console)? {
            Chosen::Aidc1 => self.aidc1(&genesis, &place, console),
            Chosen::Wu2021 => self.wu((&genesis, place.card()), console),
            Chosen::Limbasiya2020 => self.limbasiya((&genesis, place.card()), console),
        }
    }

    fn aidc1(&self, genesis: &Genesis, place: &Place, console: &Console) -> Result<Exit, Failure> {
        let _held = place.hold()?;
        let members = Members::beside(place.card(), genesis)?;
        let mut ledger = Ledger::new(genesis, &members);
        if let Some(url) = &self.node {
            ledger = ledger.with(&self.server, url);
        }
        let unsettled = self.settle(ledger, place)?;
        let mut wallet = Wallet::read(place, genesis)?;
        let mut at = At::new(ledger, &self.server, place.card())?;
        let password = self.password.source().password(console)?;
        let shows = self.factor.shows(console)?;
        let mut rng = dice::seeded()?;
        let mut opened = wallet.open(ledger, (&password, &shows), &mut rng, console)?;
        opened.confirm(ledger, wallet.handle());
        say_opened(console);

        let watch = Stopwatch::start();
        let peer = at.first_peer()?;
        let index = self.aid(&at, &mut opened)?;
        // On disk before she is seen: an AID is never shown to two servers.
        wallet.write(place, &opened, &mut rng)?;
        let keys = opened.root.seed(index).keys();
        if let Some(pending) = unsettled {
            check_as_made(&at, &pending, keys.aid())?;
        }
        let identity = self.identify.then(|| opened.holder.identity(index));
        let identity = identity
            .transpose()
            .map_err(|error| Failure::new(Code::CardDamaged).because(error))?;
        let proved = at.handshake(&keys, identity.as_ref(), peer, &mut rng)?;
        console.step(
            Mark::Good,
            "server",
            &format!("{} proved its identity", self.server),
        );
        let signed = at.confirm(&proved)?;
        let done = SignedBy {
            keys,
            signed,
            round_trip_ms: watch.elapsed_ms(),
        };
        self.conclude(&at, &done, &watch, console)
    }

    /// What was enrolled and is not settled yet is settled first, if the RC can be reached.
    fn settle(&self, ledger: Ledger<'_>, place: &Place) -> Result<Option<Pending>, Failure> {
        let Some(pending) = Pending::read(place, ledger.genesis)? else {
            return Ok(None);
        };
        match pending.settle(ledger, place) {
            Ok(true) => Ok(None),
            Ok(false) if pending.uses_old_card() => Ok(None),
            Ok(false) => Err(Failure::new(Code::RegistrationPending).help(format!(
                "wait, then finish it: aidchain patient {} --profile {}",
                pending.kind.command(),
                self.profile
            ))),
            Err(failure) if failure.exit() == Exit::NotVerified => Err(failure),
            Err(_unreachable) if pending.uses_old_card() => Ok(None),
            Err(_unreachable) => Ok(Some(pending)),
        }
    }

    /// The one kept for this server, or one that nobody saw.
    fn aid(&self, at: &At<'_>, opened: &mut Opened) -> Result<AidIndex, Failure> {
        let rotation = opened.holder.rotation();
        let taken = if self.fresh {
            rotation.fresh()
        } else {
            rotation.for_server(at.server.server_id)
        };
        taken.map_err(|_used_up| Failure::new(Code::AidsUsedUp))
    }

    /// The answer has come, or has not: what is known is said, and no more.
    fn conclude(
        &self,
        at: &At<'_>,
        done: &SignedBy,
        watch: &Stopwatch,
        console: &Console,
    ) -> Result<Exit, Failure> {
        let Some(status) = done.signed.status else {
            return Err(self.silent(at, done));
        };
        let word = match status {
            Status::Recorded(height) => format!("signed in; recorded at height {height}"),
            Status::Accepted(_) => "signed in; the result is on its way to the ledger".to_owned(),
        };
        console.step(Mark::Good, "signed in", &word);
        let kept = self.receipt(at, done);
        let (verified, receipt) = match kept {
            Err(failure) if failure.code() == Code::ResultPending => {
                return Err(self.not_recorded(at, done, failure));
            }
            other => other.map_err(|failure| {
                let note = format!(
                    "you are signed in at {}; its receipt is missing",
                    self.server
                );
                failure.note(note)
            })?,
        };
        known::note(at.card, at.ledger.genesis.chain(), verified.height)?;
        let notice = notice(at, done.keys.aid(), console);
        let told = (&verified, &receipt, notice.as_deref());
        self.say(done, told, (watch, console))
    }

    fn receipt(&self, at: &At<'_>, done: &SignedBy) -> Result<(Verified, PathBuf), Failure> {
        let result = &done.signed.result;
        let sought = Sought {
            path: format!("/v1/sessions/{}", result.sid),
            expect: Expect {
                aid: Some(result.aid),
                server: Some(at.expected()),
                session: Some(result.sid),
                transaction: None,
            },
            pending: Code::ResultPending,
        };
        keep(
            &at.client,
            at.ledger.genesis,
            &sought,
            &self.profile,
            &self.receipts,
        )
    }

    fn say(
        &self,
        done: &SignedBy,
        (verified, receipt, notice): (&Verified, &PathBuf, Option<&str>),
        (watch, console): (&Stopwatch, &Console),
    ) -> Result<Exit, Failure> {
        let finality = watch.elapsed_ms();
        let text = format!(
            "result at height {}, {}/{} signatures, {finality:.0} ms",
            verified.height,
            verified.signers.len(),
            verified.committee_size
        );
        console.step(Mark::Good, "ledger", &text);
        if let Some(notice) = notice {
            console.step(Mark::Warning, "identity", notice);
        }
        let result = &done.signed.result;
        let object = json!({
            "schema": "aidchain.sign-in/1",
            "suite": "aidc-1",
            "server": self.server,
            "aid": result.aid,
            "session": result.sid,
            "identified": self.identify,
            "fresh": self.fresh,
            "transaction": verified.transaction,
            "height": verified.height,
            "round_trip_ms": done.round_trip_ms,
            "finality_ms": finality,
            "notice": notice,
            "receipt": receipt,
        });
        let told = if self.identify {
            "your ID"
        } else {
            "an anonymous identity"
        };
        let text = format!(
            "Signed in at {}, which learned {told}.\nAID     {}\nReceipt {}",
            self.server,
            result.aid,
            receipt.display()
        );
        console.data(&object, &text)?;
        Ok(Exit::Ok)
    }

    /// She signed, and nobody answered.
    fn silent(&self, at: &At<'_>, done: &SignedBy) -> Failure {
        let note = match self.receipt(at, done) {
            Ok((verified, receipt)) => format!(
                "the ledger has this sign-in at height {}, so {} accepted it; receipt {}",
                verified.height,
                self.server,
                receipt.display()
            ),
            Err(_none) => {
                let claimed = orders::claim(at.ledger, &done.keys, &done.signed.result);
                claim_text(&self.server, claimed)
            }
        };
        Failure::new(Code::OutcomeUnknown)
            .message(format!(
                "{} did not answer after you had signed: it is not known whether you are signed in",
                self.server
            ))
            .note(note)
    }

    /// The server accepted, and its result does not come to the ledger.
    fn not_recorded(&self, at: &At<'_>, done: &SignedBy, pending: Failure) -> Failure {
        let claimed = orders::claim(at.ledger, &done.keys, &done.signed.result);
        pending
            .message(format!(
                "you are signed in at {}, but the result is NOT on the ledger yet",
                self.server
            ))
            .note(claim_text(&self.server, claimed))
    }
}

/// What became of a claim, in words that say no more than is known.
fn claim_text(server: &str, claimed: Result<Submitted, Failure>) -> String {
    match claimed {
        Ok(Submitted {
            member,
            height: Some(height),
        }) => format!(
            "your own claim of this sign-in is on the ledger at height {height}, says {member}; \
             {server} has not countersigned it"
        ),
        Ok(Submitted { member, .. }) => {
            format!("{member} took your own claim of this sign-in; it is not on the ledger yet")
        }
        Err(failure) => format!(
            "your own claim of this sign-in could not be brought to the ledger: {}",
            failure.why().unwrap_or_else(|| failure.what())
        ),
    }
}

/// What everybody who relies on this AID is to see for a while: that it came of a recovery.
fn notice(at: &At<'_>, aid: &Aid, console: &Console) -> Option<String> {
    let found = state::record(&at.client, at.ledger.genesis, (at.card, aid)).and_then(|shown| {
        let origin = shown.origin(aid).map_err(unshown)?;
        Ok(state::notice(at.ledger, &shown, origin.as_ref()))
    });
    found.unwrap_or_else(|failure| {
        console.step(
            Mark::Warning,
            "identity",
            &format!(
                "whether it came of a recovery is not known: {}",
                failure.what()
            ),
        );
        None
    })
}

/// An enrolment that the RC could not confirm: at least this AID is on the ledger as it was made.
fn check_as_made(at: &At<'_>, pending: &Pending, aid: &Aid) -> Result<(), Failure> {
    let shown = state::record(&at.client, at.ledger.genesis, (at.card, aid))?;
    match shown.patient(aid).map_err(unshown)? {
        Some(found) => pending.check(&found),
        None => Err(Failure::new(Code::RegistrationPending)),
    }
}
