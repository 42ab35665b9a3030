//! The ledger that a command is about: its genesis file, and members to talk to.

use std::thread;

use contract::contracts::membership::MemberRecord;
use contract::genesis::Genesis;
use contract::identity::{Epoch, ServerId};

use super::members::{List, Members};
use super::state;
use crate::client::{Client, Url};
use crate::code::Code;
use crate::output::Failure;

/// A trusted genesis, its members now, and where one of them is reached if not at its own address.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ledger<'a> {
    pub(crate) genesis: &'a Genesis,
    members: &'a Members<'a>,
    /// A member's name and its address.
    elsewhere: Option<(&'a str, &'a Url)>,
}

impl<'a> Ledger<'a> {
    /// A ledger whose members are where it says they are.
    pub(crate) const fn new(genesis: &'a Genesis, members: &'a Members<'a>) -> Self {
        Self {
            genesis,
            members,
            elsewhere: None,
        }
    }

    /// The same, with a member at another address.
    pub(crate) const fn with(mut self, name: &'a str, url: &'a Url) -> Self {
        self.elsewhere = Some((name, url));
        self
    }

    /// The same, with the registration centre at this address, if it is another one.
    pub(crate) fn with_centre_at(self, url: Option<&'a Url>) -> Result<Self, Failure> {
        let centre = self.centre()?;
        Ok(match url {
            Some(url) => self.with(&centre.member.name, url),
            None => self,
        })
    }

    /// The members, as far as this terminal knows.
    pub(crate) fn members(&self) -> &'a List {
        self.members.newest()
    }

    /// The registration centre.
    pub(crate) fn centre(&self) -> Result<&'a MemberRecord, Failure> {
        self.members()
            .centre()
            .ok_or_else(|| Failure::new(Code::BadGenesis))
    }

    /// The member of this name. Where it is not known, the others are asked whether it joined.
    pub(crate) fn named(&self, name: &str) -> Result<&'a MemberRecord, Failure> {
        if let Some(member) = self.members().named(name) {
            return Ok(member);
        }
        let asked = self.ask();
        if let Some(member) = asked.as_ref().ok().and_then(|list| list.named(name)) {
            return Ok(member);
        }
        let all = self.members().all().iter();
        let names: Vec<_> = all.map(|one| one.member.name.as_str()).collect();
        let unknown = Failure::new(Code::NoSuchServer)
            .message(format!("no member is called {name:?}"))
            .help(format!("the members are {}", names.join(", ")));
        Err(match asked {
            Ok(_) => unknown,
            Err(silent) => unknown.because(format!(
                "no member could be asked who joined since: {}",
                silent.what()
            )),
        })
    }

    /// The patient interface of a member, under its pinned key in any case.
    pub(crate) fn client(&self, member: &MemberRecord) -> Result<Client, Failure> {
        let name = &member.member.name;
        let elsewhere = self.elsewhere.filter(|(other, _)| other == name);
        Client::of_member(&member.member, elsewhere.map(|(_, url)| url))
    }

    /// The same of the member with this id.
    pub(crate) fn client_of(&self, id: &ServerId) -> Result<Client, Failure> {
        let known = self.members().with_id(id);
        let found = known.or_else(|| self.ask().ok()?.with_id(id));
        let member = found.ok_or_else(|| {
            Failure::new(Code::CannotReach)
                .message(format!("{id} is no member of this ledger"))
                .because("no member that answers knows its address")
        })?;
        self.client(member)
    }

    /// A member's name, or its id.
    pub(crate) fn name(&self, id: &ServerId) -> String {
        let member = self.members().with_id(id);
        member.map_or_else(|| id.to_string(), |one| one.member.name.clone())
    }

    /// The members as the first of them shows that answers truly. They are asked once for each command.
    pub(crate) fn ask(&self) -> Result<&'a List, Failure> {
        self.members.or_ask(|| {
            let mut last = None;
            for member in self.members.newest().all() {
                match self
                    .client(member)
                    .and_then(|client| self.shown_by(&client))
                {
                    Ok(members) => return Ok(members),
                    Err(failure) => last = Some(failure),
                }
            }
            Err(last.unwrap_or_else(|| Failure::new(Code::CannotReach)))
        })
    }

    /// A member has shown something of a later epoch: it tells who the members are since. What fails here fails again
    /// when somebody is missing, and is said then.
    pub(crate) fn is_in(&self, epoch: Epoch, told_by: &Client) {
        if epoch > self.members().epoch() {
            drop(self.members.or_ask(|| self.shown_by(told_by)));
        }
    }

    fn shown_by(&self, client: &Client) -> Result<List, Failure> {
        let (bytes, shown) = state::members(client, self.genesis, self.members.card())?;
        self.members.keep(&bytes, &shown)
    }
}

/// Does the same with each of several things at once, and gives what came of each in their order.
pub(crate) fn at_once<T: Sync, R: Send>(all: &[T], one: impl Fn(&T) -> R + Sync) -> Vec<R> {
    thread::scope(|scope| {
        let each = |thing| {
            let one = &one;
            scope.spawn(move || one(thing))
        };
        let running: Vec<_> = all.iter().map(each).collect();
        let ended = running.into_iter().filter_map(|it| it.join().ok());
        ended.collect()
    })
}
