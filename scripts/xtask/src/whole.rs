//! `cargo xtask test`, which `scripts/test` calls: every test there is, and one line of counts.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::ci::{available, conclude, steps};
use crate::say;
use crate::source;
use crate::step::{Report, Step};

/// Seeds the simulator runs.
const SEEDS: &str = "50000";

/// A short look at the ledger's speed: it shows that the benchmark works, not how fast the machine is.
const BENCH: [&str; 7] = [
    "ledger",
    "--json",
    "--rate",
    "400",
    "--seconds=5",
    "--warmup=1",
    "--bundle=4",
];

/// The same for complete sign-ins and the handshakes beside them.
const BENCH_SIGN_INS: [&str; 7] = [
    "sign-in",
    "--json",
    "--turns=3",
    "--ledger",
    "--rate=100",
    "--seconds=5",
    "--warmup=1",
];

/// A look at whether the time of a refusal tells its reason.
const BENCH_TIMING: [&str; 3] = ["timing", "--json", "--calls=40000"];

/// Runs everything; what cannot run here is said loudly, and with `CI=true` is a failure.
pub(crate) fn run() -> ExitCode {
    let mut report = Report::default();
    face_set(&mut report);
    steps(&mut report);
    report.run(Step::new("static build", "scripts/build-static", &[]));
    report.run(Step::new(
        "simulator",
        "scripts/simulate",
        &["--seeds", SEEDS],
    ));
    report.run(Step::new("demo", "scripts/demo", &["--json"]));
    report.run(Step::new(
        "demo of the papers",
        "scripts/demo",
        &["--research", "--json"],
    ));
    report.run(Step::new("bench", "scripts/bench", &BENCH));
    report.run(Step::new(
        "bench of sign-ins",
        "scripts/bench",
        &BENCH_SIGN_INS,
    ));
    report.run(Step::new(
        "timing of refusals",
        "scripts/bench",
        &BENCH_TIMING,
    ));
    let chromium = available("chromium", "--version") && available("chromedriver", "--version");
    if chromium {
        report.run(Step::new("browser", "dist/e2e", &["browser"]));
    } else {
        report.leave_out(
            "browser",
            "chromium and chromedriver are not both installed",
        );
    }
    report.run(Step::new("processes", "dist/e2e", &["processes"]));
    report.run(Step::new("life", "dist/e2e", &["life"]));
    report.run(Step::new("second", "dist/e2e", &["second"]));
    report.run(Step::new("jepsen", "dist/e2e", &["jepsen"]));
    let compose = available("docker-compose", "version") || docker_compose();
    if available("docker", "info") && compose {
        report.run(Step::new("compose", "dist/e2e", &["compose"]));
    } else {
        report.leave_out("compose", "no Docker engine with Compose answers");
    }
    say::line("");
    conclude(&report)
}

/// Whether Compose v2 is there as a plug-in of the docker program.
fn docker_compose() -> bool {
    let status = std::process::Command::new("docker")
        .args(["compose", "version"])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The public face set is no part of the repository; CI has it beside the clone.
fn face_set(report: &mut Report) {
    let beside = source::root().join("../shared/data/biometrics");
    let folder = std::env::var_os("AIDCHAIN_BIOMETRICS_DIR").map_or(beside, PathBuf::from);
    if !folder.join("kat_fe_v1.json").is_file() {
        let why = format!(
            "no face set in {} (AIDCHAIN_BIOMETRICS_DIR)",
            folder.display()
        );
        report.leave_out("public face set", &why);
    }
}
