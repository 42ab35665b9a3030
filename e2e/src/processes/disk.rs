//! A member whose disk is full.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use bench::consortium::Node;
use bench::load::{Arrival, Load};

use super::{consortium, settled};
use crate::claims::{Broken, Claims, Verdict, ensure};
use crate::tools::finish;

/// The claim.
pub(super) fn claims(claims: &mut Claims) {
    claims.hold(
        "a member with a full disk stops with a text that says so, loses nothing and comes back",
        full_disk,
    );
}

/// A small file system in memory. Unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of this size on a folder.
    fn mount(folder: &Path, size: &str) -> Result<Self, Broken> {
        std::fs::create_dir_all(folder)?;
        let option = format!("size={size},mode=0700");
        finish(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", &option, "tmpfs"])
                .arg(folder),
        )?
        .ended_with(0)
        .map_err(|why| format!("cannot mount a small tmpfs (needs root): {why}"))?;
        Ok(Self(folder.to_owned()))
    }

    /// Gives it more room.
    fn grow(&self, size: &str) -> Verdict {
        let option = format!("remount,size={size}");
        finish(Command::new("mount").args(["-o", &option]).arg(&self.0))?.ended_with(0)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, since the member may still hold files open; the folder goes with the consortium.
        drop(finish(Command::new("umount").arg("-l").arg(&self.0)));
    }
}

/// The disk fills up under load, and is then made larger.
fn full_disk() -> Verdict {
    let (mut consortium, workload) = consortium()?;
    let binary = consortium.binary.clone();
    let home = consortium.nodes.get(2).ok_or("no member")?.home.clone();
    let aside = home.with_extension("aside");
    std::fs::rename(&home, &aside)?;
    let disk = SmallDisk::mount(&home, "6m")?;
    let everything = format!("{}/.", aside.display());
    finish(Command::new("cp").arg("-a").arg(everything).arg(&home))?.ended_with(0)?;

    consortium.start_all()?;
    consortium.wait_ready(Duration::from_secs(30))?;
    let load = Load::start(
        &consortium,
        &workload,
        Arrival::Closed { connections: 2 },
        64,
    )?;
    let victim = consortium.nodes.get_mut(2).ok_or("no member")?;
    let code = victim.exit_code(Duration::from_mins(1));
    std::thread::sleep(Duration::from_secs(1));
    let samples = load.finish();
    told_plainly(victim, code)?;

    disk.grow("256m")?;
    victim.start(&binary)?;
    consortium.wait_ready(Duration::from_mins(1))?;
    settled::same_state(&consortium)?;
    let verdict = settled::nothing_lost(&consortium, &samples);
    consortium.nodes.iter_mut().for_each(Node::kill);
    verdict
}

/// It ended by itself, with an error and no panic, and its last words name the disk.
fn told_plainly(victim: &Node, code: Option<i32>) -> Verdict {
    let said = victim.log();
    ensure(code.is_some_and(|code| code != 0 && code != 101), || {
        format!("exit code {code:?}:\n{said}")
    })?;
    let plain = said.contains("No space left") || said.contains("disk is full");
    ensure(plain, || {
        format!("it does not say that the disk is full:\n{said}")
    })
}
