//! One nemesis against a fresh consortium: work, harm, healing, and then the reckoning.

use std::fmt;
use std::time::Duration;

use bench::clock::{Moment, wait_for};
use bench::load::{Arrival, Load, Sample};

use super::field::Field;
use super::lab::Lab;
use super::nemesis::{Fault, Nemesis};
use super::registry::{self, Event, Judged, Registrar};
use super::{ledgers, registry::Workload};
use crate::claims::{Broken, Verdict, ensure};
use crate::dice::Dice;
use crate::processes::votes::Seen;

/// Bundles of sign-ins a second, over all members.
const BUNDLES_PER_S: f64 = 20.0;

/// Sign-ins in each.
const BUNDLE: usize = 2;

/// The longest time from a heal to the first commit.
const RECOVERY: Duration = Duration::from_secs(2);

/// The longest time from the start of a member without its votes until it votes again.
const REJOIN: Duration = Duration::from_secs(5);

/// The longest wait for it, before the run is given up.
const GIVE_UP: Duration = Duration::from_mins(1);

/// Work before the first harm.
const WARM_UP: Duration = Duration::from_secs(2);

/// The longest wait for members that were just started.
const READY: Duration = Duration::from_secs(40);

/// Between two looks at the votes meanwhile.
const LOOK: Duration = Duration::from_millis(100);

/// What a run came to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Times that harm was done and made good.
    faults: usize,
    /// Submissions of bundles and calls on the registry.
    operations: usize,
    /// Of these, acknowledged or answered.
    acknowledged: usize,
    /// The longest time from a heal to the first commit anywhere.
    first: Duration,
    /// The longest time from a heal until every honest member had acknowledged something again.
    everywhere: Duration,
    /// Blocks that are equal at all honest members.
    blocks: usize,
    /// Receipts that the light client verified.
    receipts: usize,
    /// How long a member that lost its votes took to vote again.
    rejoined: Option<Duration>,
    /// Places where honest members accepted different proposals of a lying primary.
    split: usize,
    /// Signed statements read from the logs of honest members.
    statements: usize,
    /// The registry's part.
    registry: Judged,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} faults, {} operations, {} acknowledged, 0 lost; after a heal the first commit came in at most {:.2} s \
             and each member's in {:.2} s; {} blocks equal, {} receipts verified, {} votes without contradiction; \
             {} calls on {} AIDs linearizable, {} reads true at their heights",
            self.faults,
            self.operations,
            self.acknowledged,
            self.first.as_secs_f64(),
            self.everywhere.as_secs_f64(),
            self.blocks,
            self.receipts,
            self.statements,
            self.registry.calls,
            self.registry.keys,
            self.registry.reads,
        )?;
        if let Some(rejoined) = self.rejoined {
            write!(
                f,
                "; votes again {:.2} s after its disk was lost",
                rejoined.as_secs_f64()
            )?;
        }
        if self.split > 0 {
            write!(
                f,
                "; {} proposals of the liar accepted in two versions",
                self.split
            )?;
        }
        Ok(())
    }
}

/// A run under way.
struct Trial<'a> {
    field: Field<'a>,
    honest: Vec<usize>,
    signed: Seen,
    tally: Tally,
}

/// Runs a nemesis for a while. The same seed does the same harm.
pub(super) fn run(
    lab: &Lab,
    nemesis: &Nemesis,
    length: Duration,
    seed: u64,
) -> Result<Tally, Broken> {
    let mut dice = Dice::new(seed);
    let field = Field::start(lab, nemesis.kind(&mut dice))?;
    let mut trial = Trial {
        honest: field.honest(),
        field,
        signed: Seen::default(),
        tally: Tally::default(),
    };
    trial.wait_ready()?;
    let load = Load::start_at(
        &trial.honest,
        &trial.field.consortium,
        &trial.field.workload,
        Arrival::Open {
            bundles_per_s: BUNDLES_PER_S,
        },
        BUNDLE,
    )?;
    let registrar = Registrar::of(&trial.field.consortium)?;
    let clients = Workload::start(
        &trial.honest,
        &trial.field.consortium,
        &registrar,
        &mut dice,
    )?;
    let harmed = trial.harm(nemesis, length, &load, &mut dice);
    let (samples, events) = (load.finish(), clients.finish());
    harmed?;
    trial.reckon(&samples, &events)?;
    Ok(trial.tally)
}

impl Trial<'_> {
    /// Does harm and makes it good until the time is over.
    fn harm(
        &mut self,
        nemesis: &Nemesis,
        length: Duration,
        load: &Load,
        dice: &mut Dice,
    ) -> Verdict {
        self.warm_up()?;
        let began = Moment::now();
        while began.elapsed() < length {
            let fault = nemesis.strike(&mut self.field, dice)?;
            std::thread::sleep(nemesis.holds(dice));
            self.signed.add(&self.field.consortium, &self.honest)?;
            fault.heal(&mut self.field)?;
            let healed = Moment::now();
            self.recover(healed, load)?;
            if let Fault::Wiped(member) = fault {
                self.rejoin(healed, member)?;
            }
            self.tally.faults = self.tally.faults.saturating_add(1);
            std::thread::sleep(Duration::from_millis(dice.below(2000).saturating_add(500)));
        }
        Ok(())
    }

    /// Waits for the honest members: a liar that says nothing gets no key onto the ledger, and so is never ready.
    fn wait_ready(&mut self) -> Verdict {
        for member in self.honest.clone() {
            let began = Moment::now();
            while !self.ready(member) {
                if began.elapsed() > READY {
                    let node = self.field.consortium.nodes.get(member);
                    let node = node.ok_or("there is no such member")?;
                    return Err(self.field.consortium.not_ready(node, READY).into());
                }
                self.look()?;
            }
        }
        Ok(())
    }

    /// Whether a member answers sign-ins.
    fn ready(&self, member: usize) -> bool {
        let node = self.field.consortium.nodes.get(member);
        node.is_some_and(bench::consortium::Node::is_ready)
    }

    /// Work before the first harm.
    fn warm_up(&mut self) -> Verdict {
        let began = Moment::now();
        while began.elapsed() < WARM_UP {
            self.look()?;
        }
        Ok(())
    }

    /// Reads the votes, and waits a little. They are read from the first moment on: a liar that is the first primary
    /// lies at once, may be voted out before anybody is ready, and what lies below a stable checkpoint leaves the logs.
    fn look(&mut self) -> Verdict {
        self.signed.add(&self.field.consortium, &self.honest)?;
        std::thread::sleep(LOOK);
        Ok(())
    }

    /// Waits until every honest member acknowledges again, and notes how long the first took.
    fn recover(&mut self, healed: Moment, load: &Load) -> Verdict {
        let everywhere = wait_for(GIVE_UP, || {
            let answers = load.acknowledged_since(healed);
            (answers.len() == self.honest.len()).then_some(answers)
        });
        let answers = everywhere.unwrap_or_else(|| load.acknowledged_since(healed));
        let first = answers.values().min();
        let first = first.ok_or_else(|| self.standstill("nothing was committed"))?;
        ensure(answers.len() == self.honest.len(), || {
            self.standstill(&format!(
                "only members {:?} acknowledged anything",
                answers.keys()
            ))
        })?;
        let last = answers.values().max().unwrap_or(first);
        self.tally.first = self.tally.first.max(first.since(healed));
        self.tally.everywhere = self.tally.everywhere.max(last.since(healed));
        Ok(())
    }

    /// Waits until a member that lost its votes votes again, and notes how long it took.
    fn rejoin(&mut self, healed: Moment, member: usize) -> Verdict {
        let votes = || self.field.votes(member).then(|| healed.elapsed());
        let took = wait_for(GIVE_UP, votes);
        let took =
            took.ok_or_else(|| self.standstill("a member that lost its votes is not back"))?;
        self.tally.rejoined = Some(took);
        Ok(())
    }

    /// What the members say when nothing goes on.
    fn standstill(&self, what: &str) -> String {
        let nodes = self.field.consortium.nodes.iter();
        let told: Vec<_> = nodes.map(bench::consortium::Node::status).collect();
        format!("{what} within {GIVE_UP:?} after a heal; the statuses: {told:?}")
    }

    /// Everything that must be true in the end.
    fn reckon(&mut self, samples: &[Sample], events: &[Event]) -> Verdict {
        let consortium = &self.field.consortium;
        let height = ledgers::settle(consortium, &self.honest)?;
        let ledger = ledgers::compare(consortium, &self.honest, height)?;
        let acknowledged = ledgers::nothing_lost(&ledger, samples)?;
        self.tally.registry = registry::judge(events, &ledger)?;
        self.tally.receipts = ledgers::receipts(consortium, &self.honest, samples)?;
        self.signed.add(consortium, &self.honest)?;
        self.tally.split = self.signed.split_proposals();
        self.tally.blocks = ledger.len();
        self.tally.statements = self.signed.len();
        self.tally.operations = samples.len().saturating_add(events.len());
        self.tally.acknowledged = acknowledged.saturating_add(self.tally.registry.answered);
        ensure(acknowledged > 0 && self.tally.registry.answered > 0, || {
            "nothing was acknowledged".to_owned()
        })?;
        self.in_time()?;
        ensure(self.tally.split > 0 || !self.field.kind().splits(), || {
            format!(
                "the liar has divided nobody, so nothing is shown; {}",
                self.tally
            )
        })
    }

    /// Whether everything came back as fast as it must.
    fn in_time(&self) -> Verdict {
        let rejoined = self.tally.rejoined.unwrap_or_default();
        for (what, took, limit) in [
            ("the first commit after a heal", self.tally.first, RECOVERY),
            ("voting again after a lost disk", rejoined, REJOIN),
        ] {
            ensure(took <= limit, || {
                format!(
                    "{what} took {took:.2?}, the limit is {limit:?}; {}",
                    self.tally
                )
            })?;
        }
        Ok(())
    }
}
