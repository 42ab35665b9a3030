//! Scripts as files, in the form in which relab/hotstuff keeps its Twins scenarios.
//!
//! There nodes are counted from 1, and a member that runs twice takes two numbers in a row:
//! with one twin, nodes 1 and 2 are the first member, node 3 is the second one.

use serde_json::{Value, json};

use crate::twins::{Round, Script};

/// How many ticks a view lasts in a file that does not say it.
const TICKS: u64 = 100;

/// Why a file is not a list of scripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadScript(&'static str);

impl core::fmt::Display for BadScript {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

impl core::error::Error for BadScript {}

/// Reads all scripts of a file.
pub fn read(text: &str) -> Result<Vec<Script>, BadScript> {
    let root: Value = serde_json::from_str(text).map_err(|_error| BadScript("not JSON"))?;
    let members = number(&root, "num_nodes").ok_or(BadScript("`num_nodes` is missing"))?;
    let twins = number(&root, "num_twins").ok_or(BadScript("`num_twins` is missing"))?;
    let ticks = root
        .get("ticks")
        .and_then(Value::as_u64)
        .filter(|ticks| *ticks > 0);
    let scenarios = root.get("scenarios").and_then(Value::as_array);
    let scenarios = scenarios.ok_or(BadScript("`scenarios` is missing"))?;
    if members == 0 || twins > consensus::faults(members) {
        return Err(BadScript(
            "there are no members, or more twins than may be faulty",
        ));
    }
    let scripts = scenarios.iter().map(|views| {
        let views = views.as_array().ok_or(BadScript("a scenario is no list"))?;
        let rounds = views.iter().map(|view| round(view, members, twins));
        Ok(Script {
            members,
            twins,
            ticks: ticks.unwrap_or(TICKS),
            rounds: rounds.collect::<Result<_, _>>()?,
        })
    });
    scripts.collect()
}

/// A number of the file's head.
fn number(value: &Value, name: &str) -> Option<usize> {
    usize::try_from(value.get(name)?.as_u64()?).ok()
}

/// One view.
fn round(view: &Value, members: usize, twins: usize) -> Result<Round, BadScript> {
    let leader = number(view, "leader").and_then(|leader| leader.checked_sub(1));
    let leader = leader.filter(|leader| *leader < members);
    let leader = leader.ok_or(BadScript("a view's leader is not a member"))?;
    let partitions = view.get("partitions").and_then(Value::as_array);
    let partitions = partitions.ok_or(BadScript("a view has no partitions"))?;
    let side = |side: &Value| {
        let nodes = side.as_array().ok_or(BadScript("a partition is no list"))?;
        let nodes = nodes.iter().map(|node| place(node, members, twins));
        nodes
            .collect::<Option<Vec<_>>>()
            .ok_or(BadScript("a partition names no node"))
    };
    let partitions = partitions.iter().map(side).collect::<Result<_, _>>()?;
    Ok(Round { leader, partitions })
}

/// The node that a number, or a pair of numbers, stands for.
fn place(node: &Value, members: usize, twins: usize) -> Option<usize> {
    let member = |id: usize| id.checked_sub(1).filter(|place| *place < members);
    if let Some(replica) = number(node, "ReplicaID") {
        let Some(network) = number(node, "NetworkID") else {
            return member(replica);
        };
        return of_network(network, members, twins);
    }
    of_network(usize::try_from(node.as_u64()?).ok()?, members, twins)
}

/// The node with a number of the file: members first, then the twins of the first ones.
fn of_network(network: usize, members: usize, twins: usize) -> Option<usize> {
    let place = network.checked_sub(1)?;
    if place < 2 * twins {
        let second = place % 2 == 1;
        return Some(if second {
            members + place / 2
        } else {
            place / 2
        });
    }
    Some(place - twins).filter(|place| *place < members)
}

/// The number of a node in the file.
const fn to_network(place: usize, members: usize, twins: usize) -> usize {
    if place >= members {
        2 * (place - members) + 2
    } else if place < twins {
        2 * place + 1
    } else {
        place + twins + 1
    }
}

/// The file of scripts that have the same members and twins.
pub fn write(scripts: &[Script]) -> String {
    let (members, twins) = scripts
        .first()
        .map_or((0, 0), |one| (one.members, one.twins));
    let side = |side: &Vec<usize>| -> Vec<usize> {
        let nodes = side.iter().map(|place| to_network(*place, members, twins));
        nodes.collect()
    };
    let round = |round: &Round| {
        let partitions: Vec<_> = round.partitions.iter().map(side).collect();
        json!({ "leader": round.leader + 1, "partitions": partitions })
    };
    let scenarios: Vec<Vec<Value>> = scripts
        .iter()
        .map(|script| script.rounds.iter().map(round).collect())
        .collect();
    let sides = scripts.iter().flat_map(|script| &script.rounds);
    let views = scripts.iter().map(|script| script.rounds.len()).max();
    let file = json!({
        "num_nodes": members,
        "num_twins": twins,
        "partitions": sides.map(|round| round.partitions.len()).max().unwrap_or(0),
        "views": views.unwrap_or(0),
        "ticks": scripts.first().map_or(0, |script| script.ticks),
        "shuffle": false,
        "seed": 0,
        "scenarios": scenarios,
    });
    format!("{file}\n")
}
