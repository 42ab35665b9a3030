//! Who the members are: those of the genesis file, until the ledger shows others.
//!
//! A consortium grows and shrinks, and a member that comes again has new keys. The newest list is kept beside the card,
//! as the excerpt that shows it: it is proved from the genesis file whenever it is read, so whoever changes the file
//! adds no member.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use contract::contracts::membership::{MemberRecord, quorum};
use contract::genesis::{Genesis, Member, Role};
use contract::identity::{Epoch, Height, ServerId};

use super::state::verified;
use crate::code::Code;
use crate::files;
use crate::light::Shown;
use crate::output::Failure;
use crate::receipt::FILE_BYTES_MAX;

/// The members as this terminal knows them: read once, and asked for once if somebody is missing.
#[derive(Debug)]
pub(crate) struct Members<'a> {
    card: &'a Path,
    kept: List,
    asked: OnceLock<Result<List, Failure>>,
}

/// The members of an epoch, in the committee's order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct List {
    epoch: Epoch,
    members: Vec<MemberRecord>,
}

impl<'a> Members<'a> {
    /// Those that are kept beside a card; where none are, those of the genesis file.
    pub(crate) fn beside(card: &'a Path, genesis: &Genesis) -> Result<Self, Failure> {
        Ok(Self {
            card,
            kept: kept(&path(card), genesis)?.unwrap_or_else(|| List::founding(genesis)),
            asked: OnceLock::new(),
        })
    }

    /// The card beside which they are kept.
    pub(crate) const fn card(&self) -> &'a Path {
        self.card
    }

    /// The newest that are known.
    pub(crate) fn newest(&self) -> &List {
        match self.asked.get() {
            Some(Ok(list)) => list,
            Some(Err(_)) | None => &self.kept,
        }
    }

    /// The list that `ask` brings; asked once.
    pub(crate) fn or_ask(
        &self,
        ask: impl FnOnce() -> Result<List, Failure>,
    ) -> Result<&List, Failure> {
        self.asked.get_or_init(ask).as_ref().map_err(Clone::clone)
    }

    /// Keeps the list that these bytes show.
    pub(crate) fn keep(&self, excerpt: &[u8], shown: &Shown) -> Result<List, Failure> {
        let list = List::shown(shown)?;
        files::replace(&path(self.card), excerpt)?;
        Ok(list)
    }
}

impl List {
    fn founding(genesis: &Genesis) -> Self {
        let record = |member: &Member| MemberRecord {
            server_id: member.server_id(),
            member: member.clone(),
            since: Height::new(0),
            left: None,
        };
        Self {
            epoch: Epoch::new(0),
            members: genesis.members().iter().map(record).collect(),
        }
    }

    fn shown(shown: &Shown) -> Result<Self, Failure> {
        let members = shown.members();
        let members = members.map_err(|reason| Failure::new(reason.code()).because(reason))?;
        Ok(Self {
            epoch: shown.epoch(),
            members,
        })
    }

    /// In which epoch they are the members.
    pub(crate) const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[MemberRecord] {
        &self.members
    }

    /// How many of them decide.
    pub(crate) fn quorum(&self) -> usize {
        quorum(self.members.len())
    }

    /// The registration centre.
    pub(crate) fn centre(&self) -> Option<&MemberRecord> {
        self.find(|one| one.member.role == Role::Rc)
    }

    /// The member of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&MemberRecord> {
        self.find(|one| one.member.name == name)
    }

    /// The member with this id.
    pub(crate) fn with_id(&self, id: &ServerId) -> Option<&MemberRecord> {
        self.find(|one| one.server_id == *id)
    }

    fn find(&self, wanted: impl Fn(&MemberRecord) -> bool) -> Option<&MemberRecord> {
        self.members.iter().find(|one| wanted(one))
    }
}

/// How a receipt names a member: by its name where the genesis file has it, or by its id.
pub(crate) fn name_in_receipts(member: &MemberRecord, genesis: &Genesis) -> String {
    let id = &member.server_id;
    let founder = genesis.member_with_id(id);
    founder.map_or_else(|| id.to_string(), |founder| founder.name.clone())
}

/// Where the list is kept: beside the card.
fn path(card: &Path) -> PathBuf {
    card.with_extension("members.json")
}

/// The list in a file; nothing where there is none, or that of another ledger.
fn kept(path: &Path, genesis: &Genesis) -> Result<Option<List>, Failure> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = files::read(path, FILE_BYTES_MAX)?;
    let list = verified(&bytes, genesis, Height::new(0)).and_then(|shown| List::shown(&shown));
    match list {
        Ok(list) => Ok(Some(list)),
        Err(failure) if failure.code() == Code::ReceiptOfOtherLedger => Ok(None),
        Err(failure) => Err(failure
            .message(format!("{} does not show the members", path.display()))
            .help("delete it: the members tell the list again")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn genesis() -> Genesis {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/receipts/genesis-4.json");
        Genesis::parse(&std::fs::read(file).expect("vector")).expect("genesis")
    }

    #[test]
    fn without_a_list_beside_the_card_the_members_are_those_of_the_genesis_file() {
        let folder = tempfile::tempdir().expect("folder");
        let card = folder.path().join("mine.card");
        let genesis = genesis();

        let members = Members::beside(&card, &genesis).expect("members");

        let newest = members.newest();
        assert!(
            newest
                .all()
                .iter()
                .map(|one| &one.member)
                .eq(genesis.members())
        );
        assert_eq!(newest.epoch(), Epoch::new(0));
    }

    #[test]
    fn a_list_that_was_changed_on_disk_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().expect("folder");
        let card = folder.path().join("mine.card");
        std::fs::write(path(&card), b"{}").expect("written");

        let failure = Members::beside(&card, &genesis()).expect_err("changed");

        assert_eq!(failure.code(), Code::BadExcerpt);
        assert!(failure.next_step().contains("delete it"));
    }
}
