//! `aidchain healthcheck`: readiness of this machine's node, without curl in the image.

use std::path::PathBuf;

use clap::Args;
use patient::client::{Client, Question};
use patient::code::{Code, Exit};
use patient::output::{Console, Failure};
use serde_json::{Value, json};

use super::node::failure::of_config;
use crate::config::{Config, Overrides};

pub(super) const EXAMPLE: &str = "\
Example:
  aidchain healthcheck --home /var/lib/aidchain";

/// Which node.
#[derive(Clone, Debug, Args)]
pub(super) struct Healthcheck {
    /// Home of the node
    #[arg(long, value_name = "DIR", env = "AIDCHAIN_HOME")]
    home: PathBuf,
}

impl Healthcheck {
    pub(super) fn run(&self, console: &Console) -> Result<Exit, Failure> {
        let config =
            Config::load(&self.home, &Overrides::default()).map_err(|error| of_config(&error))?;
        let mut address = config.operations_listen;
        if address.ip().is_unspecified() {
            address.set_ip([127, 0, 0, 1].into());
        }
        let url = format!("http://{address}")
            .parse()
            .map_err(|error| Failure::new(Code::BadSetting).because(error))?;
        let answer = Client::plain(url).ask(Question::get("/readyz?verbose"))?;
        let checks: Value = answer.json().unwrap_or(Value::Null);
        if answer.status() != 200 {
            return Err(Failure::new(Code::NodeNotReady)
                .message(format!("{} is not ready", config.name))
                .because(checks));
        }
        let object = json!({ "schema": "aidchain.health/1", "ready": true, "checks": checks });
        console.data(&object, &format!("{} is ready", config.name))?;
        Ok(Exit::Ok)
    }
}
