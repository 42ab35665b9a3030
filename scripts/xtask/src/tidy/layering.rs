//! Who may depend on whom, asked of cargo itself.

use std::path::Path;
use std::process::Command;

use super::Problem;

/// A crate of ours and what must not be found below it.
struct Layer {
    /// Package name.
    package: &'static str,
    /// Packages, or beginnings of package names, that it must do without.
    without: &'static [&'static str],
}

/// The pure crates touch no world; the patient's side carries no node. `getrandom` stands in the tree
/// of the two that use k256, which asks for it and is never asked by us.
const LAYERS: [Layer; 5] = [
    Layer {
        package: "consensus",
        without: &[
            "tokio",
            "libp2p",
            "sled",
            "axum",
            "hyper",
            "getrandom",
            "contract",
            "protocol",
            "patient",
        ],
    },
    Layer {
        package: "contract",
        without: &[
            "tokio",
            "libp2p",
            "sled",
            "axum",
            "hyper",
            "consensus",
            "protocol",
            "patient",
        ],
    },
    Layer {
        package: "protocol",
        without: &[
            "tokio",
            "libp2p",
            "sled",
            "axum",
            "hyper",
            "consensus",
            "patient",
        ],
    },
    Layer {
        package: "research",
        without: &[
            "tokio",
            "libp2p",
            "sled",
            "axum",
            "hyper",
            "consensus",
            "patient",
        ],
    },
    Layer {
        package: "patient",
        without: &["libp2p", "sled", "axum", "aidchain"],
    },
];

/// Asks cargo for each crate's dependencies and names the forbidden ones.
pub(super) fn check(root: &Path) -> Vec<Problem> {
    LAYERS
        .iter()
        .flat_map(|layer| check_layer(root, layer))
        .collect()
}

/// One crate's forbidden dependencies.
fn check_layer(root: &Path, layer: &Layer) -> Vec<Problem> {
    let manifest = format!("{}/Cargo.toml", layer.package);
    let tree = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "-p",
            layer.package,
            "-e",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .current_dir(root)
        .output();
    match tree {
        Ok(output) if output.status.success() => {
            let listing = String::from_utf8_lossy(&output.stdout);
            let found = forbidden(&listing, layer.without);
            found
                .map(|name| Problem::of(&manifest, format!("depends on `{name}`")))
                .collect()
        }
        Ok(output) => {
            let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            vec![Problem::of(
                &manifest,
                format!("`cargo tree` failed: {reason}"),
            )]
        }
        Err(error) => vec![Problem::of(&manifest, format!("cannot run cargo: {error}"))],
    }
}

/// Packages of a `cargo tree` listing that are on the list, once each.
fn forbidden<'a>(listing: &'a str, without: &[&str]) -> impl Iterator<Item = &'a str> {
    let hits = listing
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| {
            without
                .iter()
                .any(|bad| *name == *bad || name.starts_with(&format!("{bad}-")))
        });
    hits.collect::<std::collections::BTreeSet<_>>().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forbidden_package_is_named_once_with_its_family() {
        let listing = "contract v0.1.0\nlibp2p-core v0.44.0\ntokio v1.0.0\ntokio v1.0.0 (*)\n";

        let found: Vec<_> = forbidden(listing, &["tokio", "libp2p"]).collect();

        assert_eq!(found, ["libp2p-core", "tokio"]);
    }

    #[test]
    fn a_package_whose_name_only_begins_alike_is_allowed() {
        assert_eq!(forbidden("sledgehammer v1.0.0\n", &["sled"]).count(), 0);
    }
}
