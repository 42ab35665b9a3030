//! Writing `node.toml`: a file that explains itself.

use std::fmt::Write as _;

use super::{Config, ConfigError, FILE};

impl Config {
    /// Writes `node.toml` into the home, all values explicit. An older file is replaced as a whole.
    pub fn write(&self) -> Result<(), ConfigError> {
        let path = self.home.join(FILE);
        let draft = self.home.join(format!("{FILE}.new"));
        std::fs::write(&draft, self.to_toml())
            .and_then(|()| std::fs::rename(&draft, &path))
            .map_err(|cause| ConfigError::Unreadable { path, cause })
    }

    /// The file's text.
    #[expect(clippy::too_many_lines, reason = "one entry for each setting")]
    fn to_toml(&self) -> String {
        let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
        let names: Vec<String> = self.api_names.iter().map(|name| quoted(name)).collect();
        let entries = [
            (
                "The member's name, as in genesis.json.",
                "name",
                quoted(&self.name),
            ),
            (
                "Where this node listens for the other members.",
                "p2p_listen",
                quoted(&self.p2p_listen.to_string()),
            ),
            (
                "The address the other members dial: host:port or a multiaddr.",
                "p2p_advertise",
                quoted(&self.p2p_advertise.to_string()),
            ),
            (
                "Where patients reach this node (TLS).",
                "api_listen",
                quoted(&self.api_listen.to_string()),
            ),
            (
                "Where the member API and the explorer listen.",
                "member_listen",
                quoted(&self.member_listen.to_string()),
            ),
            (
                "Health and metrics; keep it on loopback.",
                "operations_listen",
                quoted(&self.operations_listen.to_string()),
            ),
            (
                "Ask for a token of `aidchain explorer login`. Off loopback it is always asked for.",
                "explorer_login",
                self.explorer_login.to_string(),
            ),
            (
                "Host names and addresses the patient API answers to.",
                "api_names",
                format!("[{}]", names.join(", ")),
            ),
            (
                "error, warn, info, debug, trace, or target=level pairs.",
                "log",
                quoted(&self.log),
            ),
            (
                "How much of the ledger this node keeps: all, \"N blocks\" or \"N days\". Older blocks are let go,\n\
                 # and with them the receipts of what is in them; header hashes and the state are always kept.",
                "retain",
                quoted(&self.retain.to_string()),
            ),
            (
                "Hours that a key of sign-ins lasts, 1 to 743. A shorter time makes less of a key that is stolen later.",
                "key_epoch_hours",
                self.key_epoch.to_string(),
            ),
            (
                "Tell the ledger, and so all members, of sign-ins that were refused here although the patient's key was\n\
                 # at hand. Such a report names her AID.",
                "report_refusals",
                self.report_refusals.to_string(),
            ),
            (
                "The registration centre alone: \"desk\" enrols who shows a code of `aidchain desk admit`, \"open\" everybody.",
                "enrolment",
                quoted(&self.enrolment.to_string()),
            ),
            (
                "The registration centre alone: with how many patients a shuffled set goes onto the ledger. Below 8 the\n\
                 # ledger shows which identities are one patient's.",
                "registration_set",
                self.registration_set.to_string(),
            ),
            (
                "The registration centre alone: after how many hours a smaller set goes.",
                "registration_wait_hours",
                self.registration_wait_hours.to_string(),
            ),
        ];
        let mut text = String::from(
            "# Settings of one node. Each can be overridden by AIDCHAIN_<KEY> in the environment and by a flag.\n",
        );
        for (comment, key, value) in entries {
            writeln!(text, "\n# {comment}\n{key} = {value}").unwrap_or_default();
        }
        text
    }
}
