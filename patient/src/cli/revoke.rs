//! `aidchain patient revoke` and `cancel-recovery`: what she herself orders, by the card or by the code on paper.

use clap::Args;
use contract::identity::Aid;
use contract::record::PatientRecord;
use protocol::aidc1::{AidIndex, Order, RecoveryCode, Root};
use serde_json::json;

use super::given::{FactorFrom, PasswordFrom};
use super::mine::{Mine, Open};
use super::receipt::aid;
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::orders::{self, Signer, Submitted};
use crate::aidc1::pending::unshown;
use crate::aidc1::place::Place;
use crate::aidc1::state;
use crate::aidc1::wallet::Shows;
use crate::code::{Code, Exit};
use crate::dice;
use crate::output::{Console, Failure, Mark};

/// The name of the risk.
const RISK: &str = "revocation";

pub(super) const REVOKE_EXAMPLE: &str = "\
Example:
  aidchain patient revoke --profile mine --bio today.json --accept-risk=revocation
  aidchain patient revoke --profile mine --by-code --aid aid1… --recovery-code-file paper \\
    --genesis genesis.json --accept-risk=revocation
A revoked identity never signs in again. By the code alone the AIDs have to be named: they
stand on receipts.";
pub(super) const CANCEL_EXAMPLE: &str = "\
Example:
  aidchain patient cancel-recovery --profile mine --bio today.json
  aidchain patient cancel-recovery --profile mine --by-code --aid aid1… \\
    --recovery-code-file paper --genesis genesis.json";

/// Who orders, and about which identities.
#[derive(Clone, Debug, Args)]
pub struct Ordered {
    #[command(flatten)]
    mine: Mine,
    #[command(flatten)]
    password: PasswordFrom,
    #[command(flatten)]
    factor: FactorFrom,
    /// Use the recovery code alone, without a card
    #[arg(long, requires = "aids", conflicts_with = "bio")]
    by_code: bool,
    /// An identity; without one, all sixteen of the card
    #[arg(long = "aid", id = "aids", value_name = "AID")]
    aids: Vec<String>,
}

/// The same, and the risk.
#[derive(Clone, Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    ordered: Ordered,
    /// Accept the named risk
    #[arg(long, value_name = "RISK")]
    accept_risk: Option<String>,
}

/// Whose key signs.
enum Key {
    Root(Root),
    Code(RecoveryCode),
}

impl Revoke {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        if self.accept_risk.as_deref() != Some(RISK) {
            return Err(Failure::new(Code::RiskNotAccepted)
                .message("a revoked identity never signs in again")
                .help(format!("add --accept-risk={RISK}"))
                .note("aborted, no changes made"));
        }
        self.ordered.run(&Order::Revoke, "revoked", console)
    }
}

impl Ordered {
    pub(super) fn cancel(&self, console: &Console) -> Result<Exit, Failure> {
        self.run(&Order::CancelRecovery, "recovery cancelled", console)
    }

    fn run(&self, order: &Order, word: &str, console: &Console) -> Result<Exit, Failure> {
        let place = self.mine.place()?;
        let (genesis, _file) = self.mine.genesis(&place)?;
        let members = Members::beside(place.card(), &genesis)?;
        let ledger = self.mine.ledger(&genesis, &members)?;
        let named: Vec<_> = self
            .aids
            .iter()
            .map(|text| aid(text))
            .collect::<Result<_, _>>()?;
        let key = self.key(ledger, &place, console)?;
        let mut done = Vec::new();
        let mut last = None;
        for (index, aid) in key.which(ledger, &place, &named)? {
            match key.order(ledger, (index, aid), order.clone()) {
                Ok(submitted) => {
                    console.step(Mark::Good, word, &aid.to_string());
                    done.push((aid, submitted));
                }
                // One that is revoked already, or that nobody recovers, is no reason to leave out the next.
                Err(failure) if failure.code() == Code::ContractRefused => last = Some(failure),
                Err(failure) => return Err(failure.note(partly(&done))),
            }
        }
        if done.is_empty() {
            return Err(last.unwrap_or_else(|| Failure::new(Code::NoSuchIdentity)));
        }
        let waiting = done.iter().filter(|(_, one)| one.height.is_none()).count();
        let orders: Vec<_> = done
            .iter()
            .map(|(aid, one)| json!({ "aid": aid, "submitted": one.to_json() }))
            .collect();
        let object = json!({
            "schema": "aidchain.ordered/1",
            "what": word,
            "orders": orders,
            "pending": waiting,
        });
        let text = if waiting == 0 {
            format!("{} identities: {word}.", done.len())
        } else {
            format!(
                "{} identities: handed in; {waiting} are not on the ledger yet.",
                done.len()
            )
        };
        console.data(&object, &text)?;
        Ok(if waiting == 0 {
            Exit::Ok
        } else {
            Exit::NoQuorum
        })
    }

    fn key(&self, ledger: Ledger<'_>, place: &Place, console: &Console) -> Result<Key, Failure> {
        if self.by_code {
            let mut shows = self.factor.shows(console)?;
            return match shows.pop() {
                Some(Shows::Code(code)) => Ok(Key::Code(code)),
                Some(Shows::Face(_)) | None => Err(Failure::new(Code::FactorMissing)),
            };
        }
        let password = self.password.source().password(console)?;
        let shows = self.factor.shows(console)?;
        let mut rng = dice::seeded()?;
        let open = Open::card(ledger, place, (&password, &shows), &mut rng, console)?;
        Ok(Key::Root(open.opened.root))
    }
}

impl Key {
    /// The identities that are meant, with their numbers.
    fn which(
        &self,
        ledger: Ledger<'_>,
        place: &Place,
        named: &[Aid],
    ) -> Result<Vec<(AidIndex, Aid)>, Failure> {
        match self {
            Self::Root(root) => {
                let all = AidIndex::all().map(|index| (index, *root.seed(index).keys().aid()));
                let all: Vec<_> = all.collect();
                if let Some(stranger) = named
                    .iter()
                    .find(|aid| !all.iter().any(|(_, it)| it == *aid))
                {
                    return Err(Failure::new(Code::NoSuchIdentity)
                        .message(format!("{stranger} is not on this card")));
                }
                let meant = |(_, aid): &(AidIndex, Aid)| named.is_empty() || named.contains(aid);
                Ok(all.into_iter().filter(meant).collect())
            }
            Self::Code(code) => {
                let numbered = |aid: &Aid| Ok((number_of(ledger, place, code, aid)?, *aid));
                named.iter().map(numbered).collect()
            }
        }
    }

    fn order(
        &self,
        ledger: Ledger<'_>,
        (index, aid): (AidIndex, Aid),
        order: Order,
    ) -> Result<Submitted, Failure> {
        match self {
            Self::Root(root) => {
                let keys = root.seed(index).keys();
                orders::submit(ledger, Signer::Keys(&keys), order, None)
            }
            Self::Code(code) => orders::submit(ledger, Signer::Code(code, index, aid), order, None),
        }
    }
}

/// Which of the sixteen an AID is, by the recovery key that the ledger has for it.
fn number_of(
    ledger: Ledger<'_>,
    place: &Place,
    code: &RecoveryCode,
    aid: &Aid,
) -> Result<AidIndex, Failure> {
    let record = recorded(ledger, place, aid)?;
    let mut all = AidIndex::all();
    all.find(|index| code.public(*index) == record.pk_recovery)
        .ok_or_else(|| {
            Failure::new(Code::BadRecoveryCode)
                .message(format!("this recovery code is not that of {aid}"))
                .help("use the code that was printed when this identity was registered")
        })
}

/// An AID's record, from the first member that answers.
fn recorded(ledger: Ledger<'_>, place: &Place, aid: &Aid) -> Result<PatientRecord, Failure> {
    let mut last = None;
    for member in ledger.members().all() {
        let client = ledger.client(member)?;
        match state::record(&client, ledger.genesis, (place.card(), aid)) {
            Ok(shown) => {
                let found = shown.patient(aid).map_err(unshown)?;
                return found.ok_or_else(|| Failure::new(Code::NoSuchIdentity));
            }
            Err(failure) => last = Some(failure),
        }
    }
    Err(last.unwrap_or_else(|| Failure::new(Code::CannotReach)))
}

fn partly(done: &[(Aid, Submitted)]) -> String {
    match done.len() {
        0 => "nothing was changed".to_owned(),
        some => format!("{some} identities were done before; the command may be repeated"),
    }
}
