//! Arguments of the commands that use a card, and what they begin with.

use std::path::PathBuf;

use clap::Args;
use contract::genesis::Genesis;
use protocol::aidc1::{Holder, Password};
use protocol::wu::PatientId;
use rand_core::CryptoRng;

use super::given::Places;
use crate::aidc1::ledger::Ledger;
use crate::aidc1::members::Members;
use crate::aidc1::pending::{Kind, Pending};
use crate::aidc1::place::Place;
use crate::aidc1::wallet::{Opened, Shows, Wallet};
use crate::card::{self, Profile};
use crate::client::Url;
use crate::code::Code;
use crate::files;
use crate::output::{Console, Failure};

/// Which card, of which ledger.
#[derive(Clone, Debug, Args)]
pub(super) struct Mine {
    /// Name of the card on this terminal
    #[arg(long, value_name = "NAME")]
    pub(super) profile: Profile,
    /// Genesis file of the ledger, where it is not the one kept with the card
    #[arg(long, value_name = "FILE", env = "AIDCHAIN_GENESIS")]
    genesis: Option<PathBuf>,
    /// Address of the registration centre, where it is not the one in the genesis file
    #[arg(long, value_name = "URL")]
    node: Option<Url>,
    #[command(flatten)]
    places: Places,
}

impl Mine {
    pub(super) fn place(&self) -> Result<Place, Failure> {
        self.places.of(&self.profile)
    }

    pub(super) fn genesis(&self, place: &Place) -> Result<(Genesis, Vec<u8>), Failure> {
        let trusted = self.genesis.clone();
        files::genesis(&trusted.unwrap_or_else(|| card::genesis_path(place.card())))
    }

    pub(super) fn ledger<'a>(
        &'a self,
        genesis: &'a Genesis,
        members: &'a Members<'a>,
    ) -> Result<Ledger<'a>, Failure> {
        Ledger::new(genesis, members).with_centre_at(self.node.as_ref())
    }
}

/// A card that was opened for a change of it.
pub(super) struct Open {
    pub(super) wallet: Wallet,
    pub(super) opened: Opened,
}

impl Open {
    /// Opens the card, and tells the members.
    pub(super) fn card(
        ledger: Ledger<'_>,
        place: &Place,
        (password, shows): (&Password, &[Shows]),
        rng: &mut impl CryptoRng,
        console: &Console,
    ) -> Result<Self, Failure> {
        let wallet = Wallet::read(place, ledger.genesis)?;
        let opened = wallet.open(ledger, (password, shows), rng, console)?;
        opened.confirm(ledger, wallet.handle());
        Ok(Self { wallet, opened })
    }

    /// Whose card it is.
    pub(super) fn id(&self) -> Result<PatientId, Failure> {
        id_of(&self.opened.holder)
    }
}

fn id_of(holder: &Holder) -> Result<PatientId, Failure> {
    let identity = holder.identity(protocol::aidc1::AidIndex::FIRST);
    identity
        .map(protocol::aidc1::Identity::into_id)
        .map_err(|error| Failure::new(Code::CardDamaged).because(error))
}

/// What is pending at a place, if it is of this kind; another kind has to be finished first.
pub(super) fn pending(
    place: &Place,
    genesis: &Genesis,
    kind: Kind,
) -> Result<Option<Pending>, Failure> {
    let found = Pending::read(place, genesis)?;
    found.map(|pending| pending.only(kind)).transpose()
}
