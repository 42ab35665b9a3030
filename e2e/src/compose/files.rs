//! Keeps `docker-compose.yml` to what Compose v1.29 and v2 both understand, and the `Dockerfile` to
//! what the classic builder does.

const COMPOSE: &str = include_str!("../../../docker-compose.yml");
const DOCKERFILE: &str = include_str!("../../../Dockerfile");

/// Lines that are not comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty())
}

#[test]
fn the_top_level_holds_services_volumes_and_extensions_only() {
    let top = code(COMPOSE).filter(|line| !line.starts_with(' '));
    let keys: Vec<&str> = top.filter_map(|line| line.split(':').next()).collect();

    assert_eq!(keys, ["x-node", "services", "volumes"]);
}

#[test]
fn no_key_is_used_that_only_one_of_both_knows() {
    let one_sided = [
        "develop:",
        "configs:",
        "include:",
        "env_file:",
        "version:",
        "name:",
        "extends:",
        "profiles:",
        "gpus:",
        "provider:",
        "models:",
        "post_start:",
        "pre_stop:",
        "links:",
        "container_name:",
    ];
    for line in code(COMPOSE) {
        let key = line.trim_start().trim_start_matches("- ");
        assert!(!one_sided.iter().any(|bad| key.starts_with(bad)), "{line}");
    }
}

#[test]
fn every_service_is_built_here_so_that_none_is_pulled() {
    let services = ["genesis", "rc", "clinic-a", "clinic-b", "clinic-c"];
    for service in services {
        let from = COMPOSE
            .split(&format!("\n  {service}:\n"))
            .nth(1)
            .unwrap_or_default();
        assert!(from.trim_start().starts_with("<<: *node"), "{service}");
    }
}

#[test]
fn the_stage_that_needs_no_network_comes_first() {
    let stages: Vec<&str> = code(DOCKERFILE)
        .filter(|line| line.starts_with("FROM "))
        .collect();

    assert_eq!(stages.first(), Some(&"FROM scratch AS prebuilt"));
    assert_eq!(stages.last(), Some(&"FROM scratch AS runtime"));
}

#[test]
fn the_dockerfile_asks_for_nothing_that_the_classic_builder_lacks() {
    for word in ["--mount", "--chmod", "<<", "--link"] {
        assert!(!DOCKERFILE.contains(word), "{word}");
    }
    assert!(!DOCKERFILE.starts_with("# syntax"));
}

#[test]
fn both_images_are_described_alike() {
    let lines = |stage: &str| -> Vec<String> {
        let body = DOCKERFILE.split(stage).nth(1).unwrap_or_default();
        let own = code(body).take_while(|line| !line.starts_with("FROM "));
        own.filter(|line| !line.starts_with("COPY"))
            .map(str::to_owned)
            .collect()
    };

    assert_eq!(lines("AS prebuilt\n"), lines("AS runtime\n"));
}
