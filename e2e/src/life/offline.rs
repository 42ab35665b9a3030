//! What the steps of these lives left on the ledger, held against the genesis file alone.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use bench::clock::wall_ms;
use bench::http::Connection;
use contract::TransactionHash;
use patient::light::{self, Expect};
use patient::receipt::Receipt;
use serde_json::Value;

use super::{World, field};
use crate::claims::{Broken, Verdict, ensure, ensure_equal};
use crate::tools::{aidchain, finish};

/// How long the member that is asked may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The steps of a life, as transactions that the ledger took.
const STEPS: [&str; 11] = [
    "set-server",
    "register-batch",
    "results",
    "replace",
    "request-recovery",
    "approve-recovery",
    "finish-recovery",
    "request-disclosure",
    "approve-disclosure",
    "revoke",
    "shred",
];

/// Every transaction that the ledger took has a receipt that checks without any network; one of each kind is also
/// checked by the command, for itself and in the place of another.
pub(super) fn every_step_checks(world: &World) -> Verdict {
    let taken = taken(world)?;
    for step in STEPS {
        ensure(taken.contains_key(step), || {
            format!("no {step} among {:?}", taken.keys())
        })?;
    }
    for (call, hashes) in &taken {
        for hash in hashes {
            checks(world, hash)?;
        }
        let [one, other] =
            [hashes.first(), hashes.last()].map(|hash| hash.map_or("", String::as_str));
        checks_by_command(world, (call, one), other)?;
    }
    Ok(())
}

/// The hashes of the transactions that the ledger took, by the name of the call.
fn taken(world: &World) -> Result<BTreeMap<String, Vec<String>>, Broken> {
    let consortium = world.consortium.borrow();
    let node = consortium.nodes.last().ok_or("nobody runs")?;
    let newest = node.height().ok_or("no height")?;
    let mut connection = node.connection(node.member_api(), PATIENCE);
    let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for height in 1..=newest {
        let block = get(&mut connection, &format!("/v1/blocks/{height}"))?;
        let transactions = block.get("transactions").and_then(Value::as_array);
        for transaction in transactions.into_iter().flatten() {
            let outcome = transaction.pointer("/outcome/status");
            if outcome.and_then(Value::as_str) == Some("done") {
                let call = field(transaction, "call")?.to_owned();
                let hash = field(transaction, "hash")?.to_owned();
                taken.entry(call).or_default().push(hash);
            }
        }
    }
    Ok(taken)
}

/// An answer of the member interface.
fn get(connection: &mut Connection, path: &str) -> Result<Value, Broken> {
    let response = connection.get(path)?;
    ensure_equal(path, &response.status, &200)?;
    Ok(response.json())
}

/// The receipt of a transaction, as the member hands it out.
fn receipt(world: &World, hash: &str) -> Result<Vec<u8>, Broken> {
    let consortium = world.consortium.borrow();
    let node = consortium.nodes.last().ok_or("nobody runs")?;
    let mut connection = node.connection(node.member_api(), PATIENCE);
    let response = connection.get(&format!("/v1/transactions/{hash}/receipt"))?;
    ensure_equal(hash, &response.status, &200)?;
    Ok(response.body)
}

fn checks(world: &World, hash: &str) -> Verdict {
    let bytes = receipt(world, hash)?;
    let receipt = Receipt::parse(&bytes).map_err(|error| error.to_string())?;
    let expect = Expect {
        transaction: Some(
            hash.parse::<TransactionHash>()
                .map_err(|error| error.to_string())?,
        ),
        ..Expect::default()
    };
    let genesis = &world.consortium.borrow().genesis;
    let (_report, verdict) = light::verify(&receipt, genesis, &expect, wall_ms());
    verdict.map_err(|why| format!("{hash}: {why}"))?;
    Ok(())
}

/// The same by the command; where the kind has two transactions, one is not taken for the other.
fn checks_by_command(world: &World, (call, hash): (&str, &str), other: &str) -> Verdict {
    let file = world.folder.join(format!("{call}.receipt.json"));
    fs::write(&file, receipt(world, hash)?)?;
    let verify = |hash: &str| {
        let mut command = std::process::Command::new(aidchain());
        command
            .args(["receipt", "verify", "--offline", "--json", "--trust"])
            .arg(&world.genesis)
            .args(["--expect-transaction", hash])
            .arg(&file);
        finish(&mut command)
    };
    verify(hash)?.ended_with(0)?;
    if other == hash {
        return Ok(());
    }
    verify(other)?.ended_with(5)
}
