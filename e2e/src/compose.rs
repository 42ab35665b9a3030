//! The containers of `docker-compose.yml`, run by the real engine.

#[cfg(test)]
mod files;
mod stack;

use std::path::PathBuf;
use std::time::Duration;

use bench::clock::wait_for;
use serde_json::Value;
use tempfile::TempDir;

use crate::claims::{Broken, Claims, Verdict, ensure, ensure_equal};
use crate::people::{ENROLMENT, Patient};
use stack::{SERVICES, Stack};

/// How long four containers may take to become healthy.
const PATIENCE: Duration = Duration::from_secs(90);

/// All claims about containers, in the order in which they happen to one stack.
pub(crate) fn run(claims: &mut Claims) -> Result<(), Broken> {
    let folder = tempfile::tempdir()?;
    let stack = Stack::build()?;
    claims.hold(
        "the four containers come up healthy from an image built without a network",
        || {
            stack.up()?;
            stack.healthy(PATIENCE)
        },
    );
    claims.hold(
        "every container has a read-only root, no capability and no root user",
        || hardened(&stack),
    );
    let patient = enrolled(&stack, &folder)?;
    claims.hold(
        "a patient registers and signs in at each published node",
        || everywhere(&patient),
    );
    claims.hold(
        "with one container stopped sign-in goes on, and started again it catches up",
        || without_one(&stack, &patient),
    );
    claims.hold("down and up again keeps keys and ledger", || {
        let before = Stack::state(0)?;
        stack.compose(&["down"])?;
        stack.up()?;
        stack.healthy(PATIENCE)?;
        same_state()?;
        ensure(height(&Stack::state(0)?) >= height(&before), || {
            "the ledger became shorter".to_owned()
        })
    });
    claims.hold("`down -v` leaves no container, volume or network", || {
        stack.compose(&["down", "-v"])?;
        stack.nothing_left()
    });
    Ok(())
}

/// The patient of the run, with the stack's genesis file.
fn enrolled(stack: &Stack, folder: &TempDir) -> Result<Patient, Broken> {
    let genesis: PathBuf = folder.path().join("genesis.json");
    stack.copy_out(0, "/data/rc/genesis.json", &genesis)?;
    Patient::new(&folder.path().join("patient"), &genesis, 11)
}

/// What `docker inspect` says about each container.
fn hardened(stack: &Stack) -> Verdict {
    for index in 0..SERVICES.len() {
        let facts = stack.inspect(index)?;
        let fact = |pointer: &str| {
            facts
                .pointer(pointer)
                .map(Value::to_string)
                .unwrap_or_default()
        };
        ensure_equal(
            "read-only root",
            &fact("/0/HostConfig/ReadonlyRootfs"),
            &"true".to_owned(),
        )?;
        ensure_equal(
            "dropped capabilities",
            &fact("/0/HostConfig/CapDrop"),
            &"[\"ALL\"]".to_owned(),
        )?;
        ensure_equal(
            "user",
            &fact("/0/Config/User"),
            &"\"10001:10001\"".to_owned(),
        )?;
        let options = fact("/0/HostConfig/SecurityOpt");
        ensure(options.contains("no-new-privileges"), || {
            format!("security options: {options}")
        })?;
    }
    Ok(())
}

/// Registration at the centre, then a sign-in at every member.
fn everywhere(patient: &Patient) -> Verdict {
    patient.register()?.ended_with(0)?;
    for (capture, service) in (ENROLMENT..).zip(SERVICES) {
        patient.sign_in(service, capture)?.ended_with(0)?;
    }
    same_state()
}

/// Stops a clinic, signs in elsewhere, starts it again.
fn without_one(stack: &Stack, patient: &Patient) -> Verdict {
    stack.compose(&["stop", "clinic-b"])?;
    patient.sign_in("clinic-a", 7)?.ended_with(0)?;
    stack.compose(&["start", "clinic-b"])?;
    stack.healthy(PATIENCE)?;
    same_state()
}

/// Height in a status.
fn height(status: &Value) -> u64 {
    status
        .get("height")
        .and_then(Value::as_u64)
        .unwrap_or_default()
}

/// All four tell the same height and state root.
fn same_state() -> Verdict {
    let told = || -> Option<Vec<(u64, Value)>> {
        let one = |index| {
            Stack::state(index)
                .ok()
                .map(|state| (height(&state), state.get("state_root").cloned()))
        };
        (0..SERVICES.len())
            .map(|index| one(index).and_then(|(height, root)| Some((height, root?))))
            .collect()
    };
    let agreed = wait_for(Duration::from_mins(1), || {
        let told = told()?;
        told.iter()
            .all(|other| Some(other) == told.first())
            .then_some(())
    });
    ensure(agreed.is_some(), || {
        format!("heights and state roots did not become equal: {:?}", told())
    })
}
