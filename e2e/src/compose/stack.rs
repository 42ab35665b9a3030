//! One stack of containers under a project name of its own.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bench::clock::wait_for;
use serde_json::Value;

use crate::claims::{Broken, Verdict, ensure};
use crate::tools::{Ended, finish};

/// The services, in committee order.
pub(super) const SERVICES: [&str; 4] = ["rc", "clinic-a", "clinic-b", "clinic-c"];

/// The containers, removed with their volumes when dropped.
pub(super) struct Stack {
    /// Compose's project name.
    project: String,
    /// How Compose is called here: v2 as a plug-in of docker, or v1.29 as a program.
    compose: &'static [&'static str],
}

impl Stack {
    /// Builds the image from the static binary in `dist/`.
    pub(super) fn build() -> Result<Self, Broken> {
        let plugin = finish(Command::new("docker").args(["compose", "version"]))?.code == 0;
        let compose: &[&str] = if plugin {
            &["docker", "compose"]
        } else {
            &["docker-compose"]
        };
        let stack = Self {
            project: format!("aidchain-e2e-{}", std::process::id()),
            compose,
        };
        stack.compose(&["build", "--quiet"]).map(|_| stack)
    }

    /// Runs Compose to its end.
    pub(super) fn compose(&self, arguments: &[&str]) -> Result<Ended, Broken> {
        let mut words = self.compose.iter();
        let mut command = Command::new(words.next().copied().unwrap_or_default());
        command
            .args(words)
            .args(["-p", &self.project, "-f", "docker-compose.yml"])
            .args(arguments);
        command.env("AIDCHAIN_TARGET", "prebuilt");
        let ended = finish(&mut command)?;
        ended.ended_with(0).map(|()| ended)
    }

    /// Starts everything in the background.
    pub(super) fn up(&self) -> Verdict {
        self.compose(&["up", "-d"]).map(drop)
    }

    /// The container of a service.
    fn container(&self, index: usize) -> Result<String, Broken> {
        let service = SERVICES.get(index).ok_or("no such service")?;
        Ok(self.compose(&["ps", "-q", service])?.out.trim().to_owned())
    }

    /// What the engine knows about a service's container.
    pub(super) fn inspect(&self, index: usize) -> Result<Value, Broken> {
        let container = self.container(index)?;
        Ok(finish(Command::new("docker").args(["inspect", &container]))?.json())
    }

    /// Waits until the image's own health check says so for all four.
    pub(super) fn healthy(&self, limit: Duration) -> Verdict {
        for (index, service) in SERVICES.iter().enumerate() {
            let health = |facts: &Value| facts.pointer("/0/State/Health/Status").cloned();
            let healthy = wait_for(limit, || {
                self.inspect(index)
                    .ok()
                    .and_then(|facts| health(&facts))
                    .filter(|status| status == "healthy")
            });
            ensure(healthy.is_some(), || {
                format!("{service} did not become healthy:\n{}", self.logs(service))
            })?;
        }
        Ok(())
    }

    /// What a service and the genesis service printed.
    fn logs(&self, service: &str) -> String {
        self.compose(&["logs", "--no-color", "--tail", "40", "genesis", service])
            .map_or_else(|why| why.to_string(), |ended| ended.out)
    }

    /// The status that a member tells at its published patient API. Its certificate is the
    /// member's own, which curl cannot know; the patient's commands of this run do check it.
    pub(super) fn state(index: usize) -> Result<Value, Broken> {
        let url = format!(
            "https://127.0.0.1:{}/v1/status",
            8100_usize.saturating_add(index)
        );
        let ended = finish(Command::new("curl").args(["-sSk", "--max-time", "5", &url]))?;
        ended.ended_with(0).map(|()| ended.json())
    }

    /// Copies a file out of a container.
    pub(super) fn copy_out(&self, index: usize, from: &str, to: &Path) -> Verdict {
        let source = format!("{}:{from}", self.container(index)?);
        finish(Command::new("docker").args(["cp", &source]).arg(to))?.ended_with(0)
    }

    /// Nothing of the project is left in the engine.
    pub(super) fn nothing_left(&self) -> Verdict {
        let label = format!("label=com.docker.compose.project={}", self.project);
        let listings: [&[&str]; 3] = [
            &["ps", "-a", "-q"],
            &["volume", "ls", "-q"],
            &["network", "ls", "-q"],
        ];
        for listing in listings {
            let left = finish(
                Command::new("docker")
                    .args(listing)
                    .args(["--filter", &label]),
            )?;
            ensure(left.out.trim().is_empty(), || {
                format!("docker {}: {}", listing.join(" "), left.out)
            })?;
        }
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // A run that failed half way leaves nothing behind either.
        drop(self.compose(&["down", "-v", "--remove-orphans"]));
    }
}
